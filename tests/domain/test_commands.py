"""Commands travel as JSON in workflow updates: nothing is lost, old ones decode, strangers are refused."""

from dataclasses import MISSING, fields
from typing import get_args
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from domain.commands import TO_OFFER, Command, Outcome, Reaction, Request
from tests.domain.strategies import patient
from tests.domain.values import OLHA, uid

CLASSES = get_args(get_args(Command)[0])
REQUESTS: TypeAdapter[Request] = TypeAdapter(Request)
OUTCOMES: TypeAdapter[Outcome] = TypeAdapter(Outcome)
ID = "00000000-0000-0000-0000-000000000007"

#: kind → the least a stored command of it says; histories hold these words, so they never change
LEAST = {
    "say": {"text": "Hello"},
    "take": {},
    "assign": {"operator_id": ID},
    "unassign": {},
    "close": {},
    "reopen": {},
    "connect": {},
    "transfer": {},
    "accept": {},
    "decline": {},
    "cancel": {},
    "add_participant": {"user_id": ID},
    "remove_participant": {"user_id": ID},
    "set_topic": {"topic": None},
    "add_tag": {"tag": "vip"},
    "remove_tag": {"tag": "vip"},
    "set_priority": {"priority": "high"},
    "set_status": {"status": "pending"},
}


def kind_of(command: type) -> str:
    return next(f.default for f in fields(command) if f.name == "kind")


def stored(**command) -> dict:
    return {"caller": ID, "key": "k1", "digest": "d", "dialog_id": ID, "command": command}


def test_no_two_commands_share_a_kind_and_the_list_is_whole():
    assert sorted(map(kind_of, CLASSES)) == sorted(LEAST)


@pytest.mark.parametrize("command", CLASSES, ids=kind_of)
@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_every_command_survives_travelling_inside_a_request(command, data):
    sent = Request(
        caller=data.draw(st.uuids()),
        key=data.draw(st.text(max_size=128)),
        digest=data.draw(st.text()),
        dialog_id=data.draw(st.uuids()),
        command=data.draw(st.from_type(command)),
        transfer_id=data.draw(st.none() | st.uuids()),
        address=data.draw(st.none() | st.text()),
    )
    back = REQUESTS.validate_json(REQUESTS.dump_json(sent))
    assert back == sent
    assert type(back.command) is command


@pytest.mark.parametrize("command", CLASSES, ids=kind_of)
def test_the_least_a_stored_command_says_decodes_to_the_defaults(command):
    kind = kind_of(command)
    back = REQUESTS.validate_python(stored(kind=kind, **LEAST[kind])).command
    assert type(back) is command
    for f in fields(command):
        if f.name not in LEAST[kind]:
            assert f.default is not MISSING
            assert getattr(back, f.name) == f.default


@pytest.mark.parametrize("kind", [kind for kind, least in LEAST.items() if least])
def test_a_command_without_what_it_needs_is_refused(kind):
    with pytest.raises(ValidationError):
        REQUESTS.validate_python(stored(kind=kind))


@pytest.mark.parametrize("command", [{}, {"text": "Hello"}, {"kind": "dance"}, {"kind": None}])
def test_a_command_of_no_known_kind_is_refused(command):
    with pytest.raises(ValidationError):
        REQUESTS.validate_python(stored(**command))


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("say", {"text": "Hello", "mode": "shout"}),
        ("say", {"text": "Hello", "attachments": ["not-an-id"]}),
        ("assign", {"operator_id": "olha"}),
        ("connect", {"place": "bot"}),
        ("connect", {"weight": "heavy"}),
        ("set_priority", {"priority": "urgent"}),
    ],
)
def test_a_value_out_of_its_list_is_refused(kind, wrong):
    with pytest.raises(ValidationError):
        REQUESTS.validate_python(stored(kind=kind, **wrong))


def test_a_field_of_a_newer_version_does_not_stop_an_older_worker():
    back = REQUESTS.validate_python(stored(kind="close", note="done", rating=5))
    assert back.command.note == "done"


def test_only_the_answers_to_an_offer_are_spoken_to_its_workflow():
    assert {kind for kind in LEAST if kind in TO_OFFER} == set(TO_OFFER) == {"accept", "decline", "cancel"}


def test_the_update_id_is_the_caller_and_the_key():
    request = Request(OLHA, "k:1", "d", uid(9), command=CLASSES[1]())
    assert request.update_id == "00000000-0000-0000-0000-000000000001:k:1"


@patient
@given(caller=st.uuids(), other=st.uuids(), key=st.text(), other_key=st.text())
def test_update_ids_of_different_callers_or_keys_never_meet(caller: UUID, other: UUID, key, other_key):
    def update_id(who: UUID, what: str) -> str:
        return Request(who, what, "d", uid(9), command=CLASSES[1]()).update_id

    assert (update_id(caller, key) == update_id(other, other_key)) == ((caller, key) == (other, other_key))


_answers = st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.text())


@patient
@given(
    st.builds(
        Outcome,
        status=st.integers(200, 599),
        answer=_answers,
        refusal=st.none() | st.text(),
        reactions=st.lists(st.builds(Reaction, id=st.integers(), kind=st.text(), payload=_answers)).map(tuple),
    )
)
def test_an_outcome_and_its_reactions_survive_travelling(outcome):
    assert OUTCOMES.validate_json(OUTCOMES.dump_json(outcome)) == outcome
