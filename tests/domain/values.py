"""Values in one line: people, dialogs, moments. Who is not told otherwise is online, has room and is in `support`."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from domain.capacity import Limits, Load
from domain.distribution import Candidate, Waiting

NOON = datetime(2026, 3, 2, 12, 0, 0, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def uid(n: int) -> UUID:
    return UUID(int=n)


OLHA, TARAS, IRYNA = uid(1), uid(2), uid(3)


def ago(minutes: float) -> datetime:
    return NOON - timedelta(minutes=minutes)


def person(
    operator_id: UUID = OLHA,
    *,
    held: int | Mapping[str, int] = 0,
    limit: int = 5,
    channel_limits: Mapping[str, int] | None = None,
    teams: Iterable[str] = ("support",),
    **facts: Any,
) -> Candidate:
    """`held`: how many dialogs, or how many of which channel. Moments are named as the candidate's fields are."""
    by_channel = {"demo": held} if isinstance(held, int) else held
    return Candidate(
        operator_id=operator_id,
        teams=frozenset(teams),
        limits=Limits(limit, channel_limits or {}),
        load=Load(sum(by_channel.values()), {c: n for c, n in by_channel.items() if n}),
        **facts,
    )


def waiting(n: int = 100, *, minutes: float = 10, excluded: Iterable[UUID] = (), **facts: Any) -> Waiting:
    """Dialog number `n`, which has waited for so many minutes."""
    return Waiting(
        dialog_id=uid(n),
        team=facts.pop("team", "support"),
        channel=facts.pop("channel", "demo"),
        contact_id=facts.pop("contact_id", uid(10_000 + n)),
        priority=facts.pop("priority", 0),
        weight=facts.pop("weight", 0),
        waiting_since=ago(minutes),
        excluded=frozenset(excluded),
        **facts,
    )
