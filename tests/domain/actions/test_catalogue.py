"""Every action: its shape, its words, its rights, its preview (PROCESS_LANGUAGE 5)."""

import json
import re

import pytest
from pydantic import ValidationError

from domain.actions.capabilities import RIGHTS, covers, is_granted
from domain.actions.catalogue import INTERNAL, callable_actions, catalogue
from domain.actions.manifests import Effect, Placement, Retry
from domain.permissions import GRANTS
from domain.walks.ports import StepError

ID, OTHER = "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"
#: action → the least it asks for
LEAST = {
    "assign": {"operator": ID}, "unassign": {}, "distribute": {"to": "online"}, "transfer": {"operator": ID},
    "transfer_to_team": {"team": "vip"}, "add_participant": {"operator": ID}, "reopen": {}, "close": {},
    "set_status": {"status": "pending"}, "set_topic": {"topic": "payment"}, "set_priority": {"priority": "high"},
    "move_clocks": {},
    "set_field": {"field": "order", "value": 5}, "add_tag": {"tag": "vip"}, "remove_tag": {"tag": "vip"},
    "convert_to_ticket": {}, "merge_tickets": {"tickets": [OTHER]}, "add_note": {"text": "Hello"},
    "add_watcher": {"operator": "role:supervisor"},
    "remove_watcher": {"operator": ID}, "notify": {"to": "team:vip", "text": "Come"},
    "set_operator_status": {"operator": ID, "status": "offline"}, "merge_contacts": {"into": ID, "from": OTHER},
    "send_message": {"text": "Hello"}, "send_quick_reply": {"quick_reply": "stale"},
    "start_dialog": {"channel": "email", "text": "Hello"}, "request_csat": {}, "get_dialog": {}, "find_dialogs": {},
    "find_operators": {}, "http": {"connection": "bank", "method": "GET", "path": "/"},
    "ask_ai": {"task": "summarize"}, "emit": {"event": "custom.paid"}, "log": {"text": "Here"},
}  # fmt: skip
NAMES = sorted(catalogue())
DIALOG = {"id": "d", "number": 7, "status": "open", "priority": "low", "topic": "payment", "tags": ["vip"],
          "fields": {"order": 1}, "channel": "demo", "channel_kind": "generic", "window_open": True}  # fmt: skip


def params(action: str, **given):
    return catalogue()[action].params.model_validate({**LEAST[action], **given})


def preview(action: str, names=None, **given):
    return catalogue()[action].simulate(params(action, **given), {"dialog": DIALOG, **(names or {})})


def test_the_catalogue_is_the_table():
    assert sorted(LEAST) == NAMES
    assert set(callable_actions()) == set(NAMES) - INTERNAL


@pytest.mark.parametrize("name", NAMES)
def test_an_action_is_whole(name):
    action = catalogue()[name]
    assert action.name == name
    assert action.label["uk"]
    assert action.label["en"]
    assert re.search("[а-яіїєґ]", action.label["uk"])
    assert action.capability in RIGHTS
    assert action.needs in ("dialog", "contact", "either", "none")
    assert action.params.model_json_schema()["additionalProperties"] is False
    json.dumps(action.result.model_json_schema())
    assert (action.effect is Effect.SEND) == (action.placement is Placement.SEND)
    assert (action.effect is Effect.EXTERNAL) == (action.placement is Placement.OUTSIDE)


@pytest.mark.parametrize("name", NAMES)
def test_a_preview_answers_as_the_action_would(name):
    told = preview(name)
    catalogue()[name].result.model_validate(told)
    json.dumps(told)


@pytest.mark.parametrize("name", NAMES)
def test_a_preview_needs_no_names_at_all(name):
    catalogue()[name].simulate(params(name), {})


@pytest.mark.parametrize("name", NAMES)
def test_unknown_parameters_are_refused(name):
    with pytest.raises(ValidationError):
        params(name, unheard_of=1)


def test_null_counts_as_left_out_but_where_it_is_asked_for():
    assert params("close", reason=None).reason is None
    assert params("distribute", exclude=None).exclude == []
    assert params("set_topic", topic=None).topic is None
    assert params("set_field", value=None).value is None
    with pytest.raises(ValidationError):
        params("assign", operator=None)
    with pytest.raises(ValidationError):
        catalogue()["set_topic"].params.model_validate({})


def test_a_number_will_do_for_a_text():
    assert params("add_note", text=5).text == "5"


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("assign", {"operator": "op_1"}), ("add_watcher", {"operator": "everybody"}), ("notify", {"to": "role:"}),
        ("transfer", {"accept_within": "PT2M"}), ("set_field", {"field": "no such name"}),
        ("add_note", {"text": "a\x00b"}), ("add_note", {"text": "\ud800"}), ("add_note", {"text": ""}),
        ("get_dialog", {"messages": 51}), ("find_dialogs", {"limit": 0}), ("find_dialogs", {"limit": 10**30}),
        ("emit", {"event": "dialog.closed"}), ("http", {"method": "TRACE"}), ("http", {"expect": []}),
        ("notify", {"link": "javascript:alert(1)"}), ("distribute", {"exclude": [ID] * 101}),
        ("send_message", {"text": {"ukr": "x"}}), ("start_dialog", {"text": None}), ("ask_ai", {"max_tokens": 0}),
        ("set_topic", {"topic": "a\x00b"}), ("distribute", {"to": "team", "team": "\ud800"}),
        ("transfer_to_team", {"team": "a\x00"}), ("notify", {"to": "team:a\x00"}), ("add_tag", {"tag": "\x00"}),
    ],
)  # fmt: skip
def test_wrong_values_are_refused(name, wrong):
    with pytest.raises(ValidationError):
        params(name, **wrong)


def test_what_a_message_would_meet():
    closed = {**DIALOG, "window_open": False}
    assert preview("send_message")["sent"] is True
    assert preview("send_message", {"dialog": closed}, if_window_closed="skip")["reason"] == "window_closed"
    assert preview("send_message", {"dialog": closed}, if_window_closed="template", template="t")["sent"] is True
    for given in ({}, {"if_window_closed": "template"}):
        with pytest.raises(StepError) as caught:
            preview("send_message", {"dialog": closed}, **given)
        assert caught.value.type == "window_closed"
    with pytest.raises(StepError) as caught:
        preview("send_message", {"contact": {"blocked": True}})
    assert caught.value.type == "blocked_by_contact"
    unwilling = {"contact": {"consent": False}}
    assert preview("send_message", unwilling, purpose="marketing")["reason"] == "no_consent"
    assert preview("send_message", unwilling)["sent"] is True
    assert preview("start_dialog", unwilling, purpose="marketing")["reason"] == "no_consent"


def test_the_window_of_the_channel_named_counts():
    contact = {"channels": [{"key": "w1", "kind": "whatsapp", "window_open": False}]}
    told = preview("send_message", {"contact": contact}, channel="whatsapp", if_window_closed="skip")
    assert (told["sent"], told["channel"]) == (False, "w1")


def test_what_a_redistribution_would_come_to():
    operator = {"operator": {"id": ID, "name": "Ірина"}}
    assert preview("distribute", operator)["operator"]["name"] == "Ірина"
    assert preview("distribute", operator, exclude=[ID])["queued"] is True
    assert preview("reopen") == {"status": "open", "changed": False}
    assert preview("reopen", {"dialog": {"status": "closed"}})["changed"] is True
    assert preview("add_tag") == {"changed": False}
    assert preview("remove_tag") == {"changed": True}
    assert preview("set_field")["previous"] == 1
    assert preview("http", pick={"a": "body.a"}) == {"status": 200, "a": None}


def test_rights_cover_capabilities():
    assert covers(GRANTS["operator"], "message.send")
    assert not covers(GRANTS["light_agent"], "message.send")
    assert covers(GRANTS["light_agent"], "http:bank")
    assert not covers(GRANTS["operator"], "dialog.assign")
    assert covers(GRANTS["supervisor"], "operators.force")
    assert not covers(GRANTS["admin"], "launch.rockets")


def test_grants_of_a_version_are_taken_by_name():
    assert is_granted({"dialog.close"}, "dialog.close")
    assert not is_granted({"dialog.close"}, "dialog.assign")
    assert is_granted(set(), "notify")
    assert is_granted(set(), "http:bank")


def test_pauses_between_attempts_grow_to_a_limit():
    retry = Retry(max_attempts=5, initial=2, factor=3, longest=10)
    assert [retry.pause_after(n) for n in (1, 2, 3)] == [2, 6, 10]
