"""Edits of promises: whom they would move is told first, and moved exactly there once somebody has said yes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.commands import Close, Convert, Say, SetStatus
from domain.errors import ConfirmationNeededError, ForbiddenError, VersionConflictError
from domain.permissions import Permission
from processes.catalogue import built_ins
from store import calendars, norms, sla_policies, teams
from store.built_ins import put_built_ins
from store.clocks import moving
from store.clocks.moving import Concern, confirmed
from store.engines import engine_for
from store.tables import Topic
from store.transactions import Actor, Work, transact
from store.viewers import get_viewer
from tests.store.clocks.promises import calendar
from tests.store.launching import Launching
from tests.store.stage import Stage
from tests.store.walking import walk

TFR, TTC = {"metric": "tfr", "alias": "First answer", "target": 900, "warn": [50]}, {"metric": "ttc", "target": 3600}
SOONER = {"metrics": [{**TFR, "target": 600}, TTC]}


class Promising:
    """Tickets of one topic under one policy, an administrator who edits it, an operator who holds them."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.policy = stage.key("gold")
        self.desk = Launching(stage)
        self._addresses = 0

    async def prepare(self) -> Promising:
        await self.stage.person("chief", "-", role="admin")
        await self.stage.person("lead", role="supervisor")
        await self.stage.person("olha", online=True, max_dialogs=50)
        await self.stage.topic("pay", "support")
        await self.edit(lambda w, v: sla_policies.add(
            w, {"key": self.policy, "name": "Gold", "metrics": [TFR, TTC]}, by=v.user_id
        ))  # fmt: skip
        await self.promise(self.policy)
        return self

    async def promise(self, policy: str | None) -> None:
        await self.stage.sql("UPDATE topics SET sla_key = :p WHERE key = :t", p=policy, t=self.stage.key("pay"))

    async def ticket(self, *, priority: str | None = None) -> UUID:
        self._addresses += 1
        dialog = await self.stage.opened(f"client {self._addresses}", topic="pay")
        await self.stage.do("olha", dialog, Convert(priority=priority))
        return dialog

    async def edit(self, story: Any, by: str = "chief") -> Any:
        me = self.stage.id_of(by)

        async def whole(work: Work) -> Any:
            return await story(work, await get_viewer(work.session, me))

        return (await transact(self.stage.sessions, whole, actor=Actor("user", me)))[0]

    async def change(self, given: dict[str, Any], **decision: Any) -> dict[str, Any]:
        return await self.edit(lambda w, v: sla_policies.change(w, v, self.policy, given, **decision))

    async def asked(self, given: dict[str, Any], **decision: Any) -> dict[str, Any]:
        with pytest.raises(ConfirmationNeededError) as refused:
            await self.change(given, **decision)
        return refused.value.extra

    async def clock(self, dialog: UUID, metric: str = "tfr") -> Any:
        return await self.stage.row(
            "SELECT * FROM clocks WHERE dialog_id = :d AND metric = :m ORDER BY started_at DESC LIMIT 1",
            d=dialog, m=metric,
        )  # fmt: skip

    async def version(self) -> int:
        return (await self.stage.row("SELECT version FROM sla_policies WHERE key = :k", k=self.policy)).version

    async def runs(self) -> int:
        return (
            await self.stage.row("SELECT count(*) AS n FROM runs WHERE launched_by = :c", c=self.stage.id_of("chief"))
        ).n


@pytest.fixture(scope="module", autouse=True)
async def library(database):
    engine = engine_for(database)
    await put_built_ins(engine, [("process", *one) for one in built_ins()], demo=False)
    await engine.dispose()


@pytest.fixture
async def promising(stage) -> Promising:
    return await Promising(stage).prepare()


async def test_nothing_is_saved_before_somebody_has_decided(promising):
    first, second = await promising.ticket(), await promising.ticket()
    before = [await promising.clock(one) for one in (first, second)]
    told = await promising.asked(SOONER)
    assert (told["total"], told["dialogs"]) == (2, 2)
    assert [(m["dialog_id"], m["metric"]) for m in told["moves"]] == [(str(first), "tfr"), (str(second), "tfr")]
    for move, clock in zip(told["moves"], before, strict=True):
        assert datetime.fromisoformat(move["due_before"]) == clock.due_at
        assert datetime.fromisoformat(move["due_after"]) == clock.started_at + timedelta(seconds=600)
    assert await promising.version() == 1
    assert await promising.runs() == 0
    assert [await promising.clock(one) for one in (first, second)] == before


async def test_kept_clocks_keep_what_they_began_with_and_new_ones_begin_anew(promising):
    old = await promising.ticket()
    before = await promising.clock(old)
    told = await promising.change(SOONER, running="keep")
    assert (told["version"], told["run_id"]) == (2, None)
    assert await promising.clock(old) == before
    new = await promising.clock(await promising.ticket())
    assert (new.target, new.policy_version) == (600, 2)


async def test_kept_clocks_can_be_moved_later_without_another_edit(promising):
    old = await promising.ticket()
    await promising.change(SOONER, running="keep")
    assert (await promising.asked({}, running="move"))["total"] == 1
    told = await promising.change({}, running="move", confirm=1)
    assert told["version"] == 2
    await walk(promising.desk, UUID(told["run_id"]))
    assert (await promising.clock(old)).target == 600
    assert (await promising.change({}, running="move", confirm=1))["run_id"] is None, "nothing is left to move"


async def test_clocks_move_exactly_to_the_moments_that_were_shown(promising):
    dialogs = [await promising.ticket() for _ in range(3)]
    shown = await promising.asked(SOONER)
    for wrong in (None, 2, 4):
        assert (await promising.asked(SOONER, running="move", confirm=wrong))["total"] == 3
    told = await promising.change(SOONER, running="move", confirm=3)
    assert told["version"] == 2
    run_id = UUID(told["run_id"])
    assert await walk(promising.desk, run_id) == "succeeded"
    for dialog, move in zip(dialogs, shown["moves"], strict=True):
        clock = await promising.clock(dialog)
        assert (clock.due_at, clock.policy_version) == (datetime.fromisoformat(move["due_after"]), 2)
        lines = await promising.stage.sql(
            "SELECT * FROM clock_intervals WHERE clock_id = :c ORDER BY number", c=clock.id
        )
        assert [line.cause for line in lines][-1] == "sla.moved"
        assert lines[-1].changed["target"] == [900, 600]
        assert lines[-1].actor_kind == "process"
        assert "sla.moved" in await promising.stage.kinds(dialog)
    items = await promising.stage.sql("SELECT * FROM run_items WHERE run_id = :r ORDER BY seq", r=run_id)
    assert [(i.dialog_id, i.outputs[0]["value"]) for i in items] == [(d, 1) for d in dialogs]
    assert (await promising.change({"name": "Gold again"}))["version"] == 2


async def test_a_second_walk_over_moved_clocks_changes_nothing(promising):
    dialog = await promising.ticket()
    await promising.change(SOONER, running="keep")
    for moved in (1, 0):
        launched = await promising.desk.launch("move-clocks", "chief", dialog)
        assert await walk(promising.desk, launched["run_id"]) == "succeeded"
        item = await promising.stage.row("SELECT outputs FROM run_items WHERE run_id = :r", r=launched["run_id"])
        assert item.outputs[0]["value"] == moved
    assert (await promising.clock(dialog)).target == 600
    assert (await promising.stage.kinds(dialog)).count("sla.moved") == 1


async def test_a_count_that_is_no_longer_true_is_asked_again(promising):
    await promising.ticket()
    told = await promising.asked(SOONER)
    await promising.ticket()
    assert (await promising.asked(SOONER, running="move", confirm=told["total"]))["total"] == 2
    assert await promising.version() == 1


async def test_what_was_answered_or_closed_meanwhile_is_not_moved(promising):
    answered, closed = await promising.ticket(), await promising.ticket()
    told = await promising.change(SOONER, running="move", confirm=2)
    await promising.stage.do("olha", answered, Say("Here you are", mode="reply"))
    await promising.stage.do("olha", closed, Close())
    await walk(promising.desk, UUID(told["run_id"]))
    for dialog, result in ((answered, "met"), (closed, "dropped")):
        clock = await promising.clock(dialog)
        assert (clock.result, clock.target) == (result, 900)


async def test_a_metric_that_is_no_longer_promised_ends_only_when_confirmed(promising):
    dialog = await promising.ticket()
    told = await promising.asked({"metrics": [TFR]})
    assert [(m["metric"], m["due_after"]) for m in told["moves"]] == [("ttc", None)]
    moved = await promising.change({"metrics": [TFR]}, running="move", confirm=1)
    await walk(promising.desk, UUID(moved["run_id"]))
    assert (await promising.clock(dialog, "ttc")).result == "dropped"
    assert (await promising.clock(dialog)).state == "running"


async def test_a_metric_newly_promised_begins_where_it_would_have_begun(promising):
    dialog = await promising.ticket()
    began, status = (await promising.clock(dialog)).started_at, (await promising.stage.dialog(dialog)).status
    more = {"metrics": [TFR, TTC, {"metric": "tis", "status": status, "target": 7200}]}
    told = await promising.asked(more)
    assert [(m["metric"], m["status"], m["due_before"]) for m in told["moves"]] == [("tis", status, None)]
    moved = await promising.change(more, running="move", confirm=1)
    await walk(promising.desk, UUID(moved["run_id"]))
    clock = await promising.clock(dialog, "tis")
    assert (clock.started_at, clock.due_at) == (began, began + timedelta(seconds=7200))


async def test_what_stands_still_moves_to_new_hours_though_it_is_due_at_no_moment(promising):
    stage = promising.stage
    week = {day: ["00:00-24:00"] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
    hours = await calendar(stage, "hours", zone="Europe/Kyiv", weekly=week, exceptions={})
    await stage.sql("UPDATE topics SET calendar_key = :c WHERE key = :t", c=hours, t=stage.key("pay"))
    runs, still = await promising.ticket(), await promising.ticket()
    await stage.do("olha", runs, Say("an answer"))
    await stage.do("olha", still, Say("an answer"))
    await stage.do("olha", still, SetStatus("pending"))
    holiday = {"exceptions": {"2199-12-25": []}}
    with pytest.raises(ConfirmationNeededError) as refused:
        await promising.edit(lambda w, v: calendars.change(w, v, hours, holiday))
    assert [(m["dialog_id"], m["metric"]) for m in refused.value.extra["moves"]] == [(str(still), "ttc")]
    moved = await promising.edit(lambda w, v: calendars.change(w, v, hours, holiday, running="move", confirm=1))
    await walk(promising.desk, UUID(moved["run_id"]))
    assert [(await promising.clock(one, "ttc")).calendar_version for one in (runs, still)] == [1, 2]


async def test_a_topic_that_gets_a_policy_gives_its_open_tickets_clocks_only_when_confirmed(promising):
    await promising.promise(None)
    dialog = await promising.ticket()
    assert not await promising.stage.sql("SELECT 1 FROM clocks WHERE dialog_id = :d", d=dialog)
    concern = Concern(topics=frozenset({promising.stage.key("pay")}))

    async def named(work: Work, viewer: Any, **decision: Any) -> Any:
        topic = await work.session.get_one(Topic, promising.stage.key("pay"))
        topic.sla_key = promising.policy
        await work.read_clock()
        return await confirmed(work, viewer, concern, **{"running": None, "confirm": None, **decision})

    with pytest.raises(ConfirmationNeededError) as refused:
        await promising.edit(named)
    assert [(m["metric"], m["due_before"]) for m in refused.value.extra["moves"]] == [("tfr", None), ("ttc", None)]
    run_id = await promising.edit(lambda w, v: named(w, v, running="move", confirm=2))
    await walk(promising.desk, run_id)
    converted = await promising.stage.row(
        "SELECT at FROM events WHERE dialog_id = :d AND kind = 'dialog.converted'", d=dialog
    )
    for metric, seconds in (("tfr", 900), ("ttc", 3600)):
        clock = await promising.clock(dialog, metric)
        assert (clock.started_at, clock.due_at) == (converted.at, converted.at + timedelta(seconds=seconds))
    assert (await promising.stage.dialog(dialog)).keeps_time


async def test_a_breach_stays_a_breach_and_a_nearer_deadline_already_passed_is_one(promising):
    dialog = await promising.ticket()
    began = (await promising.clock(dialog)).started_at
    told = await promising.change({"metrics": [{**TFR, "target": 1, "warn": []}, TTC]}, running="move", confirm=1)
    await promising.stage.sql("SELECT pg_sleep(1.1)")
    await walk(promising.desk, UUID(told["run_id"]))
    clock = await promising.clock(dialog)
    assert clock.breached_at == began + timedelta(seconds=1)
    later = await promising.change({"metrics": [TFR, TTC]}, running="move", confirm=1)
    await walk(promising.desk, UUID(later["run_id"]))
    assert (await promising.clock(dialog)).breached_at == clock.breached_at
    assert (await promising.stage.kinds(dialog)).count("sla.breached") == 1


async def test_a_preview_tells_all_moves_by_pages_and_saves_nothing(promising):
    dialogs = [await promising.ticket() for _ in range(3)]
    given = {"metrics": [{**TFR, "target": 600}, {**TTC, "target": 7200}]}

    async def page(after: int) -> dict[str, Any]:
        edit = lambda work: sla_policies.edit(work, promising.policy, given, by=None)  # noqa: E731
        concern = Concern(policies=frozenset({promising.policy}))
        return await moving.preview(promising.stage.sessions, edit, concern, after=after, limit=2)

    first = await page(0)
    assert (first["total"], first["dialogs"]) == (6, 3)
    seen, pages = list(first["items"]), [first]
    while pages[-1]["next"] is not None:
        pages.append(await page(pages[-1]["next"]))
        seen += pages[-1]["items"]
    assert [(m["dialog_id"], m["metric"]) for m in seen] == [(str(d), m) for d in dialogs for m in ("tfr", "ttc")]
    assert [p["total"] for p in pages] == [6, None, None]
    assert await promising.version() == 1


async def test_who_sets_a_teams_norm_may_keep_its_clocks_but_not_move_them(promising):
    stage = promising.stage
    dialog = await promising.ticket()
    await stage.write("client 1", "are you there?")
    key = stage.key("support")

    async def norm(by: str, **decision: Any) -> dict[str, Any]:
        given = {"respond_norm": 300}
        return await promising.edit(lambda w, v: teams.change(w, key, given, viewer=v, **decision), by=by)

    with pytest.raises(ConfirmationNeededError) as refused:
        await norm("lead")
    assert refused.value.extra["total"] == 1
    with pytest.raises(ForbiddenError):
        await norm("lead", running="move", confirm=1)
    assert (await norm("lead", running="keep"))["respond_norm"] == 300
    assert not await stage.sql("SELECT 1 FROM clocks WHERE metric = 'respond' AND dialog_id = :d", d=dialog)


async def test_global_norms_ask_as_well_and_move_norms_alone(promising):
    dialog = await promising.ticket()
    await promising.change(SOONER, running="keep")
    set_norm = lambda **decision: promising.edit(  # noqa: E731
        lambda w, v: norms.choose(w, v, "respond_norm", 600, **decision)
    )
    with pytest.raises(ConfirmationNeededError) as refused:
        await set_norm()
    told = refused.value.extra
    assert told["total"] >= 1
    assert {(m["metric"], m["due_before"]) for m in told["moves"]} == {("respond", None)}
    told = await set_norm(running="move", confirm=refused.value.extra["total"])
    await walk(promising.desk, UUID(told["run_id"]))
    clock = await promising.clock(dialog, "respond")
    assert clock.due_at == clock.started_at + timedelta(seconds=600)
    assert (await promising.clock(dialog)).policy_version == 1, "an edit of a norm moves no clock kept before"
    assert (await promising.edit(lambda w, v: norms.forget(w, v, "respond_norm", running="keep")))["value"] is None


async def test_of_two_who_edit_the_same_version_one_is_told(promising):
    await promising.change({"version": 1, **SOONER})
    with pytest.raises(VersionConflictError):
        await promising.change({"version": 1, "metrics": [TFR]})
    assert await promising.version() == 2


async def test_a_launcher_who_may_not_read_every_dialog_moves_none(promising):
    stage = promising.stage
    await promising.ticket()
    await stage.team("elsewhere")
    await stage.person("outsider", "elsewhere", role="supervisor")

    async def as_outsider(work: Work, viewer: Any) -> Any:
        given = replace(viewer, permissions=viewer.permissions | {Permission.SLA_MANAGE})
        return await sla_policies.change(work, given, promising.policy, SOONER, running="move", confirm=1)

    with pytest.raises(ForbiddenError):
        await promising.edit(as_outsider, by="outsider")
    assert await promising.version() == 1


async def test_a_narrow_token_moves_only_with_every_right_that_moving_needs(promising):
    await promising.ticket()

    async def narrowed(work: Work, viewer: Any, *rights: Permission) -> Any:
        given = replace(viewer, permissions=frozenset(rights), is_narrowed=True)
        return await sla_policies.change(work, given, promising.policy, SOONER, running="move", confirm=1)

    with pytest.raises(ForbiddenError):
        await promising.edit(lambda w, v: narrowed(w, v, Permission.SLA_MANAGE))
    with pytest.raises(ForbiddenError):
        await promising.edit(lambda w, v: narrowed(w, v, Permission.RUNS_LAUNCH))
    assert await promising.version() == 1
    told = await promising.edit(lambda w, v: narrowed(w, v, Permission.SLA_MANAGE, Permission.RUNS_LAUNCH))
    assert await walk(promising.desk, UUID(told["run_id"])) == "succeeded"


async def test_edits_at_once_leave_every_clock_at_the_last_one(promising):
    dialogs = [await promising.ticket() for _ in range(4)]

    async def shorten(target: int) -> dict[str, Any]:
        edit = {"metrics": [{**TFR, "target": target}, TTC]}
        return await promising.change(edit, running="move", confirm=4)

    told = await asyncio.gather(*(shorten(target) for target in (300, 400, 500)))
    assert sorted(one["version"] for one in told) == [2, 3, 4]
    await asyncio.gather(*(walk(promising.desk, UUID(one["run_id"])) for one in told))
    last = max(told, key=lambda one: one["version"])
    for dialog in dialogs:
        clock = await promising.clock(dialog)
        assert (clock.target, clock.policy_version) == (last["metrics"][0]["target"], 4)
