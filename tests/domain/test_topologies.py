"""How items are carried out, told from the definition and the inputs (DECISIONS 34)."""

from typing import Any

import pytest

from domain.topologies import capabilities_of, heavy, sends, topology_of, uses_listen
from tests.domain.walks.scenes import document, log, tag

SEND = {"id": "send", "call": "send_message", "with": {"text": "x"}}
HTTP = {"id": "http", "call": "http", "with": {"connection": "core-banking", "method": "GET", "path": "/x"}}
FLAG = {"tell": {"label": "Tell", "type": "boolean"}, "team": {"label": "T", "type": "team"}}


@pytest.mark.parametrize(
    "step",
    [
        SEND,
        HTTP,
        {"id": "a", "call": "ask_ai", "with": {"task": "summarize"}},
        {"id": "a", "wait": "1m"},
        {"id": "a", "listen": {"to": "message.received", "timeout": "1h"}},
        {"id": "a", "approve": {"by": {"roles": ["admin"]}, "message": "?", "timeout": "1h"}},
        {"id": "a", "run": {"process": "other"}},
        {"id": "a", "call": "transfer", "with": {"operator": "x", "wait": True}},
        {"id": "a", "call": "transfer", "with": {"operator": "x", "wait": "{{ inputs.tell }}"}},
        {"id": "a", "call": "no_such_action"},
    ],
    ids=lambda step: "-".join(str(value)[:12] for key, value in step.items() if key != "id"),
)
def test_what_waits_sends_or_calls_out_gets_a_workflow_each(step: dict[str, Any]):
    nested = {"id": "loop", "for": {"in": [1]}, "do": [{"id": "t", "try": [log("l")], "finally": [step]}]}
    assert topology_of(document([step]), {}) == "child"
    assert topology_of(document([tag("x"), nested]), {}) == "child"


def test_the_database_alone_is_done_in_batches():
    steps = [
        tag("a"),
        {"id": "d", "call": "distribute", "with": {"to": "online"}},
        {"id": "e", "emit": {"event": "custom.x"}},
        log("l"),
        {"id": "t", "call": "transfer", "with": {"operator": "x"}},
    ]
    assert topology_of(document(steps), {}) == "batch"


def test_phases_around_the_items_do_not_count_on_failure_does():
    assert topology_of(document([tag("a")], before=[SEND], after=[{**HTTP}]), {}) == "batch"
    assert topology_of(document([tag("a")], on_failure=[SEND]), {}) == "child"


@pytest.mark.parametrize(
    ("condition", "inputs", "topology"),
    [
        ("inputs.tell", {"tell": False}, "batch"),
        ("inputs.tell", {"tell": True}, "child"),
        ("not inputs.tell", {"tell": True}, "batch"),
        ("inputs.team == 'vip' and inputs.tell", {"tell": True, "team": None}, "batch"),
        ("inputs.tell and dialog.number == 1", {"tell": False}, "child"),
        ("inputs.tell", {"tell": "yes"}, "child"),
        ("inputs.tell and now() > now()", {"tell": False}, "child"),
    ],
)
def test_a_step_switched_off_by_inputs_does_not_count(condition: str, inputs: dict, topology: str):
    assert topology_of(document([tag("a"), {**SEND, "if": condition}], inputs=FLAG), inputs) == topology
    block = {"id": "b", "if": condition, "do": [SEND]}
    assert topology_of(document([tag("a"), block], inputs=FLAG), inputs) == topology


def test_a_disabled_step_does_not_count():
    assert topology_of(document([tag("a"), {**SEND, "disabled": True}]), {}) == "batch"


def test_cases_that_inputs_rule_out_do_not_count():
    way = {"id": "way", "switch": [{"when": "inputs.tell", "do": [SEND]}, {"else": True, "do": [tag("a")]}]}
    assert topology_of(document([way], inputs=FLAG), {"tell": False}) == "batch"
    assert topology_of(document([way], inputs=FLAG), {"tell": True}) == "child"
    other = {"id": "way", "switch": [{"when": "inputs.tell", "do": [tag("a")]}, {"else": True, "do": [SEND]}]}
    assert topology_of(document([other], inputs=FLAG), {"tell": True}) == "batch"


def test_heavy_changes_who_waits():
    assert not heavy(document([tag("a"), log("l")]))
    assert heavy(document([{"id": "x", "do": [{"id": "c", "call": "close"}]}]))
    assert not heavy(document([tag("a"), {"call": "close", "if": "inputs.tell"}], inputs=FLAG), {"tell": False})


def test_what_is_listened_for():
    steps = [
        {"id": "a", "listen": {"any": ["csat.received", "dialog.reopened"], "timeout": "1h"}},
        {"id": "b", "do": [{"id": "c", "listen": {"to": "csat.received", "timeout": "1h"}}]},
    ]
    assert uses_listen(document(steps)) == ("csat.received", "dialog.reopened")
    assert uses_listen(document([tag("a")])) == ()
    waited = {"id": "a", "call": "transfer", "with": {"operator": "x", "wait": True}}
    assert "transfer.accepted" in uses_listen(document([waited]))


def test_who_sends():
    assert not sends(document([tag("a"), HTTP]))
    assert sends(document([tag("a")], after=[SEND]))


def test_capabilities_of_all_phases():
    definition = document([tag("a"), HTTP], before=[SEND], on_failure=[{"call": "close"}])
    assert capabilities_of(definition) == {"dialog.edit", "http:core-banking", "message.send", "dialog.close"}
