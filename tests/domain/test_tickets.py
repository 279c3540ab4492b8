"""Ticket numbers as spoken, typed fields, and what a change of topic leaves behind."""

from __future__ import annotations

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidError
from domain.tickets import FieldSpec, FieldType, described, merge, missing, read_spoken, read_value, sort_out, spoken

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates().map(str),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
OPTIONS = ("red", "green")


def spec(type_: str, **more) -> FieldSpec:
    return FieldSpec("f", "F", type_, OPTIONS if type_ == "list" else (), **more)


def test_a_number_is_said_by_threes():
    assert [spoken(n) for n in (7, 1001, 12047, 1234567)] == ["7", "1-001", "12-047", "1-234-567"]
    assert [read_spoken(t) for t in ("12-047", " #1-001 ", "12047", "1-2", "0-012", "-1-001", "1-001-", "a")] == [
        12047, 1001, None, None, None, None, None, None,
    ]  # fmt: skip
    assert read_spoken("9-223-372-036-854-775-808") is None


@given(st.integers(1000, 2**63 - 1))
def test_a_number_as_spoken_is_read_back(number):
    assert read_spoken(spoken(number)) == number


@pytest.mark.parametrize(
    ("type_", "value", "kept"),
    [
        ("text", " so ", " so "), ("number", 12, 12), ("number", 12.5, 12.5), ("number", "12.50", 12.5),
        ("number", -0.0, 0), ("number", "007", 7), ("number", 1e3, 1000), ("number", 0.1, 0.1),
        ("date", "2028-02-29", "2028-02-29"), ("list", "red", "red"),
        ("link", "https://shop.example/a?b=1#c", "https://shop.example/a?b=1#c"), ("link", "http://a:80", "http://a:80"),
    ],
)  # fmt: skip
def test_a_value_of_the_type_is_kept(type_, value, kept):
    read = read_value(spec(type_), value)
    assert (read, type(read)) == (kept, type(kept))


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("text", 5), ("text", "  "), ("text", "a\x00"), ("text", "\ud800"), ("text", "x" * 2001), ("number", True),
        ("number", "12,5"), ("number", "1e5"), ("number", float("nan")), ("number", float("inf")), ("number", 10**40),
        ("number", "0.1234567890123456"), ("number", ""), ("number", None), ("number", "NaN"), ("number", "٣"),
        ("date", "2026-02-29"), ("date", "20260228"), ("date", "2026-W01-1"), ("date", 20260228),
        ("date", "0000-01-01"),
        ("list", "blue"), ("list", ["red"]), ("link", "ftp://a"), ("link", "https://"), ("link", "javascript:alert(1)"),
        ("link", "https://a b"), ("link", "https://[a"), ("link", "https://a:99999"), ("link", "https://a\u200b.example"),
    ],
)  # fmt: skip
def test_a_value_of_another_type_is_refused_naming_the_field(type_, value):
    with pytest.raises(InvalidError) as refused:
        read_value(spec(type_), value)
    assert refused.value.extra == {"field": "fields.f", "type": type_}


@given(st.sampled_from(list(FieldType)), ANYTHING)
def test_whatever_is_kept_can_be_kept_again_and_told_as_json(type_, value):
    try:
        kept = read_value(spec(type_), value)
    except InvalidError:
        return
    assert read_value(spec(type_), kept) == kept
    assert json.loads(json.dumps(kept, ensure_ascii=False).encode()) == kept


@given(st.dates())
def test_every_day_is_a_date(day: date):
    assert read_value(spec("date"), day.isoformat()) == day.isoformat()


@given(st.integers(-(10**15) + 1, 10**15 - 1), st.integers(0, 14))
def test_a_decimal_is_kept_to_its_last_digit(digits, places):
    told = f"{'-' if digits < 0 else ''}{abs(digits):0{places + 1}d}"
    told = f"{told[: len(told) - places]}.{told[len(told) - places :]}" if places else told
    kept = read_value(spec("number"), told)
    assert f"{kept:.{places}f}" == (told if float(told) else told.removeprefix("-"))


AMOUNT, DUE = FieldSpec("amount", "Amount", "number", required=True), FieldSpec("due", "Due", "date")


def test_only_fields_of_the_topic_are_taken():
    assert merge((AMOUNT, DUE), {"old": 1}, {"amount": "5"}) == {"old": 1, "amount": 5}
    assert merge((AMOUNT, DUE), {"old": 1, "amount": 5}, {"old": None, "amount": None, "due": None}) == {}
    for given_ in ({"other": 1}, {"other": None}):
        with pytest.raises(InvalidError) as refused:
            merge((AMOUNT, DUE), {}, given_)
        assert refused.value.extra == {"field": "fields.other"}
    with pytest.raises(InvalidError):
        merge((), {}, {"amount": 5})


def test_values_that_do_not_fit_are_left_and_count_as_missing():
    stored = {"amount": "a lot", "due": "2026-11-22", "city": "Львів"}
    assert sort_out((AMOUNT, DUE), stored) == ({"due": "2026-11-22"}, {"amount": "a lot", "city": "Львів"})
    assert missing((AMOUNT, DUE), stored) == [AMOUNT]
    assert missing((AMOUNT, DUE), {"amount": 0}) == []
    assert [(f["key"], f["required"], f["value"]) for f in described((AMOUNT, DUE), stored)] == [
        ("amount", True, None), ("due", False, "2026-11-22"),
    ]  # fmt: skip
