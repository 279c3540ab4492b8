"""`wait` and `listen` (PROCESS_LANGUAGE 4, 9.11), a transfer that is waited for."""

from typing import Any

import pytest

from tests.domain.walks.scenes import log, output, record_of, shown, statuses, tag, walked


@pytest.mark.parametrize(
    ("wait", "seconds"),
    [
        ("90s", 90),
        ("1h30m", 5400),
        ("{{ inputs.delay }}", 300),
        ("{{ hours(2) }}", 7200),
        ({"for": "15m"}, 900),
        ({"for": "2h", "calendar": "support"}, 7200),
        ({"until": "{{ now() + minutes(5) }}"}, 300),
        ({"until": "2026-01-05T09:10:00Z"}, 600),
        ({"until": "2026-01-05T11:10:00+02:00"}, 600),
        ({"until": "2026-01-06"}, 54_000),
        ({"until": "2025-01-01T00:00:00Z"}, 0),
        ("{{ minutes(0) - minutes(5) }}", 0),
    ],
)
def test_waits(wait: Any, seconds: int):
    gone = walked(
        {"id": "a", "wait": wait}, inputs={"delay": {"label": "d", "type": "duration"}}, given={"delay": "5m"}
    )
    assert (gone.outcome.state, gone.took.total_seconds()) == ("succeeded", seconds)


@pytest.mark.parametrize(
    "wait", ["{{ 5 }}", "{{ 'soon' }}", {"until": "{{ 'tomorrow' }}"}, {"until": "{{ 5 }}"}, "{{ trigger.nothing }}"]
)
def test_what_is_no_time_fails_the_step(wait: Any):
    gone = walked({"id": "a", "wait": wait})
    assert (gone.outcome.error_type, gone.outcome.error_step) == ("expression", "a")


def test_the_trace_shows_what_is_waited_for_while_it_is():
    from domain.walks.memory import Memory, stage_for
    from domain.walks.samples import START
    from domain.walks.schedulers import Clockwork
    from domain.walks.walk import walk_item
    from tests.domain.walks.scenes import brief_of

    seen: list[tuple[int, str]] = []

    class Watched(Memory):
        def record(self, record: Any) -> None:
            seen.append((record.n, record.status))
            super().record(record)

    brief = brief_of([{"id": "a", "wait": "1h"}, log("b")])
    clock = Clockwork(START)
    clock.run(walk_item(brief, Watched(stage_for(brief, clock, {}))))
    assert seen == [(1, "running"), (1, "succeeded"), (2, "succeeded")]


def listen(**ear: Any) -> dict[str, Any]:
    return {"id": "ear", "listen": {"timeout": "1d", **ear}}


ANSWER = ("1h", "message.received", {"text": "так"})


def test_an_event_ends_the_listening_with_its_payload():
    gone = walked(
        listen(to="message.received"),
        events=[ANSWER],
        outputs=output(
            event="{{ steps.ear.result.event }}", text="{{ steps.ear.result.text }}",
            timed_out="{{ steps.ear.timed_out }}", at="{{ steps.ear.result.at }}",
        ),
    )  # fmt: skip
    assert shown(gone) == {
        "event": "message.received", "text": "так", "timed_out": False, "at": "2026-01-05T10:00:00Z",
    }  # fmt: skip
    assert gone.took.total_seconds() == 3600


def test_nothing_heard_goes_on_after_the_timeout():
    gone = walked(listen(to="message.received"), outputs=output(t="{{ steps.ear.result.timed_out }}"))
    assert (shown(gone), gone.took.total_seconds()) == ({"t": True}, 86_400)


def test_nothing_heard_may_be_a_failure():
    gone = walked(listen(to="message.received", on_timeout="fail"))
    assert (gone.outcome.error_type, gone.outcome.error_step) == ("timeout", "ear")


def test_other_events_are_not_heard():
    gone = walked(listen(to="message.received"), events=[("1h", "message.sent", {}), ("2h", "message.received", {})])
    assert gone.took.total_seconds() == 7200


def test_any_of_several():
    gone = walked(
        listen(any=["csat.received", "dialog.reopened"]),
        events=[("1h", "dialog.reopened", {})],
        outputs=output(event="{{ steps.ear.result.event }}"),
    )
    assert shown(gone) == {"event": "dialog.reopened"}


def test_all_of_several():
    gone = walked(
        listen(all=["message.received", "csat.received"]),
        events=[("1h", "message.received", {"text": "a"}), ("2h", "message.received", {"text": "b"}),
                ("3h", "csat.received", {"score": 5})],
        outputs=output(
            event="{{ steps.ear.result.event }}", text="{{ steps.ear.result.events['message.received'].text }}"
        ),
    )  # fmt: skip
    assert shown(gone) == {"event": "csat.received", "text": "a"}


def test_not_all_of_several_is_a_timeout():
    ear = listen(all=["message.received", "csat.received"])
    gone = walked(ear, events=[ANSWER], outputs=output(t="{{ steps.ear.timed_out }}"))
    assert shown(gone) == {"t": True}


def test_where_chooses_among_events():
    gone = walked(
        listen(to={"event": "message.received", "where": "event.text == inputs.word"}),
        events=[("1h", "message.received", {"text": "ні"}), ("2h", "message.received", {"text": "так"})],
        inputs={"word": {"label": "w", "type": "string"}},
        given={"word": "так"},
    )
    assert gone.took.total_seconds() == 7200


def test_an_event_that_a_condition_cannot_read_is_passed_over_and_told():
    gone = walked(
        listen(to={"event": "message.received", "where": "event.text | length > 0"}),
        events=[("1h", "message.received", {}), ("2h", "message.received", {"text": "так"})],
    )
    assert gone.took.total_seconds() == 7200
    assert record_of(gone, "ear").branch["ignored"][0]["event"] == "message.received"


def test_an_event_during_the_step_before_is_missed_one_after_it_is_not():
    early = walked({"id": "p", "wait": "2h"}, listen(to="message.received"), events=[ANSWER])
    assert early.took.total_seconds() == 7200 + 86_400
    after = walked(tag("send"), listen(to="message.received"), events=[("0s", "message.received", {})])
    assert after.took.total_seconds() == 0


def test_since_goes_back_to_an_earlier_step():
    gone = walked(tag("send"), {"id": "p", "wait": "2h"}, listen(to="message.received", since="send"), events=[ANSWER])
    assert gone.took.total_seconds() == 7200


def test_an_event_is_heard_once():
    gone = walked(
        listen(to="message.received"),
        {"id": "again", "listen": {"to": "message.received", "timeout": "1h", "since": "ear"}},
        events=[ANSWER],
        outputs=output(second="{{ steps.again.timed_out }}"),
    )
    assert shown(gone) == {"second": True}


def test_two_branches_share_no_event():
    gone = walked(
        {
            "id": "both",
            "fork": {
                "branches": [
                    {"id": "x", "do": [{"id": "a", "listen": {"to": "message.received", "timeout": "5h"}}]},
                    {"id": "y", "do": [{"id": "b", "listen": {"to": "message.received", "timeout": "5h"}}]},
                ]
            },
        },
        events=[("1h", "message.received", {"text": "1"}), ("2h", "message.received", {"text": "2"})],
        outputs=output(a="{{ steps.a.result.text }}", b="{{ steps.b.result.text }}"),
    )
    assert shown(gone) == {"a": "1", "b": "2"}


def transfer(**more: Any) -> dict[str, Any]:
    return {"id": "t", "call": "transfer", "with": {"operator": "op_2", "wait": True, **more}}


@pytest.mark.parametrize(("end", "accepted"), [("accepted", True), ("declined", False), ("expired", False)])
def test_a_transfer_waits_for_its_offers_end(end: str, accepted: bool):
    gone = walked(
        transfer(),
        mocks={"t": {"offer_id": "o1"}},
        events=[("30s", "transfer.accepted", {"transfer_id": "o2"}), ("1m", f"transfer.{end}", {"transfer_id": "o1"})],
        outputs=output(accepted="{{ steps.t.result.accepted }}", end="{{ steps.t.result.end }}"),
    )
    assert shown(gone) == {"accepted": accepted, "end": end}
    assert gone.took.total_seconds() == 60


def test_a_transfer_whose_end_nobody_tells_was_not_accepted():
    gone = walked(
        transfer(accept_within="5m"),
        mocks={"t": {"offer_id": "o1"}},
        outputs=output(accepted="{{ steps.t.result.accepted }}"),
    )
    assert (shown(gone), gone.took.total_seconds()) == ({"accepted": False}, 360)


def test_a_transfer_that_is_not_waited_for_goes_on_at_once():
    gone = walked(transfer(wait=False), mocks={"t": {"offer_id": "o1"}})
    assert (statuses(gone), gone.took.total_seconds()) == ({"t": "succeeded"}, 0)
