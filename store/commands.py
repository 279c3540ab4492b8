"""A command happens once: its key first, then the rule and the rows, then its answer, all in one transaction."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.commands import CREATING, Merge, Outcome, Request
from domain.errors import CommandExpiredError, DomainError, KeyReusedError, UnavailableError
from domain.permissions import Permission, Viewer
from store import (
    closures,
    conversions,
    fields,
    participants,
    places_by_hand,
    says,
    statuses,
    ticket_merges,
    topics,
    transfers,
)
from store.dialogs import OfferDueError, Scene, lock_concerned_teams, lock_scene, require_not_due
from store.distribution import lock_dialogs
from store.engines import Sessions
from store.keys import claim_key, store_answer
from store.reactions import open_reactions
from store.tables import CommandResult
from store.transactions import Actor, Work, transact
from store.viewers import get_viewer

Handler = Callable[[Work, Scene, Viewer, Any], Awaitable[dict[str, Any]]]

#: commands that leave everybody's place and room alone: they take the dialog's row and nothing else
LIGHT: dict[str, Handler] = {
    "say": says.say,
    "add_participant": participants.add,
    "remove_participant": participants.remove,
    "watch": participants.add_watcher,
    "unwatch": participants.remove_watcher,
    "add_tag": topics.add_tag,
    "remove_tag": topics.remove_tag,
    "set_priority": topics.set_priority,
    "set_fields": fields.apply,
    "describe": fields.describe,
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
    "set_status": statuses.set_status,
    "transfer": places_by_hand.transfer,
    "convert": conversions.convert,
    "merge": ticket_merges.merge,
}


async def apply(sessions: Sessions, request: Request, workflow_id: str) -> tuple[Outcome, set[str]]:
    """Carry out `request` once and answer it, with the open reactions of `workflow_id` and whom to ring.

    A repeated key answers as the first time; refusals are stored and repeated too. Raises UnavailableError, which says
    nothing about the command and is not stored.
    """
    actor = Actor("user", request.caller, request.address)
    rings: set[str] = set()

    async def story(work: Work) -> Outcome:
        stored, is_late = await claim_key(work, request)
        if stored is not None:
            return stored
        if is_late:
            raise CommandExpiredError("The command could not be carried out within ten minutes and never will be.")
        answer = await _carry_out(work, request)
        await work.session.flush()
        status = 201 if request.command.kind in CREATING else 200
        await store_answer(work, request, status, answer, None)
        return Outcome(status, answer, None, await open_reactions(work.session, workflow_id))

    try:
        while True:
            try:
                outcome, more = await transact(sessions, story, actor=actor)
                return outcome, rings | more
            except OfferDueError as due:
                rings |= await _settle(sessions, due.transfer_id)
    except UnavailableError:
        raise
    except KeyReusedError as error:
        return refusal_of(error), rings
    except DomainError as error:
        refused = refusal_of(error)

        async def refuse(work: Work) -> Outcome:
            stored, _ = await claim_key(work, request)
            if stored is not None:
                return stored
            await store_answer(work, request, refused.status, refused.answer, refused.refusal)
            return refused

        return (await transact(sessions, refuse, actor=actor))[0], rings


async def _settle(sessions: Sessions, transfer_id: UUID) -> set[str]:
    """Carry out a passed deadline in a transaction of its own: it stands even where the command is then refused."""

    async def story(work: Work) -> None:
        await transfers.settle_deadline(work, transfer_id, tell=True)

    return (await transact(sessions, story))[1]


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


async def _carry_out(work: Work, request: Request) -> dict[str, Any]:
    viewer = await get_viewer(work.session, request.caller)
    if request.transfer_id is not None:
        return await _answer_offer(work, request, viewer)
    kind = request.command.kind
    if kind in HEAVY:
        more = await places_by_hand.teams_named(work, request.command)
        await lock_concerned_teams(work, request.dialog_id, *more)
    if isinstance(request.command, Merge):
        await lock_dialogs(work, [request.dialog_id, *request.command.tickets])
    scene = await lock_scene(work, request.dialog_id)
    if kind != "connect" or not viewer.may(Permission.DIALOG_CONNECT):
        scene.require_readable(viewer)
    require_not_due(work, scene)
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
    if viewer.user_id not in (*people, transfer.offered_by):
        scene.require_readable(viewer)
    require_not_due(work, scene)
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
