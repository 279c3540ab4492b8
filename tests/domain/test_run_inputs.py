"""Inputs of launches: defaults, types, what is hidden, what is wrong, field by field."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.definitions.inputs import InputField
from domain.input_values import READERS
from domain.run_inputs import check

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def field(kind: str, **more) -> InputField:
    if kind in ("choice", "multi_choice"):
        more.setdefault("choices", ["a", {"value": 7, "label": "seven"}])
    return InputField.model_validate({"label": "Label", "type": kind, **more})


def one(kind: str, value, **more):
    """(value, code of the error)"""
    checked = check({"x": field(kind, **more)}, {"x": value}, {}, NOW)
    return checked.values["x"], checked.errors[0]["code"] if checked.errors else None


@pytest.mark.parametrize(
    ("kind", "given_", "read"),
    [
        ("string", "00123", "00123"), ("integer", 7, 7), ("integer", 7.0, 7), ("number", 1.5, 1.5),
        ("boolean", False, False), ("date", "2026-02-28", "2026-02-28"), ("duration", "90m", "1h30m"),
        ("datetime", "2026-11-22T09:00:00Z", "2026-11-22T09:00:00+00:00"), ("choice", 7, 7),
        ("multi_choice", ["a", 7], ["a", 7]), ("multi_choice", [], []), ("priority", "high", "high"),
        ("team", "support", "support"), ("phone", "+380 (44) 123-45-67", "+380 (44) 123-45-67"),
        ("email", "a@b.ua", "a@b.ua"),
        ("operator", "01A204D2-DF85-7395-B5DE-EF68A7C16C83", "01a204d2-df85-7395-b5de-ef68a7c16c83"),
    ],
)  # fmt: skip
def test_a_fitting_value_is_kept_as_its_type_is_written(kind, given_, read):
    assert one(kind, given_) == (read, None)


@pytest.mark.parametrize(
    ("kind", "given_", "code"),
    [
        ("string", 123, "wrong_type"), ("string", "a\x00", "wrong_type"), ("string", "\ud800", "wrong_type"),
        ("integer", True, "wrong_type"), ("integer", "7", "wrong_type"), ("integer", 2**63, "wrong_type"),
        ("integer", 1.5, "wrong_type"), ("number", float("nan"), "wrong_type"), ("boolean", "yes", "wrong_type"),
        ("date", "2026-02-30", "wrong_type"), ("date", "22.11.2026", "wrong_type"),
        ("datetime", "2026-11-22T09:00:00", "wrong_type"), ("duration", "PT1H", "wrong_type"),
        ("choice", "b", "not_a_choice"), ("multi_choice", ["a", "b"], "not_a_choice"),
        ("multi_choice", "a", "wrong_type"), ("multi_choice", ["a", "a"], "repeated"),
        ("operator", "op_1", "wrong_type"), ("team", "", "wrong_type"), ("status", "gone", "not_a_choice"),
        ("phone", "call me", "wrong_type"), ("email", "a@b", "wrong_type"),
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_refused(kind, given_, code):
    assert one(kind, given_) == (None, code)


@pytest.mark.parametrize(
    ("kind", "more", "value", "code"),
    [
        ("integer", {"min": 1, "max": 3}, 0, "too_small"), ("integer", {"min": 1, "max": 3}, 4, "too_large"),
        ("date", {"min": "2026-01-01"}, "2025-12-31", "too_small"), ("duration", {"max": "1h"}, "61m", "too_large"),
        ("string", {"min_length": 2}, "a", "too_short"), ("string", {"max_length": 2}, "abc", "too_long"),
        ("string", {"pattern": r"^\d+$"}, "x", "pattern"), ("string", {"pattern": "("}, "x", "pattern"),
    ],
)  # fmt: skip
def test_limits_hold(kind, more, value, code):
    assert one(kind, value, **more) == (None, code)


def test_a_pattern_that_explodes_elsewhere_does_not_here():
    assert one("string", "a" * 5_000 + "b", pattern="^(a+)+$") == (None, "pattern")


def test_defaults_read_what_stands_before_them_and_what_is_hidden_is_never_required():
    fields = {
        "mode": field("choice", choices=["auto", "manual"], default="auto"),
        "who": field("string", required=True, show_if="inputs.mode == 'manual'"),
        "copy": field("string", default="{{ inputs.mode }}-{{ contact.name }}"),
        "lost": field("string", default="{{ contact.nothing.at_all }}"),
    }
    checked = check(fields, {}, {"contact": {"name": "Olha"}}, NOW)
    assert (checked.errors, checked.values) == (
        [], {"mode": "auto", "who": None, "copy": "auto-Olha", "lost": None}
    )  # fmt: skip
    assert [e["code"] for e in check(fields, {"mode": "manual"}, {}, NOW).errors] == ["required"]


def test_what_is_unknown_or_too_much_is_refused():
    assert check({}, {"x": 1}, {}, NOW).errors[0]["code"] == "unknown"
    big = {name: field("text") for name in "ab"}
    assert check(big, {"a": "x" * 20_000, "b": "y" * 20_000}, {}, NOW).errors[0]["code"] == "too_large"


def test_references_are_told_one_by_one():
    fields = {"teams": field("team", multiple=True), "op": field("operator")}
    checked = check(fields, {"teams": ["a", "b"], "op": None}, {}, NOW)
    assert checked.references == [("teams", "team", "a"), ("teams", "team", "b")]


@given(kind=st.sampled_from([*READERS, "string", "text", "message"]), value=anything, multiple=st.booleans())
def test_whatever_is_given_is_read_or_refused(kind, value, multiple):
    checked = check({"x": field(kind, multiple=multiple)}, {"x": value}, {}, NOW)
    json.dumps(checked.values, allow_nan=False).encode()
    assert set(checked.values) == {"x"}
    for error in checked.errors:
        assert error["field"] == "x"


def test_a_default_of_one_value_is_a_list_of_it_where_there_may_be_several():
    fields = {"teams": field("team", multiple=True, default="{{ 'vip' }}")}
    assert check(fields, {}, {}, NOW).values == {"teams": ["vip"]}
    (error,) = check(fields, {"teams": "vip"}, {}, NOW).errors
    assert error["code"] == "wrong_type"
