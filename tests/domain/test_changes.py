"""The change log: which facts change which fields, and what stays out of it."""

from __future__ import annotations

from typing import Any

import pytest

from domain.changes import KINDS, Change, Told, changes_of
from domain.events import Fact
from tests.domain.values import uid

OLHA, TARAS = uid(1), uid(2)


def changes(kind: str, *, person: Any = None, **data: Any) -> list[tuple[str, Any, Any]]:
    return [(c.field, c.old, c.new) for c in changes_of(Told(kind, person, data))]


def sides(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    return {"before": before, "after": after}


@pytest.mark.parametrize(
    ("fact", "told", "changed"),
    [
        (Fact.TICKET_STATUS_CHANGED, sides({"status": "open"}, {"status": "pending"}), [("status", "open", "pending")]),
        (Fact.TICKET_CLOSED, sides({"status": "open", "place": "owned"}, {"status": "closed"}),
         [("status", "open", "closed")]),
        (Fact.DIALOG_CONVERTED, sides({"kind": "chat", "status": "open"}, {"kind": "ticket", "status": "open"}),
         [("kind", "chat", "ticket")]),
        (Fact.DIALOG_TOPIC_CHANGED, sides({"topic": None}, {"topic": "payment"}), [("topic", None, "payment")]),
        (Fact.DIALOG_TEAM_CHANGED, sides({"team": "a"}, {"team": "b"}), [("team", "a", "b")]),
        (Fact.DIALOG_PRIORITY_CHANGED, sides({"priority": "low"}, {"priority": "high"}), [("priority", "low", "high")]),
        (Fact.TICKET_UPDATED, sides({"subject": None}, {"subject": "A"}), [("subject", None, "A")]),
        (Fact.TICKET_UPDATED, sides({"fields": {"b": 1, "a": None}}, {"fields": {"b": None, "a": "x"}}),
         [("fields.a", None, "x"), ("fields.b", 1, None)]),
        (Fact.TICKET_STATUS_CHANGED,
         sides({"status": "open", "pending_until": None}, {"status": "pending", "pending_until": "2026-11-23"}),
         [("status", "open", "pending"), ("pending_until", None, "2026-11-23")]),
        (Fact.DIALOG_TAGGED, {"tag": "vip"}, [("tags", None, "vip")]),
        (Fact.DIALOG_UNTAGGED, {"tag": "vip"}, [("tags", "vip", None)]),
        (Fact.TICKET_CREATED, {"number": 1001}, [("number", None, 1001)]),
        (Fact.DIALOG_MERGED, {"into": "x"}, [("merged_into", None, "x")]),
        (Fact.DIALOG_MERGED, {"from": "x"}, [("merged_from", None, "x")]),
        (Fact.TICKET_UPDATED, {"fields": ["of old events"]}, []),
        (Fact.DIALOG_TEAM_CHANGED, sides({"team": "a"}, {"team": "a"}), []),
        (Fact.MESSAGE_RECEIVED, {"seq": 1}, []),
    ],
)  # fmt: skip
def test_a_fact_changes_these_fields(fact, told, changed):
    assert changes(fact, **told) == changed


def test_people_come_and_go_by_their_ids():
    before = {"before": {"operator": str(OLHA)}}
    assert changes(Fact.DIALOG_ASSIGNED, person=TARAS, **before) == [("assignee", str(OLHA), str(TARAS))]
    assert changes(Fact.DIALOG_ASSIGNED, person=TARAS, before={"place": "queued"}) == [("assignee", None, str(TARAS))]
    assert changes(Fact.DIALOG_UNASSIGNED, person=TARAS) == [("assignee", str(TARAS), None)]
    assert changes(Fact.WATCHER_ADDED, person=OLHA) == [("watchers", None, str(OLHA))]
    assert changes(Fact.PARTICIPANT_REMOVED, person=OLHA) == [("participants", str(OLHA), None)]


def test_own_fields_and_texts_are_kept_from_those_who_read_no_texts():
    hidden = {f for f in ("subject", "description", "fields.a", "status", "topic") if Change(f, 1, 2).is_text}
    assert hidden == {"subject", "description", "fields.a"}


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("data", [{}, {"before": None, "after": 5}, sides({"fields": ["a"]}, {"fields": {"a": 1}})])
def test_events_of_any_shape_are_read(kind, data):
    assert all(c.old != c.new for c in changes_of(Told(kind, None, data)))
