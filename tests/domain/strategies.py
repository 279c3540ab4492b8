"""Small worlds for hypothesis: few values of each kind, so that ties, full people and shared contacts are common."""

from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st

from domain.capacity import Limits, Load
from domain.distribution import Candidate, Method, Waiting
from tests.domain.values import NOON, ago, uid

TEAMS = ("support", "sales", "vip")
CHANNELS = ("demo", "mail")
CONTACTS = tuple(uid(n) for n in range(50, 54))
PEOPLE = tuple(uid(n) for n in range(1, 6))
PAIRS = tuple(zip(PEOPLE, PEOPLE[1:] + PEOPLE[:1], strict=True))

#: no deadline: a busy machine is not a failing rule
patient = settings(deadline=None)
thorough = settings(deadline=None, max_examples=300)

moments = st.sampled_from([None, ago(3), ago(2), ago(1)])
methods = st.fixed_dictionaries({team: st.sampled_from(list(Method)) for team in TEAMS})


@st.composite
def people(draw: st.DrawFn, *, least: int = 0) -> list[Candidate]:
    ids = draw(st.permutations(PEOPLE))[: draw(st.integers(least, len(PEOPLE)))]
    return [draw(candidates(i)) for i in ids]


@st.composite
def candidates(draw: st.DrawFn, operator_id=None) -> Candidate:
    held = {c: n for c in CHANNELS if (n := draw(st.sampled_from([0, 0, 0, 1, 2])))}
    known = draw(st.frozensets(st.sampled_from(CONTACTS), max_size=2))
    return Candidate(
        operator_id=operator_id or draw(st.sampled_from(PEOPLE)),
        teams=draw(st.sampled_from([TEAMS, TEAMS, TEAMS, TEAMS[:2], TEAMS[1:]]).map(frozenset)),
        limits=Limits(
            draw(st.sampled_from([8, 5, 4, 3, 2, 6, 7, 0])),
            draw(st.sampled_from([{}, {}, {"demo": 1}, {"demo": 2, "mail": 3}, {"mail": 0}])),
        ),
        load=Load(sum(held.values()), held),
        status=draw(st.sampled_from(["online"] * 15 + ["busy", "away"])),
        is_connected=draw(st.sampled_from([True] * 15 + [False])),
        is_light=draw(st.sampled_from([False] * 15 + [True])),
        last_assigned_at=draw(moments),
        last_closed_at=draw(moments),
        contacts_today=len(known) + draw(st.integers(0, 2)),
        daily_quota=draw(st.sampled_from([None, None, None, 4, 3, 1])),
        known_contacts=known,
    )


@st.composite
def dialogs(draw: st.DrawFn, n: int = 100) -> Waiting:
    return Waiting(
        dialog_id=uid(n),
        team=draw(st.sampled_from(TEAMS)),
        channel=draw(st.sampled_from(CHANNELS)),
        contact_id=draw(st.sampled_from(CONTACTS)),
        priority=draw(st.integers(-1, 2)),
        weight=draw(st.integers(-1, 1)),
        waiting_since=NOON - draw(st.integers(0, 3)) * timedelta(minutes=1),
        excluded=draw(st.sampled_from([(), (), (), (), (), *PAIRS]).map(frozenset)),
        reserved_for=draw(st.sampled_from([None, None, None, *PEOPLE])),
        is_forced=draw(st.booleans()),
    )


@st.composite
def queues(draw: st.DrawFn, *, most: int = 12) -> list[Waiting]:
    numbers = draw(st.permutations(range(100, 100 + most)))[: draw(st.integers(0, most))]
    return [draw(dialogs(n)) for n in numbers]
