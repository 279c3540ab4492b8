"""Whole trees, plain JSON, and the fields people put into their texts."""

import copy
import pickle
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pytest

from domain.expressions import MISSING, ExpressionError, fields_in, fill, render, to_json
from tests.domain.expressions.saying import NAMES, NOON, of, refusal, refusal_of


def test_a_tree_is_evaluated_text_by_text() -> None:
    tree = {
        "a": "{{ vars.count }}",
        "b": [{"c": "№{{ vars.count }}"}, "plain", 5, None, True],
        "{{ key }}": "keys stay",
    }
    assert render(tree, NAMES, now=NOON) == {
        "a": 7,
        "b": [{"c": "№7"}, "plain", 5, None, True],
        "{{ key }}": "keys stay",
    }
    assert render({"a": "{{ nope }}", "at": "{{ now() }}"}, NAMES, now=NOON) == {"a": None, "at": NOON}
    assert render("{{ vars.list }}", NAMES, now=NOON) == [3, 1, 2]


def test_an_error_in_a_tree_carries_its_pointer() -> None:
    with pytest.raises(ExpressionError) as caught:
        render({"a/b": [{"c~d": ["x", "{{ 1 / 0 }}"]}]}, NAMES, now=NOON)
    assert caught.value.pointer == "/a~1b/0/c~0d/1"
    with pytest.raises(ExpressionError) as caught:
        render("{{ 1 / 0 }}", NAMES, now=NOON)
    assert caught.value.pointer == ""


def test_a_tree_too_deep_is_refused() -> None:
    tree: Any = "x"
    for _ in range(2000):
        tree = [tree]
    with pytest.raises(ExpressionError) as caught:
        render(tree, NAMES, now=NOON)
    assert caught.value.code == "R312"


class Colour(StrEnum):
    RED = "red"


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        (datetime(2026, 3, 2, 14, microsecond=500, tzinfo=timezone(timedelta(hours=2))), "2026-03-02T12:00:00.000500Z"),
        (datetime(2026, 3, 2), "2026-03-02T00:00:00Z"), (date(2026, 3, 2), "2026-03-02"), (timedelta(hours=26), "1d2h"),
        (Decimal("1.50"), 1.5), (Decimal(3), 3), (UUID(int=5), str(UUID(int=5))), ((1, MISSING), [1, None]),
        (Colour.RED, "red"), (MappingProxyType({"a": 1}), {"a": 1}),
    ],
)  # fmt: skip
def test_values_become_plain_json(given: Any, plain: Any) -> None:
    assert to_json(given) == plain
    assert type(to_json(given)) is type(plain)


@pytest.mark.parametrize(
    "value", [object(), float("nan"), Decimal("inf"), 10**20, {1: 2}, b"x", {1, 2}, Decimal("1e30"), lambda: 1]
)
def test_what_is_no_json_is_refused(value: Any) -> None:
    with pytest.raises(ExpressionError):
        to_json([value])


def test_any_mapping_is_read() -> None:
    names = MappingProxyType({"a": MappingProxyType({"b": (1, 2), "c": Colour.RED})})
    assert of("a.b[1] ~ a.c ~ (a | length)", names) == "2red2"  # type: ignore[arg-type]
    assert of("a.c == 'red' and a.c in ['red']", names) is True  # type: ignore[arg-type]


def test_missing_is_one_value_everywhere() -> None:
    assert copy.deepcopy(MISSING) is MISSING
    assert pickle.loads(pickle.dumps(MISSING)) is MISSING
    assert type(MISSING)() is MISSING
    assert not MISSING
    assert of("a is empty and a.b is empty", {"a": MISSING}) is True
    assert refusal_of("a ~ ''", {"a": MISSING}).code == "R320"
    assert of("a", {"a": MISSING}) is None


def test_an_error_travels() -> None:
    error = refusal("так {{ nope.a ~ 1 }}")
    error.pointer = "/x"
    back = pickle.loads(pickle.dumps(error))
    assert vars(back) == vars(error)
    assert str(back) == error.message


def test_fields_are_filled_in_one_pass() -> None:
    fields = {"contact.first_name": "Олена {contact.phone}", "contact.phone": "050", "dialog.number": 7}
    text = "Вітаємо, {contact.first_name}! №{dialog.number} { contact.phone } {} {x} {{contact.phone}}"
    assert fill(text, fields) == "Вітаємо, Олена {contact.phone}! №7 { contact.phone } {} {x} {050}"
    assert fields_in(text) == [("contact.first_name", None), ("dialog.number", None), ("contact.phone", None)]


def test_a_field_without_a_value_takes_what_stands_beside_it() -> None:
    assert (
        fill("{contact.first_name|друже}, {contact.phone|}", {"contact.first_name": None, "contact.phone": MISSING})
        == "друже, "
    )
    assert fill("{contact.first_name|друже}", {"contact.first_name": "Олена"}) == "Олена"
    with pytest.raises(ExpressionError) as caught:
        fill("Вітаємо, {contact.first_name}", {"contact.first_name": None})
    assert (caught.value.code, caught.value.name) == ("R320", "contact.first_name")


def test_an_unknown_field_is_refused_with_a_guess() -> None:
    with pytest.raises(ExpressionError) as caught:
        fill("{contact.frist_name}", {"contact.first_name": "x"})
    assert (caught.value.code, caught.value.suggestion) == ("R324", "contact.first_name")


def test_the_filter_fills_from_the_fixed_list_only() -> None:
    names = {
        "text": "{contact.first_name} {operator.name|оператор}",
        "contact": {"first_name": "{{ 1 }}"},
        "operator": None,
        "vars": {"secret": 1},
    }
    assert of("text | fill", names) == "{{ 1 }} оператор"
    for text in ("{vars.secret}", "{contact.__class__}", "{contact.fields}"):
        assert refusal_of("text | fill", {**names, "text": text}).code == "R324"
    assert of("'{0.__class__} {!r} %s {a[b]}' | fill", names) == "{0.__class__} {!r} %s {a[b]}"


def test_moments_are_utc_in_json() -> None:
    assert to_json(datetime(2026, 3, 2, 12, tzinfo=UTC)) == "2026-03-02T12:00:00Z"
    with pytest.raises(ExpressionError):
        to_json(datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=2))))
