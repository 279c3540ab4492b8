"""Walking the queues: who gets what when room appears (P88 to P96, P104, P109, DECISIONS 16 to 19)."""

from collections import Counter
from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import capacity, distribution
from domain.distribution import Method, plan
from tests.domain import slow_reference
from tests.domain.slow_reference import may_get
from tests.domain.strategies import TEAMS, methods, patient, people, queues, thorough
from tests.domain.values import IRYNA, NOON, OLHA, TARAS, ago, person, uid, waiting

FAIR = dict.fromkeys(TEAMS, Method.LEAST_LOADED)
IN_TURN = dict.fromkeys(TEAMS, Method.ROUND_ROBIN)
BY_TOPIC = dict.fromkeys(TEAMS, Method.TOPIC_PRIORITY)


def given_out(dialogs, everybody, by=FAIR, most=100) -> list[tuple[int, int]]:
    """(dialog, operator) in the order of assignment."""
    return [(d.dialog_id.int, d.winner.int) for d in plan(dialogs, everybody, by, now=NOON, most=most)]


def test_nobody_waiting_or_nobody_there_means_nothing_to_do():
    assert plan([], [person()], FAIR, now=NOON) == []
    assert plan([waiting()], [], FAIR, now=NOON) == []


def test_going_online_brings_queued_dialogs_up_to_the_limit_the_oldest_first():
    dialogs = [waiting(n, minutes=n) for n in (1, 2, 3, 4, 5)]
    assert given_out(dialogs, [person(OLHA, held=2, limit=5)]) == [(5, 1), (4, 1), (3, 1)]


def test_several_share_what_waits_by_the_fewest_dialogs():
    dialogs = [waiting(n, minutes=100 - n) for n in range(4)]
    assert given_out(dialogs, [person(OLHA, held=1), person(TARAS, held=0)]) == [(0, 2), (1, 1), (2, 2), (3, 1)]


def test_round_robin_takes_turns_within_one_walk():
    dialogs = [waiting(n, minutes=100 - n) for n in range(7)]
    everybody = [person(OLHA, last_assigned_at=ago(1)), person(TARAS, last_assigned_at=ago(3)), person(IRYNA)]
    assert [who for _, who in given_out(dialogs, everybody, IN_TURN)] == [3, 2, 1, 3, 2, 1, 3]


def test_turns_go_on_without_whoever_is_full():
    dialogs = [waiting(n, minutes=100 - n) for n in range(6)]
    everybody = [person(OLHA), person(TARAS, limit=1), person(IRYNA)]
    assert [who for _, who in given_out(dialogs, everybody, IN_TURN)] == [1, 2, 3, 1, 3, 1]


def test_each_assignment_of_a_walk_is_dated_a_microsecond_after_the_one_before():
    last = plan([waiting(n, minutes=100 - n) for n in range(3)], [person()], FAIR, now=NOON)[2]
    assert last.candidates[0]["last_assigned_at"] == "2026-03-02T12:00:00.000001+00:00"


def test_under_topic_priority_the_important_leave_first_and_go_to_the_least_loaded():
    dialogs = [waiting(1, minutes=9), waiting(2, minutes=1, priority=5), waiting(3, minutes=5, priority=5)]
    everybody = [person(OLHA, held=4), person(TARAS, held=3)]
    assert given_out(dialogs, everybody, BY_TOPIC) == [(3, 2), (2, 1), (1, 2)]


def test_a_heavier_dialog_leaves_earlier():
    dialogs = [waiting(1, minutes=99), waiting(2, minutes=1, weight=10)]
    assert given_out(dialogs, [person(limit=1)]) == [(2, 1)]


def test_a_dialog_nobody_can_get_does_not_hold_up_those_behind_it():
    dialogs = [waiting(1, minutes=99, excluded=[OLHA]), waiting(2, minutes=98, channel="mail"), waiting(3, minutes=1)]
    assert given_out(dialogs, [person(OLHA, channel_limits={"mail": 0})]) == [(3, 1)]


def test_a_channel_limit_reached_on_the_way_stops_that_channel_only():
    dialogs = [waiting(n, minutes=99 - n, channel="mail") for n in range(3)] + [waiting(9, minutes=1)]
    assert given_out(dialogs, [person(channel_limits={"mail": 2})]) == [(0, 1), (1, 1), (9, 1)]


def test_the_quota_counts_clients_met_on_the_way_once_each():
    first, second = uid(71), uid(72)
    dialogs = [
        waiting(1, minutes=9, contact_id=first), waiting(2, minutes=8, contact_id=second),
        waiting(3, minutes=7, contact_id=first), waiting(4, minutes=6, contact_id=uid(73)),
    ]  # fmt: skip
    assert given_out(dialogs, [person(limit=9, daily_quota=2)]) == [(1, 1), (2, 1), (3, 1)]


def test_a_client_met_before_does_not_count_again():
    known = person(limit=9, daily_quota=2, contacts_today=1, known_contacts=frozenset({uid(71)}))
    dialogs = [waiting(1, minutes=9, contact_id=uid(71)), waiting(2, minutes=8, contact_id=uid(72))]
    assert given_out(dialogs, [known]) == [(1, 1), (2, 1)]


def test_of_the_heads_of_several_teams_the_heavier_then_the_older_goes_first():
    both = person(OLHA, limit=3, teams=["support", "sales"])
    dialogs = [
        waiting(1, minutes=50), waiting(2, minutes=40, team="sales"), waiting(3, minutes=30),
        waiting(4, minutes=1, team="sales", weight=1), waiting(5, minutes=20, team="sales"),
    ]  # fmt: skip
    assert [d for d, _ in given_out(dialogs, [both])] == [4, 1, 2]


def test_among_teams_each_keeps_its_own_order_even_where_its_head_is_young():
    both = person(OLHA, limit=2, teams=["support", "sales"])
    dialogs = [waiting(1, minutes=50), waiting(2, minutes=1, priority=9), waiting(3, minutes=20, team="sales")]
    methods = {"support": "topic_priority", "sales": "least_loaded"}
    assert [d for d, _ in given_out(dialogs, [both], methods)] == [3, 2]


def test_a_head_nobody_can_get_does_not_hide_the_older_ones_behind_it_from_other_teams():
    both = person(OLHA, limit=1, teams=["support", "sales"], channel_limits={"mail": 0})
    urgent = waiting(1, minutes=1, priority=9, channel="mail")
    dialogs = [urgent, waiting(2, minutes=60), waiting(3, minutes=30, team="sales")]
    methods = {"support": "topic_priority", "sales": "least_loaded"}
    assert given_out(dialogs, [both], methods) == [(2, 1)]


def test_each_team_is_served_by_its_own_method_and_its_own_people():
    dialogs = [waiting(1, minutes=9), waiting(2, minutes=8, team="sales")]
    everybody = [
        person(OLHA, held=1, last_assigned_at=ago(9), teams=["support", "sales"]),
        person(TARAS, held=0, last_assigned_at=ago(1), teams=["support", "sales"]),
        person(IRYNA, teams=["vip"]),
    ]
    made = plan(dialogs, everybody, {"support": "least_loaded", "sales": "round_robin"}, now=NOON)
    assert [(d.team, d.method, d.winner) for d in made] == [
        ("support", "least_loaded", TARAS), ("sales", "round_robin", OLHA),
    ]  # fmt: skip


def test_what_one_team_gives_fills_the_person_for_the_other():
    dialogs = [waiting(1, minutes=9), waiting(2, minutes=8, team="sales")]
    assert given_out(dialogs, [person(limit=1, teams=["support", "sales"])]) == [(1, 1)]


def test_a_team_nobody_serves_does_not_hold_up_another():
    dialogs = [waiting(n, minutes=99, team="vip") for n in range(3)] + [waiting(9, minutes=1)]
    assert given_out(dialogs, [person()]) == [(9, 1)]


def test_a_dialog_kept_for_somebody_waits_for_no_one_else():
    dialogs = [waiting(1, minutes=9, reserved_for=TARAS), waiting(2, minutes=8, reserved_for=TARAS)]
    assert given_out(dialogs, [person(OLHA), person(TARAS, held=4)]) == [(1, 2), (2, 1)]


def test_no_more_than_so_many_at_a_time_and_the_rest_goes_on_from_there():
    dialogs = [waiting(n, minutes=300 - n) for n in range(130)]
    everybody = [person(OLHA, limit=200)]
    assert len(plan(dialogs, everybody, FAIR, now=NOON)) == 100
    assert given_out(dialogs, everybody, most=3) == [(0, 1), (1, 1), (2, 1)]
    assert given_out(dialogs, everybody, most=0) == []


def test_a_long_queue_of_a_full_channel_costs_next_to_nothing(monkeypatch):
    """Under the team's lock, at each closing: nobody is asked about every dialog of a backlog none can get."""
    asked = Counter()

    def counting(*facts):
        asked["why_full"] += 1
        return capacity.why_full(*facts)

    monkeypatch.setattr(distribution, "why_full", counting)
    dialogs = [waiting(n, minutes=9999 - n, channel="mail") for n in range(1000)] + [waiting(5000, minutes=1)]
    everybody = [person(uid(n), channel_limits={"mail": 0}) for n in range(1, 51)]
    everybody.append(person(uid(99), teams=["sales"]))
    assert given_out(dialogs, everybody) == [(5000, 1)]
    assert asked["why_full"] < 5 * len(everybody)


# ── properties, against the slow reference ──────────────────────────────────────────────────────────────────────────


@thorough
@given(queues(), people(), methods, st.sampled_from([1, 2, 5, 100]))
def test_a_plan_is_deciding_one_dialog_after_another(dialogs, everybody, by, most):
    made = plan(dialogs, everybody, by, now=NOON, most=most)
    assert made == slow_reference.step_by_step(dialogs, everybody, by, now=NOON, most=most)


@patient
@given(queues(), people(), methods)
def test_whatever_is_given_out_no_limit_no_quota_and_no_exclusion_is_broken(dialogs, everybody, by):
    made = plan(dialogs, everybody, by, now=NOON)
    asked = {d.dialog_id: d for d in dialogs}
    assert max(Counter(d.dialog_id for d in made).values(), default=0) <= 1
    for someone in everybody:
        got = [asked[d.dialog_id] for d in made if d.winner == someone.operator_id]
        if not got:
            continue
        assert not someone.is_light
        assert someone.status == "online"
        assert someone.is_connected
        assert someone.load.total + len(got) <= someone.limits.total
        for channel, limit in someone.limits.channels.items():
            added = [d for d in got if d.channel == channel]
            assert not added or someone.load.channels.get(channel, 0) + len(added) <= limit
        new = {d.contact_id for d in got} - someone.known_contacts
        assert someone.daily_quota is None or not new or someone.contacts_today + len(new) <= someone.daily_quota
        assert all(someone.operator_id not in d.excluded and d.team in someone.teams for d in got)


@patient
@given(queues(), people(), methods)
def test_nobody_is_left_waiting_whom_somebody_could_take(dialogs, everybody, by):
    made = plan(dialogs, everybody, by, now=NOON)
    left, after = _carried_out(made, dialogs, everybody)
    assert not [(d, p) for d in left for p in after if may_get(p, d)]


@patient
@given(queues(), people(least=1), methods)
def test_nobody_overtakes_a_dialog_of_the_own_team_that_could_have_gone(dialogs, everybody, by):
    left, now_people = list(dialogs), list(everybody)
    for decision in plan(dialogs, everybody, by, now=NOON):
        gone = next(d for d in left if d.dialog_id == decision.dialog_id)
        could = [d for d in left if d.team == gone.team and any(may_get(p, d) for p in now_people)]
        assert slow_reference.head_of_queue(could, by[gone.team]) == gone
        left, now_people = _carried_out([decision], left, now_people)


@patient
@given(queues(), people(), methods)
def test_the_walk_can_be_cut_into_pieces(dialogs, everybody, by):
    whole = plan(dialogs, everybody, by, now=NOON)
    for most in range(len(whole) + 1):
        assert plan(dialogs, everybody, by, now=NOON, most=most) == whole[:most]


@patient
@given(queues(), people(), methods, st.randoms(use_true_random=False))
def test_the_order_of_the_lists_decides_nothing_and_nothing_is_changed(dialogs, everybody, by, random):
    before = deepcopy((dialogs, everybody, by))
    made = plan(dialogs, everybody, by, now=NOON)
    shuffled = random.sample(dialogs, len(dialogs)), random.sample(everybody, len(everybody))
    assert plan(*shuffled, by, now=NOON) == made
    assert (dialogs, everybody, by) == before


@patient
@given(queues(), people(), st.sampled_from([FAIR, IN_TURN]))
def test_planning_again_with_what_went_only_gives_the_same_where_age_alone_counts(dialogs, everybody, by):
    """The store plans, locks those rows and plans again over them alone.

    With topic_priority a head that waited behind another team's until nobody could get it any more holds up its own
    team in the first walk and is not there in the second: the second may go otherwise.
    """
    made = plan(dialogs, everybody, by, now=NOON)
    went = {d.dialog_id for d in made}
    assert plan([d for d in dialogs if d.dialog_id in went], everybody, by, now=NOON) == made


def _carried_out(made, dialogs, everybody):
    asked, now_people = {d.dialog_id: d for d in dialogs}, {p.operator_id: p for p in everybody}
    for decision in made:
        dialog = asked.pop(decision.dialog_id)
        now_people[decision.winner] = slow_reference.given(now_people[decision.winner], dialog, NOON)
    return list(asked.values()), list(now_people.values())


def test_the_properties_are_not_kept_by_giving_nothing_to_nobody():
    """A guard of the strategies' worth: ordinary small worlds do give dialogs out."""
    dialogs = [waiting(n, minutes=50 - n, excluded=[OLHA] if n % 2 else []) for n in range(8)]
    everybody = [person(OLHA, limit=3), person(TARAS, limit=3), person(IRYNA)._replace(is_light=True)]
    assert len(plan(dialogs, everybody, FAIR, now=NOON)) == 6


@pytest.mark.parametrize("method", list(Method))
def test_a_light_agent_gets_nothing_however_long_the_queue(method):
    dialogs = [waiting(n) for n in range(20)]
    light = person(OLHA, limit=99, is_light=True)
    assert given_out(dialogs, [light], dict.fromkeys(TEAMS, method)) == []
    assert {who for _, who in given_out(dialogs, [light, person(TARAS)], dict.fromkeys(TEAMS, method))} == {2}
