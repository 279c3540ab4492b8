"""What an expression reads and compares, and where in the source that stands."""

from pathlib import Path

import pytest
import yaml

from domain.expressions import MISSING, compile_condition, compile_value
from domain.expressions.parts import Side
from tests.domain.expressions.saying import NAMES, refusal


@pytest.mark.parametrize(
    ("source", "paths"),
    [
        ("{{ dialog.status }}", ["dialog.status"]),
        ("{{ steps.ask.result.items[0].id }}", ["steps.ask.result.items[0].id"]),
        ("{{ steps . ask['result'] }}", ["steps . ask['result']"]),
        ("{{ vars.object[inputs.key].deep }}", ["vars.object", "inputs.key"]),
        ("{{ vars.list[1:inputs.limit] }}", ["vars.list", "inputs.limit"]),
        ("{{ (vars.list | first).kind }}", ["vars.list"]),
        ("Так {{ a.b }} і {% if c.d and not e %}{{ f | default(g.h) }}{% elif i %}{% endif %}",
         ["a.b", "c.d", "e", "f", "g.h", "i"]),
        ("{% for x in a.list if x.ok == b %}{{ x.name }}{{ loop.index }}{{ c }}{% else %}{{ x }}{% endfor %}",
         ["a.list", "b", "c", "x"]),
        ("{{ {'k': a.b} if c else [d, -e.f, now() + minutes(g)] }}", ["c", "a.b", "d", "e.f", "g"]),
        ("{{ 'dialog.status' }} plain", []),
    ],
)  # fmt: skip
def test_references_are_placed(source: str, paths: list[str]) -> None:
    found = compile_value(source).references
    assert [source[one.offset : one.offset + one.length] for one in found] == paths


def test_names_are_paths() -> None:
    expression = compile_condition("steps.ask.result.items[0]['id'] == 5 or dialog.status in dialog.status")
    assert expression.names == (("steps", "ask", "result", "items", 0, "id"), ("dialog", "status"))
    assert compile_value("text").names == ()


def test_a_reference_tells_whether_it_may_be_missing() -> None:
    expression = compile_condition("(a | default(b)) == c and d is empty and e.f is not none and [g] == h")
    assert {reference.path[0]: reference.is_optional for reference in expression.references} == {
        "a": True, "b": True, "c": False, "d": True, "e": True, "g": False, "h": False,
    }  # fmt: skip
    assert compile_value("{{ a }}").references[0].is_optional
    assert not compile_value("{{ a }} ").references[0].is_optional


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ a }}", None), ("x {{ a }}", "text"), ("plain", "text"), ("{{ 5 }}", "number"), ("{{ 1 + a }}", None),
        ("{{ 1 + 2 }}", "number"), ("{{ a * b }}", "number"), ("{{ a ~ b }}", "text"), ("{{ a == b }}", "boolean"),
        ("{{ not a }}", "boolean"), ("{{ a | length }}", "number"), ("{{ [a] }}", "list"), ("{{ {} }}", "object"),
        ("{{ now() }}", "moment"), ("{{ days(1) }}", "duration"), ("{{ none }}", "null"),
        ("{{ 1 if a else 2 }}", "number"), ("{{ 1 if a else 'b' }}", None), ("{{ a is empty }}", "boolean"),
        ("{% if a %}1{% endif %}", "text"),
    ],
)  # fmt: skip
def test_what_is_known_of_the_result(source: str, expected: str | None) -> None:
    assert compile_value(source).result_type == expected


def test_only_plain_text_is_literal() -> None:
    assert compile_value("text").literal
    assert compile_value("").literal
    assert not compile_value("{{ 5 }}").literal
    assert not compile_value("{{ a }}").literal


def test_comparisons_are_told_for_lints() -> None:
    source = "dialog.status == 'opened' and 3 == '3' and a.b not in ['x', 'y'] and (x | length) > 2"
    found = compile_condition(source).comparisons
    assert [(one.left, one.sign, one.right) for one in found] == [
        (Side(None, ("dialog", "status")), "==", Side("text", None, "opened")),
        (Side("number", None, 3), "==", Side("text", None, "3")),
        (Side(None, ("a", "b")), "not in", Side("list", None, ["x", "y"])),
        (Side("number"), ">", Side("number", None, 2)),
    ]
    assert source[found[0].offset :][: found[0].length] == "dialog.status == 'opened'"
    assert found[0].left.value is MISSING


def test_the_values_read_are_told_for_traces() -> None:
    condition = compile_condition(
        "dialog.status == 'open' and inputs.empty is empty and nope.x is empty and dialog.opened_at"
    )
    assert condition.read(NAMES) == {
        "dialog.status": "open", "inputs.empty": None, "nope.x": None, "dialog.opened_at": "2026-02-28T12:00:00Z",
    }  # fmt: skip


def test_long_values_are_cut_in_traces() -> None:
    names = {"a": "x" * 500, "b": list(range(500)), "c": object(), "d": [1, 2], "e": "text"}
    read = compile_condition("a == b and c == d and e.f.g == a").read(names)
    assert len(read["a"]) == len(read["b"]) == 200
    assert read["a"].endswith("…")
    assert read["b"].startswith("[0,1,2")
    assert read["c"] is None
    assert read["d"] == [1, 2]
    assert read["e.f.g"] is None


@pytest.mark.parametrize(
    ("source", "marked"),
    [
        ("{{ a ** 2 }}", "**"), ("{{ inputs.text.upper() }}", "inputs.text.upper"),
        ("{{ inputs.text | nope }}", "nope"), ("{{ 1 +  * 2 }}", "*"), ("{{ _x }}", "_x"), ("{% set x = 1 %}", "set"),
        ("{{ range(5) }}", "range"), ("{{ 1 + inputs.text }}", "1 + inputs.text"), ("так {{ nope.a }}", "nope.a"),
        ("{{ inputs.limit | upper }}", "upper"), ("{{ x is defined }}", "defined"),
        ("{{ 99999999999999999999 }}", "99999999999999999999"), ("{{ 1 if inputs.text else 2 }}", "inputs.text"),
        ("{{ 1 < 2 < 'a' }}", "2 < 'a'"), ("{{ minutes('a') }}", "minutes"), ("{{ 'a' if true }}", "'a'"),
        ("{{ [1].x }}", "[1].x"), ("{{ vars.list['x'] ~ '' }}", "vars.list['x']"),
        ("{{ now() | date('qq') }}", "date"), ("{{- dialog.tags ~ '' -}}", "dialog.tags"),
        ("{{ 'a\\ud800' }}", "\\ud800"), ("ї {{ a ? b }}", "?"),
        ("{% for x in inputs.text %}{% endfor %}", "inputs.text"),
        ("{% if inputs.limit %}{% endif %}", "inputs.limit"),
        ("{# remark #}  {%- if true -%}  {{ nope ~ 1 }}{% endif %}", "nope"), ("{{ a\n  b }}", "b"),
    ],
)  # fmt: skip
def test_an_error_marks_its_place(source: str, marked: str) -> None:
    error = refusal(source)
    assert error.offset is not None
    assert error.length is not None
    assert source[error.offset : error.offset + error.length] == marked


def test_every_expression_of_the_examples_compiles() -> None:
    found = [*Path("processes").glob("*.yaml"), *Path("macros").glob("*.yaml")]
    for file in found:
        _compile(yaml.safe_load(file.read_text("utf-8")), "")


def _compile(value: object, key: str) -> None:
    if isinstance(value, dict):
        for name, item in value.items():
            if name != "tests":
                _compile(item, name)
    elif isinstance(value, list):
        for item in value:
            _compile(item, key)
    elif isinstance(value, str) and key in ("if", "when", "while", "guard", "show_if"):
        compile_condition(value)
    elif isinstance(value, str):
        compile_value(value)
