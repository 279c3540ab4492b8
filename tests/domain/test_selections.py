"""Conditions of selections: closed fields, closed operators, values of the field's kind, nothing else."""

from __future__ import annotations

import contextlib
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidError
from domain.selections import FIELDS, OPS, Asked, Both, Either, Neither, read

scraps = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10)
    | st.sampled_from(["dialog.tags", "dialog.number", "eq", "in", "between", "dialog.fields.x"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["field", "op", "value", "all", "any", "not", "x"]), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


def test_a_tree_is_read_into_tests():
    tree = read(
        {
            "all": [
                {"field": "dialog.number", "op": "between", "value": [1, 5]},
                {"any": [{"field": "dialog.opened_at", "op": "older_than", "value": "3d"}]},
                {"not": {"field": "contact.fields.level", "op": "in", "value": [1, "a", None]}},
            ]
        },
        "dialog",
    )
    assert tree == Both(
        (
            Asked("dialog.number", "number", "between", (1, 5)),
            Either((Asked("dialog.opened_at", "moment", "older_than", timedelta(days=3)),)),
            Neither(Asked("contact.fields.level", "open", "in", ("1", "a"), "level")),
        )
    )


def test_another_target_has_other_fields():
    with pytest.raises(InvalidError):
        read({"field": "dialog.status", "op": "eq", "value": "open"}, "contact")
    with pytest.raises(InvalidError):
        read({"field": "contact.name", "op": "eq", "value": "open"}, "none")


def test_too_deep_and_too_many_are_refused():
    deep = {"field": "dialog.kind", "op": "eq", "value": "chat"}
    for _ in range(20):
        deep = {"not": deep}
    with pytest.raises(InvalidError):
        read(deep, "dialog")
    with pytest.raises(InvalidError):
        read({"all": [{"field": "dialog.kind", "op": "is_empty"}] * 200}, "dialog")


def test_every_kind_of_field_has_its_operators():
    assert {kind for fields in FIELDS.values() for kind in fields.values()} <= set(OPS)


@given(scraps, st.sampled_from([*FIELDS]))
def test_whatever_is_given_is_read_or_refused(where, target):
    with contextlib.suppress(InvalidError):
        assert isinstance(read(where, target), Asked | Both | Either | Neither)
