"""`fork` (PROCESS_LANGUAGE 4)."""

from typing import Any

from tests.domain.walks.scenes import log, output, record_of, shown, statuses, tag, walked


def fork(**branches: Any) -> dict[str, Any]:
    compete = branches.pop("compete", False)
    return {
        "id": "both",
        "fork": {"branches": [{"id": name, "do": do} for name, do in branches.items()], "compete": compete},
    }


def test_branches_go_on_side_by_side():
    gone = walked(fork(x=[{"id": "a", "wait": "1h"}], y=[{"id": "b", "wait": "2h"}]), log("after"))
    assert gone.took.total_seconds() == 7200
    assert statuses(gone)["after"] == "succeeded"


def test_results_by_branch():
    gone = walked(
        fork(x=[tag("a")], y=[tag("b")]),
        mocks={"a": {"changed": True}, "b": {"changed": False}},
        outputs=output(x="{{ steps.both.result.x.a.changed }}", y="{{ steps.both.result.y.b.changed }}"),
    )
    assert shown(gone) == {"x": True, "y": False}


def test_all_branches_end_then_the_first_failure_in_order_counts():
    gone = walked(
        fork(x=[{"id": "pause", "wait": "1h"}, tag("a")], y=[tag("b")], z=[log("c")]),
        mocks={"a": {"error": "conflict"}, "b": {"error": "timeout"}},
    )
    assert gone.outcome.error_type == "conflict"
    assert statuses(gone)["both/z/c"] == "succeeded"


def test_a_failed_branch_keeps_what_it_set():
    gone = walked(
        {
            "id": "safe",
            "try": [fork(x=[{"id": "s", "set": {"n": 1}}, tag("a")], y=[log("b")])],
            "catch": {"do": [log("c")]},
        },
        vars={"n": 0},
        mocks={"a": {"error": "conflict"}},
        outputs=output(n="{{ vars.n }}", a="{{ steps.a.status }}"),
    )
    assert shown(gone) == {"n": 1, "a": "failed"}


def test_stop_in_a_branch_waits_for_the_others():
    gone = walked(
        fork(x=[{"id": "end", "stop": {"status": "skipped"}}], y=[{"id": "pause", "wait": "1h"}, tag("b")]),
        log("never"),
    )
    assert (gone.outcome.state, gone.calls) == ("skipped", {"add_tag": 1})


def test_the_first_to_succeed_wins_and_the_others_are_cancelled():
    gone = walked(
        fork(
            x=[{"id": "slow", "wait": "2h"}, tag("late"), {"id": "sx", "set": {"n": 1}}],
            y=[{"id": "quick", "wait": "1h"}, {"id": "sy", "set": {"m": 2}}],
            compete=True,
        ),
        vars={"n": 0, "m": 0},
        outputs=output(
            winner="{{ steps.both.result.winner }}", n="{{ vars.n }}", m="{{ vars.m }}",
            late="{{ steps.late.status | default('never') }}",
        ),
    )  # fmt: skip
    assert shown(gone) == {"winner": "y", "n": 0, "m": 2, "late": "never"}
    assert statuses(gone)["both/x/slow"] == "cancelled"
    assert (gone.took.total_seconds(), gone.calls) == (3600, {})
    assert record_of(gone, "both").branch == {"winner": "y"}


def test_a_failure_does_not_win():
    gone = walked(
        fork(x=[tag("a")], y=[{"id": "quick", "wait": "1h"}], compete=True),
        mocks={"a": {"error": "conflict"}},
        outputs=output(winner="{{ steps.both.result.winner }}"),
    )
    assert shown(gone) == {"winner": "y"}


def test_when_all_fail_the_first_failure_in_order_counts():
    gone = walked(
        fork(x=[{"id": "pause", "wait": "1h"}, tag("a")], y=[tag("b")], compete=True),
        mocks={"a": {"error": "conflict"}, "b": {"error": "timeout"}},
    )
    assert gone.outcome.error_type == "conflict"


def test_a_loser_tidies_up():
    gone = walked(
        fork(
            x=[{"id": "safe", "try": [{"id": "slow", "wait": "2h"}], "finally": [tag("tidy")]}],
            y=[log("quick")],
            compete=True,
        )
    )
    assert (gone.calls, gone.outcome.state) == ({"add_tag": 1, "log": 1}, "succeeded")


def test_branches_are_cancelled_with_the_item():
    gone = walked(
        fork(
            x=[{"id": "safe", "try": [{"id": "slow", "wait": "2h"}], "finally": [tag("tidy")]}],
            y=[{"id": "long", "wait": "3h"}],
        ),
        log("never"),
        cancel_after="1h",
    )
    assert gone.outcome.state == "cancelled"
    assert statuses(gone) == {
        "both": "cancelled", "both/x/safe": "cancelled", "both/x/safe/slow": "cancelled",
        "both/x/safe/tidy": "succeeded", "both/y/long": "cancelled",
    }  # fmt: skip


def test_forks_within_forks():
    inner = fork(p=[{"id": "a", "wait": "1h"}], q=[{"id": "b", "wait": "3h"}])
    gone = walked(fork(x=[{**inner, "id": "inner"}], y=[{"id": "c", "wait": "2h"}]))
    assert gone.took.total_seconds() == 10_800
