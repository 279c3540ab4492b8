"""A chat becomes a ticket: the same dialog, of another kind (its number is the ticket's)."""

from typing import Any
from uuid import UUID

from sqlalchemy import text

from domain import dialogs as rules
from domain.commands import Convert
from domain.errors import AtCapacityError, InvalidError, NotYoursError, WrongStatusError
from domain.events import Fact
from domain.permissions import Viewer, leads, require_acting
from domain.transfers import Offer
from domain.workflow_ids import of_dialog
from store import ratings, transfers
from store.dialogs import Scene
from store.fields import MOST_FIELDS
from store.json_values import storable, storable_text
from store.places import give, has_room, require_able, settle_waiting, to_pool
from store.topics import change_team
from store.transactions import Work

#: those of a role who could hold it: of its team first, there first, least loaded first
_OF_ROLE = text("""
SELECT u.id FROM users u JOIN operators o ON o.user_id = u.id
JOIN user_roles r ON r.user_id = u.id AND r.role_key = :role
LEFT JOIN presence_leases l ON l.operator_id = u.id AND l.lease_until > clock_timestamp()
WHERE u.is_active AND EXISTS (SELECT 1 FROM user_roles ur JOIN role_permissions rp ON rp.role_key = ur.role_key
                              WHERE ur.user_id = u.id AND rp.permission = 'dialog.hold')
ORDER BY EXISTS (SELECT 1 FROM team_members m WHERE m.user_id = u.id AND m.team_key = :team) DESC,
         (o.status = 'online' AND l.operator_id IS NOT NULL) DESC,
         (SELECT count(*) FROM reservations v WHERE v.operator_id = u.id), u.id
LIMIT 50
""")


async def convert(work: Work, scene: Scene, viewer: Viewer, command: Convert) -> dict[str, Any]:
    """A closed chat becomes an open ticket. An assignee may be offline, but needs room (DECISIONS 25).

    Raises WrongStatusError for a ticket, NotYoursError, InvalidError, AtCapacityError, OperatorUnsuitableError.
    """
    dialog = scene.dialog
    if dialog.kind == rules.Kind.TICKET:
        raise WrongStatusError("This is a ticket already.")
    _require_may(viewer, scene)
    wanted = {**dialog.fields, **storable(command.fields)}
    if len(wanted) > MOST_FIELDS:
        raise InvalidError(f"A dialog has at most {MOST_FIELDS} fields.", field="fields")
    before = {"kind": dialog.kind, "status": dialog.status}
    was_closed = rules.is_closed(dialog.status)
    dialog.kind = rules.Kind.TICKET
    dialog.status = rules.Status.IN_PROGRESS if dialog.place == rules.Place.OWNED else rules.Status.OPEN
    dialog.ticket_type = storable_text(command.ticket_type) or dialog.ticket_type
    dialog.priority = command.priority or dialog.priority
    dialog.fields = {name: value for name, value in wanted.items() if value is not None}
    if was_closed:
        await _open_again(work, scene)
    await work.session.flush()
    work.record(
        Fact.DIALOG_CONVERTED, **scene.event_ids, operator_id=dialog.operator_id, before=before,
        after={"kind": dialog.kind, "status": dialog.status},
    )  # fmt: skip
    work.record(
        Fact.TICKET_CREATED, **scene.event_ids, operator_id=dialog.operator_id, number=dialog.number,
        type=dialog.ticket_type, priority=dialog.priority,
    )  # fmt: skip
    is_given = command.assignee is not None and await _hand_to(work, scene, command.assignee)
    if was_closed and not is_given:
        await settle_waiting(work, scene, cause="converted")
    return {
        "ticket_id": str(dialog.id), "number": dialog.number, "status": dialog.status, "place": dialog.place,
        "operator_id": str(dialog.operator_id) if dialog.operator_id else None,
    }  # fmt: skip


def _require_may(viewer: Viewer, scene: Scene) -> None:
    if not rules.is_closed(scene.dialog.status):
        require_acting(viewer, scene.relation, is_waiting=scene.dialog.place in rules.WAITING)
        return
    mine = viewer.user_id in (scene.dialog.last_operator_id, scene.dialog.author_id)
    if not mine and not leads(viewer, scene.relation) and scene.dialog.team_key not in viewer.teams:
        raise NotYoursError("Only its last operator, its team or a supervisor may make a ticket of this dialog.")


async def _open_again(work: Work, scene: Scene) -> None:
    dialog = scene.dialog
    dialog.place = rules.place_when_waiting(auto=scene.team.auto)
    dialog.closed_at = dialog.closed_by = None
    dialog.waiting_since = work.now
    dialog.cycle += 1
    await ratings.supersede(work, dialog.id)
    work.react(of_dialog(dialog.id), "dialog_reopened", cycle=dialog.cycle)


async def _hand_to(work: Work, scene: Scene, assignee: str) -> bool:
    """Answers whether the ticket stands where it was to go; False: it still waits, or stays with its holder."""
    kind, colon, key = assignee.partition(":")
    if not colon:
        await _give(work, scene, UUID(assignee))
        return True
    if kind == "team":
        await _to_team(work, scene, key)
        return True
    found = await work.session.scalars(_OF_ROLE, {"role": key, "team": scene.dialog.team_key})
    people = list(found)
    if scene.dialog.operator_id in people:
        return True
    await work.lock_operators(people)
    for person in people:
        if await has_room(work, person, scene.dialog.channel_key):
            await _give(work, scene, person)
            return True
    return False


async def _give(work: Work, scene: Scene, operator_id: UUID) -> None:
    holder = scene.dialog.operator_id
    if holder == operator_id:
        return
    await work.lock_operators([operator_id, holder])
    await require_able(work, operator_id, must_be_online=False)
    if not await has_room(work, operator_id, scene.dialog.channel_key):
        raise AtCapacityError("The operator has no room for this ticket.")
    target = scene.offer.to_operator if scene.offer else None
    await transfers.end(work, scene, Offer.RESCINDED, reason="assigned", tell=True)
    await give(work, scene, operator_id, cause="converted")
    await transfers.drain_for(work, [holder, target], cause="converted")


async def _to_team(work: Work, scene: Scene, key: str) -> None:
    team = await transfers.team_to_hand_to(work, key)
    dialog, holder = scene.dialog, scene.dialog.operator_id
    target = scene.offer.to_operator if scene.offer else None
    await transfers.end(work, scene, Offer.RESCINDED, reason="handed_to_team", tell=True)
    if team.key != dialog.team_key:
        await change_team(work, scene, team.key)
    await to_pool(work, scene, cause="converted", excluding=holder)
    await settle_waiting(work, scene, cause="converted")
    await transfers.drain_for(work, [holder, target], cause="converted")
