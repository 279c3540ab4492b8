"""Giving one dialog, held or waiting, to whoever is free by a method's ranking, with the decision stored.

Unlike a drain it looks at one dialog only, held ones too, and asks nobody's limits to give way (I2).
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm.attributes import set_committed_value

from domain import dialogs as rules
from domain.distribution import Candidate, Decision, Waiting, decide
from domain.errors import ConflictError, ForbiddenError, InvalidError
from domain.events import Fact
from domain.permissions import Viewer, leads
from domain.transfers import Offer
from store import transfers
from store.candidates import candidates_in
from store.decisions import INSERT_DECISIONS, store_decisions, written
from store.dialogs import Scene
from store.distribution import HAND_OVER, OVERFLOW, TAKE_SLOTS
from store.exclusions import exclude_all
from store.places import free_slot, settle_waiting, tell_reassigned, tell_status, wait_no_longer, wake_after_exclusions
from store.statements import Statement
from store.tables import Dialog, Team
from store.topics import team_of_topic
from store.transactions import GroundMovedError, Work

#: what a dialog taken from somebody weighs in the queue at least (P142)
TAKEN = 10
_TEAMS = text("SELECT key FROM teams WHERE active ORDER BY key = :own DESC, number")
# Whoever could get the dialog now is locked first, so that one look at their loads is enough.
_FACTS = Statement("""
WITH able AS (
    SELECT o.user_id FROM operators o
    WHERE o.status = 'online' AND o.user_id IN (SELECT user_id FROM team_members WHERE team_key = :team)
    ORDER BY o.user_id FOR NO KEY UPDATE OF o
)
SELECT (SELECT count(*) FROM able) AS able, t.distribution,
       coalesce((SELECT priority FROM topics WHERE key = :topic), 0) AS priority,
       ARRAY(SELECT operator_id FROM exclusions WHERE dialog_id = :dialog) AS excluded
FROM teams t WHERE t.key = :team AND t.active
""")
# The old slot is free before the new one is taken (there is one a dialog): the count makes the one wait for the other.
_HAND_OVER = Statement(
    HAND_OVER.text.replace(
        "WITH given AS",
        f"""WITH freed AS (
            DELETE FROM reservations WHERE dialog_id = ANY(:dialogs) AND kind = 'held' RETURNING dialog_id
        ),
        slots AS ({TAKE_SLOTS.text} WHERE :takes_slot AND (SELECT count(*) FROM freed) >= 0),
        decided AS ({INSERT_DECISIONS}), given AS""",
        1,
    )
)


@dataclass(frozen=True, slots=True)
class Redistribution:
    """`to`: online, team, any or topic_team. `exclude`: who does not get it now, nor while it waits after this.

    `otherwise`: queue or unassigned (the team's way of waiting decides which), or fail.
    """

    to: str
    team: str | None = None
    exclude: frozenset[UUID] = frozenset()
    strategy: str | None = None
    otherwise: str = "queue"
    weight: int | None = None


async def teams_wanted(work: Work, scene: Scene, asked: Redistribution) -> list[str]:
    """Where to look for somebody free, in this order; the first is where it waits otherwise. Raises InvalidError."""
    own = scene.dialog.team_key
    if asked.to == "any":
        return [r[0] for r in await work.session.execute(_TEAMS, {"own": own})]
    if asked.to == "topic_team" and scene.dialog.topic_key is not None:
        return [await team_of_topic(work.session, scene.dialog.topic_key, own)]
    if asked.to == "team" and asked.team is not None:
        return [(await transfers.team_to_hand_to(work, asked.team)).key]
    return [own]


async def redistribute(
    work: Work, scene: Scene, viewer: Viewer, asked: Redistribution, teams: Sequence[str]
) -> dict[str, Any]:
    """Release the holder and give the dialog to the best one free in the first of `teams` (all locked) that has one.

    Answers {operator: {id, name} or None, queued, place, team}. Raises ConflictError for `otherwise: fail` with
    nobody free, DialogClosedError, ForbiddenError; before it writes anything.
    """
    began = time.perf_counter()
    dialog = scene.dialog
    rules.require_open(dialog.status)
    if not leads(viewer, scene.relation):
        raise ForbiddenError("Only a supervisor of the dialog's team may distribute it.")
    source, target = dialog.operator_id, scene.offer.to_operator if scene.offer else None
    chosen = await _choose(work, scene, asked, teams)
    decision, people = chosen
    if decision.winner is None and asked.otherwise == "fail":
        raise ConflictError("Nobody is free to take this dialog.", reason=decision.reason)
    if decision.winner is not None and decision.winner == source:
        return _told(scene, next(c for c in people if c.operator_id == source))
    cause = "redistributed"
    await transfers.end(work, scene, Offer.RESCINDED, reason=cause, tell=True)
    if decision.team != dialog.team_key:
        await _change_team(work, scene, decision.team)
    if decision.winner is not None:
        winner = next(c for c in people if c.operator_id == decision.winner)
        if asked.weight is not None:
            dialog.weight = asked.weight
        await _give(work, scene, decision, cause, began)
    else:
        winner = None
        await _let_wait(work, scene, asked, source, cause)
        await store_decisions(work, [decision], cause, began, actor=work.actor.id)
    freed = [i for i in (source, target) if i is not None and i != decision.winner]
    await transfers.drain_for(work, await _able_to_receive(work, freed, people), cause=cause)
    return _told(scene, winner)


async def _choose(
    work: Work, scene: Scene, asked: Redistribution, teams: Sequence[str]
) -> tuple[Decision, list[Candidate]]:
    """The decision of the first team with somebody free, else that of the first team."""
    dialog = scene.dialog
    first: tuple[Decision, list[Candidate]] | None = None
    for team in teams:
        found = await work.ask(_FACTS, topic=dialog.topic_key, team=team, dialog=dialog.id)
        if not found:
            raise InvalidError(f"There is no active team {team!r}.", field="team")
        [facts] = found
        waiting = Waiting(
            dialog.id, team, dialog.channel_key, dialog.contact_id, facts.priority, dialog.weight,
            dialog.waiting_since or work.now, frozenset(facts.excluded) | asked.exclude, dialog.reserved_for,
        )  # fmt: skip
        people = await candidates_in(work, [team], [dialog.contact_id])
        people = [_without(c, dialog) if c.operator_id == dialog.operator_id else c for c in people]
        decision = decide(waiting, people, asked.strategy or facts.distribution)
        if decision.winner is not None:
            return decision, people
        first = first or (decision, people)
    if first is None:
        raise InvalidError("There is no active team.", field="team")
    return first


def _without(holder: Candidate, dialog: Any) -> Candidate:
    """The holder as if the dialog were in nobody's hands."""
    return holder._replace(load=holder.load.minus(dialog.channel_key)) if rules.occupies_slot(dialog.status) else holder


async def _change_team(work: Work, scene: Scene, key: str) -> None:
    before = scene.dialog.team_key
    await transfers.move_to_team(work, scene, await work.session.get_one(Team, key))
    work.record(Fact.DIALOG_TEAM_CHANGED, **scene.event_ids, before={"team": before}, after={"team": key})


async def _give(work: Work, scene: Scene, decision: Decision, cause: str, began: float) -> None:
    dialog = scene.dialog
    assert decision.winner is not None
    holder = dialog.operator_id
    before = {"place": dialog.place, "operator": str(holder) if holder else None}
    await work.session.flush()
    await _hand_over(work, dialog, decision.winner, written(work, [decision], cause, began, actor=work.actor.id))
    scene.refresh_relation()
    work.record(
        Fact.DIALOG_ASSIGNED, **scene.event_ids, operator_id=decision.winner, before=before,
        after={"place": "owned", "operator": str(decision.winner)}, cause=cause,
    )  # fmt: skip
    tell_reassigned(work, scene, holder, cause=cause)


async def _hand_over(work: Work, dialog: Dialog, operator_id: UUID, decisions: str) -> None:
    """The slot, the dialog, the operator's turn, the client met: as a drain writes them; and why."""
    try:
        await work.ask(
            _HAND_OVER, dialogs=[dialog.id], operators=[operator_id], channels=[dialog.channel_key],
            contacts=[dialog.contact_id], now=work.now, winners=[operator_id], turns=[work.now],
            takes_slot=rules.occupies_slot(dialog.status), decisions=decisions,
        )  # fmt: skip
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != OVERFLOW:
            raise
        raise GroundMovedError from error
    now_true = {
        "place": rules.Place.OWNED.value, "operator_id": operator_id, "last_operator_id": operator_id,
        "reserved_for": None, "is_forced": False, "bot_run": None, "assigned_at": work.now,
        "first_assigned_at": dialog.first_assigned_at or work.now,
        "status": rules.Status.OPEN.value if dialog.status == rules.Status.NEW else dialog.status,
    }  # fmt: skip
    for name, value in now_true.items():
        set_committed_value(dialog, name, value)


async def _let_wait(work: Work, scene: Scene, asked: Redistribution, source: UUID | None, cause: str) -> None:
    dialog = scene.dialog
    if asked.weight is not None:
        dialog.weight = asked.weight
    elif source is not None:
        dialog.weight = max(dialog.weight, TAKEN)
    before, status = {"place": dialog.place, "operator": str(source) if source else None}, dialog.status
    if source is not None:
        await free_slot(work, dialog)
    dialog.operator_id, dialog.reserved_for = None, None
    dialog.place = rules.place_when_waiting(auto=scene.team.auto)
    dialog.status = rules.status_when_waiting(dialog.kind, ever_owned=dialog.first_assigned_at is not None)
    dialog.waiting_since = dialog.waiting_since or work.now
    waited = wait_no_longer(work, dialog)
    await work.session.flush()
    scene.refresh_relation()
    tell_status(work, scene, status, cause=cause, waited=waited)
    if spared := {*asked.exclude, *([source] if source else [])}:
        until = work.now + timedelta(seconds=scene.team.transfer_window)
        await exclude_all(work, dialog.id, spared, cause, until)
        await wake_after_exclusions(work, scene)
    if source is not None:
        work.record(
            Fact.DIALOG_UNASSIGNED, **scene.event_ids, operator_id=source, before=before,
            after={"place": dialog.place}, cause=cause,
        )  # fmt: skip
        tell_reassigned(work, scene, source, cause=cause)
    await settle_waiting(work, scene, cause=cause, drains=False)


async def _able_to_receive(work: Work, freed: Sequence[UUID], people: Sequence[Candidate]) -> list[UUID]:
    """Those of the freed whose new room means something: who is away gets nothing, so no queue needs a look."""
    known = {c.operator_id: c.status == "online" and c.is_connected for c in people}
    able = [i for i in freed if known.get(i)]
    others = [i for i in freed if i not in known]
    if others:
        rows = await work.session.execute(
            text(
                "SELECT o.user_id FROM operators o JOIN presence_leases l ON l.operator_id = o.user_id"
                " WHERE o.user_id = ANY(:ids) AND o.status = 'online' AND l.lease_until > clock_timestamp()"
            ),
            {"ids": others},
        )
        able += [r[0] for r in rows]
    return able


def _told(scene: Scene, winner: Candidate | None) -> dict[str, Any]:
    dialog = scene.dialog
    return {
        "operator": {"id": str(winner.operator_id), "name": winner.name} if winner else None,
        "queued": dialog.place in rules.WAITING, "place": dialog.place, "team": dialog.team_key,
    }  # fmt: skip
