"""Ways out and bombs: each refused with its code, by counting and never by waiting."""

import sys

import pytest

from domain.expressions import ExpressionError, compile_condition, compile_value, to_json
from domain.expressions.budgets import DEEPEST, LARGEST_TEXT, LONGEST_LIST, LONGEST_SOURCE
from tests.domain.expressions.saying import NAMES, NOON, of, refusal, refusal_of, value


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("''.__class__", "E305"), ("''.__class__.__mro__[1].__subclasses__()", "E305"),
        ("inputs.__init__.__globals__", "E305"), ("inputs._private", "E305"), ("_x", "E305"),
        ("__import__('os')", "E305"), ("'' | attr('__class__')", "E304"), ("inputs | map(attribute='x')", "E304"),
        ("inputs | xmlattr", "E304"), ("inputs | pprint", "E304"), ("x is defined", "E304"),
        ("x is callable", "E304"), ("x is mapping", "E304"), ("x is eq 1", "E304"), ("x is divisibleby 3", "E304"),
        ("x is in [1]", "E304"), ("'{0.__class__}'.format(inputs)", "E305"), ("'%s' | format(1)", "E304"),
        ("'{}'.format", "R323"), ("inputs.items()", "E305"), ("inputs['items']()", "E305"),
        ("inputs.text.upper()", "E305"), ("vars.list.append(1)", "E305"), ("vars.list.pop()", "E305"),
        ("range(10)", "E305"), ("range(1000000000)", "E305"), ("dict(a=1)", "E305"), ("lipsum()", "E305"),
        ("cycler(1)", "E305"), ("namespace(a=1)", "E305"), ("joiner()", "E305"), ("self", "R320"), ("self.x", "R320"),
        ("super()", "E305"), ("caller()", "E305"), ("config", "R320"), ("request", "R320"), ("eval('1')", "E305"),
        ("open('/etc/passwd')", "E305"), ("(now)()", None), ("now(1)", "E305"), ("minutes()", "E305"),
        ("minutes(1, 2)", "E305"), ("minutes(n=1)", "E305"), ("minutes(*[1])", "E305"), ("now()()", "E305"),
        ("2 ** 2", "E305"), ("9 ** 9 ** 9", "E305"), ("'A' * 1000000000", "R323"), ("[0] * 1000000000", "R323"),
        ("1 << 5", "E301"), ("1 & 1", "E301"), ("1 | 1", "E301"), ("~1", "E301"), ("lambda x: x", "E301"),
        ("[x for x in y]", "E301"), ("x := 1", "E301"), ("a = 1", "E301"), ("a if b", "E305"), ("a; b", "E301"),
        ("`id`", "E301"), ("$x", "E301"), ("x ? 1 : 2", "E301"), ("x && y", "E301"), ("!x", "E301"),
        ("{1: 2}", "E305"), ("{x: 2}", "E305"), ("[1, 2][0, 1]", "E305"), ("99999999999999999999", "E306"),
        ("0xFFFFFFFFFFFFFFFFFF", "E306"), ("1e999", "E306"), (r"'\ud800'", "E301"), (r"'\x00'", "E301"),
        (r"'\U00110000'", "E301"), ("'a\x00b'", "E301"), ("'\ud800'", "E301"), ("*x", "E301"), ("**x", "E305"),
        ("...", "E301"), ("a.", "E301"), (".a", "E301"), ("a..b", "E301"), ("a[", "E301"), ("a[]", "E305"),
        ("()", None), ("(", "E301"), (")", "E301"), ("'", "E301"), ("x.\u2160", "R320"),
        ("\uff3f\uff3fclass\uff3f\uff3f", "E301"), ("''.\uff3f\uff3fclass\uff3f\uff3f", "E301"), ("x.é", "R320"),
        ("x.a\u200bb", "E301"), ("\u202ex", "E301"), ("х", "R320"), ("True.real", "R323"), ("(1).numerator", "R323"),
        ("1.5.hex", "R323"),
    ],
)  # fmt: skip
def test_ways_out_are_refused(expression: str, code: str | None) -> None:
    if code is None:
        of(expression)
    else:
        assert refusal(f"<{{{{ {expression} }}}}>").code == code


def test_an_attribute_is_only_ever_a_key() -> None:
    assert of("inputs['__class__']") is None
    assert of("inputs['__class__']", {"inputs": {"__class__": "a key like any other"}}) == "a key like any other"
    assert of("vars.object.keys") is None
    assert of("vars.object['items']") is None
    assert refusal_of("inputs.text['__class__']").code == "R323"
    assert refusal_of("vars.list.append").code == "R323"


@pytest.mark.parametrize(
    "tag",
    [
        "set x = 1", "set x", "macro m()", "include 'x'", "import 'x' as y", "from 'x' import y", "call m()",
        "filter upper", "extends 'x'", "block x", "with x = 1", "autoescape true", "do x", "trans", "break",
        "continue", "print 1", "elseif x", "x",
    ],
)  # fmt: skip
def test_only_two_tags_are_known(tag: str) -> None:
    error = refusal(f"a {{% {tag} %}} b {{% end %}}")
    assert error.code == "E305"
    assert error.offset == 5


@pytest.mark.parametrize(
    "source",
    [
        "(" * 1000 + "1" + ")" * 1000, "[" * 1000 + "]" * 1000, "{'a':" * 600 + "1" + "}" * 600,
        "not " * 900 + "true", "-" * 3000 + "1", "(-" * 900 + "1" + ")" * 900, "(not " * 600 + "true" + ")" * 600,
        "1 if true else " * 250 + "1", "x" + "[x" * 900 + "]" * 900, "x" + ".a" * 1500, "x" + "|upper" * 500,
        "x" + "[0]" * 1200, "now" + "()" * 1500, "x|default(" * 390 + "1" + ")" * 390,
        "(1 if(1)else " * 200 + "1" + ")" * 200, "((" * 20 + "not not not " * 10 + "true" + "))" * 20,
    ],
)  # fmt: skip
def test_deep_nesting_is_refused_before_it_is_followed(source: str) -> None:
    assert refusal_of(source).code in ("E305", "E306")
    assert refusal(source, is_condition=True).code in ("E305", "E306")


def test_deep_tags_are_refused() -> None:
    assert refusal("{% if true %}" * 200 + "{% endif %}" * 90).code == "E306"
    assert refusal("{% for x in y %}" * 200).code == "E306"
    assert refusal("{% if true %}" * 30 + "{{ " + "(" * 20 + "1" + ")" * 20 + " }}" + "{% endif %}" * 30).code == "E306"


def test_nesting_up_to_the_limit_fits_into_the_stack() -> None:
    """Half of Python's stack is used up already, and the deepest expression still compiles and runs."""
    deepest = "(" * DEEPEST + "1" + ")" * DEEPEST
    lists = "[" * (DEEPEST - 1) + "1" + "]" * (DEEPEST - 1)

    def deep(frames: int) -> None:
        if frames:
            return deep(frames - 1)
        assert of(deepest + " + 0") == 1
        assert of(lists)
        assert value("{% if true %}" * 38 + "x" + "{% endif %}" * 38) == "x"
        return None

    frame, used = sys._getframe(), 0
    while frame := frame.f_back:  # type: ignore[assignment]
        used += 1
    deep(max(sys.getrecursionlimit() // 3 - used, 1))


def test_long_sources_are_refused() -> None:
    assert refusal("{{ 1 }}" + " " * (LONGEST_SOURCE - 6)).code == "E306"
    assert value("{{ 1 }}" + " " * (LONGEST_SOURCE - 7)) == "1" + " " * (LONGEST_SOURCE - 7)
    assert refusal("1 == 1" + " " * LONGEST_SOURCE, is_condition=True).code == "E306"


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("{% for a in xs %}{% for b in xs %}{% for c in xs %}{% endfor %}{% endfor %}{% endfor %}", "R310"),
        ("{% for a in xs %}{% for b in xs %}{{ a }}{% endfor %}{% endfor %}", "R310"),
        ("{% for a in xs %}{{ xs | sort | first }}{% endfor %}", "R310"),
        ("{% for a in xs %}{{ xs | unique | length }}{% endfor %}", "R310"),
        ("{% for a in xs %}{{ 'x' in xs }}{% endfor %}", "R310"),
        ("{% for a in xs %}{{ xs == ys }}{% endfor %}", "R310"),
        ("{% for a in xs %}{{ xs | tojson | length }}{% endfor %}", "R310"),
        ("{% for a in xs %}{{ (xs + []) | length }}{% endfor %}", "R310"),
        ("{% for a in xs %}{{ xs[1:] | length }}{% endfor %}", "R310"),
        ("{% for a in xs %}{{ big | upper | length }}{% endfor %}", "R310"),
        ("{% for a in xs %}{{ big | contains('q') }}{% endfor %}", "R310"),
        ("{% for a in xs %}{{ big | matches('q$') }}{% endfor %}", "R310"),
        ("{% for a in xs %}{{ big | replace('q', 'w') | length }}{% endfor %}", "R310"),
        ("{% for a in xs %}{{ big[1:] | length }}{% endfor %}", "R310"),
        ("{% for a in xs %}{{ big | trim | length }}{% endfor %}", "R310"),
        ("{% for a in xs %}{{ big | fill | length }}{% endfor %}", "R310"),
        ("{% for a in xs %}{{ big }}{% endfor %}", "R311"),
        ("{% for a in xs %}{{ big ~ big ~ big }}{% endfor %}", "R311"),
        ("{% for a in xs %}{% for b in ys[:9] %}0123456789{% endfor %}{% endfor %}", "R311"),
        ("{{ big ~ big ~ big ~ big }}", "R311"), ("{{ big + big + big + big }}", "R311"),
        ("{{ [big, big, big, big] | join }}", "R311"), ("{{ big | replace('a', 'aaaaaaaaaa') }}", "R311"),
        ("{{ [big, big, big, big] | tojson }}", "R311"), ("{{ ї ~ ї }}", "R311"), ("{{ ї | urlencode }}", "R311"),
        ("{{ xs + xs }}", "R312"), ("{{ long | first }}{{ long | sort }}", "R312"),
        ("{% for x in long %}{% endfor %}", "R312"), ("{{ 1 in long }}", "R312"), ("{{ long | join }}", "R312"),
        ("{{ long | where('a') }}", "R312"), ("{{ long[:] }}", "R312"), ("{{ deep | tojson }}", "R312"),
        ("{{ deep == deeper }}", "R312"), ("{{ [deep] | unique }}", "R312"), ("{{ fields | fill }}", "R311"),
    ],
)  # fmt: skip
def test_bombs_run_out_of_fuel_or_room(source: str, code: str) -> None:
    assert refusal(source, BOMBS).code == code


def test_what_stands_in_a_value_many_times_counts_every_time() -> None:
    names = {"xs": list(range(1000)), "many": [list(range(1000))] * 1000, "path": ".".join("a" * 11)}
    assert refusal_of("[" + "xs, " * 900 + "xs] | tojson", names).code == "R312"
    assert refusal_of("many | tojson", names).code == "R312"
    with pytest.raises(ExpressionError) as caught:
        to_json(of("[" + "xs, " * 900 + "xs]", names))
    assert caught.value.code == "R312"
    assert compile_value("{{ many }}").read(names) == {"many": "…"}
    assert refusal_of("[{}] | pluck(path)", names).code == "R324"


def _nested(depth: int) -> list[object]:
    found: list[object] = []
    for _ in range(depth):
        found = [found]
    return found


BOMBS: dict[str, object] = {
    "xs": list(range(LONGEST_LIST - 900)), "ys": list(range(LONGEST_LIST - 900)), "long": list(range(LONGEST_LIST + 1)),
    "big": "a" * (LARGEST_TEXT // 3), "ї": "ї" * (LARGEST_TEXT // 4 + 1), "deep": _nested(900), "deeper": _nested(900),
    "fields": "{contact.name}" * 100, "contact": {"name": "x" * 700},
}  # fmt: skip


def test_fuel_is_counted_not_timed() -> None:
    """The same expression over the same values ends at the very same unit, every time."""
    source = "{% for a in xs %}{{ a }}, {% endfor %}"
    names = {"xs": list(range(100))}
    needed = next(fuel for fuel in range(5000) if _runs(source, names, fuel))
    assert [_runs(source, names, fuel) for fuel in (needed - 1, needed, needed + 1)] == [False, True, True]
    assert 100 < needed < 1000


def _runs(source: str, names: dict[str, object], fuel: int) -> bool:
    try:
        compile_value(source).evaluate(names, now=NOON, fuel=fuel)
    except ExpressionError as error:
        if error.code != "R310":
            raise
        return False
    return True


def test_every_node_costs() -> None:
    assert _runs("{{ 1 + 1 }}", {}, 4)
    assert not _runs("{{ 1 + 1 }}", {}, 2)


def test_catastrophic_patterns_are_linear() -> None:
    names = {"x": "a" * 5000 + "!"}
    assert of("x | matches('^(a+)+$')", names) is False
    assert of("x | matches('(a|aa)+$')", names) is False
    assert of(r"x | matches('^(\w+\s?)*$')", names) is False
    assert refusal_of(" and ".join([r"(x | matches('a'))"] * 11), names).code == "E306"
    assert refusal_of("x | matches('" + "a" * 501 + "')", names).code == "E306"


def test_constants_are_not_calculated_while_compiling() -> None:
    for source in (
        "{{ 'A' * 200000000 }}",
        "{{ 'a' ~ 'b' }}",
        "{{ 1 / 0 }}",
        "{{ [1] * 99999999 }}",
        "{{ 9223372036854775807 * 9 }}",
    ):
        compile_value(source)


def test_a_broken_condition_says_how_to_mend_it() -> None:
    for source, fix in (
        ("{{ dialog.csat > 3 }}", "dialog.csat > 3"),
        ("{{ a }} == 1", "a  == 1"),
        ("a == {{ b }}", "a ==  b"),
    ):
        error = refusal(source, is_condition=True)
        assert error.code == "E303"
        assert error.fix is not None
        assert error.fix.split() == fix.split()
        compile_condition(error.fix)
    assert refusal("{% if a %}", is_condition=True).code == "E303"
    assert refusal("a }} b {{ c", is_condition=True).code == "E303"


@pytest.mark.parametrize(
    "source", ["", "   ", "1", "'a'", "1 + 1", "'a' ~ 'b'", "[1]", "now()", "none", "a | length", "{}", "-1"]
)
def test_what_is_never_true_or_false_is_no_condition(source: str) -> None:
    assert refusal(source, is_condition=True).code == ("E306" if source.strip() else "E301")


def test_what_turns_out_not_to_be_true_or_false_is_refused() -> None:
    for source in ("inputs.text", "inputs.limit", "vars.list", "inputs.empty", "nope", "vars.list | first"):
        assert refusal(source, is_condition=True).code in ("R306", "R320"), source


def test_names_stay_as_they_were() -> None:
    before = repr(NAMES)
    for source in ("{{ vars.list | sort }}", "{{ vars.object }}", "{% for x in vars.list %}{{ x }}{% endfor %}"):
        value(source)
    assert repr(NAMES) == before
