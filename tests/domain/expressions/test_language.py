"""What the language says: literals, paths, operators, choices; each with its exact type."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.domain.expressions.saying import NOON, holds, of, refusal_of, value


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1", 1), ("1.5", 1.5), ("'a'", "a"), ("true", True), ("none", None), ("[1, 'a', [2]]", [1, "a", [2]]),
        ("(1, 2)", [1, 2]), ("{'a': 1, 'b': [2]}", {"a": 1, "b": [2]}), ("[]", []), ("{}", {}), ("0x10", 16),
        ("1_000", 1000), ("'a' 'b'", "ab"), (r"'it\'s'", "it's"), (r"'\u0457'", "ї"), (r"'\d\n'", "\\d\n"),
        ("vars.count", 7), ("vars['count']", 7), ("vars.list[0]", 3), ("vars.list[-1]", 2), ("vars.list.1", 1),
        ("vars.object.b.c[1]", 20), ("vars.list[1:]", [1, 2]), ("vars.list[:2]", [3, 1]),
        ("vars.list[::-1]", [2, 1, 3]), ("inputs.text[0]", "В"), ("inputs.text[1:3]", "іт"), ("vars[inputs.key]", 7),
        ("1 + 2", 3), ("1 - 2 - 3", -4), ("2 * 3 + 4", 10), ("2 + 3 * 4", 14), ("7 / 2", 3.5), ("4 / 2", 2.0),
        ("-7 // 2", -4), ("-7 % 3", 2), ("1 + 0.5", 1.5), ("-vars.count", -7), ("+5", 5), ("'a' + 'b'", "ab"),
        ("[1] + [2]", [1, 2]), ("'a' ~ 1 ~ true ~ 2.0 ~ 0.1", "a1true20.1"), ("1 if true else 2", 1),
        ("1 if false else 2", 2), ("1 if false else 2 if false else 3", 3), ("now()", NOON),
        ("now() + hours(1)", NOON + timedelta(hours=1)), ("now() - days(1.5)", NOON - timedelta(days=1.5)),
        ("now() - dialog.opened_at", timedelta(days=2)), ("minutes(90) - hours(1)", timedelta(minutes=30)),
        ("-minutes(5)", -timedelta(minutes=5)), ("minutes(1) + minutes(1)", timedelta(minutes=2)),
        ("now() - '2026-03-02T11:00:00Z'", timedelta(hours=1)), ("'2026-03-02T11:00:00Z' + hours(1)", NOON),
        ("hours(1) + '2026-03-02T11:00:00Z'", NOON), ("'2026-03-02T13:00:00Z' - hours(1)", NOON),
    ],
)  # fmt: skip
def test_an_expression_yields_its_exact_value(expression: str, expected: Any) -> None:
    names = {
        "vars": {"count": 7, "list": [3, 1, 2], "object": {"b": {"c": [10, 20]}}},
        "inputs": {"text": "Вітаю", "key": "count"}, "dialog": {"opened_at": NOON - timedelta(days=2)},
    }  # fmt: skip
    found = of(expression, names)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("1 == 1.0", True), ("3 == '3'", False), ("true == 1", False), ("[1] == [true]", False),
        ("none == none", True), ("{'a': [1]} == {'a': [1.0]}", True), ("'a' != 'b'", True), ("1 < 2", True),
        ("2 <= 2", True), ("'a' < 'b'", True), ("1 < 2 < 3", True), ("1 < 3 < 2", False), ("3 > 2 >= 2", True),
        ("'vip' in dialog.tags", True), ("'x' not in dialog.tags", True), ("'tal' in 'vital'", True),
        ("'a' in {'a': 1}", True), ("1 in ['1']", False), ("not false", True), ("not 1 == 2", True),
        ("true and false or true", True), ("true or missing.thing", True), ("false and missing.thing", False),
        ("dialog.opened_at < now() - days(1)", True), ("dialog.opened_at == '2026-02-28T12:00:00Z'", True),
        ("dialog.opened_at < '2026-03-01'", True), ("now() == '2026-03-02T14:00:00+02:00'", True),
        ("hours(1) > minutes(59)", True), ("inputs.empty is empty", True), ("inputs.nope is empty", True),
        ("a.b.c is empty", True), ("'' is empty", True), ("[] is empty", True), ("{} is empty", True),
        ("0 is empty", False), ("false is empty", False), ("' ' is empty", False), ("inputs.empty is none", True),
        ("a.b is none", True), ("inputs.text is not none", True), ("'' is none", False),
        ("inputs.text is not empty", True), ("dialog.status in ['open', 'new'] and not inputs.limit > 3", True),
    ],
)  # fmt: skip
def test_a_condition_is_true_or_false(condition: str, expected: bool) -> None:
    assert holds(condition) is expected


@pytest.mark.parametrize(
    "expression",
    [
        "1 + 'a'", "'a' + 1", "'a' * 3", "[1] * 3", "true + 1", "1 + true", "-true", "+'a'", "-'a'", "none + 1",
        "1 - 'a'", "now() + 1", "now() + now()", "'5' % 2", "'%s' % 'x'", "{} + {}", "[] - []", "1 < 'a'", "none < 1",
        "true < false", "[1] < [2]", "now() < 1", "now() < 'soon'", "1 in 1", "1 in none", "1 in 'a1'",
        "hours(1) * 2", "minutes('5')", "minutes(true)", "minutes([])", "'a'['b']", "'a'[true]", "[1]['a']",
        "[1].length", "5 .x", "[1][1.0:]", "5[1:]", "{}[1:]",
    ],
)  # fmt: skip
def test_nothing_is_converted(expression: str) -> None:
    assert refusal_of(expression).code == "R323"


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("1 / 0", "R314"), ("1 // 0", "R314"), ("1 % 0", "R314"), ("1.5 / 0", "R314"),
        ("9223372036854775807 + 1", "R313"), ("-9223372036854775807 - 2", "R313"),
        ("9223372036854775807 * 2", "R313"), ("1e308 * 10", "R313"), ("now() + days(99999999)", "R313"),
        ("days(1e30)", "R313"), ("days(999999999) + days(1)", "R313"), ("now() - days(900000)", "R313"),
        ("vars.list[::0]", "R324"), ("-days(999999999) - days(999999999)", "R313"),
    ],
)  # fmt: skip
def test_results_out_of_range_are_refused(expression: str, code: str) -> None:
    assert refusal_of(expression).code == code


@pytest.mark.parametrize(
    "expression",
    ["steps.other.result.x + 1", "nope ~ 'a'", "[nope]", "{'a': nope}", "nope == 1", "nope | upper", "1 if nope else 2",
     "nope[0:1]", "minutes(nope)", "(vars.nothing | first) + 1", "vars.list[99] + 1", "vars[nope]", "nope in [1]",
     "(nope if true else 1) ~ ''"],
)  # fmt: skip
def test_a_missing_value_is_an_error_wherever_it_is_used(expression: str) -> None:
    error = refusal_of(expression)
    assert error.code == "R320"
    assert "default" in error.message


def test_a_missing_value_is_named_and_placed() -> None:
    error = refusal_of("1 + steps.other.result.amount")
    assert error.name == "steps.other.result.amount"
    assert "{{ 1 + steps.other.result.amount }}"[error.offset :][: error.length] == "steps.other.result.amount"


def test_below_what_is_missing_or_null_everything_is_missing() -> None:
    assert of("steps.other.result.a.b[0] | default('—')") == "—"
    assert of("inputs.empty.anything | default('—')") == "—"
    assert of("dialog.csat.score is empty") is True


def test_a_missing_whole_value_is_null_and_can_be_told_apart() -> None:
    assert of("steps.other.result") is None
    assert of("steps.other.result", missing="nothing") == "nothing"
    assert of("inputs.empty", missing="nothing") is None


def test_booleans_are_demanded_not_guessed() -> None:
    for expression in ("1 and true", "'a' or true", "not 1", "1 if 'a' else 2", "not []"):
        assert refusal_of(expression).code == "E306", expression
    for expression in ("inputs.text and true", "inputs.limit or true", "not inputs.text", "1 if vars.list else 2"):
        assert refusal_of(expression).code == "R306", expression
    assert "default(false)" in refusal_of("not inputs.empty").message


def test_moments_without_a_zone_are_utc() -> None:
    names = {"at": datetime(2026, 3, 2, 12), "aware": datetime(2026, 3, 2, 12, tzinfo=UTC)}
    assert holds("at == aware and at <= now()", names)
    assert value("{{ at }}!", names) == "2026-03-02T12:00:00Z!"
