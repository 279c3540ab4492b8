"""Reports of promised time equal a plain recount of random clocks, and every number opens to what it counts."""

import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert, text

from domain.clock_reports import Counted, Group, Result
from domain.clocks.metrics import Metric
from domain.errors import InvalidError
from domain.permissions import Permission, Viewer
from store import clock_reports
from store.ids import new_id
from store.tables import Channel, Clock, Contact, ContactIdentity, Dialog, Team, Topic, User

NOW = datetime.now(UTC)
BEGIN, END = NOW - timedelta(days=9), NOW - timedelta(days=1)
ZONE = "Europe/Kyiv"
ALL = Viewer(new_id(), "All", frozenset(), frozenset(p.value for p in Permission), frozenset())
LEADER = Viewer(new_id(), "Lead", frozenset(), frozenset({"dialog.lead", "reports.read"}), frozenset({"m1"}))
EVERYTHING = Counted(BEGIN, END)


@pytest.fixture(scope="module")
async def kept(sessions):
    rng = random.Random(3)
    people = [new_id() for _ in range(3)]
    contact = new_id()
    dialogs, clocks, told = [], [], []
    for n in range(120):
        holder = rng.choice([None, *people])
        row = {
            "id": new_id(), "kind": "ticket", "status": "open", "place": "owned" if holder else "queued",
            "channel_key": "c1", "identity_id": contact, "contact_id": contact, "thread": str(n),
            "team_key": rng.choice(["m1", "m2"]), "topic_key": rng.choice([None, "t1"]), "operator_id": holder,
            "last_operator_id": holder or rng.choice([None, *people]), "opened_at": BEGIN, "ticket_number": 50_000 + n,
        }  # fmt: skip
        dialogs.append(row)
        for metric in rng.sample(list(Metric), 3):
            state = rng.choice(["ended", "ended", "ended", "running", "paused"])
            due = rng.choice([None, NOW + timedelta(days=rng.uniform(-12, 3))])
            clock = {
                "id": new_id(), "dialog_id": row["id"], "metric": metric, "alias": "", "cycle": 1, "started_at": BEGIN,
                "state": state, "target": 60, "due_at": due, "topic_key": row["topic_key"],
                "team_key": row["team_key"], "priority": rng.choice(["normal", "high"]),
                "breached_at": due if due and due < NOW and rng.random() < 0.4 else None,
                "ended_at": NOW - timedelta(days=rng.uniform(0, 12)) if state == "ended" else None,
                "result": rng.choice(["met", "met", "breached", "dropped"]) if state == "ended" else None,
            }  # fmt: skip
            clocks.append(clock)
            told.append(SimpleNamespace(**clock, operator=row["operator_id"] or row["last_operator_id"]))
    async with sessions.begin() as session:
        await session.execute(insert(Team), [{"key": k, "name": k.upper()} for k in ("m1", "m2")])
        await session.execute(insert(Channel), {"key": "c1", "kind": "generic", "name": "c1"})
        await session.execute(insert(Topic), {"key": "t1", "name": "T1"})
        users = [{"id": i, "email": f"{i}@x", "name": f"n{i}", "password_hash": "-"} for i in people]
        await session.execute(insert(User), users)
        await session.execute(insert(Contact), {"id": contact, "name": "x"})
        given = {"id": contact, "contact_id": contact, "channel_key": "c1", "address": "x"}
        await session.execute(insert(ContactIdentity), given)
        await session.execute(insert(Dialog), dialogs)
        await session.execute(insert(Clock), clocks)
    return told


def group_of(clock, group: Group):
    return {
        Group.METRIC: clock.metric, Group.TOPIC: clock.topic_key, Group.TEAM: clock.team_key,
        Group.PRIORITY: clock.priority, Group.OPERATOR: str(clock.operator) if clock.operator else None,
        Group.DAY: clock.ended_at.astimezone(ZoneInfo(ZONE)).date().isoformat() if clock.ended_at else None,
    }[group]  # fmt: skip


def is_late(clock) -> bool:
    passed = clock.state == "running" and clock.due_at is not None and clock.due_at <= NOW
    return clock.state != "ended" and (clock.breached_at is not None or passed)


@pytest.mark.parametrize("group", list(Group))
@pytest.mark.parametrize("viewer", [ALL, LEADER], ids=["all", "leader"])
async def test_every_number_equals_a_plain_recount(sessions, kept, group, viewer):
    mine = [c for c in kept if viewer is ALL or c.team_key == "m1"]
    ended = Counter(
        (group_of(c, group), c.metric, c.result) for c in mine if c.state == "ended" and BEGIN <= c.ended_at < END
    )
    late = Counter((None if group == Group.DAY else group_of(c, group), c.metric) for c in mine if is_late(c))
    async with sessions() as session:
        told = await clock_reports.report(session, viewer, EVERYTHING, group, zone=ZONE)
    assert len({(r["group"], r["metric"]) for r in told["rows"]}) == len(told["rows"])
    for row in told["rows"]:
        numbers = [ended.pop((row["group"], row["metric"], r), 0) for r in ("met", "breached", "dropped")]
        assert [row["met"], row["breached"], row["dropped"]] == numbers
        if group != Group.DAY:
            assert row["running_overdue"] == late.pop((row["group"], row["metric"]), 0)
        met, breached = numbers[:2]
        assert row["share_met"] == (round(met / (met + breached), 4) if met + breached else None)
    assert not ended
    assert group == Group.DAY or not late
    for total in told["totals"]:
        of_metric = [r for r in told["rows"] if r["metric"] == total["metric"]]
        assert total["met"] == sum(r["met"] for r in of_metric)
        assert total["running_overdue"] == sum(c.metric == total["metric"] and is_late(c) for c in mine)


@pytest.mark.parametrize("result", list(Result))
@pytest.mark.parametrize("viewer", [ALL, LEADER], ids=["all", "leader"])
async def test_a_number_opens_to_the_clocks_it_counts(sessions, kept, result, viewer):
    metric = Metric.TFR
    mine = [c for c in kept if c.metric == metric and (viewer is ALL or c.team_key == "m1")]
    if result == Result.OVERDUE:
        expected = {c.id for c in mine if is_late(c)}
    else:
        expected = {c.id for c in mine if c.result == result and BEGIN <= c.ended_at < END}
    counted, found, after = replace(EVERYTHING, metrics=frozenset({metric})), [], None
    async with sessions() as session:
        while True:
            page = await clock_reports.behind(session, viewer, counted, result, limit=3, after=after)
            found += page.items
            after = page.next
            if after is None:
                break
        told = await clock_reports.report(session, viewer, counted, Group.METRIC, zone=ZONE)
    assert len(found) == len(expected)
    assert {f["clock_id"] for f in found} == expected
    number = "running_overdue" if result == Result.OVERDUE else result.value
    assert sum(t[number] for t in told["totals"]) == len(found)


async def test_filters_narrow_both_alike(sessions, kept):
    counted = replace(
        EVERYTHING, topics=frozenset({None}), teams=frozenset({"m2"}), priorities=frozenset({"high"}),
        operators=frozenset({None, *[c.operator for c in kept if c.operator][:1]}),
    )  # fmt: skip
    async with sessions() as session:
        told = await clock_reports.report(session, ALL, counted, Group.METRIC, zone=ZONE)
        for result in (Result.MET, Result.BREACHED, Result.DROPPED):
            page = await clock_reports.behind(session, ALL, counted, result, limit=200, after=None)
            assert len(page.items) == sum(t[result.value] for t in told["totals"])
            for item in page.items:
                assert (item["topic"], item["team"], item["priority"]) == (None, "m2", "high")
                assert item["operator_id"] in counted.operators
        with pytest.raises(InvalidError):
            await clock_reports.behind(session, ALL, counted, Result.MET, limit=2, after="nonsense")
        assert (await session.execute(text("SELECT count(*) FROM clocks"))).scalar_one() == len(kept)
