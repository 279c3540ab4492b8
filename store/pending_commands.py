"""Commands that were answered 202: kept until their answer stands, or until they may no longer happen."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.commands import Request
from domain.errors import CommandExpiredError, KeyReusedError
from store.tables import PendingCommand

NOT_AFTER = timedelta(minutes=10)
_REQUEST: TypeAdapter[Request] = TypeAdapter(Request)

_OPEN = text("""
SELECT p.body FROM pending_commands p
WHERE p.expired_at IS NULL AND p.not_after > clock_timestamp()
  AND p.created_at < clock_timestamp() - interval '1 second'
  AND NOT EXISTS (SELECT 1 FROM command_results r WHERE r.caller = p.caller AND r.key = p.key AND r.answer IS NOT NULL)
ORDER BY p.created_at LIMIT 200
""")
_ANSWERED = text("""
DELETE FROM pending_commands p USING command_results r
WHERE r.caller = p.caller AND r.key = p.key AND r.answer IS NOT NULL AND p.expired_at IS NULL
""")
_EXPIRE = text("""
WITH late AS (
    UPDATE pending_commands SET expired_at = clock_timestamp()
    WHERE expired_at IS NULL AND not_after <= clock_timestamp() RETURNING caller, key, body
)
INSERT INTO command_results (caller, key, digest, status, answer, refusal)
SELECT caller, key, body ->> 'digest', 0, CAST(:answer AS jsonb), :code FROM late ON CONFLICT DO NOTHING
""")


async def keep(session: AsyncSession, request: Request, workflow_id: str) -> None:
    """Remember a command durably before its caller is told 202.

    Raises KeyReusedError when another command is kept under its key.
    """
    body: dict[str, Any] = _REQUEST.dump_python(request, mode="json")
    await session.execute(
        upsert(PendingCommand)
        .values(
            caller=request.caller, key=request.key, workflow_id=workflow_id, body=body,
            not_after=text("clock_timestamp() + make_interval(secs => 600)"),
        )
        .on_conflict_do_nothing()
    )  # fmt: skip
    await require_same(session, request)


async def require_same(session: AsyncSession, request: Request) -> None:
    """Raises KeyReusedError when another command is kept under its key."""
    digest = await session.scalar(
        text("SELECT body ->> 'digest' FROM pending_commands WHERE caller = :c AND key = :k"),
        {"c": request.caller, "k": request.key},
    )
    if digest is not None and digest != request.digest:
        raise KeyReusedError("This Idempotency-Key was used for another request.")


async def open_commands(session: AsyncSession) -> Sequence[Request]:
    """Forget what has been answered; what is left and still allowed, oldest first."""
    await session.execute(_ANSWERED)
    return [_REQUEST.validate_python(r.body) for r in await session.execute(_OPEN)]


async def expire(session: AsyncSession) -> None:
    """What may no longer happen gets its refusal stored under its key, so that it never will."""
    detail = "The command could not be carried out within ten minutes and never will be."
    await session.execute(
        _EXPIRE, {"answer": json.dumps({"detail": detail, "extra": {}}), "code": CommandExpiredError.code}
    )


async def is_kept(session: AsyncSession, caller: UUID, key: str) -> bool:
    found = await session.scalar(
        text("SELECT 1 FROM pending_commands WHERE caller = :c AND key = :k"), {"c": caller, "k": key}
    )
    return found is not None
