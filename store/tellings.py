"""Telling people things: who stands behind an address, and their notices, each told once under its key."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.errors import InvalidError
from domain.events import Fact
from store.ids import new_id
from store.tables import Notice
from store.transactions import Work

MOST_TOLD = 1000
_BEHIND = text("""
SELECT u.id FROM users u WHERE u.is_active AND CASE CAST(:kind AS text)
    WHEN 'role' THEN EXISTS (SELECT 1 FROM user_roles r WHERE r.user_id = u.id AND r.role_key = :key)
    WHEN 'team' THEN EXISTS (SELECT 1 FROM team_members m WHERE m.user_id = u.id AND m.team_key = :key)
    ELSE u.id = CAST(:id AS uuid) END
ORDER BY u.id LIMIT :most
""")


async def people_behind(work: Work, address: str) -> list[UUID]:
    """The active people of an operator's id, `role:NAME` or `team:NAME`; perhaps nobody. Raises InvalidError."""
    kind, colon, key = address.partition(":")
    if not colon:
        kind, key = "id", address
        try:
            UUID(address)
        except ValueError:
            raise InvalidError(f"{address!r} is neither an id nor role:NAME nor team:NAME.", field="to") from None
    elif kind not in ("role", "team"):
        raise InvalidError(f"{address!r} is neither an id nor role:NAME nor team:NAME.", field="to")
    given = {"kind": kind, "key": key, "id": key if kind == "id" else None, "most": MOST_TOLD}
    return list(await work.session.scalars(_BEHIND, given))


async def tell(
    work: Work,
    people: Collection[UUID],
    body: str,
    *,
    key: str | None = None,
    title: str | None = None,
    link: str | None = None,
    sound: str | None = None,
    dialog_id: UUID | None = None,
    to: str | None = None,
) -> int:
    """A notice for each, and one event, which those told hear; the same `key` tells nobody twice.

    Answers how many are told.
    """
    if not people:
        return 0
    rows: list[dict[str, Any]] = [
        {
            "id": new_id(), "user_id": person, "key": key, "title": title, "text": body, "link": link, "sound": sound,
            "run_id": work.run_id, "dialog_id": dialog_id,
        }
        for person in people
    ]  # fmt: skip
    connection = await work.session.connection()
    await connection.execute(upsert(Notice).on_conflict_do_nothing(), rows)
    work.record(Fact.NOTICE_SENT, dialog_id=dialog_id, count=len(rows), to=to, people=[str(p) for p in sorted(people)])
    return len(rows)
