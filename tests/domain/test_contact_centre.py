"""A contact centre lives through whatever hypothesis thinks of, and keeps its promises (I1, I2, I3, P109).

The rules are those of domain/; centre.py carries out what they answer; the promises are checked after every step.
"""

from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from domain import transfers
from domain.dialogs import CHAT_STATUSES, TICKET_STATUSES, TICKET_TRANSITIONS
from domain.distribution import Method
from domain.errors import OfferEndedError, OfferExpiredError, WrongStatusError
from tests.domain.centre import Centre, Offer, Person, Talk, Team
from tests.domain.slow_reference import may_get
from tests.domain.strategies import CHANNELS, CONTACTS
from tests.domain.values import MICROSECOND, uid

TEAMS = ("support", "sales")
LEASE = timedelta(hours=2)
#: which of those that fit: the rules pick by number, so that failing examples stay short
picks = st.integers(0, 40)
channel_limits = st.sampled_from([{}, {}, {"demo": 1}, {"mail": 2}, {"mail": 0}])

teams = st.builds(
    Team,
    key=st.none(),
    method=st.sampled_from(list(Method)),
    auto=st.sampled_from([True, True, True, False]),
    fallback=st.sampled_from(["return", "pool"]),
    window=st.sampled_from([timedelta(seconds=5), timedelta(seconds=120), timedelta(seconds=120)]),
)
people = st.builds(
    Person,
    id=st.none(),
    teams=st.sampled_from([{"support"}, {"sales"}, {"support", "sales"}, {"support", "sales"}]).map(frozenset),
    limit=st.sampled_from([3, 2, 4, 1]),
    channel_limits=channel_limits,
    is_light=st.sampled_from([False] * 7 + [True]),
    daily_quota=st.sampled_from([None, None, None, 3]),
    status=st.sampled_from(["online", "online", "online", "offline"]),
    lease_until=st.none(),
    last_assigned_at=st.none(),
    last_closed_at=st.none(),
    met=st.builds(set),
)


arrivals = st.fixed_dictionaries(
    {
        "team": st.sampled_from(TEAMS),
        "channel": st.sampled_from(CHANNELS),
        "contact": st.sampled_from(CONTACTS),
        "kind": st.sampled_from(["chat", "chat", "ticket"]),
        "priority": st.integers(0, 2),
        "weight": st.sampled_from([0, 0, 5]),
    }
)
backlog = st.lists(arrivals, min_size=2, max_size=9)


class ContactCentre(RuleBasedStateMachine):
    @initialize(support=teams, sales=teams, everybody=st.lists(people, min_size=3, max_size=5), queue=backlog)
    def open_the_doors(self, support, sales, everybody, queue):
        support.key, sales.key = TEAMS
        for n, someone in enumerate(everybody, start=1):
            someone.id = uid(n)
        self.centre = Centre([support, sales], everybody)
        for someone in everybody:
            someone.lease_until = self.centre.now + LEASE
        self.slots_before = {p.id: set() for p in everybody}
        for facts in queue:
            self.centre.arrive(**facts)

    # ── dialogs come and go ─────────────────────────────────────────────────────────────────────────────────────────

    @precondition(lambda self: len(self._waiting()) < 12)
    @rule(facts=arrivals, is_forced=st.sampled_from([False, False, False, True]))
    def a_dialog_arrives(self, facts, is_forced):
        self.centre.arrive(**facts, is_forced=is_forced)

    @precondition(lambda self: len(self._waiting()) < 12)
    @rule(queue=backlog)
    def a_shift_begins_with_what_came_in_at_night(self, queue):
        for someone in self._people():
            someone.status = "offline"
        self.centre.carry_out_overdue()
        for facts in queue:
            self.centre.arrive(**facts)
        for someone in self._people():
            someone.status, someone.lease_until = "online", self.centre.now + LEASE
        self.centre.drain()

    @precondition(lambda self: self._open())
    @rule(n=picks)
    def a_dialog_is_closed(self, n):
        self.centre.close(_one(self._open(), n))

    @precondition(lambda self: self._resting())
    @rule(n=picks)
    def a_dialog_is_reopened(self, n):
        self.centre.reopen(_one(self._resting(), n))

    @precondition(lambda self: self._held())
    @rule(n=picks, status=st.sampled_from(TICKET_STATUSES))
    def somebody_sets_a_status_by_hand(self, n, status):
        talk = _one(self._held(), n)
        before = talk.status
        if talk.kind == "ticket" and status in TICKET_TRANSITIONS[before]:
            self.centre.set_status(talk, status)
        else:
            with pytest.raises(WrongStatusError):
                self.centre.set_status(talk, status)
            assert talk.status == before

    @precondition(lambda self: self._waiting())
    @rule(n=picks, who=picks, over_limit=st.sampled_from([False, False, False, True]))
    def somebody_takes_a_waiting_dialog(self, n, who, over_limit):
        talk = _one(self._waiting(), n)
        takers = [p for p in self._people() if talk.team in p.teams and not p.is_light]
        if not takers:
            return
        taker = _one(takers, who)
        full = self.centre.why_full(taker, talk.channel) is not None
        if full and not over_limit:
            return
        self.centre.give(talk, taker, over_limit=full)

    @precondition(lambda self: self._held())
    @rule(n=picks)
    def a_dialog_is_released(self, n):
        self.centre.release(_one(self._held(), n))

    @precondition(lambda self: self._held())
    @rule(n=picks, team=st.sampled_from(TEAMS))
    def a_dialog_is_handed_to_a_team(self, n, team):
        self.centre.hand_over(_one(self._held(), n), team)

    # ── offers ──────────────────────────────────────────────────────────────────────────────────────────────────────

    @precondition(lambda self: self._held())
    @rule(who=st.lists(picks, min_size=1, max_size=3))
    def dialogs_are_offered(self, who):
        self.centre.carry_out_overdue()
        for talk, pick in zip([t for t in self._held() if not t.pending], who, strict=False):
            self._offer(talk, pick)

    def _offer(self, talk: Talk, pick: int) -> None:
        takers = [
            p for p in self._people()
            if p is not talk.holder and self.centre.is_there(p) and not p.is_light and p.id not in talk.excluded
            and self.centre.why_full(p, talk.channel) is None
        ]  # fmt: skip
        if takers:
            self.centre.offer(talk, _one(takers, pick))

    @precondition(lambda self: self._offers())
    @rule(n=picks, answer=st.sampled_from(["accept", "accept", "decline", "cancel"]))
    def an_offer_is_answered(self, n, answer):
        """Any offer, also one long over: only before its deadline, and only the first time, does an answer count."""
        pending = [o for o in self._offers() if not o.endings]
        offer = _one(pending if pending and n % 4 else self._offers(), n)
        is_alive = not offer.endings and self.centre.now < offer.deadline
        told = transfers.state_at(offer.state, offer.deadline, self.centre.now)
        assert (told == "pending") == is_alive
        if is_alive:
            self._answer(offer, answer)
        else:
            self._told_the_truth(offer, told)

    def _answer(self, offer: Offer, answer: str) -> None:
        offer.taker.lease_until = max(offer.taker.lease_until, self.centre.now + LEASE)
        match answer:
            case "accept":
                self.centre.accept(offer)
                assert offer.talk.holder is offer.taker
            case "decline":
                self.centre.end_unwanted(offer, "declined", self.centre.now)
            case "cancel":
                self.centre.cancel(offer)
                assert offer.talk.holder is offer.giver

    def _told_the_truth(self, offer: Offer, told: str) -> None:
        holder = offer.talk.holder
        ended_at = offer.endings[0][1] if offer.endings else None
        refusal = transfers.why_too_late(told, offer.deadline, ended_at, f"{holder.id}" if holder else None)
        assert isinstance(refusal, OfferExpiredError if told == "expired" else OfferEndedError)
        assert (f"now with {holder.id}" in refusal.detail) if holder else ("nobody holds" in refusal.detail)

    @precondition(lambda self: self.centre.overdue())
    @rule()
    def what_is_overdue_is_carried_out(self):
        self.centre.carry_out_overdue()

    # ── people, teams, time ─────────────────────────────────────────────────────────────────────────────────────────

    @rule(who=picks, status=st.sampled_from(["online", "online", "online", "busy", "away", "offline"]))
    def somebody_changes_status(self, who, status):
        someone = _one(self._people(), who)
        someone.status, someone.lease_until = status, self.centre.now + LEASE
        self.centre.carry_out_overdue()
        self.centre.drain()

    @rule(who=picks)
    def somebody_loses_the_connection(self, who):
        """Their offers are over at once, though it takes a moment until somebody carries that out."""
        _one(self._people(), who).lease_until = self.centre.now

    @rule(who=picks, limit=st.integers(0, 4), per_channel=channel_limits)
    def limits_change(self, who, limit, per_channel):
        someone = _one(self._people(), who)
        someone.limit, someone.channel_limits = limit, per_channel
        self.centre.drain()

    @rule(team=st.sampled_from(TEAMS), method=st.sampled_from(list(Method)), auto=st.sampled_from([True, True, False]))
    def a_team_is_set_otherwise(self, team, method, auto):
        self.centre.teams[team].method, self.centre.teams[team].auto = method, auto
        for talk in self._waiting():
            if talk.team == team:
                talk.place = "queued" if auto else "unassigned"
                talk.is_forced = talk.is_forced and auto
        self.centre.drain()

    @rule(passing=st.sampled_from([timedelta(seconds=1), timedelta(seconds=30), timedelta(minutes=4)]))
    def time_passes(self, passing):
        self.centre.now += passing

    @precondition(lambda self: any(t.pending for t in self.centre.talks.values()))
    @rule(edge=st.sampled_from([-1, 0, 1]), n=picks)
    def it_is_almost_too_late(self, edge, n):
        pending = [o for o in self._offers() if not o.endings]
        self.centre.now = max(self.centre.now, _one(pending, n).deadline + edge * MICROSECOND)

    # ── the promises ────────────────────────────────────────────────────────────────────────────────────────────────

    @invariant()
    def every_dialog_is_in_exactly_one_place(self):
        for talk in self.centre.talks.values():
            assert talk.status in (TICKET_STATUSES if talk.kind == "ticket" else CHAT_STATUSES)
            assert (talk.status == "closed") == (talk.place is None)
            assert (talk.holder is not None) == (talk.place == "owned")
            assert not talk.pending or (talk.holder is talk.pending.giver and talk.pending.deadline)

    @invariant()
    def manual_teams_never_queue_and_automatic_ones_never_list(self):
        for talk in self._waiting():
            assert talk.place == ("queued" if self.centre.teams[talk.team].auto else "unassigned")

    @invariant()
    def nobody_gained_a_slot_beyond_the_limits_of_this_moment(self):
        for someone in self._people():
            slots = self.centre.slots(someone)
            gained = {t for t in slots - self.slots_before[someone.id] if (someone.id, t) not in self.centre.over_limit}
            assert not gained or len(slots) <= someone.limit
            for channel in {self.centre.talks[t].channel for t in gained}:
                of_channel = [t for t in slots if self.centre.talks[t].channel == channel]
                assert len(of_channel) <= someone.channel_limits.get(channel, 999)
            self.slots_before[someone.id] = slots

    @invariant()
    def no_light_agent_holds_or_is_offered_anything(self):
        assert not any(self.centre.slots(p) for p in self._people() if p.is_light)

    @invariant()
    def nobody_waits_whom_somebody_could_take(self):
        if self.centre.overdue():
            return  # room that appears with a passed deadline is given out when the passing is carried out
        people = [self.centre.candidate(p) for p in self._people()]
        for talk in self.centre.talks.values():
            if talk.place == "queued" and not talk.is_forced:
                assert not any(may_get(p, self.centre.waiting(talk)) for p in people), talk

    @invariant()
    def every_offer_ends_at_most_once_and_in_time(self):
        for offer in self._offers():
            assert len(offer.endings) <= 1
            for state, at in offer.endings:
                assert (state == "expired") == (at == offer.deadline), (
                    "an expiry is dated at the deadline, nothing else"
                )
                assert at <= offer.deadline

    # ── what there is to pick from ──────────────────────────────────────────────────────────────────────────────────

    def _people(self) -> list[Person]:
        return list(self.centre.people.values())

    def _open(self) -> list[Talk]:
        return [t for t in self.centre.talks.values() if t.status != "closed"]

    def _waiting(self) -> list[Talk]:
        return [t for t in self.centre.talks.values() if t.place in ("queued", "unassigned")]

    def _held(self) -> list[Talk]:
        return [t for t in self.centre.talks.values() if t.place == "owned"]

    def _resting(self) -> list[Talk]:
        return [t for t in self.centre.talks.values() if t.status in ("closed", "pending", "resolved")]

    def _offers(self) -> list[Offer]:
        return [o for t in self.centre.talks.values() for o in t.offers]


def _one(of: list, n: int):
    return of[n % len(of)]


ContactCentre.TestCase.settings = settings(deadline=None, max_examples=120, stateful_step_count=40)
TestTheContactCentreKeepsItsPromises = ContactCentre.TestCase
