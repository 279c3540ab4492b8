"""People in a dialog besides its holder."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.commands import AddParticipant, RemoveParticipant, Unwatch, Watch
from domain.errors import OperatorUnsuitableError
from domain.events import Fact
from domain.permissions import Permission, Viewer, require_acting
from store.dialogs import Scene
from store.tables import Participant
from store.transactions import Work
from store.viewers import find_viewer
from store.watching import tell_of_watching


async def add(work: Work, scene: Scene, viewer: Viewer, command: AddParticipant) -> dict[str, Any]:
    """Bring a colleague in; the holder does not change (P126)."""
    require_acting(viewer, scene.relation, is_waiting=scene.dialog.place != "owned")
    added = await find_viewer(work.session, command.user_id)
    if added is None:
        raise OperatorUnsuitableError("There is no such active person.")
    if not (added.may(Permission.DIALOG_READ) and added.may(Permission.DIALOG_READ_TEXTS)):
        raise OperatorUnsuitableError(f"{added.name} may not read dialogs.")
    inserted = await work.session.scalar(
        upsert(Participant)
        .values(dialog_id=scene.dialog.id, user_id=command.user_id, role="participant", added_by=viewer.user_id)
        .on_conflict_do_nothing()
        .returning(Participant.user_id)
    )
    if inserted is not None:
        work.record(Fact.PARTICIPANT_ADDED, **scene.event_ids, operator_id=command.user_id)
    return {"participant": str(command.user_id), "changed": inserted is not None}


async def remove(work: Work, scene: Scene, viewer: Viewer, command: RemoveParticipant) -> dict[str, Any]:
    if command.user_id != viewer.user_id:
        require_acting(viewer, scene.relation, is_waiting=scene.dialog.place != "owned")
    removed = await work.session.scalar(
        delete(Participant)
        .where(
            Participant.dialog_id == scene.dialog.id,
            Participant.user_id == command.user_id,
            Participant.role == "participant",
        )
        .returning(Participant.user_id)
    )
    if removed is not None:
        work.record(Fact.PARTICIPANT_REMOVED, **scene.event_ids, operator_id=command.user_id)
    return {"participant": str(command.user_id), "changed": removed is not None}


async def add_watcher(work: Work, scene: Scene, viewer: Viewer, command: Watch) -> dict[str, Any]:
    """Somebody watches from now on; one watches oneself what one may read. Raises OperatorUnsuitableError."""
    if command.user_id != viewer.user_id:
        added = await find_viewer(work.session, command.user_id)
        if added is None:
            raise OperatorUnsuitableError("There is no such active person.")
        if not added.may(Permission.DIALOG_READ):
            raise OperatorUnsuitableError(f"{added.name} may not read dialogs.")
    changed = await watch(work, scene, viewer, [command.user_id])
    return {"watcher": str(command.user_id), "changed": bool(changed)}


async def remove_watcher(work: Work, scene: Scene, viewer: Viewer, command: Unwatch) -> dict[str, Any]:
    changed = await unwatch(work, scene, viewer, [command.user_id])
    return {"watcher": str(command.user_id), "changed": bool(changed)}


def _require_may_add(viewer: Viewer, scene: Scene, people: Collection[UUID]) -> None:
    """Oneself: whoever reads the dialog. Others: its team, its author, whoever may act on it. Raises NotYoursError."""
    relation = scene.relation
    if set(people) <= {viewer.user_id} or relation.team in viewer.teams or relation.author_id == viewer.user_id:
        return
    require_acting(viewer, relation, is_waiting=scene.dialog.place != "owned")


async def watch(
    work: Work, scene: Scene, viewer: Viewer, people: Collection[UUID], *, to: str | None = None
) -> list[UUID]:
    """Who watches reads the dialog and is told of its changes; those who did not watch before are told of that, too.

    `to`: the address that stands for them. Answers those added. Raises NotYoursError.
    """
    _require_may_add(viewer, scene, people)
    if not people:
        return []
    rows = [{"dialog_id": scene.dialog.id, "user_id": i, "role": "watcher", "added_by": work.actor.id} for i in people]
    added = await work.session.scalars(
        upsert(Participant).values(rows).on_conflict_do_nothing().returning(Participant.user_id)
    )
    changed = _told(work, scene, Fact.WATCHER_ADDED, added.all())
    others = [i for i in changed if i != work.actor.id]
    if others:
        await tell_of_watching(work, scene, others, to)
    return changed


async def unwatch(work: Work, scene: Scene, viewer: Viewer, people: Collection[UUID]) -> list[UUID]:
    """Answers those who watched before. Raises NotYoursError, except for oneself."""
    _require_may_add(viewer, scene, people)
    removed = await work.session.scalars(
        delete(Participant)
        .where(
            Participant.dialog_id == scene.dialog.id,
            Participant.user_id.in_(list(people)),
            Participant.role == "watcher",
        )
        .returning(Participant.user_id)
    )
    return _told(work, scene, Fact.WATCHER_REMOVED, removed.all())


def _told(work: Work, scene: Scene, fact: Fact, people: Collection[UUID]) -> list[UUID]:
    changed = sorted(people)
    for person in changed:
        work.record(fact, **scene.event_ids, operator_id=person)
    return changed
