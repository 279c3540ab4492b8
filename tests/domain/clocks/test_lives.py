"""The life of a dialog as far as time goes, and ledgers that remember who did what."""

from hypothesis import given, settings

from domain.clocks.clocks import Clock
from domain.clocks.lives import Happening, Life, begun, from_json, to_json
from domain.clocks.policies import Norms
from tests.domain.clocks.scenes import OLHA, TARAS, Scene, metric, when
from tests.domain.clocks.stories import Story, at, stories

HOUR = 3600


def lines(clock: Clock) -> list[tuple[str, str, object]]:
    return [(line.state, line.cause, line.actor_id) for line in clock.ledger]


def test_facts_that_say_nothing_about_time_change_nothing() -> None:
    scene = Scene().opened("mon 09:00")
    before = scene.life
    for fact in ("dialog.tagged", "note.added", "message.sent", "ticket.reassigned", "dialog.merged", "custom.thing"):
        scene.tell(fact, "mon 10:00", after={"status": "closed"})
        assert scene.life is before


def test_a_life_may_begin_with_a_fact_that_is_no_opening() -> None:
    life = begun(Happening("dialog.queued", when("mon 09:00"), "system", None, {"after": {"place": "queued"}}))
    assert (life.kind, life.status, life.cycle) == ("chat", "new", 1)


def test_a_clock_promised_late_has_the_ledger_it_would_have_had_and_says_since_when_it_is_promised() -> None:
    scene = Scene().opened("mon 09:00")
    scene.tell("ticket.status_changed", "mon 10:00", who=OLHA, before={"status": "open"}, after={"status": "pending"})
    scene.tell("ticket.reopened", "mon 12:00", who=TARAS, before={"status": "pending"}, after={"status": "open"})
    scene.promise(metric("ttc", 4 * HOUR))
    scene.tell("dialog.topic_changed", "mon 13:00", who=OLHA)
    clock = scene.of("ttc")
    assert lines(clock) == [
        ("running", "dialog.opened", None), ("paused", "ticket.status_changed", OLHA),
        ("running", "ticket.reopened", TARAS), ("running", "dialog.topic_changed", OLHA),
    ]  # fmt: skip
    assert clock.ledger[1].changed == {"status": ["open", "pending"]}
    assert clock.ledger[3].changed == {"target": [None, 4 * HOUR], "policy": [None, ["standard", 3]]}
    assert clock.due_at == when("mon 15:00")


def test_each_status_in_which_time_stands_still_has_its_own_line() -> None:
    scene = Scene(metric("ttc", 4 * HOUR)).opened("mon 09:00")
    scene.become("pending", "mon 10:00")
    scene.become("resolved", "mon 11:00")
    assert [line.changed.get("status") for line in scene.of("ttc").ledger] == [
        None, ["open", "pending"], ["pending", "resolved"],
    ]  # fmt: skip


def test_two_changes_in_one_moment_leave_the_line_of_the_last() -> None:
    scene = Scene(metric("ttc", 4 * HOUR)).opened("mon 09:00")
    scene.become("pending", "mon 10:00")
    scene.become("resolved", "mon 10:00")
    clock = scene.of("ttc")
    assert [(line.number, line.state) for line in clock.ledger] == [(1, "running"), (2, "paused")]
    assert clock.ledger[1].changed == {"status": ["open", "resolved"]}


def test_a_message_that_reopens_leaves_no_line_of_no_length() -> None:
    scene = Scene(metric("nrt", HOUR)).opened("mon 09:00")
    scene.reply("mon 09:01")
    scene.become("pending", "mon 10:00")
    scene.client("mon 12:00")
    scene.reopen("mon 12:00")
    (line,) = scene.of("nrt").ledger
    assert (line.number, line.state, line.began_at, line.ended_at) == (1, "running", when("mon 12:00"), None)
    assert scene.of("nrt").due_at == when("mon 13:00")


def test_only_the_message_that_reopened_a_closed_dialog_waits_in_the_new_cycle() -> None:
    scene = Scene(norms=Norms(respond=60)).opened("mon 09:00", "chat")
    scene.client("mon 09:01")
    scene.close("mon 09:10")
    scene.client("tue 09:00")
    scene.reopen("tue 09:00")
    assert scene.life is not None
    assert (scene.life.cycle, scene.life.waiting_since) == (2, when("tue 09:00"))
    scene.close("tue 10:00")
    scene.reopen("tue 11:00")
    assert (scene.life.cycle, scene.life.waiting_since) == (3, None)


def test_a_closed_chat_that_becomes_a_ticket_begins_a_new_cycle() -> None:
    scene = Scene(metric("ttc", HOUR)).opened("mon 09:00", "chat")
    scene.reply("mon 09:05")
    scene.close("mon 09:10")
    scene.convert("tue 09:00")
    assert scene.life is not None
    assert (scene.life.cycle, scene.life.responded_at, scene.of("ttc").cycle) == (2, None, 2)


def test_a_chat_that_becomes_a_ticket_while_its_client_waits_goes_on_waiting_for_its_operator() -> None:
    scene = Scene(norms=Norms(respond=300)).opened("mon 09:00", "chat")
    scene.tell("dialog.assigned", "mon 09:00")
    scene.client("mon 09:01")
    scene.convert("mon 09:02")
    assert (scene.of("respond").state, scene.of("respond").due_at) == ("running", when("mon 09:06"))


def test_waiting_again_in_the_same_queue_is_the_same_waiting() -> None:
    scene = Scene(norms=Norms(accept=300)).opened("mon 09:00", "chat")
    scene.tell("dialog.queued", "mon 09:00")
    scene.tell("dialog.queued", "mon 09:04")
    assert [c.started_at for c in scene.all_of("accept")] == [when("mon 09:00")]


@settings(max_examples=100, deadline=None)
@given(stories())
def test_a_life_survives_its_json(story: Story) -> None:
    life: Life | None = None
    for fact in story.facts:
        happening = Happening(fact.name, at(story.base, fact.second), fact.actor, None, fact.data)
        life = life.after(happening) if life else begun(happening)
        assert from_json(to_json(life)) == life
        moments = {life.cycle_at, life.status_since, life.waiting_since, life.queued_since, life.held_since}
        assert {c.at for c in life.causes} <= moments | {m for pause in life.pauses for m in pause}
