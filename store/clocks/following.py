"""Clocks follow facts in the transaction that records them. Whoever keeps no time pays nothing for it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy.orm.attributes import set_committed_value

from domain.clocks.clocks import Clock, Firing
from domain.clocks.lives import TIMELY, Happening, Life, begun
from domain.clocks.reckoning import AIMING, reckon
from domain.events import Fact
from store.clocks.timed import Standing, in_turn, lives_of, standings_of
from store.clocks.writing import Change, Place, write
from store.ids import new_id
from store.tables import Dialog

if TYPE_CHECKING:
    from store.transactions import Work

Told = dict[str, Any]
#: facts by which something may be promised that was not before: looked at whoever keeps time
_BRINGING = frozenset(
    {*map(str, AIMING), Fact.DIALOG_OPENED, Fact.TICKET_CREATED, Fact.DIALOG_REOPENED, Fact.TICKET_REOPENED,
     Fact.DIALOG_QUEUED}
)  # fmt: skip
_CONCERNING = TIMELY | _BRINGING
#: of these the fact's operator is who held the dialog until then
_LETTING_GO = frozenset({Fact.DIALOG_UNASSIGNED, Fact.DIALOG_CLOSED, Fact.TICKET_CLOSED})


async def follow_clocks(work: "Work", start: int) -> None:
    """Take up the facts recorded from number `start` on. Every dialog concerned is locked by this transaction."""
    fresh = _concerned(work, work.facts[start:])
    if not fresh:
        return
    await work.session.flush()
    standings = [s for s in await standings_of(work.session, fresh) if s.keeps_time]
    unknown = [s.dialog_id for s in standings if s.life is None and _first(fresh, s) != Fact.DIALOG_OPENED]
    folded = await lives_of(work.session, unknown)
    changes = []
    for standing in standings:
        story = _Story(standing, standing.life or folded.get(standing.dialog_id))
        if standing.life is None and standing.dialog_id in unknown:
            story.remember([f for f in work.facts[:start] if f["dialog_id"] == standing.dialog_id])
        facts = fresh[standing.dialog_id]
        for n, fact in enumerate(facts):
            story.go_on(fact, facts[n:])
        changes.append(story.change())
        if not standing.row.keeps_time:
            _mark(work, standing.dialog_id)
    await write(work, changes)


def _concerned(work: "Work", facts: Sequence[Told]) -> dict[UUID, list[Told]]:
    """dialog → its facts that say something about time; without those of whom nothing was ever promised."""
    found: dict[UUID, list[Told]] = {}
    wanted: set[UUID] = set()
    for fact in facts:
        dialog_id = fact["dialog_id"]
        if dialog_id is None or fact["kind"] not in _CONCERNING:
            continue
        found.setdefault(dialog_id, []).append(fact)
        if fact["kind"] in _BRINGING:
            wanted.add(dialog_id)
        elif dialog_id not in wanted:
            row = work.dialogs.get(dialog_id)
            if row is None or row.__dict__.get("keeps_time") is not False:
                wanted.add(dialog_id)
    return {dialog_id: found[dialog_id] for dialog_id in found if dialog_id in wanted}


def _first(fresh: dict[UUID, list[Told]], standing: Standing) -> str:
    return str(fresh[standing.dialog_id][0]["kind"])


def _mark(work: "Work", dialog_id: UUID) -> None:
    row = work.session.identity_map.get(Dialog.__mapper__.identity_key_from_primary_key((dialog_id,)))
    if row is not None and "keeps_time" in row.__dict__:
        set_committed_value(row, "keeps_time", True)


@dataclass(slots=True)
class _Story:
    """What the facts of one transaction make of one dialog's clocks."""

    standing: Standing
    life: Life | None
    clocks: tuple[Clock, ...] = ()
    ended: list[Clock] = field(default_factory=list)
    fired: list[tuple[Firing, UUID | None]] = field(default_factory=list)
    moves: bool = False

    def __post_init__(self) -> None:
        self.clocks = self.standing.clocks

    def remember(self, facts: Sequence[Told]) -> None:
        """Facts of before anything was promised."""
        for fact in facts:
            if fact["kind"] in TIMELY or fact["kind"] == Fact.DIALOG_OPENED:
                self._live_on(_happening(fact))

    def go_on(self, fact: Told, coming: Sequence[Told]) -> None:
        """`coming`: the fact and those that follow it."""
        happening = self._live_on(_happening(fact))
        aims_anew = happening.fact in AIMING
        assert self.life is not None
        reckoned = reckon(
            self.clocks, self.life, self.standing.plan, happening, aims_anew=aims_anew, new_id=new_id
        )  # fmt: skip
        self.fired += [(firing, self._holder(coming)) for firing in reckoned.firings]
        self.clocks = tuple(c for c in reckoned.clocks if c.state != "ended")
        self.ended += [c for c in reckoned.clocks if c.state == "ended"]
        self.moves |= aims_anew

    def _live_on(self, happening: Happening) -> Happening:
        if self.life is None and happening.fact != Fact.DIALOG_OPENED:
            row = self.standing.row
            self.life = begun(Happening(str(Fact.DIALOG_OPENED), row.opened_at, "system", None, {"kind": row.kind}))
        if self.life is None:
            self.life = begun(happening)
            return happening
        happening = in_turn(self.life, happening)
        self.life = self.life.after(happening)
        return happening

    def _holder(self, coming: Sequence[Told]) -> UUID | None:
        """Who held the dialog when the first of these came: what it settles is told to them."""
        for fact in coming:
            if fact["kind"] in _LETTING_GO:
                return UUID(str(fact["operator_id"])) if fact["operator_id"] else None
            if fact["kind"] == Fact.DIALOG_ASSIGNED:
                former = (fact["data"].get("before") or {}).get("operator")
                return UUID(str(former)) if former else None
        holder: UUID | None = self.standing.row.operator_id
        return holder

    def change(self) -> Change:
        standing, row = self.standing, self.standing.row
        moments = [clock.next_at for clock in self.clocks] + [row.pending_until]
        earliest: datetime | None = min((m for m in moments if m is not None), default=None)
        rings = earliest is not None and (row.wakes_at is None or earliest < row.wakes_at)
        rings |= earliest is None and row.wakes_at is not None
        return Change(
            Place(row.id, row.contact_id, row.team_key, row.topic_key, row.priority),
            standing.clocks, (*self.clocks, *self.ended), tuple(self.fired),
            (row.wakes_at, earliest if rings else row.wakes_at),
            life=self.life if self.life != standing.life or rings else None,
            begins=not row.keeps_time, rings=rings, moves=self.moves,
        )  # fmt: skip


def _happening(fact: Told) -> Happening:
    """What a run does in somebody's name is a process's doing, not that person's."""
    kind = "process" if fact["run_id"] is not None else fact["actor_kind"]
    return Happening(str(fact["kind"]), datetime.fromisoformat(fact["at"]), kind, fact["actor_id"], fact["data"])
