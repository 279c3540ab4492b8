"""What the product decides of clocks, one sentence a test."""

from datetime import timedelta

import pytest

from domain.clocks.clocks import Clock
from domain.clocks.policies import Norms
from domain.clocks.reckoning import moved, remaining
from tests.domain.clocks.scenes import OFFICE, Scene, metric, when

HOUR = 3600


def ended(clock: Clock) -> tuple[str | None, object]:
    return clock.result, clock.ended_at


def test_p49_first_response_runs_from_creation_to_the_first_operator_message() -> None:
    scene = Scene(metric("tfr", 900)).opened("mon 09:00")
    assert (scene.of("tfr").started_at, scene.of("tfr").due_at) == (when("mon 09:00"), when("mon 09:15"))
    scene.reply("mon 09:14:59")
    assert ended(scene.of("tfr")) == ("met", when("mon 09:14:59"))


def test_p49_an_answer_in_the_very_moment_it_is_due_is_late() -> None:
    scene = Scene(metric("tfr", 900)).opened("mon 09:00")
    scene.reply("mon 09:15")
    assert (scene.of("tfr").result, scene.of("tfr").breached_at) == ("breached", when("mon 09:15"))


def test_p49_a_late_answer_ends_the_clock_breached_at_its_deadline() -> None:
    scene = Scene(metric("tfr", 900)).opened("mon 09:00")
    scene.reply("mon 12:00")
    clock = scene.of("tfr")
    assert (clock.result, clock.breached_at, clock.ended_at) == ("breached", when("mon 09:15"), when("mon 12:00"))
    assert scene.told("tfr") == [(None, when("mon 09:15"))]


def test_p50_time_to_close_runs_from_creation_to_closing() -> None:
    scene = Scene(metric("ttc", 4 * HOUR)).opened("mon 09:00")
    scene.reply("mon 09:10")
    scene.close("mon 12:59")
    assert ended(scene.of("ttc")) == ("met", when("mon 12:59"))


def test_p51_time_in_status_restarts_at_each_change_of_the_status() -> None:
    scene = Scene(metric("tis", HOUR, status="open"), metric("tis", 2 * HOUR, status="in_progress")).opened("mon 09:00")
    scene.become("in_progress", "mon 09:30")
    assert ended(scene.of("tis", "open")) == ("met", when("mon 09:30"))
    assert scene.of("tis", "in_progress").due_at == when("mon 11:30")
    scene.look("mon 11:31")
    assert scene.told("tis") == [(None, when("mon 11:30"))]


def test_p51_time_in_pending_and_resolved_is_counted_too() -> None:
    scene = Scene(metric("tis", HOUR, status="pending")).opened("mon 09:00")
    scene.become("pending", "mon 10:00")
    scene.look("mon 11:00")
    assert scene.of("tis", "pending").breached_at == when("mon 11:00")


def test_p52_next_response_starts_only_after_the_first_response() -> None:
    scene = Scene(metric("nrt", 300)).opened("mon 09:00")
    scene.client("mon 09:00")
    scene.client("mon 09:05")
    assert scene.all_of("nrt") == []
    scene.reply("mon 09:06")
    assert scene.all_of("nrt") == []
    scene.client("mon 09:10")
    assert scene.of("nrt").started_at == when("mon 09:10")


def test_p52_later_client_messages_do_not_restart_it_who_writes_every_four_minutes_is_answered_in_five() -> None:
    scene = Scene(metric("nrt", 300)).opened("mon 09:00")
    scene.reply("mon 09:01")
    for minute in ("10", "14", "18", "22"):
        scene.client(f"mon 09:{minute}")
    assert scene.told("nrt") == [(None, when("mon 09:15"))]
    scene.reply("mon 09:23")
    assert ended(scene.of("nrt")) == ("breached", when("mon 09:23"))


def test_p52_an_operator_message_stops_it_and_the_next_client_message_starts_another() -> None:
    scene = Scene(metric("nrt", 300)).opened("mon 09:00")
    scene.reply("mon 09:01")
    scene.client("mon 09:10")
    scene.reply("mon 09:12")
    scene.client("mon 09:20")
    assert [c.result for c in scene.all_of("nrt")] == ["met", None]
    assert scene.of("nrt").due_at == when("mon 09:25")


def test_p54_a_target_of_a_day_over_nights_holidays_and_the_weekend_lands_on_the_right_minute() -> None:
    scene = Scene(metric("ttc", 24 * HOUR), calendar=OFFICE).opened("tue 17:30")
    # tue 0.5 + wed 9 + thu holiday + fri 9 + the next monday 5.5
    assert scene.of("ttc").due_at == when("next 14:30")


@pytest.mark.parametrize("fact", ["ticket.closed", "dialog.closed"])
def test_p57_closing_stops_every_clock_and_nothing_fires_after_it(fact: str) -> None:
    scene = Scene(
        metric("tfr", HOUR), metric("nrt", HOUR), metric("ttc", HOUR, [50]), metric("tis", HOUR, status="open"),
        norms=Norms(HOUR, HOUR),
    ).opened("mon 09:00")  # fmt: skip
    scene.tell("dialog.queued", "mon 09:00")
    scene.client("mon 09:01")
    scene.tell(fact, "mon 09:10", before={"status": "open"}, after={"status": "closed"})
    assert {c.state for c in scene.clocks} == {"ended"}
    assert all(c.next_at is None for c in scene.clocks)
    assert scene.look("tue 09:00").firings == ()


def test_p57_closing_without_an_answer_keeps_no_promise_and_breaks_none() -> None:
    scene = Scene(metric("tfr", HOUR), metric("ttc", HOUR)).opened("mon 09:00")
    scene.close("mon 09:10")
    assert (scene.of("tfr").result, scene.of("ttc").result) == ("dropped", "met")


def test_p57_what_was_breached_before_closing_without_an_answer_stays_breached() -> None:
    scene = Scene(metric("tfr", 60)).opened("mon 09:00")
    scene.close("mon 09:10")
    assert scene.of("tfr").result == "breached"


@pytest.mark.parametrize(
    ("fact", "actor"), [("note.added", "user"), ("message.queued", "process"), ("message.queued", "system")]
)
def test_p58_notes_bots_and_processes_do_not_count_as_a_response(fact: str, actor: str) -> None:
    scene = Scene(metric("tfr", HOUR)).opened("mon 09:00")
    scene.tell(fact, "mon 09:10", actor)
    assert scene.of("tfr").state == "running"


def test_p58_notes_bots_and_processes_do_not_stop_the_next_response_either() -> None:
    scene = Scene(metric("nrt", HOUR)).opened("mon 09:00")
    scene.reply("mon 09:01")
    scene.client("mon 09:10")
    scene.tell("note.added", "mon 09:11")
    scene.tell("message.queued", "mon 09:12", "process")
    assert (scene.of("nrt").state, scene.of("nrt").started_at) == ("running", when("mon 09:10"))


def test_p59_changing_the_topic_reckons_targets_from_the_original_start() -> None:
    scene = Scene(metric("ttc", 8 * HOUR)).opened("mon 09:00")
    scene.promise(metric("ttc", 4 * HOUR))
    scene.tell("dialog.topic_changed", "mon 10:00")
    clock = scene.of("ttc")
    assert (clock.started_at, clock.due_at, clock.target) == (when("mon 09:00"), when("mon 13:00"), 4 * HOUR)
    assert clock.ledger[-1].changed["target"] == [8 * HOUR, 4 * HOUR]


def test_p59_a_shorter_target_passed_already_is_breached_at_the_moment_it_would_have_been_due() -> None:
    scene = Scene(metric("ttc", 8 * HOUR)).opened("mon 09:00")
    scene.promise(metric("ttc", HOUR))
    scene.tell("dialog.topic_changed", "mon 12:00")
    assert scene.told("ttc") == [(None, when("mon 10:00"))]
    scene.look("mon 18:00")
    assert len(scene.told("ttc")) == 1


def test_p59_a_breach_that_happened_stays_one_under_a_longer_target() -> None:
    scene = Scene(metric("ttc", HOUR, [50])).opened("mon 09:00")
    scene.promise(metric("ttc", 9 * HOUR, [50]))
    scene.tell("dialog.topic_changed", "mon 12:00")
    scene.close("mon 13:00")
    assert (scene.of("ttc").result, scene.told("ttc")) == (
        "breached", [(50, when("mon 09:30")), (None, when("mon 10:00"))]
    )  # fmt: skip


def test_p59_a_topic_that_promises_nothing_ends_the_clocks_and_one_that_does_counts_from_the_beginning() -> None:
    scene = Scene(metric("ttc", 8 * HOUR)).opened("mon 09:00")
    scene.promise()
    scene.tell("dialog.topic_changed", "mon 10:00")
    assert ended(scene.of("ttc")) == ("dropped", when("mon 10:00"))
    scene.promise(metric("ttc", 8 * HOUR))
    scene.tell("dialog.topic_changed", "mon 11:00")
    assert (scene.of("ttc").started_at, scene.of("ttc").due_at) == (when("mon 09:00"), when("mon 17:00"))


def test_p59_a_topic_with_a_calendar_counts_the_same_ledger_by_it() -> None:
    scene = Scene(metric("ttc", 8 * HOUR)).opened("mon 07:00")
    scene.promise(metric("ttc", 8 * HOUR), calendar=OFFICE)
    scene.tell("dialog.topic_changed", "mon 10:00")
    assert scene.of("ttc").due_at == when("mon 17:00")
    assert scene.of("ttc").ledger[-1].changed == {"calendar": [None, ["office", 1]]}


def test_a_priority_with_its_own_target_aims_anew() -> None:
    scene = Scene(metric("ttc", 8 * HOUR, targets={"critical": 2 * HOUR})).opened("mon 09:00")
    scene.priority = "critical"
    scene.tell("dialog.priority_changed", "mon 10:00")
    assert scene.of("ttc").due_at == when("mon 11:00")


def test_p60_a_new_team_brings_its_norms_and_waiting_begins_anew() -> None:
    scene = Scene(norms=Norms(accept=300)).opened("mon 09:00", "chat")
    scene.tell("dialog.queued", "mon 09:00", "client")
    scene.norms = Norms(accept=60)
    scene.tell("dialog.team_changed", "mon 09:02")
    assert [(c.started_at, c.due_at, c.result) for c in scene.all_of("accept")] == [
        (when("mon 09:00"), when("mon 09:05"), "dropped"), (when("mon 09:02"), when("mon 09:03"), None),
    ]  # fmt: skip
    scene.tell("dialog.assigned", "mon 09:02:30")
    assert scene.of("accept").result == "met"


def test_p26_the_answer_norm_runs_from_the_message_or_from_being_given_whichever_is_later() -> None:
    scene = Scene(norms=Norms(respond=120)).opened("mon 09:00", "chat")
    scene.client("mon 09:00")
    assert scene.all_of("respond") == []
    scene.tell("dialog.assigned", "mon 09:10")
    assert scene.of("respond").due_at == when("mon 09:12")
    scene.client("mon 09:11")
    scene.look("mon 09:12")
    assert scene.told("respond") == [(None, when("mon 09:12"))]
    scene.reply("mon 09:13")
    scene.client("mon 09:20")
    assert scene.of("respond").due_at == when("mon 09:22")


def test_decision_29_pending_and_resolved_pause_time_to_close_and_next_response() -> None:
    scene = Scene(metric("ttc", 2 * HOUR), metric("nrt", HOUR)).opened("mon 09:00")
    scene.reply("mon 09:00")
    scene.client("mon 09:10")
    scene.become("pending", "mon 09:30")
    assert {scene.of(name).state for name in ("ttc", "nrt")} == {"paused"}
    scene.become("resolved", "mon 15:00")
    scene.reopen("tue 09:00")
    assert (scene.of("ttc").due_at, scene.of("nrt").due_at) == (when("tue 10:30"), when("tue 09:40"))
    assert remaining(scene.of("ttc"), when("tue 09:30")) == timedelta(hours=1)


def test_decision_29_pending_pauses_neither_the_first_response_nor_the_time_in_it() -> None:
    scene = Scene(metric("tfr", HOUR), metric("tis", HOUR, status="pending")).opened("mon 09:00")
    scene.become("pending", "mon 09:30")
    scene.look("mon 11:00")
    assert (scene.told("tfr"), scene.told("tis")) == ([(None, when("mon 10:00"))], [(None, when("mon 10:30"))])


def test_decision_29_closed_from_resolved_time_to_close_ended_at_the_resolving() -> None:
    scene = Scene(metric("ttc", 2 * HOUR)).opened("mon 09:00")
    scene.become("resolved", "mon 10:00")
    scene.close("wed 10:00")
    clock = scene.of("ttc")
    assert ended(clock) == ("met", when("mon 10:00"))
    assert clock.ledger[-1].ended_at == when("mon 10:00")


def test_decision_29_a_policy_changed_while_resolved_leaves_the_end_at_the_resolving() -> None:
    scene = Scene(metric("ttc", 2 * HOUR)).opened("mon 09:00")
    scene.become("resolved", "mon 10:00")
    scene.promise(metric("ttc", 3 * HOUR))
    scene.tell("dialog.topic_changed", "tue 09:00")
    scene.close("wed 10:00")
    clock = scene.of("ttc")
    assert (ended(clock), clock.ledger[-1].ended_at) == (("met", when("mon 10:00")), when("mon 10:00"))
    assert clock.ledger[-1].changed["target"] == [2 * HOUR, 3 * HOUR]


def test_decision_29_reopening_from_closed_starts_a_new_cycle() -> None:
    scene = Scene(metric("tfr", 900), metric("ttc", 2 * HOUR)).opened("mon 09:00")
    scene.reply("mon 09:10")
    scene.close("mon 10:00")
    scene.client("tue 12:00")
    scene.reopen("tue 12:00")
    assert (scene.of("tfr").due_at, scene.of("ttc").due_at) == (when("tue 12:15"), when("tue 14:00"))
    assert (scene.of("tfr").cycle, scene.of("ttc").cycle) == (2, 2)


@pytest.mark.parametrize("status", ["pending", "resolved"])
def test_decision_29_reopening_from_pending_or_resolved_resumes_the_old_cycle(status: str) -> None:
    scene = Scene(metric("ttc", 2 * HOUR)).opened("mon 09:00")
    scene.become(status, "mon 10:00")
    scene.client("tue 12:00")
    scene.reopen("tue 12:00")
    clock = scene.of("ttc")
    assert (clock.cycle, clock.started_at, clock.due_at) == (1, when("mon 09:00"), when("tue 13:00"))


def test_decision_29_whoever_touches_a_clock_settles_it_first() -> None:
    scene = Scene(metric("ttc", HOUR)).opened("mon 09:00")
    scene.become("pending", "mon 10:30")
    clock = scene.of("ttc")
    assert (clock.breached_at, scene.told("ttc")) == (when("mon 10:00"), [(None, when("mon 10:00"))])


def test_p34_conversion_begins_the_ticket_clocks_and_drops_those_of_the_chat() -> None:
    scene = Scene(metric("tfr", 900), metric("ttc", HOUR), kinds=("chat", "ticket")).opened("mon 09:00", "chat")
    scene.convert("mon 09:10")
    assert [(c.result, c.started_at) for c in scene.all_of("tfr")] == [
        ("dropped", when("mon 09:00")), (None, when("mon 09:10")),
    ]  # fmt: skip
    assert scene.of("ttc").due_at == when("mon 10:10")


def test_p34_a_policy_of_tickets_promises_a_chat_nothing() -> None:
    scene = Scene(metric("tfr", 900)).opened("mon 09:00", "chat")
    assert scene.clocks == ()
    scene.convert("mon 09:10")
    assert scene.of("tfr").due_at == when("mon 09:25")


def test_p46_a_merged_ticket_closes_and_the_survivor_keeps_its_clocks() -> None:
    survivor = Scene(metric("ttc", HOUR)).opened("mon 09:00")
    before = survivor.clocks
    survivor.tell("dialog.merged", "mon 09:30")
    assert survivor.clocks == before
    merged = Scene(metric("tfr", HOUR), metric("ttc", HOUR), metric("tis", HOUR, status="open")).opened("mon 09:10")
    merged.tell("dialog.merged", "mon 09:30")
    merged.close("mon 09:30", cause="merged")
    assert {(c.state, c.result) for c in merged.clocks} == {("ended", "dropped")}


def test_p46_a_message_that_came_over_unanswered_waits_in_the_survivor_since_it_was_written() -> None:
    scene = Scene(metric("nrt", HOUR, [50]), norms=Norms(respond=300)).opened("mon 08:00")
    scene.tell("dialog.assigned", "mon 08:00")
    scene.reply("mon 08:10")
    scene.tell("dialog.merged", "mon 10:00", awaiting_since=when("mon 09:20").isoformat(), messages=1)
    clock = scene.of("nrt")
    assert (clock.started_at, clock.due_at, clock.state) == (when("mon 09:20"), when("mon 10:20"), "running")
    assert (clock.ledger[0].cause, clock.ledger[0].actor_kind) == ("message.received", "client")
    assert scene.told("nrt") == [(50, when("mon 09:50"))]
    assert scene.told("respond") == [(None, when("mon 09:25"))]
    scene.reply("mon 10:10")
    assert [(c.result, c.ended_at) for c in scene.clocks] == [
        ("met", when("mon 10:10")), ("breached", when("mon 10:10")),
    ]  # fmt: skip


def test_p46_an_earlier_message_of_the_survivor_goes_on_waiting_a_later_one_gives_way() -> None:
    scene = Scene(metric("nrt", HOUR)).opened("mon 08:00")
    scene.reply("mon 08:10")
    scene.client("mon 09:30")
    scene.tell("dialog.merged", "mon 09:40", awaiting_since=when("mon 09:35").isoformat())
    assert [c.started_at for c in scene.all_of("nrt")] == [when("mon 09:30")]
    scene.tell("dialog.merged", "mon 09:50", awaiting_since=when("mon 09:00").isoformat())
    assert [(c.started_at, c.result) for c in scene.all_of("nrt")] == [
        (when("mon 09:30"), "dropped"), (when("mon 09:00"), None),
    ]  # fmt: skip
    scene.tell("dialog.merged", "mon 09:55", awaiting_since=None)
    assert scene.of("nrt").due_at == when("mon 10:00")


def test_a_score_that_comes_as_a_message_starts_nothing() -> None:
    scene = Scene(metric("nrt", 300)).opened("mon 09:00")
    scene.reply("mon 09:01")
    scene.tell("message.received", "mon 09:10", "client", rates=True)
    assert scene.all_of("nrt") == []


def test_an_edited_policy_moves_no_running_clock_by_itself() -> None:
    scene = Scene(metric("ttc", HOUR)).opened("mon 09:00")
    scene.promise(metric("ttc", 5 * HOUR))
    scene.client("mon 09:10")
    assert scene.of("ttc").due_at == when("mon 10:00")
    would_be = moved(scene.of("ttc"), scene.plan)
    assert would_be is not None
    assert would_be.due_at == when("mon 14:00")
    scene.tell("sla.moved", "mon 09:20", "process")
    assert scene.of("ttc").due_at == when("mon 14:00")
