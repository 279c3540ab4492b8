"""What others' clocks were reported for, each so that ours never does it."""

from domain.clocks.policies import Norms
from tests.domain.clocks.scenes import OFFICE, ROUND_THE_CLOCK, WITH_LUNCH, Scene, metric, when

HOUR = 3600


def test_no_clock_ticks_after_closing() -> None:
    scene = Scene(metric("ttc", HOUR, [50, 80]), metric("tfr", HOUR)).opened("mon 09:00")
    scene.close("mon 09:20")
    scene.tell("note.added", "mon 12:00")
    scene.tell("message.sent", "mon 12:01", "system")
    assert scene.look("fri 09:00").firings == ()
    assert {c.ended_at for c in scene.clocks} == {when("mon 09:20")}


def test_a_calendar_of_all_hours_loses_no_minute_at_midnight() -> None:
    scene = Scene(metric("ttc", 5 * 24 * HOUR), calendar=ROUND_THE_CLOCK).opened("mon 23:59:30")
    assert scene.of("ttc").due_at == when("sat 23:59:30")


def test_a_lunch_break_does_not_count_and_both_halves_of_the_day_do() -> None:
    scene = Scene(metric("ttc", 2 * HOUR), metric("tfr", 8 * HOUR), calendar=WITH_LUNCH).opened("mon 12:30")
    assert scene.of("ttc").due_at == when("mon 15:30")
    assert scene.of("tfr").due_at == when("tue 12:30")


def test_a_clock_that_begins_in_the_lunch_break_counts_from_its_end() -> None:
    scene = Scene(metric("tfr", 900), calendar=WITH_LUNCH).opened("mon 13:20")
    assert scene.of("tfr").due_at == when("mon 14:15")


def test_the_first_response_is_not_overruled_by_a_clock_of_later_answers() -> None:
    scene = Scene(metric("tfr", HOUR, [50]), metric("nrt", 300)).opened("mon 09:00")
    scene.client("mon 09:00")
    scene.client("mon 09:20")
    assert scene.of("tfr").due_at == when("mon 10:00")
    scene.reply("mon 09:30")
    scene.client("mon 09:40")
    assert (scene.of("tfr").result, scene.of("tfr").ended_at) == ("met", when("mon 09:30"))
    assert scene.of("nrt").due_at == when("mon 09:45")


def test_no_reminder_comes_at_midnight_when_nobody_works() -> None:
    scene = Scene(metric("ttc", 10 * HOUR, [10, 50, 90]), calendar=OFFICE).opened("mon 17:00")
    assert scene.of("ttc").next_at == when("mon 18:00")
    scene.look("next 23:00")
    told = [at for _, at in scene.told("ttc")]
    assert told == [when("mon 18:00"), when("tue 13:00"), when("tue 17:00"), when("tue 18:00")]


def test_every_threshold_fires_not_only_the_first() -> None:
    scene = Scene(metric("ttc", 100 * 60, [20, 50, 80, 95])).opened("mon 09:00")
    for at in ("09:19:59", "09:20", "09:50", "10:20", "10:35", "10:40"):
        scene.look(f"mon {at}")
    assert scene.told("ttc") == [
        (20, when("mon 09:20")), (50, when("mon 09:50")), (80, when("mon 10:20")), (95, when("mon 10:35")),
        (None, when("mon 10:40")),
    ]  # fmt: skip


def test_thresholds_missed_while_nobody_looked_fire_all_in_order_each_at_its_own_moment() -> None:
    scene = Scene(metric("ttc", 100 * 60, [20, 50, 80])).opened("mon 09:00")
    seen = scene.look("tue 09:00")
    assert [(f.percent, f.at) for f in seen.firings] == [
        (20, when("mon 09:20")), (50, when("mon 09:50")), (80, when("mon 10:20")), (None, when("mon 10:40")),
    ]  # fmt: skip
    assert scene.look("tue 09:00").firings == ()


def test_reopening_after_long_brings_no_instant_escalation() -> None:
    scene = Scene(metric("tfr", 900, [50]), metric("ttc", 2 * HOUR, [50]), metric("tis", HOUR, status="open")).opened(
        "mon 09:00"
    )
    scene.reply("mon 09:05")
    scene.close("mon 09:30")
    scene.reopen("fri 09:00")
    assert scene.look("fri 09:07").firings == ()
    assert all(c.due_at and c.due_at > when("fri 09:07") for c in scene.clocks if c.state == "running")


def test_resuming_from_pending_brings_no_instant_escalation_and_forgets_no_time() -> None:
    scene = Scene(metric("ttc", 2 * HOUR, [50])).opened("mon 09:00")
    scene.become("pending", "mon 09:59")
    scene.reopen("fri 09:00")
    assert scene.look("fri 09:00:59").firings == ()
    scene.look("fri 10:01")
    assert scene.told("ttc") == [(50, when("fri 09:01")), (None, when("fri 10:01"))]


def test_a_warning_given_before_a_pause_is_not_given_again_after_it() -> None:
    scene = Scene(metric("ttc", 2 * HOUR, [50])).opened("mon 09:00")
    scene.look("mon 10:10")
    scene.become("pending", "mon 10:15")
    scene.reopen("mon 15:00")
    scene.look("mon 15:10")
    assert scene.told("ttc") == [(50, when("mon 10:00"))]


def test_a_warning_given_under_one_topic_is_not_given_again_under_another() -> None:
    scene = Scene(metric("ttc", 2 * HOUR, [50])).opened("mon 09:00")
    scene.look("mon 10:10")
    scene.promise(metric("ttc", 4 * HOUR, [50, 75]))
    scene.tell("dialog.topic_changed", "mon 10:20")
    scene.look("mon 12:30")
    assert scene.told("ttc") == [(50, when("mon 10:00")), (75, when("mon 12:00"))]


def test_being_handed_on_within_the_team_gives_the_next_operator_the_whole_norm() -> None:
    scene = Scene(norms=Norms(respond=300)).opened("mon 09:00", "chat")
    scene.tell("dialog.assigned", "mon 09:00")
    scene.client("mon 09:01")
    scene.tell("dialog.assigned", "mon 09:05")
    assert [(c.result, c.due_at) for c in scene.all_of("respond")] == [
        ("dropped", when("mon 09:06")), (None, when("mon 09:10")),
    ]  # fmt: skip
