"""The tests that definitions bring along (PROCESS_LANGUAGE 12)."""

from pathlib import Path
from typing import Any

import pytest

from domain.definitions.loading import load
from domain.walks.rehearsals import covered, rehearse
from tests.domain.walks.scenes import log, output, tag

ROOT = Path(__file__).parents[3]
BUILT_IN = sorted([*ROOT.glob("processes/*.yaml"), *ROOT.glob("macros/*.yaml")])


@pytest.mark.parametrize("path", BUILT_IN, ids=lambda path: path.stem)
def test_every_built_in_passes_its_own_tests(path: Path):
    results = rehearse(load(path.read_bytes()).canonical)
    assert results
    assert [failure for result in results for failure in result.failures] == []


def tried(test: dict[str, Any], *do: dict[str, Any], **more: Any) -> Any:
    document = {"dsl": 1, "kind": "process", "name": "x", "title": "X", "do": list(do), **more}
    (result,) = rehearse({**document, "tests": [{"name": "t", "expect": {}, **test}]})
    return result


def test_a_failure_reads_well():
    result = tried(
        {"expect": {"status": "skipped", "path": ["a"], "calls": {"add_tag": 2}, "outputs": {"n": 2}, "took": "1h"}},
        tag("a"),
        tag("b", **{"if": "dialog.number == 2"}),
        {"id": "c", "wait": "5m"},
        outputs=output(n="{{ dialog.number }}"),
    )
    assert not result.passed
    assert result.failures[:-1] == (
        "status: expected skipped, was succeeded",
        'path: expected ["a"], was ["a", "c"]',
        "calls of add_tag: expected 2, was 1",
        "output n: expected 2, was 1",
        "took: expected 1h, was 5m",
    )
    assert result.failures[-1].splitlines() == [
        "what happened:",
        "  succeeded a",
        '  skipped   b — dialog.number == 2 is false: {"dialog.number": 1}',
        "  succeeded c",
    ]


def test_an_unexpected_error_is_told():
    result = tried({"expect": {"status": "succeeded"}, "mocks": {"a": {"error": "conflict", "message": "m"}}}, tag("a"))
    assert "it failed with conflict: m (step a)" in result.failures


def test_generated_ids_are_left_out_of_paths_unless_named():
    switch = {"id": "way", "switch": [{"else": True, "do": [{"call": "log", "with": {"text": "x"}}]}]}
    assert tried({"expect": {"path": ["way"]}}, switch).passed
    assert tried({"expect": {"path": ["way", "call_1"]}}, switch).passed


def test_inputs_take_their_defaults_and_are_checked():
    asked = {
        "who": {"label": "Who", "type": "string", "default": "{{ contact.first_name }}"},
        "n": {"label": "N", "type": "integer", "required": True},
    }
    told = log("a", "{{ inputs.who }} {{ inputs.n }}")
    assert tried({"inputs": {"n": 1}, "expect": {"path": ["a"]}}, told, inputs=asked).passed
    assert tried({}, told, inputs=asked).failures == ("input n: N: a value is required.",)
    assert not tried({"inputs": {"n": "one"}}, told, inputs=asked).passed
    assert not tried({"inputs": {"n": 1, "m": 2}}, told, inputs=asked).passed


def test_people_may_be_called_anything():
    asked = {"op": {"label": "Op", "type": "operator", "required": True}}
    step = {"id": "a", "call": "assign", "with": {"operator": "{{ inputs.op }}"}}
    assert tried({"inputs": {"op": "op_1"}, "expect": {"calls": {"assign": 1}}}, step, inputs=asked).passed


def test_contexts_are_laid_over_samples():
    result = tried(
        {
            "dialog": {"status": "closed", "fields": {"amount": 5}}, "contact": {"consent": False},
            "operator": {"name": "Олег"}, "trigger": {"reason": "break"},
            "expect": {"outputs": {"all": "closed 5 false Олег break support"}},
        },
        log("a"),
        outputs=output(all="{{ dialog.status }} {{ dialog.fields.amount }} {{ contact.consent }} {{ operator.name }} "
                           "{{ trigger.reason }} {{ dialog.team }}"),
    )  # fmt: skip
    assert result.failures == ()


def test_phases_around_the_item_run_and_their_calls_count():
    result = tried(
        {"expect": {"status": "failed", "path": ["a"], "calls": {"notify": 2}}, "mocks": {"a": {"error": "conflict"}}},
        tag("a"),
        before=[{"id": "first", "call": "notify", "with": {"to": "role:admin", "text": "{{ items.total }}"}}],
        after=[{"id": "last", "if": "items.failed == 1", "call": "notify", "with": {"to": "role:admin", "text": "!"}}],
    )
    assert result.failures == ()
    assert result.executed == {"first", "a", "last"}


def test_a_phase_before_that_fails_is_the_outcome():
    ask = {"id": "ask", "approve": {"by": {"roles": ["admin"]}, "message": "?", "timeout": "8h"}}
    result = tried(
        {"mocks": {"ask": {"approved": False}}, "expect": {"status": "failed", "error": "approval_rejected"}},
        tag("a"),
        before=[ask],
    )
    assert result.failures == ()
    assert result.executed == {"ask"}


def test_a_phase_after_that_fails_fails_the_test():
    result = tried({"expect": {"status": "succeeded"}}, tag("a"), after=[log("r", "{{ items.total ~ trigger.none }}")])
    assert result.failures[0].startswith("after: ")


def test_events_count_from_the_items_start():
    ear = {"id": "ear", "listen": {"to": "message.received", "timeout": "1d"}}
    result = tried({"events": [{"after": "2h", "event": "message.received"}], "expect": {"took": "2h"}}, ear)
    assert result.failures == ()


def test_a_test_of_nonsense_fails_alone():
    document = {"dsl": 1, "kind": "process", "name": "x", "title": "X", "do": [tag("a")]}
    tests = [
        {"name": "odd tags", "dialog": {"tags": 5}, "expect": {"status": "succeeded"}},
        {"name": "odd mock", "mocks": {"a": 5}, "expect": {"status": "succeeded"}},
        {"name": "fine", "expect": {"status": "succeeded"}},
    ]
    assert [result.passed for result in rehearse({**document, "tests": tests})] == [False, False, True]


def test_coverage_is_what_some_test_ran():
    steps = [tag("a", **{"if": "dialog.number == 1"}), tag("b", **{"if": "dialog.number == 2"}), tag("c")]
    document = {"dsl": 1, "kind": "process", "name": "x", "title": "X", "do": steps}
    tests = [{"name": "one", "expect": {}}, {"name": "two", "dialog": {"number": 3}, "expect": {}}]
    assert covered(rehearse({**document, "tests": tests})) == {"a", "c"}


@pytest.mark.parametrize(
    ("action", "params", "field", "value"),
    [
        ("close", {}, "status", "closed"),
        ("assign", {"operator": "op_2"}, "operator_id", "op_2"),
        ("unassign", {"to": "queue"}, "place", "queued"),
        ("distribute", {"to": "online", "exclude": ["operator-1"], "otherwise": "queue"}, "place", "queued"),
        ("transfer_to_team", {"team": "vip"}, "team", "vip"),
        ("set_topic", {"topic": "cards"}, "topic", "cards"),
        ("set_priority", {"priority": "high"}, "priority", "high"),
        ("add_tag", {"tag": "vip"}, "tags", ["vip"]),
        ("convert_to_ticket", {"type": "question"}, "kind", "ticket"),
    ],
)
def test_the_dialog_looks_as_the_action_would_leave_it(action: str, params: dict, field: str, value: Any):
    result = tried(
        {"expect": {"outputs": {"x": value}}},
        {"id": "a", "call": action, "with": params},
        outputs=output(x="{{ dialog." + field + " }}"),
    )
    assert result.failures == ()


def test_a_dialog_that_was_started_is_the_items():
    document = {"dsl": 1, "kind": "process", "name": "x", "title": "X", "target": "contact",
                "do": [{"id": "s", "call": "start_dialog", "with": {"channel": "viber", "text": "Вітаємо"}}],
                "outputs": output(channel="{{ dialog.channel }}"),
                "tests": [{"name": "t", "expect": {"outputs": {"channel": "viber"}}}]}  # fmt: skip
    assert rehearse(document)[0].failures == ()
