"""One step: condition, parameters, place in `steps`, record (PROCESS_LANGUAGE 9.1)."""

from tests.domain.walks.scenes import log, output, record_of, shown, statuses, tag, walked


def test_a_null_that_is_written_out_takes_away_and_a_missing_value_does_not():
    gone = walked({"id": "topic", "call": "set_topic", "with": {"topic": None}})
    assert (gone.outcome.state, record_of(gone, "topic").inputs) == ("succeeded", {"topic": None})
    gone = walked(log("a"), {"id": "topic", "call": "set_topic", "with": {"topic": "{{ steps.a.result.nothing }}"}})
    assert (gone.outcome.state, gone.outcome.error_type) == ("failed", "invalid")


def test_steps_run_in_order():
    gone = walked(log("a"), tag("b"), log("c"))
    assert gone.path == ("a", "b", "c")
    assert gone.outcome.state == "succeeded"


def test_a_false_condition_skips_with_its_text_and_the_values_it_read():
    gone = walked(tag("a", **{"if": "dialog.status == 'closed'"}))
    skipped = record_of(gone, "a")
    assert skipped.status == "skipped"
    assert skipped.branch == {"if": "dialog.status == 'closed'", "values": {"dialog.status": "open"}}
    assert gone.calls == {}


def test_a_disabled_step_is_skipped():
    gone = walked(tag("a", disabled=True))
    assert (record_of(gone, "a").status, gone.calls) == ("skipped", {})


def test_a_result_is_read_by_later_steps():
    gone = walked(tag("a"), outputs=output(seen="{{ steps.a.result.changed }}"), mocks={"a": {"changed": False}})
    assert shown(gone) == {"seen": False}


def test_a_skipped_step_has_a_status_and_no_result():
    gone = walked(
        tag("a", **{"if": "dialog.status == 'closed'"}),
        outputs=output(status="{{ steps.a.status }}", result="{{ steps.a.result.changed | default('nothing') }}"),
    )
    assert shown(gone) == {"status": "skipped", "result": "nothing"}


def test_a_condition_that_is_neither_true_nor_false_fails_the_step():
    gone = walked(tag("a", **{"if": "dialog.status"}))
    assert (gone.outcome.state, gone.outcome.error_type, gone.outcome.error_step) == ("failed", "expression", "a")


def test_an_expression_error_carries_its_code():
    gone = walked(log("a", "{{ steps.zzz.result.x ~ '' }}"))
    error = record_of(gone, "a").error
    assert error["type"] == "expression"
    assert error["details"]["code"] == "R320"
    assert error["details"]["pointer"] == "/text"


def test_parameters_that_are_null_count_as_left_out():
    step = {"id": "a", "call": "close", "with": {"reason": "{{ inputs.reason | default(none) }}"}}
    gone = walked(step, inputs={"reason": {"label": "r", "type": "string"}}, given={"reason": None})
    assert record_of(gone, "a").inputs == {}
    assert gone.outcome.state == "succeeded"


def test_parameters_are_checked_against_the_manifest():
    gone = walked({"id": "a", "call": "set_priority", "with": {"priority": "{{ 'hi' ~ ' ' ~ 'gh' }}"}})
    assert (gone.outcome.error_type, gone.calls) == ("invalid", {})
    assert "priority" in gone.outcome.error_message


def test_a_parameter_keeps_the_type_of_its_expression():
    gone = walked(
        {"id": "a", "call": "set_field", "with": {"field": "amount", "value": "{{ [1, '007', true] }}"}},
    )
    assert record_of(gone, "a").inputs["value"] == [1, "007", True]


def test_moments_become_text_in_parameters():
    gone = walked({"id": "a", "call": "set_field", "with": {"field": "due", "value": "{{ now() + hours(1) }}"}})
    assert record_of(gone, "a").inputs["value"] == "2026-01-05T10:00:00Z"


def test_now_is_frozen_within_a_step_and_follows_the_clock():
    gone = walked(
        {"id": "pause", "wait": "90s"},
        {"id": "mark", "set": {"a": "{{ now() }}", "b": "{{ now() }}"}},
        vars={"a": None, "b": None},
        outputs=output(same="{{ vars.a == vars.b }}", a="{{ vars.a }}"),
    )
    assert shown(gone) == {"same": True, "a": "2026-01-05T09:01:30Z"}


def test_moments_of_the_dialog_compare_as_moments():
    gone = walked(log("a", **{"if": "dialog.last_message_at > now() - minutes(15)"}))
    assert statuses(gone) == {"a": "succeeded"}


def test_log_is_nothing_but_a_record():
    gone = walked(log("a", "dialog {{ dialog.number }}"))
    record = record_of(gone, "a")
    assert (record.kind, record.inputs, record.result) == ("call:log", {"text": "dialog 1"}, {})
    assert gone.calls == {"log": 1}


def test_the_key_of_an_effect_is_its_path():
    from domain.walks.memory import Memory, stage_for
    from domain.walks.samples import START
    from domain.walks.schedulers import Clockwork
    from domain.walks.walk import walk_item
    from tests.domain.walks.scenes import brief_of

    brief = brief_of(
        [
            {"id": "outer", "do": [tag("inner")]},
            {"id": "loop", "for": {"in": [1, 2]}, "do": [{"id": "deep", "for": {"in": [1]}, "do": [tag("leaf")]}]},
            {"id": "both", "fork": {"branches": [{"id": "x", "do": [tag("bx")]}, {"id": "y", "do": [tag("by")]}]}},
            {"id": "way", "switch": [{"else": True, "do": [tag("cased")]}]},
            {"id": "safe", "try": [tag("tried")], "finally": [tag("tidied")]},
        ]
    )
    clock = Clockwork(START)
    stage = stage_for(brief, clock, {})
    clock.run(walk_item(brief, Memory(stage)))
    assert [deed.key.removeprefix("run-1:1:") for deed in stage.deeds] == [
        "outer/inner", "loop[0]/deep[0]/leaf", "loop[1]/deep[0]/leaf", "both/x/bx", "both/y/by", "way/cased",
        "safe/tried", "safe/tidied",
    ]  # fmt: skip


def test_the_retry_of_a_step_goes_before_the_actions_own():
    from domain.walks.memory import Memory, stage_for
    from domain.walks.samples import START
    from domain.walks.schedulers import Clockwork
    from domain.walks.walk import walk_item
    from tests.domain.walks.scenes import brief_of

    get = {"connection": "core", "method": "GET", "path": "/x"}
    post = {**get, "method": "POST"}
    brief = brief_of(
        [
            tag("own"),
            tag("said", retry={"max_attempts": 7, "initial": "5s", "max": "2m", "on": ["conflict"]}),
            tag("short", retry=2),
            {"id": "get", "call": "http", "with": get},
            {"id": "post", "call": "http", "with": post, "retry": 5},
            {"id": "safe_post", "call": "http", "with": {**post, "idempotent": True}, "retry": 5},
        ]
    )
    clock = Clockwork(START)
    stage = stage_for(brief, clock, {})
    clock.run(walk_item(brief, Memory(stage)))
    retries = {deed.step: deed.retry for deed in stage.deeds}
    assert retries["own"].max_attempts == 3
    said = retries["said"]
    assert (said.max_attempts, said.initial, said.longest, said.on) == (7, 5.0, 120.0, {"conflict"})
    assert (retries["short"].max_attempts, retries["short"].on) == (2, retries["own"].on)
    assert [retries[step].max_attempts for step in ("get", "post", "safe_post")] == [3, 1, 5]


def test_attempts_are_told():
    gone = walked(
        tag("a", retry={"max_attempts": 4, "on": ["conflict"]}, on_error="continue"),
        mocks={"a": {"error": "conflict"}},
        outputs=output(tries="{{ steps.a.attempts }}", type="{{ steps.a.error.type }}"),
    )
    assert shown(gone) == {"tries": 4, "type": "conflict"}
    assert record_of(gone, "a").attempts == 4


def test_on_error_continue_goes_on():
    gone = walked(tag("a", on_error="continue"), log("b"), mocks={"a": {"error": "unavailable"}})
    assert statuses(gone) == {"a": "failed", "b": "succeeded"}
    assert gone.outcome.state == "succeeded"


def test_a_failure_ends_the_item_with_type_step_and_message():
    gone = walked(
        {"id": "outer", "do": [tag("a")]}, log("b"), mocks={"a": {"error": "not_found", "message": "no such tag"}}
    )
    outcome = gone.outcome
    assert (outcome.state, outcome.error_type, outcome.error_step) == ("failed", "not_found", "a")
    assert outcome.error_message == "no such tag"
    assert statuses(gone) == {"outer": "failed", "outer/a": "failed"}


def test_an_unknown_effect_asks_for_attention():
    gone = walked(tag("a"), mocks={"a": {"error": "unknown_effect", "needs_attention": True}})
    assert gone.outcome.needs_attention


def test_emit_is_an_effect():
    gone = walked({"id": "a", "emit": {"event": "custom.seen", "data": {"n": "{{ dialog.number }}"}}})
    assert gone.calls == {"emit": 1}
    assert record_of(gone, "a").inputs == {"event": "custom.seen", "data": {"n": 1}}


def test_a_result_updates_the_dialog_of_later_steps():
    gone = walked(
        {"id": "a", "call": "close"},
        outputs=output(status="{{ dialog.status }}", who="{{ dialog.operator_name | default('nobody') }}"),
    )
    assert shown(gone) == {"status": "closed", "who": "nobody"}
