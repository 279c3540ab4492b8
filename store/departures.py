"""Somebody can hold dialogs no longer (deactivated, or now a light agent): what they had goes on without them."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import or_, select, text, update

from domain.dialogs import WAITING
from domain.presence import Presence
from domain.transfers import Offer
from store import presence, sign_ins, tokens, transfers
from store.dialogs import Scene, lock_scene
from store.distribution import drain, lock_dialogs
from store.places import settle_waiting, to_pool
from store.tables import Dialog, Transfer
from store.transactions import GroundMovedError, Work, team_keys_of

_CONCERNED = text("""
SELECT team_key FROM team_members WHERE user_id = ANY(:ids)
UNION SELECT team_key FROM dialogs WHERE operator_id = ANY(:ids)
UNION SELECT team_key FROM dialogs WHERE place IN ('queued', 'unassigned') AND reserved_for = ANY(:ids)
UNION SELECT d.team_key FROM transfers o JOIN dialogs d ON d.id = o.dialog_id
      WHERE o.state = 'pending' AND o.to_operator = ANY(:ids)
UNION SELECT m.team_key FROM transfers o JOIN dialogs d ON d.id = o.dialog_id
      JOIN team_members m ON m.user_id IN (o.to_operator, d.operator_id)
      WHERE o.state = 'pending' AND (o.to_operator = ANY(:ids) OR d.operator_id = ANY(:ids))
""")
_HOLDERS = text("""
SELECT DISTINCT ur.user_id FROM user_roles ur JOIN role_permissions rp ON rp.role_key = ur.role_key
JOIN users u ON u.id = ur.user_id AND u.is_active
WHERE ur.user_id = ANY(:ids) AND rp.permission = 'dialog.hold'
""")


async def lock_teams_of(work: Work, ids: Iterable[UUID]) -> None:
    """Take the locks of every team that these people's leaving, coming or room may touch."""
    people = {"ids": list(ids)}

    async def concerned() -> set[str]:
        return {r[0] for r in await work.session.execute(_CONCERNED, people)}

    await work.lock_teams(await concerned())
    if not await concerned() <= work.teams:
        raise GroundMovedError


async def holders_among(work: Work, ids: Iterable[UUID]) -> frozenset[UUID]:
    """Who of them is active and may hold dialogs, as the rows stand now."""
    await work.session.flush()
    return frozenset(r[0] for r in await work.session.execute(_HOLDERS, {"ids": list(ids)}))


async def come_and_go(work: Work, before: frozenset[UUID], after: frozenset[UUID], *, cause: str) -> None:
    """Act on who may hold dialogs now and could not before, and the other way round. All teams' locks are held."""
    for user_id in sorted(before - after):
        await leave(work, user_id, cause=cause)
    if came := await team_keys_of(work.session, after - before):
        await drain(work, came, cause=cause)


async def leave(work: Work, user_id: UUID, *, cause: str) -> None:
    """End a person's sessions and tokens, rescind offers to them, give what they hold to their teams' pools.

    The caller has made the person unable to hold, and holds the locks of `lock_teams_of`.
    """
    await work.session.flush()
    ids = await _dialogs_of(work, user_id)
    await lock_dialogs(work, ids)
    await work.lock_operators([user_id])
    await work.read_clock()
    await sign_ins.end_sessions(work.session, user_id)
    await tokens.revoke_all(work.session, user_id)
    returned: list[Scene] = []
    freed: set[UUID | None] = set()
    for dialog_id in ids:
        scene = await lock_scene(work, dialog_id)
        if scene.dialog.operator_id == user_id:
            freed.add(await _end_offer(work, scene, cause))
        if scene.dialog.operator_id == user_id:
            await to_pool(work, scene, cause=cause)
            returned.append(scene)
    await transfers.rescind_offers_to(work, user_id, reason=cause)
    unreserved = await work.session.scalars(
        update(Dialog)
        .where(Dialog.reserved_for == user_id, Dialog.place.in_(WAITING))
        .values(reserved_for=None)
        .returning(Dialog.team_key)
    )
    teams = set(unreserved) | await team_keys_of(work.session, freed)
    await presence.choose_status(work, user_id, Presence.OFFLINE, reason=None, lease=None, forced_by=work.actor.id)
    for scene in returned:
        await settle_waiting(work, scene, cause=cause)
    if teams:
        await drain(work, teams, cause=cause)


async def _dialogs_of(work: Work, user_id: UUID) -> list[UUID]:
    offered = select(Transfer.dialog_id).where(Transfer.to_operator == user_id, Transfer.state == Offer.PENDING)
    reserved = (Dialog.reserved_for == user_id) & Dialog.place.in_(WAITING)
    held = select(Dialog.id).where(or_(Dialog.operator_id == user_id, reserved))
    return sorted({*await work.session.scalars(held), *await work.session.scalars(offered)})


async def _end_offer(work: Work, scene: Scene, cause: str) -> UUID | None:
    """End the offer that the leaving holder made; answers whose slot it frees."""
    offer = scene.offer
    if offer is None:
        return None
    if work.now >= offer.deadline:
        await transfers.expire(work, scene, tell=True)
    else:
        await transfers.end(work, scene, Offer.RESCINDED, reason=cause, tell=True)
    return offer.to_operator
