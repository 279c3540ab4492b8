"""Whatever the source and the names: a value, or an ExpressionError with a code, one line and a place. Always alike."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.expressions import Expression, ExpressionError, compile_condition, compile_value, to_json
from domain.expressions.filters import FILTERS
from tests.domain.expressions.saying import NOON

FRAGMENTS = [
    "a", "b", "xs", "a.b", "a.b.c", "a[0]", "a['k']", "xs[", "]", "(", ")", "{", "}", "[", ",", ":", ".", "|", "+",
    "-", "*", "/", "//", "%", "~", "==", "!=", "<", "<=", ">", ">=", "=", " in ", " not in ", " not ", " and ",
    " or ", " is ", " is not ", "empty", "none", " if ", " else ", "true", "false", "none", "0", "1", "2.5", "1e300",
    "9223372036854775807", "''", "'x'", "'{'", "'dd.MM'", "'1h'", "'2026-03-02T12:00:00Z'", "now()", "minutes(",
    "days(1)", "loop.index", "loop.last", "{{ ", " }}", "{% if ", "{% elif ", "{% else %}", "{% endif %}",
    "{% for x in ", "{% endfor %}", " %}", "{# ", " #}", "{%- ", "-%}", "{% raw %}", "{% endraw %}", "x", " ", "\n",
    "\r\n", "ї", "\u200b", "\x00", "\\", '"', "**", "_", "$", *(f" | {name}" for name in FILTERS), " | join(', ')",
    " | default(0)", " | where('k')",
]  # fmt: skip
scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.timedeltas() | st.datetimes()
    | st.datetimes(timezones=st.just(UTC)) | st.sampled_from([b"x", {1}, object(), 10**40, "1h",
    "2026-03-02T12:00:00Z", "12.5", "{contact.name}"])
)  # fmt: skip
keys = st.sampled_from("kbc") | st.text(max_size=3)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=12,
)
names = st.dictionaries(st.sampled_from(["a", "b", "xs", "x", "contact"]), values, max_size=4)
soup = st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=3), max_size=14).map("".join)
PLAIN = re.compile(r"[^\n\r]+")


def _compiled(source: str, *, is_condition: bool) -> Expression | None:
    try:
        return (compile_condition if is_condition else compile_value)(source)
    except ExpressionError as error:
        _require_told(error, source, "E")
        return None


def _outcome(expression: Expression, scope: dict[str, Any]) -> Any:
    try:
        return to_json(expression.evaluate(scope, now=NOON))
    except ExpressionError as error:
        _require_told(error, expression.source, "R")
        return (error.code, error.message, error.offset, error.length)


def _require_told(error: ExpressionError, source: str, family: str) -> None:
    assert re.fullmatch(family + r"3\d\d", error.code), error.code
    assert PLAIN.fullmatch(error.message), error.message
    assert len(error.message) < 500
    if error.offset is not None:
        assert error.length is not None
        assert 0 <= error.offset <= len(source)
        assert error.length >= 0


@settings(max_examples=500, deadline=None)
@given(soup | soup.map(lambda text: "{{ " + text + " }}") | st.text(max_size=40), names, st.booleans())
def test_soup_gives_a_value_or_our_error(source: str, scope: dict[str, Any], is_condition: bool) -> None:
    expression = _compiled(source, is_condition=is_condition)
    if expression is None:
        return
    before = repr(scope)
    first = _outcome(expression, scope)
    assert repr(_outcome(expression, scope)) == repr(first)
    assert repr(scope) == before
    read = expression.read(scope)
    assert list(read) == list(dict.fromkeys(read))


OPERANDS = [
    "a",
    "b",
    "xs",
    "a.k",
    "a[0]",
    "b.k.b",
    "xs[1]",
    "1",
    "2.5",
    "'x'",
    "true",
    "none",
    "now()",
    "days(2)",
    "[a,1]",
    "{'k':b}",
    "nope",
]
OPERATORS = ["+", "-", "*", "/", "//", "%", "~", "==", "!=", "<", ">=", "in", "and", "or"]
CALLS = [
    "| join('-')", "| default(b)", "| where('k')", "| where('k', a)", "| pluck('k.b')", "| sort('k')",
    "| sort(reverse=true)", "| round(2)", "| truncate(3)", "| replace('x', a)", "| contains(b)", "| startswith(a)",
    "| endswith('x')", "| matches('^x')", "| date('dd.MM.yyyy', '+02:00')", "| money('USD')", "| int(0)", "| float(b)",
    "| date(a)", "| money(b)", "is empty", "is not none", "[1:]", "[::a]", "[b]", ".k", "[0]",
    *(f"| {name}" for name in FILTERS),
]  # fmt: skip
shaped = st.recursive(
    st.sampled_from(OPERANDS),
    lambda inner: (
        st.builds("({} {})".format, inner, st.sampled_from(CALLS))
        | st.builds("({} {} {})".format, inner, st.sampled_from([*OPERATORS, "not in"]), inner)
        | st.builds("({} if {} else {})".format, inner, inner, inner)
        | st.builds("({}({}))".format, st.sampled_from(["not ", "-", "+", "minutes", "hours"]), inner)
    ),
    max_leaves=8,
)


@settings(max_examples=600, deadline=None)
@given(shaped, names)
def test_whatever_reads_well_gives_a_value_or_our_error(source: str, scope: dict[str, Any]) -> None:
    for text in (f"{{{{ {source} }}}}", f"<{{{{ {source} }}}}>"):
        expression = _compiled(text, is_condition=False)
        if expression is not None:
            assert repr(_outcome(expression, scope)) == repr(_outcome(expression, scope))


@settings(max_examples=150, deadline=None)
@given(shaped, st.integers(0, 60), names)
def test_little_fuel_changes_nothing_but_whether_it_ends(source: str, fuel: int, scope: dict[str, Any]) -> None:
    expression = _compiled(f"{{{{ {source} }}}}", is_condition=False)
    if expression is None:
        return
    full = _outcome(expression, scope)
    try:
        short = to_json(expression.evaluate(scope, now=NOON, fuel=fuel))
    except ExpressionError as error:
        if error.code == "R310":
            return
        short = (error.code, error.message, error.offset, error.length)
    assert repr(short) == repr(full)


def test_the_moment_is_the_one_given() -> None:
    later = datetime(2031, 1, 1, tzinfo=UTC)
    expression = compile_value("{{ now() + days(1) }}")
    assert expression.evaluate({}, now=NOON) == NOON + timedelta(days=1)
    assert expression.evaluate({}, now=later) == later + timedelta(days=1)
