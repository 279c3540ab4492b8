"""A dialog under its lock, with the facts that every rule about it asks for."""

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, text

from domain import permissions
from domain.errors import NotFoundError
from domain.permissions import Relation, Viewer
from store.statements import Statement
from store.tables import Dialog, Transfer
from store.transactions import TEAM_LOCKS, GroundMovedError, Work

_DIALOG = select(Dialog).where(Dialog.id == bindparam("dialog")).with_for_update(key_share=True)
_FACTS = Statement("""
SELECT clock_timestamp() AS now, t.auto, t.active, t.transfer_window, t.transfer_fallback, o.id AS offer_id,
       ARRAY(SELECT user_id FROM participants WHERE dialog_id = :dialog AND role = 'participant') AS participants,
       ARRAY(SELECT user_id FROM participants WHERE dialog_id = :dialog AND role = 'watcher') AS watchers,
       ARRAY(SELECT team_key FROM team_members
             WHERE user_id IN (CAST(:holder AS uuid), o.to_operator)) AS teams_of_people
FROM teams t LEFT JOIN transfers o ON o.dialog_id = :dialog AND o.state = 'pending' WHERE t.key = :team
""")
_CONCERNED = text("""
SELECT d.team_key, d.operator_id, d.contact_id, o.to_operator,
       ARRAY(SELECT team_key FROM team_members WHERE user_id IN (d.operator_id, o.to_operator)) AS teams
FROM dialogs d LEFT JOIN transfers o ON o.dialog_id = d.id AND o.state = 'pending' WHERE d.id = :dialog
""")
# The locks are taken in the order of the inner rows: OFFSET 0 keeps the planner from reordering them.
_LOCK_CONCERNED = Statement("""
SELECT wanted.key FROM (
    SELECT key, number::int AS number FROM teams WHERE key = ANY(:more) OR key IN (
        SELECT team_key FROM dialogs WHERE id = :dialog
        UNION ALL
        SELECT m.team_key FROM dialogs d LEFT JOIN transfers o ON o.dialog_id = d.id AND o.state = 'pending'
        JOIN team_members m ON m.user_id IN (d.operator_id, o.to_operator) WHERE d.id = :dialog)
    ORDER BY teams.number OFFSET 0
) AS wanted CROSS JOIN LATERAL pg_advisory_xact_lock(:space, wanted.number) AS locked
""")
_EXISTS = text("SELECT true FROM dialogs WHERE id = :dialog")


@dataclass(frozen=True, slots=True)
class TeamFacts:
    key: str
    auto: bool
    active: bool
    transfer_window: int
    transfer_fallback: str


@dataclass(slots=True)
class Scene:
    """One dialog, locked: its row, its team, its pending offer, who relates to it."""

    dialog: Dialog
    team: TeamFacts
    offer: Transfer | None
    relation: Relation

    @property
    def event_ids(self) -> dict[str, Any]:
        d = self.dialog
        return {"dialog_id": d.id, "contact_id": d.contact_id, "team": d.team_key}

    def require_readable(self, viewer: Viewer) -> None:
        """Raises NotFoundError: who may not read a dialog is not told that it exists."""
        if not permissions.may_read(viewer, self.relation):
            raise NotFoundError("There is no such dialog.")

    def refresh_relation(self) -> None:
        self.relation = replace(
            self.relation, operator_id=self.dialog.operator_id, team=self.dialog.team_key,
            offered_to=self.offer.to_operator if self.offer else None,
        )  # fmt: skip


async def teams_concerned(work: Work, dialog_id: UUID) -> frozenset[str]:
    """Every team whose waiting or room a change of this dialog's place may touch. Raises NotFoundError."""
    row = (await work.session.execute(_CONCERNED, {"dialog": dialog_id})).one_or_none()
    if row is None:
        raise NotFoundError("There is no such dialog.")
    return frozenset({row.team_key, *row.teams})


async def lock_concerned_teams(work: Work, dialog_id: UUID, *more: str | None) -> None:
    """Take the locks of `teams_concerned`, and of `more`, in one statement. Raises NotFoundError."""
    named = {k for k in more if k}
    rows = await work.ask(_LOCK_CONCERNED, dialog=dialog_id, more=sorted(named), space=TEAM_LOCKS)
    locked = frozenset(r.key for r in rows)
    if not locked - named and not await work.session.scalar(_EXISTS, {"dialog": dialog_id}):
        raise NotFoundError("There is no such dialog.")
    work.teams |= locked | named


async def lock_scene(work: Work, dialog_id: UUID, *, operators: tuple[UUID, ...] = ()) -> Scene:
    """Lock the dialog (and then `operators`), read the clock and gather the facts.

    When this transaction holds team locks, they are checked to still be the right ones (GroundMovedError).
    Raises NotFoundError.
    """
    dialog = await work.session.scalar(_DIALOG, {"dialog": dialog_id})
    if dialog is None:
        raise NotFoundError("There is no such dialog.")
    if operators:
        await work.lock_operators(operators)
    [facts] = await work.ask(_FACTS, dialog=dialog_id, team=dialog.team_key, holder=dialog.operator_id)
    work.moment = facts.now
    # Whoever loaded the offer before the locks may hold an old row of it: read it anew.
    offer = await work.session.get(Transfer, facts.offer_id, populate_existing=True) if facts.offer_id else None
    if work.teams:
        work.require_teams({dialog.team_key, *facts.teams_of_people})
    relation = Relation(
        dialog.team_key, dialog.operator_id, dialog.author_id,
        frozenset(facts.participants), frozenset(facts.watchers), offer.to_operator if offer else None,
    )  # fmt: skip
    team = TeamFacts(dialog.team_key, facts.auto, facts.active, facts.transfer_window, facts.transfer_fallback)
    scene = work.scenes[dialog_id] = Scene(dialog, team, offer, relation)
    return scene


def require_locked_teams(work: Work) -> None:
    """Raises GroundMovedError in a transaction that began without team locks but turns out to need them."""
    if not work.teams:
        raise GroundMovedError


class OfferDueError(Exception):
    """The dialog's pending offer has passed its deadline: settle that first, in a transaction of its own."""

    def __init__(self, transfer_id: UUID) -> None:
        super().__init__(transfer_id)
        self.transfer_id = transfer_id


def require_not_due(work: Work, scene: Scene) -> None:
    """Raises OfferDueError. Whoever acts on a dialog finds it where a passed deadline has put it."""
    if scene.offer is not None and work.now >= scene.offer.deadline:
        raise OfferDueError(scene.offer.id)
