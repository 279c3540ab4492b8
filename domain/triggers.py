"""Which events, hooks and clocks start a process: what they hand it, and what keeps automations from chasing each other
(PROCESS_LANGUAGE 7, 9.15).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

#: runs that may have led to one another
LONGEST_CHAIN = 3
#: events dated at a deadline that passed
LATE = frozenset({"sla.breached", "dialog.accept_late", "dialog.answer_late"})
#: a payload's own names; data of the event may not hide them
_OWN = ("event", "id", "at", "dialog_id", "contact_id", "operator_id", "team", "actor", "actor_id")


@dataclass(frozen=True, slots=True)
class Occasion:
    """Something that may start a process. `key` makes it start each definition once, for good.

    `cause`: the runs that led to it, oldest first. `payload`: the names of `trigger.*`.
    """

    kind: str
    key: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    dialog_id: UUID | None = None
    contact_id: UUID | None = None
    operator_id: UUID | None = None
    cause: tuple[UUID, ...] = ()


def payload_of(
    event: str,
    number: int,
    at: datetime,
    *,
    actor: str,
    actor_id: UUID | None,
    ids: Mapping[str, Any],
    data: Mapping[str, Any],
    now: datetime | None = None,
) -> dict[str, Any]:
    """What an event tells those it starts or wakes: its ids and its data, flat. `ids`: dialog_id, contact_id, …

    `closed_by` is told of closings: operator, client, process or system, whoever it was; `overdue_minutes` of broken
    promises: whole minutes since the deadline, `now` where that is given.
    """
    told: dict[str, Any] = {k: v for k, v in data.items() if k not in _OWN}
    if event in ("dialog.closed", "ticket.closed"):
        told["closed_by"] = {"user": "operator"}.get(actor, actor)
    if event in LATE:
        told["overdue_minutes"] = max(int(((now or at) - at).total_seconds() // 60), 0)
    told |= {"event": event, "id": number, "at": at.isoformat(), "actor": actor}
    told["actor_id"] = str(actor_id) if actor_id else None
    told |= {name: str(value) if value is not None else None for name, value in ids.items()}
    return told


def why_not(definition: str, chain: Collection[str]) -> str | None:
    """Why a definition is not started by an event of these runs' definitions; None when it may be."""
    if definition in chain:
        return "it is in the chain of causes already"
    if len(chain) >= LONGEST_CHAIN:
        return f"{LONGEST_CHAIN} processes have led to one another already"
    return None
