"""Steps within steps: do, switch, try, stop, raise (PROCESS_LANGUAGE 4)."""

import pytest

from tests.domain.walks.scenes import log, output, record_of, shown, statuses, tag, walked

BOOM = {"id": "boom", "raise": {"error": "broken", "message": "It broke: {{ dialog.number }}"}}


def test_a_switch_takes_the_first_true_case():
    gone = walked(
        {
            "id": "way",
            "switch": [
                {"title": "closed", "when": "dialog.status == 'closed'", "do": [log("a")]},
                {"title": "open", "when": "dialog.status == 'open'", "do": [log("b")]},
                {"when": "dialog.number == 1", "do": [log("c")]},
                {"else": True, "do": [log("d")]},
            ],
        },
        outputs=output(case="{{ steps.way.result.case }}"),
    )
    assert gone.path == ("way", "b")
    assert shown(gone) == {"case": 2}
    branch = record_of(gone, "way").branch
    assert (branch["case"], branch["title"]) == (2, "open")
    assert [tested["holds"] for tested in branch["tested"]] == [False, True]
    assert branch["tested"][0]["values"] == {"dialog.status": "open"}


def test_a_switch_without_a_true_case_does_nothing():
    gone = walked(
        {"id": "way", "switch": [{"when": "dialog.number == 2", "do": [log("a")]}]},
        outputs=output(none="{{ steps.way.result.case is none }}"),
    )
    assert (gone.path, shown(gone)) == (("way",), {"none": True})


def test_catch_sees_the_error():
    gone = walked(
        {
            "id": "safe",
            "try": [tag("a"), log("never")],
            "catch": {
                "as": "problem",
                "do": [log("told", "{{ problem.type }} {{ problem.message }} {{ problem.step }} {{ error.type }}")],
            },
        },
        log("next"),
        mocks={"a": {"error": "conflict", "message": "changed"}},
        outputs=output(left="{{ problem.type | default('gone') }}"),
    )
    assert gone.path == ("safe", "a", "told", "next")
    assert record_of(gone, "safe/told").inputs == {"text": "conflict changed a conflict"}
    assert record_of(gone, "safe").branch == {"caught": "conflict", "step": "a"}
    assert shown(gone) == {"left": "gone"}


@pytest.mark.parametrize(
    ("catch", "state"),
    [
        ({"errors": ["conflict"]}, "succeeded"),
        ({"errors": ["timeout"]}, "failed"),
        ({"when": "error.type == 'conflict'"}, "succeeded"),
        ({"when": "error.step == 'b'"}, "failed"),
        ({"errors": ["conflict"], "when": "error.details.n == 2"}, "succeeded"),
    ],
)
def test_what_a_catch_does_not_match_passes_on(catch: dict, state: str):
    gone = walked(
        {"id": "safe", "try": [tag("a")], "catch": {**catch, "do": [log("told")]}},
        mocks={"a": {"error": "conflict", "details": {"n": 2}}},
    )
    assert gone.outcome.state == state


def test_a_catch_may_fail_itself():
    gone = walked({"id": "safe", "try": [tag("a")], "catch": {"do": [BOOM]}}, mocks={"a": {"error": "conflict"}})
    assert (gone.outcome.error_type, gone.outcome.error_message) == ("broken", "It broke: 1")


@pytest.mark.parametrize("error", [None, "conflict"])
def test_finally_runs_with_and_without_a_failure(error: str | None):
    mocks = {"a": {"error": error}} if error else {}
    gone = walked({"id": "safe", "try": [tag("a")], "finally": [log("tidy")]}, mocks=mocks)
    assert statuses(gone)["safe/tidy"] == "succeeded"
    assert gone.outcome.error_type == error


def test_finally_runs_after_a_stop():
    gone = walked(
        {"id": "safe", "try": [{"id": "end", "stop": {"status": "skipped"}}], "finally": [tag("tidy")]}, log("never")
    )
    assert (gone.outcome.state, gone.calls) == ("skipped", {"add_tag": 1})


def test_finally_runs_after_a_cancellation():
    gone = walked(
        {
            "id": "safe",
            "try": [{"id": "pause", "wait": "1h"}],
            "catch": {"do": [log("never")]},
            "finally": [tag("tidy"), {"id": "moment", "wait": "10s"}, log("tidier")],
        },
        log("neither"),
        cancel_after="10m",
    )
    assert gone.outcome.state == "cancelled"
    assert statuses(gone) == {
        "safe": "cancelled", "safe/pause": "cancelled", "safe/tidy": "succeeded", "safe/moment": "succeeded",
        "safe/tidier": "succeeded",
    }  # fmt: skip
    assert gone.took.total_seconds() == 610


def test_finally_has_a_minute():
    gone = walked(
        {"id": "safe", "try": [log("a")], "finally": [{"id": "long", "wait": "2m"}, log("never")]},
    )
    assert (gone.outcome.state, gone.outcome.error_type) == ("failed", "timeout")
    assert gone.took.total_seconds() == 60


def test_a_failure_in_finally_fails_what_went_well():
    gone = walked({"id": "safe", "try": [log("a")], "finally": [BOOM]})
    assert gone.outcome.error_type == "broken"


def test_a_failure_in_finally_does_not_hide_the_first():
    gone = walked({"id": "safe", "try": [tag("a")], "finally": [BOOM]}, mocks={"a": {"error": "conflict"}})
    assert gone.outcome.error_type == "conflict"
    assert statuses(gone)["safe/boom"] == "failed"


def test_raise_fails_the_item_with_its_own_word():
    gone = walked(BOOM, log("never"))
    assert (gone.outcome.state, gone.outcome.error_type, gone.outcome.error_step) == ("failed", "broken", "boom")


@pytest.mark.parametrize("status", ["succeeded", "skipped"])
def test_stop_ends_the_item_without_failure(status: str):
    gone = walked(
        {"id": "outer", "try": [{"id": "end", "stop": {"status": status, "message": "N{{ dialog.number }}"}}],
         "catch": {"do": [log("never")]}},
        log("neither"),
    )  # fmt: skip
    outcome = gone.outcome
    assert (outcome.state, outcome.reason, outcome.message) == (status, "stop", "N1")
    assert gone.path == ("outer", "end")


def test_a_block_that_failed_may_be_passed_over():
    gone = walked({"id": "block", "do": [tag("a"), log("b")], "on_error": "continue"}, log("c"),
                  mocks={"a": {"error": "conflict"}})  # fmt: skip
    assert statuses(gone) == {"block": "failed", "block/a": "failed", "c": "succeeded"}
