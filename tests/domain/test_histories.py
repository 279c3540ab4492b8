"""Told from recorded events: what is one line, what each line says, what is hidden."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from domain.histories import HIDDEN, Category, Event, Grouping, Line, without_texts
from domain.lines import tell
from domain.sentences import people_in, sentence

NOON = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
OLHA = UUID(int=1)
TARAS = UUID(int=2)
NAMES = {OLHA: "Olha", TARAS: "Taras"}


def event(number: int, kind: str, *, after: float = 0, update: str | None = None, summary=None, **facts) -> Event:
    return Event(number, NOON + timedelta(seconds=after), kind, facts, summary, update)


def accepted(number: int, name: str, *, update: str = "u", asked_at: int = 0, **command) -> Event:
    request = {"caller": str(OLHA), "key": "k", "command": {"kind": name, **command}}
    given = {"input": {"name": name, "args": [request]}}
    return event(number, "workflow_execution_update_accepted", update=update, accepted_request=given,
                 accepted_request_sequencing_event_id=asked_at)  # fmt: skip


def completed(number: int, of: int, *, update: str = "u", after: float = 0, **outcome) -> Event:
    outcome = outcome or {"success": [{"status": 200, "answer": {}, "refusal": None}]}
    return event(number, "workflow_execution_update_completed", update=update, after=after, accepted_event_id=of,
                 outcome=outcome)  # fmt: skip


def transaction(number: int, activity: str, result: object, *, update: str | None = None) -> Event:
    details = {"data": [{"activity_type": activity, "attempt": 1}], "result": [result]}
    return event(number, "marker_recorded", update=update, marker_name="core_local_activity", details=details)


def told(events: Iterable[Event], *, workflow: str = "dialog", tries=None) -> list[Line]:
    grouping = Grouping()
    for one in sorted(events, key=lambda e: -e.id):
        grouping.read(one)
    return [tell(group, "run", workflow, tries) for group in grouping.take_whole(is_all_read=True)]


def said(events: Iterable[Event], **more) -> list[str]:
    return [sentence(line, NAMES.get) for line in told(events, **more)]


def test_a_command_and_its_transaction_are_one_line() -> None:
    found = {"reactions": [{"id": 1, "kind": "dialog_closed", "payload": {}}]}
    [line] = told([
        event(2, "workflow_task_scheduled"), event(4, "workflow_task_completed", after=0.03),
        accepted(5, "close", asked_at=2), transaction(6, "apply_command", found, update="u"),
        completed(7, 5, after=0.04),
    ])  # fmt: skip
    assert (line.category, line.code, line.by.id, line.outcome) == (Category.COMMAND, "close", OLHA, "done")
    assert (line.first, line.last, line.facts) == (5, 7, ("dialog_closed",))
    assert line.took == timedelta(seconds=0.04)
    assert sentence(line, NAMES.get) == "Olha closed the dialog"


def test_commands_that_interleave_keep_apart() -> None:
    lines = told([
        accepted(5, "close", update="a"), accepted(6, "add_tag", update="b", tag="vip"),
        transaction(7, "apply_command", {}, update="b"), transaction(8, "apply_command", {}, update="a"),
        completed(9, 6, update="b"), completed(10, 5, update="a"),
    ])  # fmt: skip
    assert [(line.code, line.first, line.last) for line in lines] == [("close", 5, 10), ("add_tag", 6, 9)]


def test_a_refusal_is_told_with_its_code_and_reason() -> None:
    failure = {"message": "Taras has no room.", "application_failure_info": {"type": "at_capacity"}}
    [line] = told([accepted(5, "assign", operator_id=str(TARAS)), completed(6, 5, failure=failure)])
    assert (line.category, line.outcome, line.why) == (Category.REFUSED, "at_capacity", "Taras has no room.")
    assert sentence(line, NAMES.get) == "Olha tried to assign the dialog to Taras: refused (at_capacity)"
    assert people_in(line) == {OLHA, TARAS}


def test_a_command_without_an_answer_is_pending() -> None:
    assert said([accepted(5, "take")]) == ["Olha wants to take the dialog: not answered yet"]


def test_words_follow_what_the_command_was() -> None:
    assert said([accepted(5, "say", mode="note"), completed(6, 5)]) == ["Olha wrote a note"]
    assert said([accepted(5, "say", mode="reply"), completed(6, 5)]) == ["Olha replied to the client"]
    assert said([accepted(5, "transfer", to_team="vip"), completed(6, 5)]) == [
        "Olha handed the dialog over to team vip"
    ]
    assert said([accepted(5, "set_topic", topic=None), completed(6, 5)]) == ["Olha set the topic to nothing"]
    assert said([accepted(5, "dance_{x}"), completed(6, 5)]) == ["Olha asked for: dance (x)"]


def test_a_ring_is_told_by_what_it_led_to() -> None:
    wrote = {"reactions": [{"id": 3, "kind": "dialog_opened", "payload": {}}]}
    lines = told([
        event(5, "workflow_execution_signaled", signal_name="ring"),
        transaction(9, "look_at_dialog", wrote), transaction(10, "look_at_dialog", {"reactions": []}),
    ])  # fmt: skip
    assert [line.category for line in lines] == [Category.PLATFORM, Category.FACT, Category.PLATFORM]
    assert sentence(lines[1], NAMES.get) == "The client opened the dialog"
    assert lines[1].details == {"for": []}


def test_a_wait_says_until_when_and_how_it_ended() -> None:
    began = event(5, "timer_started", timer_id="1", start_to_fire_timeout=120.0)
    woke = event(6, "timer_fired", after=120.2, timer_id="1", started_event_id=5)
    early = event(6, "timer_canceled", after=7, timer_id="1", started_event_id=5)
    assert said([began, woke], workflow="transfer") == [
        "Waited for the end of the offer's window at 12:02:00, woke at 12:02:00"
    ]
    assert said([began, early], workflow="transfer") == [
        "Waited for the end of the offer's window at 12:02:00; something else came first at 12:00:07"
    ]
    assert said([began]) == ["Waits for late news before ending at 12:02:00"]
    assert told([began, woke])[0].by.kind == "clock"


def test_a_delivery_tells_its_tries_and_its_last_failure() -> None:
    scheduled = event(5, "activity_task_scheduled", activity_id="7", activity_type={"name": "deliver_message"},
                      input=["m1"])  # fmt: skip
    started = event(6, "activity_task_started", scheduled_event_id=5, attempt=3, last_failure={"message": "busy"})
    sent = event(7, "activity_task_completed", after=4, scheduled_event_id=5, result=["sent"])
    failed = event(
        7, "activity_task_failed", scheduled_event_id=5, failure={"message": "x", "cause": {"message": "no"}}
    )
    [line] = told([scheduled, started, sent])
    assert (line.category, line.outcome, line.attempts, line.why) == (Category.DELIVERY, "sent", 3, "busy")
    assert sentence(line, NAMES.get) == "Delivery of a message ended: sent (try 3)"
    [line] = told([scheduled, started, failed])
    assert (line.category, line.outcome, line.why) == (Category.FAILURE, "failed", "no")
    [line] = told([scheduled], tries={"7": {"attempt": 2, "last_failure": {"message": "refused"}}})
    assert (line.outcome, line.attempts, line.why) == ("pending", 2, "refused")
    [line] = told([scheduled, event(7, "activity_task_completed", scheduled_event_id=5, result=["unknown"])])
    assert (line.category, line.outcome) == (Category.FAILURE, "unknown")


def test_a_child_is_told_by_its_workflow() -> None:
    began = event(5, "start_child_workflow_execution_initiated", workflow_id="transfer:1",
                  workflow_type={"name": "TransferWorkflow"})  # fmt: skip
    started = event(6, "child_workflow_execution_started", initiated_event_id=5)
    refused = event(6, "start_child_workflow_execution_failed", initiated_event_id=5, cause="EXISTS")
    [line] = told([began, started])
    assert (line.category, line.outcome, line.details["workflow_id"]) == (Category.CHILD, "started", "transfer:1")
    assert sentence(line, NAMES.get) == "The window of an offer began"
    assert told([began, refused])[0].category == Category.FAILURE


def test_beginning_going_on_and_ending() -> None:
    lines = told([
        event(1, "workflow_execution_started", workflow_type={"name": "DialogWorkflow"}),
        event(8, "workflow_execution_continued_as_new"),
    ])  # fmt: skip
    assert [line.category for line in lines] == [Category.PLATFORM, Category.FACT]
    [line] = told([event(1, "workflow_execution_started", initiator="CONTINUE_AS_NEW")])
    assert line.category == Category.PLATFORM
    assert said([event(9, "workflow_execution_completed", result=["expired"])]) == ["The workflow ended: expired"]
    [line] = told([event(9, "workflow_execution_terminated", reason="by hand")])
    assert (line.category, line.why) == (Category.FAILURE, "by hand")


def test_failed_turns_of_the_engine_are_platform_lines_and_the_rest_is_silent() -> None:
    lines = told([
        event(2, "workflow_task_scheduled"), event(3, "workflow_task_started", scheduled_event_id=2),
        event(4, "workflow_task_failed", scheduled_event_id=2, failure={"message": "bug"}),
    ])  # fmt: skip
    assert [(line.category, line.why) for line in lines] == [(Category.PLATFORM, "bug")]


def test_an_unknown_kind_of_event_is_told_as_platform() -> None:
    assert [line.category for line in told([event(4, "nexus_operation_scheduled")])] == [Category.PLATFORM]
    assert told([event(4, "upsert_workflow_search_attributes")])[0].code == "upsert_workflow_search_attributes"


def test_a_line_waits_for_its_beginning_and_for_its_turn() -> None:
    grouping = Grouping()
    grouping.read(event(9, "timer_fired", started_event_id=3))
    grouping.read(event(8, "workflow_execution_signaled", signal_name="ring"))
    assert grouping.take_whole() == []
    grouping.read(event(3, "timer_started"))
    assert [group.events[0].id for group in grouping.take_whole()] == [9, 8]


def test_what_a_page_before_has_told_is_not_told_again() -> None:
    grouping = Grouping(told={3, 5})
    for number in (5, 3):
        grouping.read(event(number, "timer_started"))
    assert grouping.take_whole(is_all_read=True) == []


def test_texts_are_hidden_wherever_they_stand() -> None:
    shown = without_texts({
        "args": [{"command": {"kind": "say", "text": "secret", "note": None}}], "stack_trace": "File …",
        "message": "1 validation error input_value='secret'", "has_note": True,
    })  # fmt: skip
    assert "secret" not in str(shown)
    assert shown["args"][0]["command"] == {"kind": "say", "text": HIDDEN, "note": None}
    assert shown["stack_trace"] is None
