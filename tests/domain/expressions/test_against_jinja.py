"""Where both languages say the same, ours and Jinja2's own evaluation agree, over random expressions."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Environment

from domain.expressions import ExpressionError, compile_value
from tests.domain.expressions.saying import NOON

JINJA = Environment(keep_trailing_newline=True)
NAMES: dict[str, Any] = {
    "n": 7, "m": {"neg": -3, "zero": 0}, "f": 2.5, "s": "Привіт", "t": {"x": ["a b",
    "c"]}, "yes": True, "no": False, "xs": [3, 1, 2, 3],
    "empty": [], "words": ["b", "a"],
}  # fmt: skip

integers = st.sampled_from(["n", "m.neg", "m['zero']", "xs[0]", "xs[-1]", "xs.1"]) | st.integers(0, 99).map(str)
floats = st.sampled_from(["f", "0.5", "1.25", "10.0"])
literals = st.text("абв xyz'\\\"\n", max_size=5).map(
    lambda text: "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
)
texts = st.sampled_from(["s", "t.x[0]", "t['x'][1]"]) | literals
lists = st.sampled_from(["xs", "empty", "[1, n, 3]", "xs[1:]", "xs[:2]", "xs[::-1]"])


def _joined(*parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*parts).map(lambda found: "(" + " ".join(found) + ")")


def _one_of(*parts: str) -> st.SearchStrategy[str]:
    return st.sampled_from(parts)


numbers = st.deferred(
    lambda: integers | floats
    | _joined(numbers, _one_of("+", "-", "*", "/", "//", "%"), numbers)
    | _joined(_one_of("-", "+"), numbers)
    | _joined(numbers, _one_of("if"), booleans, _one_of("else"), numbers)
    | _joined(st.just("("), lists, _one_of("| length", "| sum", "| first | default(0)", "| last | default(9)",
    "| sum * 2"), st.just(")"))
    | _joined(st.just("("), strings, st.just("| length )"))
)  # fmt: skip
whole = st.deferred(lambda: integers | _joined(whole, _one_of("+", "-", "*"), whole))
strings = st.deferred(
    lambda: texts
    | _joined(strings, st.just("+"), strings)
    | _joined(strings | whole, st.just("~"), strings | whole)
    | _joined(strings, _one_of("| upper", "| lower", "| trim", "| replace('а', 'ї')", "| string", "[1:]", "[:2]"))
    | _joined(strings, _one_of("if"), booleans, _one_of("else"), strings)
    | _joined(lists | st.just("words"), _one_of("| join", "| join('-')", "| join(', ')"))
)  # fmt: skip
booleans = st.deferred(
    lambda: _one_of("yes", "no", "true", "false")
    | _joined(numbers, _one_of("==", "!=", "<", "<=", ">", ">="), numbers)
    | _joined(numbers, _one_of("<", "<="), numbers, _one_of("<", ">"), numbers)
    | _joined(strings, _one_of("==", "!=", "<", ">="), strings)
    | _joined(strings, _one_of("in", "not in"), strings)
    | _joined(numbers, _one_of("in", "not in"), lists)
    | _joined(booleans, _one_of("and", "or"), booleans)
    | _joined(booleans, _one_of("and", "or"), booleans, _one_of("and", "or"), booleans)
    | _joined(st.just("not"), booleans)
    | _joined(numbers, _one_of("==", "!="), strings)
    | _joined(numbers | strings, st.just("is none"))
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(numbers | strings | booleans | lists | _joined(lists, _one_of("| sort", "| sort(reverse=true)", "+ [5]")))
def test_an_expression_yields_what_jinja_yields(expression: str) -> None:
    try:
        ours = compile_value("{{ " + expression + " }}").evaluate(NAMES, now=NOON)
    except ExpressionError as error:
        if error.code in ("R313", "R314", "E306"):
            return
        raise
    theirs = JINJA.compile_expression(expression, undefined_to_none=False)(**NAMES)
    assert ours == theirs, expression
    assert type(ours) is type(theirs)


data = st.text("абв {}%\n-", max_size=6).filter(
    lambda text: not any(mark in text for mark in ("{{", "{%", "{#")) and not text.endswith("{")
)
pieces = st.deferred(
    lambda: data
    | st.builds("{{{{ {} }}}}".format, strings | whole)
    | st.builds("{{% if {} %}}{}{{% else %}}{}{{% endif %}}".format, booleans, bodies, bodies)
    | st.builds("{{% if {} %}}{}{{%- elif {} -%}}{}{{% endif %}}".format, booleans, bodies, booleans, bodies)
    | st.builds("{{% for o in {} %}}{}{{{{ o }}}}{{{{ loop.index }}}}{{% else %}}{}{{% endfor %}}".format,
                lists, bodies, bodies)
    | st.builds("{{% for o in {} if o > 1 %}}{{{{ loop.length - loop.index0 }}}}{}{{% endfor %}}".format, lists, bodies)
)  # fmt: skip
bodies = st.lists(pieces, max_size=3).map("".join)


@settings(max_examples=60, deadline=None)
@given(st.tuples(st.just("|"), bodies, st.just("|\n")).map("".join))
def test_a_text_reads_as_jinja_renders_it(source: str) -> None:
    try:
        ours = compile_value(source).evaluate(NAMES, now=NOON)
    except ExpressionError as error:
        if error.code in ("R310", "R311", "R313", "R314", "E306"):
            return
        raise
    assert ours == JINJA.from_string(source).render(NAMES)
