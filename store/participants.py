"""People in a dialog besides its holder."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.commands import AddParticipant, RemoveParticipant
from domain.errors import OperatorUnsuitableError
from domain.events import Fact
from domain.permissions import Permission, Viewer, require_acting
from store.dialogs import Scene
from store.tables import Participant
from store.transactions import Work
from store.viewers import find_viewer


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


async def watch(work: Work, scene: Scene, viewer: Viewer, people: Collection[UUID]) -> list[UUID]:
    """Who watches reads the dialog and is told of it; answers those who did not watch before. Raises NotYoursError."""
    require_acting(viewer, scene.relation, is_waiting=scene.dialog.place != "owned")
    if not people:
        return []
    rows = [{"dialog_id": scene.dialog.id, "user_id": i, "role": "watcher", "added_by": work.actor.id} for i in people]
    added = await work.session.scalars(
        upsert(Participant).values(rows).on_conflict_do_nothing().returning(Participant.user_id)
    )
    return _told(work, scene, Fact.WATCHER_ADDED, added.all())


async def unwatch(work: Work, scene: Scene, viewer: Viewer, people: Collection[UUID]) -> list[UUID]:
    """Answers those who watched before. Raises NotYoursError, except for oneself."""
    if set(people) != {viewer.user_id}:
        require_acting(viewer, scene.relation, is_waiting=scene.dialog.place != "owned")
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
