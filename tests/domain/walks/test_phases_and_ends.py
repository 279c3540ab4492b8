"""Guards, outputs, messages, the phases around the items, what is hidden from the trace."""

import json
from dataclasses import replace
from typing import Any, Literal

import pytest

from domain.walks.ports import Snapshot
from domain.walks.rehearsals import Rehearsal, rehearse_once
from domain.walks.traces import MASK
from tests.domain.walks.scenes import brief_of, log, output, record_of, shown, tag, walked


def test_a_guard_that_does_not_hold_skips_the_item_and_says_why():
    gone = walked(tag("a"), guard="dialog.status == 'closed'")
    assert (gone.outcome.state, gone.outcome.reason, gone.calls, gone.path) == ("skipped", "guard", {}, ())
    assert record_of(gone, "guard").branch == {"if": "dialog.status == 'closed'", "values": {"dialog.status": "open"}}


def test_a_guard_that_cannot_be_read_fails_the_item():
    gone = walked(tag("a"), guard="dialog.csat > 3", on_failure=[log("told")])
    assert (gone.outcome.state, gone.outcome.error_type, gone.outcome.error_step) == ("failed", "expression", "guard")
    assert gone.path == ("told",)


def test_a_guard_that_holds_leaves_no_record():
    assert [record.path for record in walked(log("a"), guard="dialog.status == 'open'").records] == ["a"]


def test_outputs_in_order_with_what_they_are():
    outputs = {
        "sum": {"label": "Sum", "value": "{{ 5 * 2 }}", "display": "money", "copy": True},
        "reply": {"label": "Reply", "value": "Hello {{ contact.first_name }}", "insert": True},
    }
    assert walked(log("a"), outputs=outputs).outcome.outputs == [
        {"id": "sum", "label": "Sum", "value": 10, "display": "money", "copy": True, "insert": False},
        {"id": "reply", "label": "Reply", "value": "Hello Олена", "display": "text", "copy": False, "insert": True},
    ]


def test_a_macro_with_nothing_to_show_has_failed():
    empty = output(a="{{ steps.a.result.nothing }}")
    gone = walked(log("a"), kind="macro", outputs=empty)
    assert (gone.outcome.state, gone.outcome.error_type, gone.outcome.error_step) == ("failed", "invalid", "outputs")
    for more in ({"message": "Done"}, {"kind": "process"}, {"outputs": {}}, {"outputs": {**empty, **output(b="x")}}):
        assert walked(log("a"), **{"kind": "macro", "outputs": empty, **more}).outcome.state == "succeeded"


def test_what_is_missing_or_not_to_be_shown_is_hidden():
    gone = walked(
        log("a"),
        outputs={
            **output(gone="{{ steps.a.result.nothing }}", null="{{ dialog.csat }}", text="x{{ dialog.csat }}", ok="ok"),
            "off": {"label": "off", "value": "x", "show_if": "dialog.status == 'closed'"},
            "broken": {"label": "broken", "value": "x", "show_if": "dialog.csat > 2"},
        },
    )
    assert (gone.outcome.state, shown(gone)) == ("succeeded", {"ok": "ok"})


def test_an_output_that_cannot_be_read_is_hidden_and_told():
    gone = walked(log("a"), outputs=output(bad="{{ dialog.number + 'x' }}", ok="ok"))
    assert shown(gone) == {"ok": "ok"}
    assert "bad" in record_of(gone, "outputs").error["details"]


def test_the_message_of_success():
    assert walked(log("a"), message="Done with {{ dialog.number }}").outcome.message == "Done with 1"
    assert walked(log("a"), message="Done with {{ dialog.csat }}").outcome.message is None


def test_outputs_are_shown_after_a_stop_not_after_a_failure():
    stop = {"id": "end", "stop": {"status": "skipped"}}
    assert shown(walked(stop, outputs=output(x="1"))) == {"x": "1"}
    fail = {"id": "end", "raise": {"error": "broken", "message": "x"}}
    assert shown(walked(fail, outputs=output(x="1"))) == {}


def phase(which: str, *steps: dict[str, Any], mocks: Any = None, **more: Any) -> Rehearsal:
    brief = brief_of([log("item")], **{which: list(steps)}, snapshot=Snapshot(), **more)
    return rehearse_once(brief, mocks, phase=which)


COUNTS = {"total": 10, "succeeded": 7, "failed": 2, "skipped": 1, "cancelled": 0}


def test_the_phase_before_leaves_variables_and_the_steps_that_are_read():
    gone = phase(
        "before",
        tag("kept", on_error="continue"),
        tag("unread", on_error="continue"),
        {"id": "s", "set": {"n": "{{ items.total }}", "at": "{{ now() }}"}},
        vars={"n": 0, "at": None},
        items=COUNTS,
        outputs=output(x="{{ steps.kept.result.changed | default('no') }}"),
        mocks={"kept": {"changed": True}},
    )
    assert gone.outcome.state == "succeeded"
    assert gone.outcome.names["vars"] == {"n": 10, "at": "2026-01-05T09:00:00Z"}
    assert list(gone.outcome.names["steps"]) == ["kept"]
    assert gone.outcome.names["steps"]["kept"]["result"] == {"changed": True}


def test_a_stop_in_the_phase_before_ends_it_with_its_status():
    gone = phase("before", {"id": "end", "stop": {"status": "skipped", "message": "not today"}}, log("never"))
    assert (gone.outcome.state, gone.outcome.reason, gone.outcome.message) == ("skipped", "stop", "not today")


def test_a_rejection_in_the_phase_before():
    ask = {"id": "ask", "approve": {"by": {"roles": ["admin"]}, "message": "{{ items.total }}?", "timeout": "8h"}}
    gone = phase("before", ask, items=COUNTS, mocks={"ask": {"approved": False}})
    assert (gone.outcome.state, gone.outcome.error_type) == ("failed", "approval_rejected")


def test_the_phase_after_reads_the_totals():
    gone = phase("after", log("report", "{{ items.failed }} of {{ items.total }}"), items=COUNTS)
    assert record_of(gone, "report").inputs == {"text": "2 of 10"}


def test_a_phase_without_steps_succeeds():
    gone = rehearse_once(brief_of([log("item")]), phase="after")
    assert (gone.outcome.state, gone.records) == ("succeeded", ())


def test_the_items_timeout_is_not_the_phases():
    gone = phase("before", {"id": "long", "wait": "8h"}, timeout="1h")
    assert gone.outcome.state == "succeeded"


SECRET = {"pin": {"label": "PIN", "type": "string", "sensitive": True}, "name": {"label": "Name", "type": "string"}}


@pytest.mark.parametrize("secret", ["7421", "12", "a b"])
def test_sensitive_inputs_never_stand_in_a_trace(secret: str):
    gone = walked(
        log("a", "pin {{ inputs.pin }} of {{ inputs.name }}"),
        log("alone", "{{ inputs.pin }}"),
        log("b", **{"if": "inputs.pin == 'other'"}),
        {"id": "s", "set": {"x": "{{ [inputs.pin, {'p': inputs.pin}] }}"}},
        {"id": "way", "switch": [{"when": "inputs.pin == 'x'", "do": [log("c")]}]},
        tag("d"),
        mocks={"d": {"error": "invalid", "message": f"{secret}", "details": {"pin": secret}}},
        inputs=SECRET,
        given={"pin": secret, "name": "Ira"},
        vars={"x": None},
    )
    trace = json.dumps([[r.inputs, r.result, r.branch, r.error] for r in gone.records], ensure_ascii=False)
    assert f'"{secret}"' not in trace
    if len(secret) >= 4:
        assert secret not in trace
        assert record_of(gone, "a").inputs == {"text": "pin ••• of Ira"}
    assert record_of(gone, "alone").inputs == {"text": "•••"}


def test_sensitive_numbers_and_lists_are_hidden():
    gone = walked(
        {"id": "a", "call": "set_field", "with": {"field": "f", "value": "{{ [inputs.n, inputs.many, 3] }}"}},
        inputs={
            "n": {"label": "N", "type": "integer", "sensitive": True},
            "many": {"label": "M", "type": "multi_choice", "choices": ["abcd", "efgh"], "sensitive": True},
        },
        given={"n": 918273, "many": ["abcd", "efgh"]},
    )
    assert record_of(gone, "a").inputs["value"] == ["•••", ["•••", "•••"], 3]


def test_the_phase_before_leaves_256_kb_at_most():
    steps = [tag(f"s{n}") for n in range(5)]
    gone = phase(
        "before",
        *[{**step, "call": "notify", "with": {"to": "role:admin", "text": "x"}} for step in steps],
        outputs=output(**{step["id"]: "{{ steps." + step["id"] + ".result.text }}" for step in steps}),
        mocks={step["id"]: {"text": "x" * 60_000} for step in steps},
    )
    assert (gone.outcome.state, gone.outcome.error_type, gone.outcome.names) == ("failed", "limit", {})


def test_long_messages_are_cut():
    fail = {"id": "end", "raise": {"error": "broken", "message": "{{ inputs.text }}"}}
    gone = walked(fail, inputs={"text": {"label": "t", "type": "text"}}, given={"text": "x" * 5000})
    assert len(gone.outcome.error_message) == 2000


@pytest.mark.parametrize(
    "more",
    [
        {"do": [{"id": "a", "raise": {"error": "invalid", "message": "wrong {{ inputs.pin }}"}}]},
        {"do": [{"id": "a", "stop": {"status": "skipped", "message": "wrong {{ inputs.pin }}"}}]},
        {
            "do": [log("a")],
            "message": "used {{ inputs.pin }}",
            "outputs": output(pin="{{ inputs.pin }}", n="n{{ inputs.pin }}n"),
        },
        {"do": [{"id": "a", "raise": {"error": "invalid", "message": "x" * 1996 + "{{ inputs.pin }} is wrong"}}]},
    ],
)
def test_what_an_item_shows_of_its_end_hides_sensitive_inputs_too(more: dict[str, Any]):
    more = dict(more)
    ended = walked(*more.pop("do"), inputs=SECRET, given={"pin": "4711", "name": "Ada"}, **more).outcome
    assert "471" not in repr(ended)
    assert MASK[:1] in repr(ended)


@pytest.mark.parametrize("phase", ["before", "after"])
def test_what_a_phase_shows_of_its_end_hides_sensitive_inputs_too(phase: Literal["before", "after"]):
    steps = [{"id": "a", "raise": {"error": "invalid", "message": "wrong {{ inputs.pin }}"}}]
    brief = brief_of([log("item")], **{phase: steps}, snapshot=Snapshot(), inputs=SECRET, given={"pin": "4711"})
    assert rehearse_once(brief, phase=phase).outcome.error_message == f"wrong {MASK}"


def test_names_that_a_connection_hides_stand_in_no_trace_of_its_calls():
    call = {
        "connection": "core", "method": "POST", "path": "/x",
        "query": {"Token": "q-1", "page": "2"}, "headers": {"X-Key": "h-1"}, "body": {"card": [{"PAN": "b-1", "n": 1}]},
    }  # fmt: skip
    brief = brief_of([{"id": "a", "call": "http", "with": call}, {"id": "b", "call": "http", "with": {
        "connection": "other", "method": "GET", "path": "/x", "query": {"token": "q-2"}}}])  # fmt: skip
    gone = rehearse_once(replace(brief, redact={"core": ["token", "x-key", "pan"]}), {"a": {}, "b": {}})
    assert record_of(gone, "a").inputs == {
        **call, "query": {"Token": MASK, "page": "2"}, "headers": {"X-Key": MASK},
        "body": {"card": [{"PAN": MASK, "n": 1}]},
    }  # fmt: skip
    assert record_of(gone, "b").inputs["query"] == {"token": "q-2"}
