"""Several tickets turn out to be about one thing: what was said in them goes over to one, the others close (P46)."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text

from domain import dialogs as rules
from domain.commands import Merge
from domain.errors import ConflictError, DomainError, InvalidError, WrongStatusError
from domain.events import Fact
from domain.permissions import Viewer, require_acting
from domain.transfers import Offer
from store import transfers
from store.closures import close_now
from store.dialogs import Scene, lock_scene, teams_concerned
from store.transactions import Work

_UNSETTLED = text(
    "SELECT dialog_id FROM messages WHERE dialog_id = ANY(:gone) AND delivery IN ('queued', 'sending') LIMIT 1"
)
#: appended in their order; answers how many there are
_MOVE = text("""
WITH told AS (
    SELECT id, row_number() OVER (ORDER BY seq) AS place FROM messages WHERE dialog_id = :gone
), moved AS (
    UPDATE messages SET dialog_id = :into, seq = :last + told.place, moved_from = coalesce(moved_from, :gone)
    FROM told WHERE messages.id = told.id RETURNING messages.id
), files AS (
    UPDATE attachments SET dialog_id = :into WHERE dialog_id = :gone
)
SELECT count(*) FROM moved
""")
_PEOPLE = text("""
INSERT INTO participants (dialog_id, user_id, role, added_by)
SELECT :into, user_id, role, :by FROM participants WHERE dialog_id = :gone ORDER BY user_id, role
ON CONFLICT DO NOTHING RETURNING user_id, role
""")
_CAME = {"watcher": Fact.WATCHER_ADDED, "participant": Fact.PARTICIPANT_ADDED}


async def teams_of(work: Work, ids: Sequence[UUID]) -> list[str]:
    """Every team that merging these away may touch; read before the locks. Raises NotFoundError."""
    return sorted({key for i in dict.fromkeys(ids) for key in await teams_concerned(work, i)})


async def merge(work: Work, scene: Scene, viewer: Viewer, command: Merge) -> dict[str, Any]:
    """The named tickets become part of the scene's. The caller holds the locks of all teams and dialogs concerned.

    Raises NotFoundError for one the viewer may not read, InvalidError, WrongStatusError, NotYoursError, NotTakenError,
    ConflictError while a message of them is on its way to the client.
    """
    into = scene.dialog
    ids = list(dict.fromkeys(command.tickets))
    if not ids or len(ids) > rules.MOST_MERGED:
        raise InvalidError(f"Name from 1 to {rules.MOST_MERGED} tickets.", field="tickets")
    if into.id in ids:
        raise InvalidError("A ticket cannot be merged with itself.", field="tickets", ticket=str(into.id))
    if into.kind != rules.Kind.TICKET:
        raise WrongStatusError("Only tickets are merged.")
    rules.require_open(into.status)
    require_acting(viewer, scene.relation, is_waiting=into.place in rules.WAITING)
    gone = [await _one_to_merge(work, scene, viewer, i, command) for i in ids]
    if still := await work.session.scalar(_UNSETTLED, {"gone": ids}):
        raise ConflictError("A message of it is still on its way to the client.", ticket=str(still))
    merged = [await _absorb(work, scene, one) for one in sorted(gone, key=lambda s: (s.dialog.opened_at, s.dialog.id))]
    # who waits goes first: else the slot that closing frees might be given to a ticket about to close
    for one in sorted(gone, key=lambda s: s.dialog.operator_id is not None):
        await _close(work, one)
    await work.session.flush()
    scene.refresh_relation()
    return {
        "dialog_id": str(into.id), "number": into.ticket_number, "merged": merged,
        "messages": sum(m["messages"] for m in merged), "last_message_seq": into.last_message_seq,
    }  # fmt: skip


async def _one_to_merge(work: Work, scene: Scene, viewer: Viewer, dialog_id: UUID, command: Merge) -> Scene:
    one = await lock_scene(work, dialog_id)
    one.require_readable(viewer)
    dialog = one.dialog
    try:
        if dialog.kind != rules.Kind.TICKET:
            raise WrongStatusError("Only tickets are merged.")
        if dialog.merged_into is not None:
            raise WrongStatusError("It was merged into another ticket already.", dialog_id=str(dialog.merged_into))
        if dialog.contact_id != scene.dialog.contact_id and not command.different_contacts:
            raise InvalidError("It is another client's: say different_contacts.", field="different_contacts")
        is_free = dialog.operator_id is None and dialog.team_key in viewer.teams
        if not is_free:
            require_acting(viewer, one.relation, is_waiting=dialog.place in rules.WAITING)
    except DomainError as refused:
        refused.extra.setdefault("ticket", str(dialog_id))
        raise
    if one.offer is not None and work.now >= one.offer.deadline:
        await transfers.expire(work, one, tell=True)
    return one


async def _absorb(work: Work, scene: Scene, one: Scene) -> dict[str, Any]:
    """Messages, files, people and tags go over; both change logs say so."""
    into, gone = scene.dialog, one.dialog
    await work.session.flush()
    given = {"into": into.id, "gone": gone.id, "last": into.last_message_seq, "by": work.actor.id}
    count = int(await work.session.scalar(_MOVE, given) or 0)
    first, into.last_message_seq = into.last_message_seq + 1, into.last_message_seq + count
    into.last_message_at = max(filter(None, (into.last_message_at, gone.last_message_at)), default=None)
    into.last_client_message_at = max(
        filter(None, (into.last_client_message_at, gone.last_client_message_at)), default=None
    )
    awaiting = gone.awaiting_reply_since
    into.awaiting_reply_since = min(filter(None, (into.awaiting_reply_since, awaiting)), default=None)
    gone.merged_into, gone.last_message_seq = into.id, 0
    what: dict[str, Any] = {
        "messages": count, "first_seq": first if count else None, "last_seq": into.last_message_seq if count else None
    }  # fmt: skip
    came: dict[str, Any] = {"from": str(gone.id), "from_number": gone.ticket_number}
    work.record(
        Fact.DIALOG_MERGED, **one.event_ids, operator_id=gone.operator_id, into=str(into.id),
        into_number=into.ticket_number, **what,
    )  # fmt: skip
    work.record(
        Fact.DIALOG_MERGED, **scene.event_ids, operator_id=into.operator_id, **came, **what,
        awaiting_since=awaiting.isoformat() if awaiting else None,
    )  # fmt: skip
    for person in await work.session.execute(_PEOPLE, given):
        work.record(_CAME[person.role], **scene.event_ids, operator_id=person.user_id)
    for tag in sorted({*gone.tags} - {*into.tags}):
        work.record(Fact.DIALOG_TAGGED, **scene.event_ids, operator_id=into.operator_id, tag=tag)
    into.tags = sorted({*into.tags, *gone.tags})
    return {"dialog_id": str(gone.id), "number": gone.ticket_number, **what}


async def _close(work: Work, one: Scene) -> None:
    """Silent: nobody is asked to rate what goes on elsewhere. One that was closed before stays as it was."""
    await work.session.flush()
    if rules.is_closed(one.dialog.status):
        return
    target = one.offer.to_operator if one.offer else None
    await transfers.end(work, one, Offer.RESCINDED, reason="merged", tell=True)
    await close_now(work, one, cause="merged", silent=True)
    await transfers.drain_for(work, [target], cause="closed")
