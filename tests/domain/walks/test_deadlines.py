"""Timeouts of steps, blocks and items; what an item may use up (PROCESS_LANGUAGE 3, 9.17)."""

from typing import Any

import pytest

from domain.walks.ports import Brief
from domain.walks.prepared import prepare
from domain.walks.sizes import LONGEST_ITEM, MOST_RECORDS
from domain.walks.walk import time_for
from tests.domain.walks.scenes import document, log, record_of, statuses, tag, walked


def test_the_items_timeout_cuts_a_wait():
    gone = walked({"id": "long", "wait": "2h"}, log("never"), timeout="1h")
    assert (gone.outcome.state, gone.outcome.error_type, gone.outcome.error_step) == ("failed", "timeout", "long")
    assert gone.took.total_seconds() == 3600


def test_the_items_timeout_cuts_a_listening():
    gone = walked({"id": "ear", "listen": {"to": "message.received", "timeout": "2h"}}, timeout="1h")
    assert (gone.outcome.error_type, gone.took.total_seconds()) == ("timeout", 3600)


def test_the_items_timeout_cuts_a_question():
    ask = {"id": "ask", "approve": {"by": {"roles": ["admin"]}, "message": "?", "timeout": "2h"}}
    gone = walked(ask, timeout="1h", mocks={"ask": {"timed_out": True}})
    assert (gone.outcome.error_type, gone.took.total_seconds()) == ("timeout", 3600)


def test_nothing_within_catches_the_items_timeout_but_finally_runs():
    gone = walked(
        {
            "id": "safe",
            "try": [{"id": "long", "wait": "2h", "on_error": "continue"}],
            "catch": {"do": [log("never")]},
            "finally": [tag("tidy")],
            "on_error": "continue",
        },
        log("neither"),
        timeout="1h",
    )
    assert gone.outcome.error_type == "timeout"
    assert statuses(gone) == {"safe": "failed", "safe/long": "failed", "safe/tidy": "succeeded"}


def test_a_steps_timeout_is_a_failure_like_others():
    gone = walked(
        {"id": "safe", "try": [{"id": "long", "wait": "2h", "timeout": "10m"}], "catch": {"do": [log("caught")]}}
    )
    assert gone.outcome.state == "succeeded"
    assert gone.took.total_seconds() == 600
    assert record_of(gone, "safe/long").error["type"] == "timeout"


def test_a_blocks_timeout_passes_what_is_within_and_stops_at_the_block():
    gone = walked(
        {
            "id": "block",
            "timeout": "10m",
            "on_error": "continue",
            "do": [
                {"id": "safe", "try": [{"id": "long", "wait": "2h"}], "catch": {"do": [log("never")]}},
                log("neither"),
            ],
        },
        log("next"),
    )
    assert statuses(gone) == {
        "block": "failed", "block/safe": "failed", "block/safe/long": "failed", "next": "succeeded",
    }  # fmt: skip
    assert gone.took.total_seconds() == 600


def test_an_action_gets_what_is_left():
    from domain.walks.memory import Memory, stage_for
    from domain.walks.samples import START
    from domain.walks.schedulers import Clockwork
    from domain.walks.walk import walk_item
    from tests.domain.walks.scenes import brief_of

    brief = brief_of([{"id": "p", "wait": "10m"}, tag("a"), tag("b", timeout="5s")], timeout="1h")
    clock = Clockwork(START)
    stage = stage_for(brief, clock, {})
    clock.run(walk_item(brief, Memory(stage)))
    assert [deed.timeout for deed in stage.deeds] == [3000.0, 5.0]


@pytest.mark.parametrize(
    ("more", "seconds"),
    [
        ({}, LONGEST_ITEM.total_seconds()),
        ({"kind": "macro"}, 30),
        ({"kind": "macro", "timeout": "50s"}, 50),
        ({"timeout": "2d"}, 172_800),
        ({"timeout": "90d"}, LONGEST_ITEM.total_seconds()),
    ],
)
def test_how_long_an_item_may_take(more: dict[str, Any], seconds: float):
    definition = prepare(document([log("a")], **more)).definition
    assert time_for(definition).total_seconds() == seconds


def test_on_failure_sees_the_error_and_may_fail_itself():
    gone = walked(
        tag("a"),
        mocks={"a": {"error": "conflict", "message": "changed"}, "b": {"error": "timeout"}},
        on_failure=[log("told", "{{ error.step }}: {{ error.message }} ({{ error.type }})"), tag("b"), log("never")],
    )
    assert record_of(gone, "told").inputs == {"text": "a: changed (conflict)"}
    assert statuses(gone)["b"] == "failed"
    assert gone.outcome.error_type == "conflict"


def test_on_failure_runs_after_the_items_timeout():
    gone = walked({"id": "long", "wait": "2h"}, timeout="1h", on_failure=[tag("told")])
    assert gone.calls == {"add_tag": 1}


def test_on_failure_does_not_run_for_what_was_cancelled_or_stopped():
    cancelled = walked({"id": "long", "wait": "2h"}, on_failure=[tag("told")], cancel_after="1h")
    stopped = walked({"id": "end", "stop": {"status": "skipped"}}, on_failure=[tag("told")])
    assert (cancelled.calls, stopped.calls) == ({}, {})


def loops(times: int, *do: dict[str, Any], step: str = "loop") -> dict[str, Any]:
    members = "{{ [" + ",".join("1" for _ in range(times)) + "] }}"
    return {"id": step, "for": {"in": members, "max": 1000}, "do": list(do)}


def test_an_item_executes_a_thousand_steps():
    gone = walked(loops(40, loops(40, tag("mark"), step="inner")), on_failure=[tag("told")])
    assert (gone.outcome.error_type, gone.outcome.error_step) == ("limit", "mark")
    assert gone.calls["add_tag"] < 1000 + 2


def test_nothing_catches_an_item_that_used_up_its_steps():
    gone = walked(
        {
            "id": "safe",
            "try": [loops(40, loops(40, tag("mark", on_error="continue"), step="inner"))],
            "catch": {"do": [log("never")]},
            "finally": [log("tidy")],
            "on_error": "continue",
        },
        log("neither"),
    )
    assert gone.outcome.error_type == "limit"
    assert "neither" not in gone.path


def test_skipped_steps_are_limited_too():
    skipped = tag("mark", **{"if": "dialog.number == 2"})
    gone = walked(loops(30, loops(500, skipped, step="inner")))
    assert (gone.outcome.error_type, gone.calls) == ("limit", {})


def test_a_trace_ends_with_a_mark():
    gone = walked(loops(300, log("say")))
    assert (gone.outcome.state, len(gone.records)) == ("succeeded", MOST_RECORDS)
    assert (gone.records[-1].kind, gone.records[0].status) == ("cut", "succeeded")


def test_a_record_stays_below_8_kb():
    import json

    gone = walked(
        {"id": "a", "call": "set_field", "with": {"field": "f", "value": '{{ inputs.text }}\n"\\' + "Ж\u0001" * 900}},
        inputs={"text": {"label": "t", "type": "text"}},
        given={"text": 'Ї"\\\u0002' * 3000},
        mocks={"a": {"previous": "x" * 20_000}},
    )
    record = record_of(gone, "a")
    assert record.inputs["cut"] is True
    assert record.result["cut"] is True
    whole = {name: getattr(record, name) for name in record.__slots__}
    assert len(json.dumps(whole, ensure_ascii=False).encode()) < 8192


def test_parameters_and_results_have_64_kb():
    text = {"inputs": {"text": {"label": "t", "type": "text"}}, "given": {"text": "x" * 40_000}}
    value = "{{ [inputs.text, inputs.text] }}"
    gone = walked({"id": "a", "call": "set_field", "with": {"field": "f", "value": value}}, **text)
    assert (gone.outcome.error_type, gone.calls) == ("limit", {})
    gone = walked(tag("a"), mocks={"a": {"big": "x" * 70_000}})
    assert gone.outcome.error_type == "limit"


def test_a_definition_is_made_ready_once_for_its_sha():
    from domain.walks.prepared import prepared_for

    canonical = document([log("a")])
    first = prepared_for(Brief(canonical, {}, "k", sha256="s1"))
    assert prepared_for(Brief(dict(canonical), {}, "k", sha256="s1")) is first
    assert prepared_for(Brief(canonical, {}, "k")) is not first


def test_nothing_catches_an_item_whose_expressions_work_too_much():
    many = "{{ ([" + ",".join("1" for _ in range(1900)) + "] | sum) ~ '' }}"
    heavy = {"id": "l", "call": "log", "with": {"text": many}, "on_error": "continue"}
    gone = walked(
        {"id": "safe", "try": [loops(900, heavy)], "catch": {"do": [log("never")]}, "finally": [log("tidy")]},
        on_failure=[log("told", "{{ error.type }}")],
    )
    assert (gone.outcome.error_type, gone.outcome.error_step) == ("limit", "l")
    assert "never" not in gone.path
    # By then the trace is full; what ran after it shows in what was counted.
    assert gone.calls["log"] < 900
