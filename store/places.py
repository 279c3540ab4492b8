"""Moving a dialog between places: into hands, back to the pool, and the slot that goes with it."""

import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from uuid import UUID

from psycopg import errors as pg
from sqlalchemy import delete, insert, text
from sqlalchemy.exc import DBAPIError

from domain import dialogs as rules
from domain import presence
from domain.capacity import Limits, Load, why_full
from domain.distribution import Decision
from domain.errors import AtCapacityError, OperatorOfflineError, OperatorUnsuitableError
from domain.events import Fact
from domain.workflow_ids import of_clocks, of_team
from store.decisions import store_decisions
from store.dialogs import Scene
from store.distribution import OVERFLOW, drain, touch_contacts
from store.exclusions import exclude
from store.tables import Dialog, Reservation
from store.transactions import Work

_PERSON = text("""
SELECT u.name, u.is_active, o.status, l.lease_until,
       EXISTS (SELECT 1 FROM user_roles ur JOIN role_permissions rp ON rp.role_key = ur.role_key
               WHERE ur.user_id = u.id AND rp.permission = 'dialog.hold') AS holds,
       ARRAY(SELECT team_key FROM team_members WHERE user_id = u.id) AS teams
FROM users u JOIN operators o ON o.user_id = u.id LEFT JOIN presence_leases l ON l.operator_id = u.id
WHERE u.id = :id
""")

_LOAD = text("""
SELECT o.max_dialogs, o.channel_limits, coalesce(sum(n)::int, 0) AS total,
       coalesce(jsonb_object_agg(channel_key, n) FILTER (WHERE channel_key IS NOT NULL), '{}') AS channels
FROM operators o LEFT JOIN LATERAL (
    SELECT channel_key, count(*) AS n FROM reservations r
    WHERE r.operator_id = o.user_id AND (expires_at IS NULL OR expires_at > clock_timestamp()) GROUP BY channel_key
) AS taken ON true
WHERE o.user_id = :id GROUP BY o.user_id
""")


async def require_able(work: Work, operator_id: UUID, *, must_be_online: bool) -> str:
    """Answers the person's name. Raises OperatorUnsuitableError, OperatorOfflineError."""
    row = (await work.session.execute(_PERSON, {"id": operator_id})).one_or_none()
    if row is None or not row.is_active:
        raise OperatorUnsuitableError("There is no such active operator.")
    if not row.holds:
        raise OperatorUnsuitableError(f"{row.name} may not hold dialogs.")
    if must_be_online and not presence.can_receive(row.status, row.lease_until, work.now):
        what = "has lost the connection" if row.status == "online" else f"is {row.status}"
        raise OperatorOfflineError(f"{row.name} {what}.", operator_id=str(operator_id))
    return str(row.name)


async def is_online(work: Work, operator_id: UUID | None) -> bool:
    if operator_id is None:
        return False
    row = (await work.session.execute(_PERSON, {"id": operator_id})).one_or_none()
    return row is not None and row.is_active and presence.can_receive(row.status, row.lease_until, work.now)


async def has_room(work: Work, operator_id: UUID, channel: str) -> bool:
    """Whether this person could take one more dialog of the channel now; ask with the operator's row locked."""
    row = (await work.session.execute(_LOAD, {"id": operator_id})).one()
    return why_full(Limits(row.max_dialogs, row.channel_limits), Load(row.total, row.channels), channel) is None


async def reserve(
    work: Work,
    dialog: Dialog,
    operator_id: UUID,
    *,
    kind: str = "held",
    over_limit: bool = False,
    transfer_id: UUID | None = None,
    expires_in: timedelta | None = None,
) -> None:
    """Take one slot. Raises AtCapacityError: the database's trigger is the judge."""
    row = {
        "dialog_id": dialog.id, "operator_id": operator_id, "kind": kind, "channel_key": dialog.channel_key,
        "over_limit": over_limit, "transfer_id": transfer_id,
        "expires_at": work.now + expires_in if expires_in else None,
    }  # fmt: skip
    await work.session.flush()
    try:
        await work.session.execute(insert(Reservation), row)
    except DBAPIError as error:
        raise _capacity(error) or error from None


def _capacity(error: DBAPIError) -> AtCapacityError | None:
    if not isinstance(error.orig, pg.Error) or error.orig.sqlstate != OVERFLOW:
        return None
    reason = (error.orig.diag.message_primary or "at_limit").split(" ")[0]
    where = "of this channel" if reason == "at_channel_limit" else "of dialogs"
    return AtCapacityError(f"The operator has reached the limit {where}.", reason=reason)


async def give(
    work: Work,
    scene: Scene,
    operator_id: UUID,
    *,
    cause: str,
    over_limit: bool = False,
    converts_offer: bool = False,
    formerly: UUID | None = None,
) -> None:
    """Put the dialog into an operator's hands. The caller has checked who may; capacity is checked here.

    `formerly`: who held it until this transaction took it out of their hands.
    """
    dialog = scene.dialog
    holder = dialog.operator_id or formerly
    before = {"place": dialog.place, "operator": _text(holder)}
    await free_slot(work, dialog)
    if converts_offer and rules.occupies_slot(dialog.status):
        await work.session.execute(
            text("UPDATE reservations SET kind = 'held', expires_at = NULL WHERE dialog_id = :d AND kind = 'offer'"),
            {"d": dialog.id},
        )
    elif converts_offer:
        await work.session.execute(
            delete(Reservation).where(Reservation.dialog_id == dialog.id, Reservation.kind == "offer")
        )
    elif rules.occupies_slot(dialog.status):
        await reserve(work, dialog, operator_id, over_limit=over_limit)
    dialog.place, dialog.operator_id, dialog.last_operator_id = rules.Place.OWNED, operator_id, operator_id
    dialog.assigned_at = work.now
    dialog.first_assigned_at = dialog.first_assigned_at or work.now
    dialog.reserved_for, dialog.is_forced = None, False
    if dialog.status == rules.Status.NEW:
        dialog.status = rules.Status.OPEN
    await work.session.flush()
    await work.session.execute(
        text("UPDATE operators SET last_assigned_at = :now WHERE user_id = :id"), {"now": work.now, "id": operator_id}
    )
    await touch_contacts(work, [(operator_id, dialog.contact_id)])
    await work.session.execute(text("DELETE FROM exclusions WHERE dialog_id = :d"), {"d": dialog.id})
    scene.refresh_relation()
    work.record(
        Fact.DIALOG_ASSIGNED, **scene.event_ids, operator_id=operator_id, before=before,
        after={"place": "owned", "operator": str(operator_id)}, cause=cause, over_limit=over_limit,
    )  # fmt: skip
    tell_reassigned(work, scene, holder, cause=cause)
    reason = cause if work.run_id is None else "by_run"
    decision = Decision(dialog.id, dialog.team_key, "by_hand", operator_id, reason)
    await store_decisions(work, [decision], cause, time.perf_counter(), actor=work.actor.id)


async def free_slot(work: Work, dialog: Dialog) -> None:
    await work.session.execute(
        delete(Reservation).where(Reservation.dialog_id == dialog.id, Reservation.kind == "held")
    )


async def to_pool(work: Work, scene: Scene, *, cause: str, excluding: UUID | None = None) -> None:
    """Take the dialog out of its holder's hands, if any, into its team's pool. Keeps its original waiting age."""
    dialog = scene.dialog
    holder = dialog.operator_id
    before, status = {"place": dialog.place, "operator": _text(holder)}, dialog.status
    await free_slot(work, dialog)
    dialog.operator_id = None
    dialog.place = rules.place_when_waiting(auto=scene.team.auto)
    dialog.status = rules.status_when_waiting(dialog.kind, ever_owned=dialog.first_assigned_at is not None)
    dialog.waiting_since = dialog.waiting_since or work.now
    waited = wait_no_longer(work, dialog)
    await work.session.flush()
    scene.refresh_relation()
    tell_status(work, scene, status, cause=cause, waited=waited)
    if excluding is not None:
        await exclude_for_a_window(work, scene, excluding, cause=cause)
    await wake_after_exclusions(work, scene)
    if holder is not None:
        work.record(
            Fact.DIALOG_UNASSIGNED, **scene.event_ids, operator_id=holder, before=before,
            after={"place": dialog.place}, cause=cause,
        )  # fmt: skip
        tell_reassigned(work, scene, holder, cause=cause)


def tell_status(
    work: Work, scene: Scene, before: str, *, cause: str, waited: Mapping[str, str] = MappingProxyType({})
) -> None:
    """The fact that a ticket's status is another than `before`; a chat's follows from its place and has none.

    `waited`: what `wait_no_longer` answered.
    """
    dialog = scene.dialog
    if dialog.kind == rules.Kind.TICKET and dialog.status != before:
        work.record(
            Fact.TICKET_STATUS_CHANGED, **scene.event_ids, operator_id=dialog.operator_id,
            before={"status": before, **waited}, after={"status": dialog.status, **dict.fromkeys(waited)}, cause=cause,
        )  # fmt: skip


def tell_reassigned(work: Work, scene: Scene, before: UUID | None, *, cause: str) -> None:
    """The fact that a ticket's assignee is another than `before`."""
    dialog = scene.dialog
    if dialog.kind == rules.Kind.TICKET and dialog.operator_id != before:
        work.record(
            Fact.TICKET_REASSIGNED, **scene.event_ids, operator_id=dialog.operator_id,
            before={"operator": _text(before)}, after={"operator": _text(dialog.operator_id)}, cause=cause,
        )  # fmt: skip


def wait_no_longer(work: Work, dialog: Dialog) -> dict[str, str]:
    """Whatever else its status becomes, the ticket does not open again by itself. Answers what the fact's `before` has
    to say of it.
    """
    until = dialog.pending_until
    if until is None:
        return {}
    dialog.pending_until = None
    work.react(of_clocks(dialog.id), "clocks_changed")
    return {"pending_until": until.isoformat()}


async def exclude_for_a_window(work: Work, scene: Scene, operator_id: UUID, *, cause: str) -> None:
    """Do not give the dialog to this person before its next assignment; when alone in the team, for one window."""
    until = work.now + timedelta(seconds=scene.team.transfer_window)
    await exclude(work, scene.dialog.id, operator_id, cause, until)


async def wake_after_exclusions(work: Work, scene: Scene) -> None:
    """Look at the team's queue again when whoever is alone in it may be given this dialog."""
    until: datetime | None = await work.session.scalar(
        text("SELECT max(ends_alone_at) FROM exclusions WHERE dialog_id = :d"), {"d": scene.dialog.id}
    )
    if until is not None and until > work.now:
        work.react(of_team(scene.dialog.team_key), "drain_due", not_before=until)


async def settle_waiting(work: Work, scene: Scene, *, cause: str, drains: bool = True) -> None:
    """After a dialog came to the pool: try to give it away at once, and tell of it when it must wait."""
    dialog = scene.dialog
    if drains and dialog.place == rules.Place.QUEUED and not dialog.is_forced:
        await drain(work, {dialog.team_key}, cause=cause, arrived=dialog)
        scene.refresh_relation()
    if dialog.place in rules.WAITING:
        work.record(
            Fact.DIALOG_QUEUED, **scene.event_ids, after={"place": dialog.place}, cause=cause, weight=dialog.weight
        )


def _text(value: UUID | None) -> str | None:
    return str(value) if value else None
