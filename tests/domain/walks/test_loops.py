"""`for` (PROCESS_LANGUAGE 4)."""

from typing import Any

import pytest

from tests.domain.walks.scenes import log, output, record_of, shown, statuses, tag, walked


def loop(members: Any, *do: dict[str, Any], **more: Any) -> dict[str, Any]:
    own = {name: more.pop(name) for name in ("each", "at", "max", "concurrency") if name in more}
    return {"id": "loop", "for": {"in": members, **own}, "do": list(do), **more}


def test_each_member_gets_a_round():
    gone = walked(loop("{{ ['a', 'b'] }}", log("say", "{{ index }}{{ item }}")))
    assert [record.inputs["text"] for record in gone.records if record.step == "say"] == ["0a", "1b"]


def test_an_empty_list_has_no_rounds():
    gone = walked(loop([], log("say")), outputs=output(n="{{ steps.loop.result.count }}"))
    assert (gone.path, shown(gone)) == (("loop",), {"n": 0})


@pytest.mark.parametrize("members", ["{{ 'text' }}", "{{ 5 }}", {"a": 1}, "{{ trigger.nothing }}"])
def test_only_lists_go_round(members: Any):
    gone = walked(loop(members, log("say")))
    assert (gone.outcome.error_type, gone.outcome.error_step) == ("expression", "loop")


@pytest.mark.parametrize("concurrency", [1, 3])
def test_more_members_than_max_is_an_error_and_no_round_is_made(concurrency: int):
    gone = walked(loop([1, 2, 3], tag("mark"), max=2, concurrency=concurrency))
    assert (gone.outcome.error_type, gone.calls) == ("limit", {})


def test_while_is_tested_before_each_round():
    step = loop("{{ [1, 2, 3, 4] }}", {"id": "count", "set": {"n": "{{ vars.n + 1 }}"}}, **{"while": "vars.n < 2"})
    gone = walked(step, vars={"n": 0}, outputs=output(n="{{ vars.n }}", rounds="{{ steps.loop.result.count }}"))
    assert shown(gone) == {"n": 2, "rounds": 2}
    assert record_of(gone, "loop").branch == {"while": "vars.n < 2", "values": {"vars.n": 2}, "round": 2}


def test_while_may_end_a_list_longer_than_max():
    gone = walked(loop("{{ [1, 2, 3, 4] }}", log("say"), max=2, **{"while": "item < 2"}))
    assert gone.outcome.state == "succeeded"


def test_while_beyond_max_is_an_error():
    gone = walked(loop("{{ [1, 2, 3, 4] }}", tag("mark"), max=2, **{"while": "item < 9"}))
    assert (gone.outcome.error_type, gone.calls) == ("limit", {"add_tag": 2})


def test_while_reads_what_the_round_before_found():
    gone = walked(
        loop("{{ [1, 2, 3] }}", tag("poll"), **{"while": "steps.poll.result.changed | default(true)"}),
        mocks={"poll": [{"changed": True}, {"changed": False}]},
    )
    assert gone.calls == {"add_tag": 2}


def test_a_failure_ends_the_loop():
    gone = walked(loop([1, 2, 3], tag("mark")), mocks={"mark": [{"changed": True}, {"error": "conflict"}]})
    assert statuses(gone) == {"loop": "failed", "loop[0]/mark": "succeeded", "loop[1]/mark": "failed"}


def test_concurrent_rounds_all_end_before_the_first_failure_counts():
    gone = walked(
        loop([1, 2, 3], tag("mark"), concurrency=2),
        mocks={"mark": [{"changed": True}, {"error": "conflict"}, {"error": "timeout"}]},
    )
    assert gone.calls == {"add_tag": 3}
    assert gone.outcome.error_type == "conflict"


def test_no_more_rounds_at_once_than_allowed():
    gone = walked(loop("{{ [1, 2, 3, 4, 5] }}", {"id": "pause", "wait": "10s"}, concurrency=2))
    assert gone.took.total_seconds() == 30


def test_stop_in_a_round_ends_the_item():
    gone = walked(loop([1, 2], {"id": "end", "stop": {"status": "skipped"}}), log("never"))
    assert (gone.outcome.state, gone.path) == ("skipped", ("loop", "end"))


def test_results_of_rounds_are_kept_only_when_they_are_read():
    gone = walked(loop([1, 2], tag("mark")))
    assert record_of(gone, "loop").result == {"count": 2, "results": []}


@pytest.mark.parametrize("concurrency", [1, 2])
def test_the_results_of_all_rounds_have_64_kb(concurrency: int):
    gone = walked(
        loop([1, 2, 3], tag("mark"), concurrency=concurrency),
        mocks={"mark": {"text": "x" * 30_000}},
        outputs=output(n="{{ steps.loop.results | length }}"),
    )
    assert (gone.outcome.error_type, gone.outcome.error_step) == ("limit", "loop")
