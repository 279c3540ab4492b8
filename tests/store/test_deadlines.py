"""Deadlines in selections and snapshots of definitions; lists by deadline read by indexes."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.dialects import postgresql

from domain.criteria import Criteria
from domain.permissions import Permission, Viewer
from domain.selections import read
from store import dialog_lists
from store.conditions import column_of, compile_tree
from store.dialog_lists import Asked, orders_of
from store.ids import new_id
from store.snapshots import snapshot_of
from store.tables import Contact, Dialog
from tests.store.clocks.promises import TFR, age, clocks, promised

ALL = Viewer(new_id(), "All", frozenset(), frozenset(p.value for p in Permission), frozenset())
LEADER = Viewer(new_id(), "Lead", frozenset(), frozenset({"dialog.read", "dialog.lead"}), frozenset({"m1", "m2"}))


@pytest.fixture
async def three(stage):
    """One late, one promised, one free."""
    paid = await promised(stage, TFR)
    late, soon, free = await stage.opened("c1", topic=paid), await stage.opened("c2", topic=paid), None
    await age(stage, late, 1000)
    free = await stage.opened("c3")
    return late, soon, free


@pytest.mark.parametrize(
    ("field", "op", "value", "expected"),
    [
        ("dialog.is_overdue", "eq", True, "L"),
        ("dialog.is_overdue", "eq", False, "SF"),
        ("dialog.is_overdue", "ne", True, "SF"),
        ("dialog.is_overdue", "is_empty", None, ""),
        ("dialog.due_at", "is_empty", None, "F"),
        ("dialog.due_at", "older_than", "1m", "L"),
        ("dialog.due_at", "newer_than", "1m", "S"),
        ("dialog.pending_until", "is_empty", None, "LSF"),
        ("dialog.ticket_number", "is_empty", None, "LSF"),
        ("dialog.description", "is_not_empty", None, ""),
    ],
)
async def test_definitions_select_by_deadlines(stage, three, field, op, value, expected):
    tree = read({"field": field, "op": op, **({} if value is None else {"value": value})}, "dialog")
    query = select(Dialog.id).join(Contact, Contact.id == Dialog.contact_id).where(compile_tree(tree))
    async with stage.sessions() as session:
        found = set(await session.scalars(query.where(Dialog.id.in_(three)).order_by(column_of(field))))
    assert "".join(letter for letter, id_ in zip("LSF", three, strict=True) if id_ in found) == expected


async def test_snapshots_tell_the_deadline_that_presses_most(stage, three):
    async with stage.sessions() as session:
        told = [(await snapshot_of(session, one, None)).dialog for one in three]
    assert [(d["is_overdue"], d["due_at"] is not None) for d in told] == [(True, True), (False, True), (False, False)]
    (clock,) = await clocks(stage, three[0])
    assert told[0]["due_at"] == clock.due_at.isoformat().replace("+00:00", "Z")
    assert (told[2]["ticket_number"], told[2]["description"], told[2]["pending_until"]) == (None, None, None)


@pytest.mark.parametrize("viewer", [ALL, LEADER], ids=["all", "leader"])
@pytest.mark.parametrize(
    "asked",
    [
        Asked(Criteria(overdue=True)), Asked(Criteria(overdue=True), "due"), Asked(Criteria(), "due"),
        Asked(Criteria(status=frozenset({"closed"})), "due"),
        Asked(Criteria(team=frozenset({"m1"})), also=(Criteria(overdue=True),)),
        Asked(Criteria(overdue=False, status=frozenset({"open"}))),
    ],
)  # fmt: skip
async def test_no_list_by_deadline_reads_all_dialogs(stage, three, viewer, asked):
    query = dialog_lists._page_of_ids(viewer, asked, orders_of(asked), None)
    told = str(query.compile(dialect=postgresql.psycopg.dialect(), compile_kwargs={"literal_binds": True}))  # type: ignore[attr-defined]
    async with stage.sessions() as session:
        await session.execute(text("SET LOCAL enable_seqscan = off"))
        plan = [row[0] for row in await session.execute(text("EXPLAIN " + told.replace("%%", "%").replace(":", r"\:")))]
    assert not [line for line in plan if "Seq Scan on dialogs" in line], plan
