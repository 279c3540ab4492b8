"""Every filter: what it yields, what it refuses."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.expressions.filters import FILTERS
from tests.domain.expressions.saying import NOON, of, refusal_of

SPECIFIED = (
    "default length upper lower trim join first last round int float string contains startswith endswith matches "
    "replace truncate sum min max unique sort pluck where tojson date money duration urlencode fill"
)


def test_the_filters_are_those_of_the_language() -> None:
    assert sorted(FILTERS) == sorted(SPECIFIED.split())


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("nope | default(1)", 1), ("none | default('x')", "x"), ("'' | default('x')", ""),
        ("'' | default('x', true)", "x"), ("[] | default([1], or_empty=true)", [1]), ("0 | default(5)", 0),
        ("false | default(true)", False), ("nope | default(nope.again) | default('end')", "end"),
        ("nope | default(none)", None), ("'абв' | length", 3), ("[1, 2] | length", 2), ("{'a': 1} | length", 1),
        ("'абв' | upper", "АБВ"), ("'АБВ' | lower", "абв"), ("'  a b ' | trim", "a b"),
        ("['a', 1, true] | join(', ')", "a, 1, true"), ("[] | join", ""), ("['a', 'b'] | join(by='-')", "a-b"),
        ("[1, 2] | first", 1), ("[1, 2] | last", 2), ("[] | first", None), ("'abc' | first", "a"),
        ("'' | last | default('-')", "-"), ("2.5 | round", 3), ("-2.5 | round", -3), ("2.4 | round", 2),
        ("1.005 | round(2)", 1.01), ("7 | round(3)", 7), ("1e15 | round", 10**15), ("0.1 | round(10)", 0.1),
        ("1234.5678 | round(digits=1)", 1234.6), ("'42' | int", 42), ("' -7 ' | int", -7), ("3.9 | int", 3),
        ("-3.9 | int", -3), ("'x' | int(0)", 0), ("none | int(0)", 0), ("'1.5' | float", 1.5), ("2 | float", 2.0),
        ("'1e3' | float", 1000.0), ("'x' | float(default=none)", None), ("5 | string", "5"), ("5.0 | string", "5"),
        ("true | string", "true"), ("minutes(90) | string", "1h30m"), ("'abc' | contains('b')", True),
        ("[1, 2] | contains(3)", False), ("{'a': 1} | contains('a')", True), ("'abc' | startswith('ab')", True),
        ("'abc' | endswith('ab')", False), (r"'AB-123' | matches('^[A-Z]{2}-\d+$')", True),
        ("'AB-123x' | matches('^[A-Z]{2}-[0-9]+$')", False), ("'привіт' | matches('(?i)ПРИВ')", True),
        ("'a-b-c' | replace('-', '+')", "a+b+c"), ("'a' | replace('b', 'c')", "a"),
        ("'abcdef' | truncate(4)", "abc…"), ("'abcd' | truncate(4)", "abcd"), ("'abcdef' | truncate(4, '')", "abcd"),
        ("'abcdef' | truncate(1, '...')", "."), ("'abcdef' | truncate(0)", ""), ("[1, 2.5] | sum", 3.5),
        ("[] | sum", 0), ("[minutes(1), hours(1)] | sum", timedelta(minutes=61)), ("[3, 1, 2] | min", 1),
        ("['b', 'a'] | max", "b"), ("[] | max | default(0)", 0), ("[now(), now() - days(1)] | min", None),
        ("[1, 1.0, '1', true, 1] | unique", [1, "1", True]),
        ("[[1], [1.0], {'a': 1}, {'a': 1}] | unique", [[1], {"a": 1}]), ("[3, 1, 2] | sort", [1, 2, 3]),
        ("[3, 1, 2] | sort(reverse=true)", [3, 2, 1]), ("['б', 'а'] | sort", ["а", "б"]),
        ("contact.channels | sort('order') | pluck('kind')", ["telegram", "viber", "email"]),
        ("contact.channels | sort(by='order', reverse=true) | pluck('kind') | first", "email"),
        ("contact.channels | pluck('window_open')", [False, True, None]),
        ("contact.channels | where('window_open') | pluck('kind')", ["telegram"]),
        ("contact.channels | where('kind', 'email') | length", 1),
        ("contact.channels | where('window_open', none) | length", 1),
        ("(contact.channels | where('window_open') | first).kind", "telegram"),
        ("[{'a': {'b': 1}}] | pluck('a.b')", [1]),
        ("{'a': [1, 1.5, none], 'b': 'ї'} | tojson", '{"a":[1,1.5,null],"b":"ї"}'),
        ("now() | tojson", '"2026-03-02T12:00:00Z"'), ("now() | date('dd.MM.yyyy HH:mm')", "02.03.2026 12:00"),
        ("now() | date('d.M.yy H:mm:ss', '+02:00')", "2.3.26 14:00:00"),
        ("now() | date('dd.MM.yyyy', offset='-13:30')", "01.03.2026"),
        ("now() | date('d MMMM yyyy')", "2 березня 2026"), ("now() | date('DD.MM.YYYY')", "02.03.2026"),
        ("'2026-12-31T23:30:00Z' | date('dd.MM.yyyy о HH:mm', '+02:00')", "01.01.2027 о 01:30"),
        ("now() | date(\"yyyy-MM-dd'T'HH:mm\")", "2026-03-02T12:00"),
        ("'2026-03-02' | date", datetime(2026, 3, 2, tzinfo=UTC)), ("1000 | money('UAH')", "1 000,00 ₴"),
        ("1000 | money", "1 000,00 ₴"), ("1234567.005 | money('USD')", "1 234 567,01 USD"),
        ("'1000.5' | money('EUR')", "1 000,50 EUR"), ("-0.005 | money", "-0,01 ₴"), ("-0.001 | money", "0,00 ₴"),
        ("0 | money", "0,00 ₴"), ("999.995 | money", "1 000,00 ₴"), ("1e15 | money", "1 000 000 000 000 000,00 ₴"),
        ("'1h30m' | duration", timedelta(minutes=90)), ("minutes(5) | duration", timedelta(minutes=5)),
        ("'а/б?&=.. ' | urlencode", "%D0%B0%2F%D0%B1%3F%26%3D..%20"), ("7 | urlencode", "7"),
    ],
)  # fmt: skip
def test_a_filter_yields(expression: str, expected: Any) -> None:
    found = of(expression)
    if expected is None and "min" in expression:
        expected = NOON - timedelta(days=1)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("5 | length", "R323"), ("none | length", "R323"), ("5 | upper", "R323"), ("none | trim", "R323"),
        ("'a' | join", "R323"), ("[[1]] | join", "R322"), ("[none] | join", "R321"), ("5 | first", "R323"),
        ("'5' | round", "R323"), ("1.5 | round(-1)", "R324"), ("1.5 | round(11)", "R324"),
        ("1.5 | round('2')", "R324"), ("true | round", "R323"), ("'x' | int", "R324"), ("'1.5' | int", "R324"),
        ("none | int", "R323"), ("true | int", "R323"), ("'99999999999999999999' | int", "R324"),
        ("'9999999999999999999' | int", "R313"), ("'٣' | int", "R324"), ("1e300 | int", "R313"),
        ("'1e999' | float", "R313"), ("'nan' | float", "R324"), ("'inf' | float", "R324"), ("[1] | string", "R322"),
        ("none | string", "R321"), ("5 | contains(5)", "R323"), ("'a' | contains(1)", "R323"),
        ("1 | startswith('a')", "R323"), ("'a' | startswith(1)", "R323"), ("1 | matches('a')", "R323"),
        ("'a' | replace('', 'b')", "R324"), ("1 | replace('a', 'b')", "R323"), ("'a' | replace('a', 1)", "R323"),
        ("'abc' | truncate(-1)", "R323"), ("'abc' | truncate('1')", "R323"), ("'a' | sum", "R323"),
        ("['a'] | sum", "R323"), ("[1, true] | sum", "R323"), ("[1, hours(1)] | sum", "R323"),
        ("[1, 'a'] | max", "R323"), ("[true, false] | min", "R323"), ("[none] | min", "R323"),
        ("'ab' | unique", "R323"), ("[1, 'a'] | sort", "R323"), ("[none, none] | sort", "R323"),
        ("[true] | sort", "R323"), ("[1] | sort(reverse=1)", "R323"), ("[1] | sort('a')", "R323"),
        ("[{}] | sort('a')", "R323"), ("[1] | pluck('a')", "R323"), ("[{}] | pluck(5)", "R323"),
        ("{} | pluck('a')", "R323"), ("[1] | where('a')", "R323"), ("[{}] | where(none)", "R323"),
        ("5 | date", "R323"), ("none | date('dd')", "R323"), ("'today' | date('dd')", "R324"),
        ("'2026-13-01' | date", "R324"), ("now() | date(5)", "E305"), ("now() | date('%d')", "E305"),
        ("now() | date('DDD')", "E305"), ("now() | date('MMM')", "E305"),
        ("now() | date('dd', 'Europe/Kyiv')", "E305"), ("now() | date('dd', '+24:00')", "E305"),
        ("now() | date(inputs.text)", None), ("now() | date(vars.format)", "R320"),
        ("now() | date('dd' ~ 'q')", "R324"), ("now() | date('dd', 'a' ~ 'b')", "R324"),
        ("now() | date('d' | replace('d', 'mm m'))", "R324"), ("now() | date(\"dd'\")", "E305"),
        ("'0001-01-01' | date('dd', '-05:00')", "R313"), ("'x' | money", "R324"), ("none | money", "R323"),
        ("true | money", "R323"), ("1 | money('uah')", "E305"), ("1 | money(5)", "E305"),
        ("1 | money('U' ~ 'A')", "R324"), ("1e18 | money", "R313"), ("'1e999' | money", "R313"),
        ("'1' * 2 | money", "R323"), ("'PT1H' | duration", "R324"), ("5 | duration", "R323"),
        ("none | duration", "R323"), ("'99999d' | duration", "R324"), ("'..' | urlencode", "R324"),
        ("'.' | urlencode", "R324"), ("none | urlencode", "R321"), ("[1] | urlencode", "R322"), ("5 | fill", "R323"),
        ("nope | tojson", "R320"), ("1 | upper(2)", "E305"), ("'a' | replace('a')", "E305"),
        ("'a' | replace('a', 'b', 'c')", "E305"), ("'a' | replace('a', old='b')", "E305"),
        ("'a' | truncate(size=1)", "E305"), ("'a' | replace(*vars.list)", "E305"),
        ("'a' | replace(**vars.object)", "E305"), ("'a' | matches(inputs.text)", "E305"),
        ("'a' | matches('a' ~ 'b')", "E305"), ("'a' | matches('(?=a)')", "E301"), ("'a' | matches('(')", "E301"),
        (r"'a' | matches('(a)\\1')", "E301"), ("'a' | matches(5)", "E305"),
        ("'a' | matches('(a{1000}){1000}')", "E306"),
    ],
)  # fmt: skip
def test_a_filter_refuses(expression: str, code: str | None) -> None:
    if code is None:
        assert of(expression) == "Вітаю"
    else:
        assert refusal_of(expression).code == code


def test_an_argument_that_is_misspelt_is_named() -> None:
    error = refusal_of("'abc' | truncate(lenght=2)")
    assert (error.code, error.suggestion) == ("E305", "length")
    assert "length" in error.message


def test_an_unknown_filter_is_placed_and_guessed() -> None:
    for written, meant in (("uper", "upper"), ("toUpperCase", "upper"), ("selectattr", "where"), ("len", "length")):
        error = refusal_of(f"inputs.text | {written}")
        assert (error.code, error.suggestion, error.name) == ("E304", meant, written)
        assert (error.offset, error.length) == (17, len(written))
    assert refusal_of("1 | qqqqq").suggestion is None


def test_sorting_is_stable() -> None:
    rows = [{"k": 1, "n": n} for n in range(5)] + [{"k": 0, "n": n} for n in range(5)]
    assert of("rows | sort('k') | pluck('n')", {"rows": rows}) == [0, 1, 2, 3, 4, 0, 1, 2, 3, 4]
    assert of("rows | sort('k', true) | pluck('n')", {"rows": rows}) == [0, 1, 2, 3, 4, 0, 1, 2, 3, 4]


def test_nothing_a_filter_is_given_is_changed() -> None:
    rows = [3, 1, 2]
    of("rows | sort | unique + [9]", {"rows": rows})
    assert rows == [3, 1, 2]
