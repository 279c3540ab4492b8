"""The ledger: what each step of each item has done, so that nothing is done twice (PROCESS_LANGUAGE 9.5)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from domain.walks.ports import StepError
from store.json_values import storable
from store.json_values import written as as_json
from store.tables import Effect
from store.transactions import Work

_COLUMNS = "key, run_id, seq, step_id, action, request_hash, status, attempts, result, undo, provider_ref"
_CLAIM = text(f"""
INSERT INTO effects (key, run_id, seq, step_id, action, request_hash, status)
VALUES (:key, :run, :seq, :step, :action, :hash, 'started') ON CONFLICT (key) DO NOTHING RETURNING {_COLUMNS}
""")
_FIND = text(f"SELECT {_COLUMNS} FROM effects WHERE key = :key FOR UPDATE")
_AGAIN = text(f"""
UPDATE effects SET status = 'started', attempts = attempts + 1, undo = NULL, result = NULL, action = :action,
                   request_hash = :hash
WHERE key = :key
RETURNING {_COLUMNS}
""")
_SETTLE = text("""
UPDATE effects SET status = :status, result = coalesce(:result, result), undo = coalesce(:undo, undo),
                   provider_ref = coalesce(:ref, provider_ref)
WHERE key = :key
""").bindparams(bindparam("result", type_=JSONB(none_as_null=True)), bindparam("undo", type_=JSONB(none_as_null=True)))
#: the effects of the JSON array `:kept`
KEEP = """
INSERT INTO effects (key, run_id, seq, step_id, action, request_hash, status, result, undo)
SELECT key, :run, :seq, step, action, request_hash, 'done', result, undo
FROM jsonb_to_recordset(CAST(:kept AS jsonb)) AS given (
    nth bigint, key text, step text, action text, request_hash text, result jsonb, undo jsonb)
ORDER BY nth ON CONFLICT (key) DO UPDATE
SET status = 'done', result = excluded.result, undo = excluded.undo, attempts = effects.attempts + 1
"""
_KEEP = text(KEEP)
#: the same where another transaction may have been first
KEEP_NEW = KEEP[: KEEP.index("DO UPDATE")] + "DO NOTHING RETURNING key"


@dataclass(frozen=True, slots=True)
class Kept:
    """An effect that is done, for the ledger."""

    key: str
    step: str
    action: str
    request_hash: str
    result: dict[str, Any]
    undo: dict[str, Any] | None


_NAMES = tuple(one.name for one in fields(Kept))


@dataclass(frozen=True, slots=True)
class Claimed:
    """An effect's row. `is_new`: this claim may carry it out. Otherwise `done` answers with `result`, and `started`
    or `unknown` mean that an attempt was made whose end nobody knows.
    """

    key: str
    status: str
    is_new: bool
    attempts: int
    run_id: UUID
    seq: int
    action: str
    result: dict[str, Any] | None = None
    undo: dict[str, Any] | None = None
    provider_ref: str | None = None


async def claim(
    work: Work, key: str, run_id: UUID, seq: int, step: str, action: str, request_hash: str
) -> Claimed:  # fmt: skip
    """The effect's row, inserted as `started` when it is new; another transaction under the same key is waited for.

    An effect that was undone, or let go because it did not happen, is new again, with one attempt more.
    What an earlier run did answers the one that resumes it, whatever has become of its parameters since: they may read
    the clock, the run's number, facts that changed. Raises StepError(internal) when the key was used for another
    request within one run, or for another action.
    """
    given = {"key": key, "run": run_id, "seq": seq, "step": step, "action": action, "hash": request_hash}
    inserted = (await work.session.execute(_CLAIM, given)).one_or_none()
    if inserted is not None:
        return _claimed(inserted, is_new=True)
    row = (await work.session.execute(_FIND, {"key": key})).one()
    if row.status == "undone":
        return _claimed((await work.session.execute(_AGAIN, given)).one(), is_new=True)
    is_resumed = row.status == "done" and row.run_id != run_id
    if row.action != action or (row.request_hash != request_hash and not is_resumed):
        raise StepError("internal", "Another request was made under this step's key: the definition is at fault.")
    return _claimed(row, is_new=False)


async def settle(
    work: Work,
    key: str,
    status: str,
    result: dict[str, Any] | None = None,
    undo: dict[str, Any] | None = None,
    provider_ref: str | None = None,
) -> None:
    """How an effect ended: done, unknown or undone. What is not given stays as it was."""
    given = {"key": key, "status": status, "result": storable(result), "undo": storable(undo), "ref": provider_ref}
    await work.session.execute(_SETTLE, given)


async def let_go(work: Work, key: str) -> None:
    """The attempt is known not to have happened: the next claim may carry it out."""
    await settle(work, key, "undone")


async def keep(work: Work, run_id: UUID, seq: int, kept: Sequence[Kept]) -> None:
    """Effects of the own database, done in this very transaction, in one statement.

    Only for items that cannot have done them before: begun and ended in one transaction of a run that resumes none.
    """
    if kept:
        await work.session.execute(_KEEP, {"run": run_id, "seq": seq, "kept": written(kept)})


def written(kept: Sequence[Kept]) -> str:
    """As KEEP takes them."""
    return as_json([{"nth": n, **{name: getattr(one, name) for name in _NAMES}} for n, one in enumerate(kept)])


async def find(session: AsyncSession, key: str) -> Claimed | None:
    row = (await session.execute(text(f"SELECT {_COLUMNS} FROM effects WHERE key = :key"), {"key": key})).one_or_none()
    return None if row is None else _claimed(row, is_new=False)


async def done_by(session: AsyncSession, run_id: UUID, seq: int) -> list[Effect]:
    """The finished effects of an item, the latest first: the order in which they are undone."""
    rows = await session.scalars(
        select(Effect)
        .where(Effect.run_id == run_id, Effect.seq == seq, Effect.status == "done")
        .order_by(Effect.n.desc())
        .execution_options(populate_existing=True)
    )
    return list(rows)


def request_hash_of(action: str, params: dict[str, Any]) -> str:
    """What tells one request from another under the same key."""
    return sha256(json.dumps([action, params], sort_keys=True, ensure_ascii=True).encode()).hexdigest()


def _claimed(row: Row[Any], *, is_new: bool) -> Claimed:
    return Claimed(
        row.key, row.status, is_new, row.attempts, row.run_id, row.seq, row.action, row.result, row.undo,
        row.provider_ref,
    )  # fmt: skip
