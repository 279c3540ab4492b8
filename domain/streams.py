"""Who is told of an event as it happens (I8): judged per event and viewer, by how things relate now."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.events import Fact
from domain.permissions import Permission, Relation, Viewer, may_read


@dataclass(frozen=True, slots=True)
class Heard:
    """A numbered event, the relation of its dialog and the teams of its person: what decides who hears of it."""

    seq: int
    kind: str
    at: datetime
    dialog_id: UUID | None
    team: str | None
    operator_id: UUID | None
    actor_kind: str
    actor_id: UUID | None
    data: Mapping[str, Any]
    relation: Relation | None = None
    operator_teams: frozenset[str] = frozenset()


def may_hear(viewer: Viewer, heard: Heard) -> bool:
    """Whether the viewer is told of this event."""
    if heard.kind == Fact.NOTICE_SENT and str(viewer.user_id) in heard.data.get("people", ()):
        return True
    if heard.dialog_id is not None:
        return viewer.may(Permission.DIALOG_READ) and _hears_of_dialog(viewer, heard)
    column = heard.kind.partition(".")[0]
    if column == "operator":
        is_near = heard.operator_id == viewer.user_id or bool(viewer.teams & heard.operator_teams)
        return viewer.may(Permission.OPERATORS_READ) and (viewer.sees_all or is_near)
    if heard.actor_id == viewer.user_id and heard.actor_kind == "user":
        return True
    if column in ("contact", "settings"):
        return viewer.may(Permission.AUDIT_READ)
    if heard.kind == Fact.ANOMALY_FOUND:
        return viewer.may(Permission.DISTRIBUTION_AUDIT) and (viewer.sees_all or heard.team in viewer.teams)
    return viewer.may(Permission.AUDIT_READ) and viewer.sees_all


def _hears_of_dialog(viewer: Viewer, heard: Heard) -> bool:
    """Those who may read the dialog; whom the event itself concerned (it left them, an offer to them ended); and the
    team it was moved out of.
    """
    if heard.relation is not None and may_read(viewer, heard.relation):
        return True
    if heard.operator_id == viewer.user_id:
        return True
    before = heard.data.get("before")
    was_in = before.get("team") if heard.kind == Fact.DIALOG_TEAM_CHANGED and isinstance(before, Mapping) else None
    return was_in is not None and was_in in viewer.teams


def told_without_texts(kind: str, data: Mapping[str, Any]) -> Mapping[str, Any]:
    """What of an event is told to those who may not read dialogs' texts: that a ticket's own fields changed, not from
    what into what.
    """
    if kind != Fact.TICKET_UPDATED:
        return data
    return {name: value for name, value in data.items() if name not in ("before", "after")}


def changes_rights(viewer: Viewer, heard: Heard) -> bool:
    """Whether the viewer's rights may be others after this event: they are read again before anything more is told."""
    column = heard.kind.partition(".")[0]
    return column == "settings" or (column == "user" and viewer.user_id in (heard.actor_id, heard.operator_id))
