"""To whom a ticket goes when it is made: a person, somebody of a role, a team."""

from uuid import UUID

from sqlalchemy import text

from domain.errors import AtCapacityError, InvalidError
from domain.transfers import Offer
from store import transfers
from store.dialogs import Scene
from store.places import give, has_room, require_able, settle_waiting, to_pool
from store.tables import Role
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


async def hand_to(work: Work, scene: Scene, assignee: str, *, cause: str) -> bool:
    """`assignee`: an operator's id, role:NAME or team:NAME; who is there may be offline, but needs room (DECISIONS 25).

    Answers whether the ticket stands where it was to go; False: it still waits, or stays with its holder. Raises
    AtCapacityError, OperatorUnsuitableError, InvalidError for an unknown role, and what handing to a team refuses.
    """
    kind, colon, key = assignee.partition(":")
    if not colon:
        await _give(work, scene, UUID(assignee), cause)
        return True
    if kind == "team":
        await _to_team(work, scene, key, cause)
        return True
    found = await work.session.scalars(_OF_ROLE, {"role": key, "team": scene.dialog.team_key})
    people = list(found)
    if not people and await work.session.get(Role, key) is None:
        raise InvalidError(f"There is no role {key!r}.", field="assignee")
    if scene.dialog.operator_id in people:
        return True
    await work.lock_operators(people)
    for person in people:
        if await has_room(work, person, scene.dialog.channel_key):
            await _give(work, scene, person, cause)
            return True
    return False


async def _give(work: Work, scene: Scene, operator_id: UUID, cause: str) -> None:
    holder = scene.dialog.operator_id
    if holder == operator_id:
        return
    await work.lock_operators([operator_id, holder])
    await require_able(work, operator_id, must_be_online=False)
    if not await has_room(work, operator_id, scene.dialog.channel_key):
        raise AtCapacityError("The operator has no room for this ticket.")
    target = scene.offer.to_operator if scene.offer else None
    await transfers.end(work, scene, Offer.RESCINDED, reason="assigned", tell=True)
    await give(work, scene, operator_id, cause=cause)
    await transfers.drain_for(work, [holder, target], cause=cause)


async def _to_team(work: Work, scene: Scene, key: str, cause: str) -> None:
    team = await transfers.team_to_hand_to(work, key)
    dialog, holder = scene.dialog, scene.dialog.operator_id
    target = scene.offer.to_operator if scene.offer else None
    await transfers.end(work, scene, Offer.RESCINDED, reason="handed_to_team", tell=True)
    if team.key != dialog.team_key:
        await change_team(work, scene, team.key)
    await to_pool(work, scene, cause=cause, excluding=holder)
    await settle_waiting(work, scene, cause=cause)
    await transfers.drain_for(work, [holder, target], cause=cause)
