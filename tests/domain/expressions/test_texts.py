"""Texts with braces: when the value itself comes out, what stands in a text, branches and loops inside."""

from datetime import timedelta
from typing import Any

import pytest

from domain.expressions import compile_value
from tests.domain.expressions.saying import NOON, refusal, value


def test_a_text_without_braces_is_itself() -> None:
    for text in ("", "Добрий день", "50 % знижки }} {", "a\r\nb\n", "{ x }", "'quoted'", "x" * 100_000):
        assert value(text) == text
        assert compile_value(text).literal


def test_one_pair_of_braces_is_the_value_itself() -> None:
    assert value("{{ vars.list }}") == [3, 1, 2]
    assert value("{{vars.count}}") == 7
    assert value("{{- vars.count -}}") == 7
    assert value("{{ contact.phone }}") == "0501234567"
    assert value("{{ now() }}") == NOON


def test_anything_beside_it_makes_it_text() -> None:
    assert value("{{ vars.count }} ") == "7 "
    assert value("№{{ vars.count }}") == "№7"
    assert value("{{ vars.count }}{{ vars.count }}") == "77"
    assert value("{{ vars.count }}\n") == "7\n"
    assert value("{# a remark #}{{ vars.count }}") == 7


@pytest.mark.parametrize(
    ("given", "written"),
    [
        (1, "1"), (1.0, "1"), (-0.0, "0"), (0.1, "0.1"), (1e22, "1e+22"), (1234567.891, "1234567.891"),
        (True, "true"), (False, "false"), ("а", "а"), (NOON, "2026-03-02T12:00:00Z"), (timedelta(hours=26), "1d2h"),
        (timedelta(0), "0s"), (9223372036854775807, "9223372036854775807"),
    ],
)  # fmt: skip
def test_how_values_are_written(given: Any, written: str) -> None:
    assert value("{{ x }}!", {"x": given}) == written + "!"


@pytest.mark.parametrize(
    ("given", "code"),
    [(None, "R321"), ([1], "R322"), ({"a": 1}, "R322"), (object(), "R323"), (10**30, "R313"), (float("nan"), "R313"),
     (float("inf"), "R313"), (b"x", "R323"), ({1}, "R323")],
)  # fmt: skip
def test_what_cannot_be_written(given: Any, code: str) -> None:
    assert refusal("{{ x }}!", {"x": given}).code == code


def test_a_missing_value_in_a_text_is_an_error() -> None:
    assert refusal("Шановна {{ contact.middle_name }}").code == "R320"
    assert refusal("Шановна {{ contact.last_name }}").code == "R321"
    assert value("Шановна {{ contact.last_name | default('клієнтко') }}") == "Шановна клієнтко"


def test_branches_and_loops_in_a_text() -> None:
    source = (
        "{% for c in contact.channels %}{{ loop.index }}/{{ loop.length }} {{ c.kind }}"
        "{% if c.window_open is empty %}?{% elif c.window_open %}!{% else %}.{% endif %}"
        "{% if not loop.last %}, {% endif %}{% endfor %}"
    )
    assert value(source) == "1/3 viber., 2/3 telegram!, 3/3 email?"
    assert value("{% for x in vars.nothing %}{{ x }}{% else %}порожньо{% endfor %}") == "порожньо"
    assert value("{% for x in vars.list if x > 1 %}{{ loop.index0 }}{{ x }}{{ loop.first }} {% endfor %}") == (
        "03true 12false "
    )
    assert value("{% if inputs.warn %}так{% endif %}") == "так"
    assert value("{% if not inputs.warn %}так{% endif %}") == ""


def test_loops_stand_in_loops_and_names_end_with_them() -> None:
    source = "{% for a in rows %}{% for b in a %}{{ b }}{{ loop.last }}{% endfor %}{{ loop.index }};{% endfor %}{{ a }}"
    names = {"rows": [[1, 2], [3]], "a": "outer"}
    assert value(source, names) == "1false2true1;3true2;outer"
    assert value("{% for c in xs %}{{ c.k[c.i].z }}{% endfor %}", {"xs": [{"k": [{"z": 1}], "i": 0}]}) == "1"
    assert value("{{ loop.index }}", {"loop": {"index": "ours"}}) == "ours"


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("{% for x in 5 %}{% endfor %}", "R323"), ("{% for x in 'abc' %}{% endfor %}", "R323"),
        ("{% for x in vars.object %}{% endfor %}", "R323"), ("{% for x in nope %}{% endfor %}", "R320"),
        ("{% for a, b in vars.list %}{% endfor %}", "E305"),
        ("{% for x in vars.list recursive %}{% endfor %}", "E305"),
        ("{% for x in vars.list %}{{ loop }}{% endfor %}", "E305"),
        ("{% for x in vars.list %}{{ loop.cycle }}{% endfor %}", "E305"),
        ("{% for x in vars.list %}{{ loop.depth }}{% endfor %}", "E305"),
        ("{% for loop in vars.list %}{% endfor %}", "E305"), ("{% for _x in vars.list %}{% endfor %}", "E305"),
        ("{% for x.y in vars.list %}{% endfor %}", "E301"), ("{% for x in vars.list if x %}{% endfor %}", "R306"),
        ("{% if vars.count %}{% endif %}", "R306"), ("{% if 1 %}{% endif %}", "E306"),
        ("{% if inputs.warn %}", "E301"), ("{% endif %}", "E301"), ("{{ a", "E301"), ("{{ }}", "E301"),
        ("{%", "E301"), ("{% %}", "E301"), ("{# never ends", "E301"), ("{{ a }} {{", "E301"),
        ("{% for x in vars.list %}{{ x.y }}{% endfor %}", "R323"),
    ],
)  # fmt: skip
def test_what_a_text_may_not_hold(source: str, code: str) -> None:
    assert refusal(source).code == code


def test_raw_text_stays_as_it_is() -> None:
    assert value("{% raw %}{{ not an expression }}{% endraw %}") == "{{ not an expression }}"
    assert compile_value("{% raw %}{{ x }}{% endraw %}").literal


def test_line_breaks_are_kept() -> None:
    assert value("a\n{{ vars.count }}\n\n") == "a\n7\n\n"
    assert value("a\r\n{{ vars.count }}\r\n") == "a\n7\n"


def test_what_a_person_wrote_is_never_read_as_an_expression() -> None:
    hostile = "{{ vars.count }} {% for x in vars.list %}{{ x }}{% endfor %} {contact.phone}"
    assert value("{{ x }}", {"x": hostile}) == hostile
    assert value("<{{ x }}>", {"x": hostile}) == f"<{hostile}>"
    assert value("{{ x ~ '' }}", {"x": hostile}) == hostile
