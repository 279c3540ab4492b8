"""A request under an Idempotency-Key happens once: the key's row first, the answer in the same transaction."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from domain.commands import Outcome, Request
from domain.errors import DomainError, KeyReusedError, UnavailableError, from_code
from store.engines import Sessions
from store.tables import CommandResult
from store.transactions import Actor, GroundMovedError, Work, transact

Answer = dict[str, Any]

_CLAIM = text("""
INSERT INTO command_results (caller, key, digest) VALUES (:caller, :key, :digest) ON CONFLICT DO NOTHING
RETURNING (SELECT not_after <= clock_timestamp() FROM pending_commands WHERE caller = :caller AND key = :key) AS is_late
""")
_STORE = text("""
UPDATE command_results SET status = :status, answer = :answer, refusal = :refusal WHERE caller = :caller AND key = :key
""").bindparams(bindparam("answer", type_=JSONB))


@dataclass(frozen=True, slots=True)
class Keyed:
    """Who asks under which key; `digest` tells whether it is the same request."""

    caller: UUID
    key: str
    digest: str


async def claim_key(work: Work, keyed: Keyed | Request) -> tuple[Outcome | None, bool]:
    """Insert the key's row, waiting for another transaction under the same key. Raises KeyReusedError.

    Answers what is stored under it, and whether the command's last moment has passed (DECISIONS 2).
    """
    given = {"caller": keyed.caller, "key": keyed.key, "digest": keyed.digest}
    inserted = (await work.session.execute(_CLAIM, given)).one_or_none()
    if inserted is not None:
        return None, bool(inserted.is_late)
    row = await work.session.get(CommandResult, (keyed.caller, keyed.key))
    if row is None:
        raise GroundMovedError
    if row.digest != keyed.digest:
        raise KeyReusedError("This Idempotency-Key was used for another request.")
    return Outcome(row.status or 0, row.answer or {}, row.refusal, is_repeated=True), False


async def store_answer(work: Work, keyed: Keyed | Request, status: int, answer: Answer, refusal: str | None) -> None:
    await work.session.execute(
        _STORE,
        {"caller": keyed.caller, "key": keyed.key, "status": status, "answer": answer, "refusal": refusal},
    )


async def change_once(
    sessions: Sessions,
    story: Callable[[Work], Awaitable[Answer]],
    *,
    actor: Actor,
    keyed: Keyed | None,
    secrets: tuple[str, ...] = (),
) -> tuple[Answer, set[str]]:
    """Run a change of settings, at most once under its key; answers what it answered, and whom to ring.

    Refusals are stored and repeated too. Fields named in `secrets` are told the first time only: they are not stored.
    """
    if keyed is None:
        return await transact(sessions, story, actor=actor)

    async def once(work: Work) -> Answer:
        stored, _ = await claim_key(work, keyed)
        if stored is not None:
            if stored.refusal is not None:
                raise _Repeated(stored)
            return stored.answer
        answer = await story(work)
        await work.session.flush()
        await store_answer(work, keyed, 200, without(answer, secrets), None)
        return answer

    try:
        return await transact(sessions, once, actor=actor)
    except _Repeated as repeated:
        raise repeated.error from None
    except (KeyReusedError, UnavailableError):
        raise
    except DomainError as error:
        refused = error

        async def refuse(work: Work) -> None:
            if (await claim_key(work, keyed))[0] is None:
                await store_answer(work, keyed, 0, {"detail": refused.detail, "extra": refused.extra}, refused.code)

        await transact(sessions, refuse, actor=actor)
        raise


def without(answer: Mapping[str, Any], secrets: tuple[str, ...]) -> Answer:
    return {name: None if name in secrets else value for name, value in answer.items()}


class _Repeated(Exception):
    def __init__(self, stored: Outcome) -> None:
        super().__init__(stored.refusal)
        answer = stored.answer
        self.error = from_code(stored.refusal or "refused", answer.get("detail", ""), answer.get("extra"))
