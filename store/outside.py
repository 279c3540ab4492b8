"""Calls that leave the house, as the ledger sees them: claimed before, ended after, never repeated on a guess."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.connections import ConnectionFacts
from domain.errors import NotFoundError
from domain.walks.ports import Deed, StepError
from store import effects, secrets
from store.effects import request_hash_of
from store.secrets import SecretLostError, Vault
from store.tables import Connection
from store.transactions import Work

#: an attempt found begun is one more; in another run than the one that made it, the first
_COUNT = text("""
UPDATE effects SET attempts = CASE WHEN run_id = :run THEN attempts + :more ELSE 1 END, run_id = :run, seq = :seq
WHERE key = :key RETURNING attempts
""")
_UNCOUNT = text("UPDATE effects SET attempts = attempts - 1 WHERE key = :key")


@dataclass(frozen=True, slots=True)
class Begun:
    """`result` when it was done before; otherwise this attempt, counted from 1 within the run, may be made."""

    attempts: int
    result: dict[str, Any] | None = None


async def begin(work: Work, run_id: UUID, seq: int, deed: Deed, *, is_repeatable: bool) -> Begun:
    """Claim the effect. Raises StepError(unknown_effect) when an earlier one may have happened for good."""
    request = request_hash_of(deed.action, deed.params)
    claimed = await effects.claim(work, deed.key, run_id, seq, deed.step, deed.action, request)
    if claimed.status == "done":
        return Begun(claimed.attempts, claimed.result or {})
    if not claimed.is_new and not is_repeatable:
        raise doubt()
    if claimed.is_new and claimed.run_id == run_id:
        return Begun(claimed.attempts)
    given = {"key": deed.key, "run": run_id, "seq": seq, "more": 0 if claimed.is_new else 1}
    return Begun(await work.session.scalar(_COUNT, given) or 1)


def doubt() -> StepError:
    message = "Nobody knows whether the call was carried out before; it is not repeated."
    return StepError("unknown_effect", message, needs_attention=True)


async def end(work: Work, key: str, result: dict[str, Any]) -> None:
    await effects.settle(work, key, "done", result)


async def leave_open(work: Work, key: str) -> None:
    """It happened, or may have: nobody makes this call again."""
    await effects.settle(work, key, "unknown")


async def let_go(work: Work, key: str, *, counts: bool = True) -> None:
    """It did not happen, or may happen again: the next attempt may be made. Not `counts`: this was no attempt."""
    await effects.let_go(work, key)
    if not counts:
        await work.session.execute(_UNCOUNT, {"key": key})


async def connection_and_secret(session: AsyncSession, vault: Vault, key: str) -> tuple[ConnectionFacts, str | None]:
    """The connection as it is now, with its credential. Raises StepError."""
    row = await session.get(Connection, key)
    if row is None or not row.active:
        raise StepError("not_found", f"There is no active connection {key!r}.", details={"connection": key})
    facts = facts_of(row)
    name = facts.auth.get("secret")
    if not name:
        return facts, None
    try:
        return facts, await secrets.get(session, vault, str(name))
    except (NotFoundError, SecretLostError):
        message = f"The secret {name} of the connection {key} is not set here."
        raise StepError("invalid", message, details={"connection": key}) from None


def facts_of(row: Connection) -> ConnectionFacts:
    return ConnectionFacts(
        row.key, row.base_url, row.auth, tuple(row.allow), row.headers,
        frozenset(name.lower() for name in row.keep_headers), frozenset(name.lower() for name in row.redact),
        float(row.timeout), row.internal, row.safe_get,
    )  # fmt: skip
