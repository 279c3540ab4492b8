"""A command happens once: its key first, then the rule and the rows, then its answer, all in one transaction."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.commands import Outcome, Request
from domain.errors import CommandExpiredError, DomainError, KeyReusedError
from domain.permissions import Viewer
from store import closures, participants, places_by_hand, says, topics, transfers
from store.dialogs import Scene, lock_concerned_teams, lock_scene, require_locked_teams
from store.engines import Sessions
from store.reactions import open_reactions
from store.tables import CommandResult, PendingCommand
from store.transactions import Actor, GroundMovedError, Work, transact
from store.viewers import get_viewer

Handler = Callable[[Work, Scene, Viewer, Any], Awaitable[dict[str, Any]]]

#: commands that leave everybody's place and room alone: they take the dialog's row and nothing else
LIGHT: dict[str, Handler] = {
    "say": says.say,
    "add_participant": participants.add,
    "remove_participant": participants.remove,
    "add_tag": topics.add_tag,
    "remove_tag": topics.remove_tag,
    "set_priority": topics.set_priority,
}
#: commands that may change who waits or who has room: they take all teams' locks concerned first
HEAVY: dict[str, Handler] = {
    "take": places_by_hand.take,
    "assign": places_by_hand.assign,
    "unassign": places_by_hand.unassign,
    "connect": places_by_hand.connect,
    "close": closures.close,
    "reopen": closures.reopen,
    "set_topic": topics.set_topic,
    "set_status": topics.set_status,
    "transfer": places_by_hand.transfer,
}


async def apply(sessions: Sessions, request: Request, workflow_id: str) -> tuple[Outcome, set[str]]:
    """Carry out `request` once and answer it, with the open reactions of `workflow_id` and whom to ring.

    A repeated key answers as the first time; refusals are stored and repeated too.
    """
    actor = Actor("user", request.caller, request.address)
    is_heavy = False

    async def story(work: Work) -> Outcome:
        nonlocal is_heavy
        stored, is_late = await _claim_key(work, request)
        if stored is not None:
            return stored
        if is_late:
            raise CommandExpiredError("The command could not be carried out within ten minutes and never will be.")
        try:
            answer = await _carry_out(work, request, is_heavy=is_heavy)
        except GroundMovedError:
            is_heavy = True
            raise
        await work.session.flush()
        await _store(work, request, 200, answer, None)
        return Outcome(200, answer, None, await open_reactions(work.session, workflow_id))

    try:
        return await transact(sessions, story, actor=actor)
    except KeyReusedError as error:
        return refusal_of(error), set()
    except DomainError as error:
        refused = refusal_of(error)

        async def refuse(work: Work) -> Outcome:
            stored, _ = await _claim_key(work, request)
            if stored is not None:
                return stored
            await _store(work, request, refused.status, refused.answer, refused.refusal)
            return refused

        return (await transact(sessions, refuse, actor=actor))[0], set()


def refusal_of(error: DomainError) -> Outcome:
    return Outcome(0, {"detail": error.detail, "extra": error.extra}, error.code)


async def find_result(sessions: Sessions, caller: UUID, key: str) -> Outcome | None:
    """The stored answer of a command, or None while there is none."""
    async with sessions() as session:
        found = await find_answered(session, caller, key)
    return found[1] if found else None


async def find_answered(session: AsyncSession, caller: UUID, key: str) -> tuple[str, Outcome] | None:
    """The digest and the stored answer under a key."""
    row = await session.get(CommandResult, (caller, key))
    if row is None or row.answer is None:
        return None
    return row.digest, Outcome(row.status or 0, row.answer, row.refusal)


async def _claim_key(work: Work, request: Request) -> tuple[Outcome | None, bool]:
    """Insert the key's row, waiting for another transaction under the same key. Raises KeyReusedError.

    Answers what is stored under it, and whether the command's last moment has passed (DECISIONS 2).
    """
    late = select(PendingCommand.not_after <= func.clock_timestamp()).where(
        PendingCommand.caller == request.caller, PendingCommand.key == request.key
    )
    inserted = (
        await work.session.execute(
            upsert(CommandResult)
            .values(caller=request.caller, key=request.key, digest=request.digest)
            .on_conflict_do_nothing()
            .returning(late.scalar_subquery().label("is_late"))
        )
    ).one_or_none()
    if inserted is not None:
        return None, bool(inserted.is_late)
    row = await work.session.scalar(
        select(CommandResult).where(CommandResult.caller == request.caller, CommandResult.key == request.key)
    )
    if row is None:
        raise GroundMovedError
    if row.digest != request.digest:
        raise KeyReusedError("This Idempotency-Key was used for another request.")
    return Outcome(row.status or 0, row.answer or {}, row.refusal, is_repeated=True), False


async def _store(work: Work, request: Request, status: int, answer: dict[str, Any], refusal: str | None) -> None:
    await work.session.execute(
        CommandResult.__table__.update()  # type: ignore[attr-defined]
        .where(CommandResult.caller == request.caller, CommandResult.key == request.key)
        .values(status=status, answer=answer, refusal=refusal)
    )


async def _carry_out(work: Work, request: Request, *, is_heavy: bool) -> dict[str, Any]:
    viewer = await get_viewer(work.session, request.caller)
    if request.transfer_id is not None:
        return await _answer_offer(work, request, viewer)
    kind = request.command.kind
    if kind in HEAVY or is_heavy:
        more = await places_by_hand.teams_named(work, request.command)
        await lock_concerned_teams(work, request.dialog_id, *more)
    scene = await lock_scene(work, request.dialog_id)
    scene.require_readable(viewer)
    if scene.offer is not None and work.now >= scene.offer.deadline:
        require_locked_teams(work)
        await transfers.expire(work, scene, tell=True)
    handler = HEAVY.get(kind) or LIGHT[kind]
    return await handler(work, scene, viewer, request.command)


async def _answer_offer(work: Work, request: Request, viewer: Viewer) -> dict[str, Any]:
    """Accept, decline, cancel: the offer's row decides, under the dialog's and both operators' locks."""
    assert request.transfer_id is not None
    transfer = await transfers.get_transfer(work, request.transfer_id)
    await lock_concerned_teams(work, transfer.dialog_id)
    people = tuple(i for i in (transfer.from_operator, transfer.to_operator) if i)
    scene = await lock_scene(work, transfer.dialog_id, operators=people)
    await work.session.refresh(transfer)
    scene.require_readable(viewer)
    kind = request.command.kind
    if kind == "accept":
        return await transfers.accept(work, scene, viewer, transfer)
    if kind == "decline":
        return await transfers.decline(work, scene, viewer, transfer, getattr(request.command, "reason", None))
    return await transfers.cancel(work, scene, viewer, transfer)


async def forget_pending(sessions: Sessions, caller: UUID, key: str) -> None:
    async with sessions.begin() as session:
        await session.execute(
            text("DELETE FROM pending_commands WHERE caller = :c AND key = :k"), {"c": caller, "k": key}
        )
