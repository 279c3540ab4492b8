"""The life of a dialog: statuses, places, what may follow what (P44, P45, P87, DECISIONS 13)."""

import pytest

from domain.dialogs import (
    CHAT_STATUSES,
    TICKET_STATUSES,
    TICKET_TRANSITIONS,
    WAITING,
    Kind,
    Place,
    Status,
    is_closed,
    occupies_slot,
    place_when_waiting,
    require_open,
    require_status_change,
    status_when_waiting,
)
from domain.errors import DialogClosedError, WrongStatusError

#: before (row) → after (column) by hand: forwards only; closing and reopening are commands of their own
TICKETS = """
               new  open  in_progress  pending  resolved  closed
new             .    .         .          .        .        .
open            .    .         x          x        x        .
in_progress     .    .         .          x        x        .
pending         .    .         .          .        x        .
resolved        .    .         .          .        .        .
closed          .    .         .          .        .        .
"""
_columns, *_rows = [line.split() for line in TICKETS.strip().splitlines()]
CHANGES = [
    pytest.param(row[0], after, mark == "x", id=f"{row[0]} to {after}: {'yes' if mark == 'x' else 'refused'}")
    for row in _rows
    for after, mark in zip(_columns, row[1:], strict=True)
]
CHATS = [k for k in Kind if k != Kind.TICKET]


def test_the_table_above_is_whole():
    assert len(CHANGES) == len(Status) ** 2
    assert set(_columns) == set(Status)


@pytest.mark.parametrize(("before", "after", "allowed"), CHANGES)
def test_a_ticket_goes_forwards_only(before, after, allowed):
    if allowed:
        require_status_change("ticket", before, after)
    else:
        with pytest.raises(WrongStatusError):
            require_status_change("ticket", before, after)


@pytest.mark.parametrize("kind", CHATS)
@pytest.mark.parametrize("before", CHAT_STATUSES)
@pytest.mark.parametrize("after", list(Status))
def test_no_chat_has_its_status_set_by_hand(kind, before, after):
    with pytest.raises(WrongStatusError, match="only tickets"):
        require_status_change(kind, before, after)


@pytest.mark.parametrize("before", TICKET_STATUSES)
def test_closing_by_status_is_sent_to_the_closure(before):
    with pytest.raises(WrongStatusError, match="closure"):
        require_status_change("ticket", before, "closed")


@pytest.mark.parametrize("before", TICKET_STATUSES)
@pytest.mark.parametrize("after", ["snoozed", "", "Open", "new"])
def test_a_status_no_ticket_has_is_refused_by_name(before, after):
    with pytest.raises(WrongStatusError, match=f"no status {after}"):
        require_status_change("ticket", before, after)


def test_going_back_is_told_the_way():
    with pytest.raises(WrongStatusError, match="from pending to in_progress; backwards only by reopening"):
        require_status_change("ticket", "pending", "in_progress")


def test_the_transitions_name_every_status_of_a_ticket_and_never_lead_backwards():
    order = list(TICKET_STATUSES)
    assert set(TICKET_TRANSITIONS) == set(order)
    steps = [(order.index(a), order.index(b)) for a, after in TICKET_TRANSITIONS.items() for b in after]
    assert steps
    assert all(before < after for before, after in steps)


@pytest.mark.parametrize(
    ("status", "occupies"),
    [("new", True), ("open", True), ("in_progress", True), ("pending", False), ("resolved", False), ("closed", False)],
)
def test_pending_resolved_and_closed_fill_no_slot(status, occupies):
    assert occupies_slot(status) == occupies


@pytest.mark.parametrize("status", list(Status))
def test_only_closed_is_closed(status):
    assert is_closed(status) == (status == "closed")
    if status == "closed":
        with pytest.raises(DialogClosedError, match="reopen it first"):
            require_open(status)
    else:
        require_open(status)


@pytest.mark.parametrize(
    ("kind", "ever_owned", "status"),
    [
        *[(kind, False, "new") for kind in CHATS],
        *[(kind, True, "open") for kind in CHATS],
        ("ticket", False, "open"),
        ("ticket", True, "open"),
    ],
)
def test_a_waiting_chat_is_new_until_somebody_has_held_it_and_a_ticket_is_open(kind, ever_owned, status):
    assert status_when_waiting(kind, ever_owned=ever_owned) == status


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("ever_owned", [True, False])
def test_a_waiting_dialog_has_a_status_of_its_kind(kind, ever_owned):
    statuses = TICKET_STATUSES if kind == "ticket" else CHAT_STATUSES
    assert status_when_waiting(kind, ever_owned=ever_owned) in statuses


def test_manual_teams_never_fill_the_queue_and_automatic_ones_never_the_list():
    assert place_when_waiting(auto=True) == "queued"
    assert place_when_waiting(auto=False) == "unassigned"


def test_a_dialog_waits_in_the_queue_and_in_the_list_but_not_with_a_bot():
    assert {place for place in Place if place in WAITING} == {"queued", "unassigned"}
