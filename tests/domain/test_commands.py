"""Commands travel as JSON in workflow updates: nothing is lost, old ones decode, strangers are refused."""

from dataclasses import asdict, fields, is_dataclass
from math import isfinite
from typing import get_args
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from domain import commands
from domain.commands import KINDS, TO_OFFER, Command, Outcome, Reaction, Request, Take
from tests.domain.strategies import patient
from tests.domain.values import OLHA, uid

CLASSES = get_args(get_args(Command)[0])
_TRIED_ELSEWHERE = {*CLASSES, Request, Outcome, Reaction, commands.Seen}
#: what else travels
MESSAGES = [
    m for m in vars(commands).values()
    if is_dataclass(m) and m.__module__ == commands.__name__ and m not in _TRIED_ELSEWHERE
]  # fmt: skip
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
    "watch": {"user_id": ID},
    "unwatch": {"user_id": ID},
    "merge": {"tickets": [ID]},
    "set_topic": {"topic": None},
    "add_tag": {"tag": "vip"},
    "remove_tag": {"tag": "vip"},
    "set_priority": {"priority": "high"},
    "set_status": {"status": "pending"},
    "convert": {},
    "set_fields": {"fields": {"city": "Львів"}},
    "describe": {"changes": {"subject": "Parcel", "description": None}},
}
#: kind → what old histories mean by the fields they do not say
LEFT_OUT = {
    "say": {"mode": "reply", "attachments": ()},
    "take": {"over_limit": False},
    "close": {"note": None, "silent": False},
    "connect": {"topic": None, "team": None, "weight": None, "place": "auto", "operator_id": None},
    "transfer": {"to_operator": None, "to_team": None, "note": None, "topic": None},
    "merge": {"different_contacts": False},
    "decline": {"reason": None},
    "set_status": {"until": None},
    "convert": {
        "ticket_type": None, "assignee": None, "priority": None, "fields": {}, "subject": None, "description": None,
    },
}  # fmt: skip
_answers = st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.text())
#: commands that carry any JSON
MADE = {
    commands.Convert: st.builds(commands.Convert, fields=_answers),
    commands.SetFields: st.builds(commands.SetFields, fields=_answers),
}


def kind_of(command: type) -> str:
    return next(f.default for f in fields(command) if f.name == "kind")


def stored(**command) -> dict:
    return {"caller": ID, "key": "k1", "digest": "d", "dialog_id": ID, "command": command}


def test_no_two_commands_share_a_kind_and_the_list_is_whole():
    assert sorted(map(kind_of, CLASSES)) == sorted(LEAST) == sorted(KINDS)


@pytest.mark.parametrize("command", CLASSES, ids=kind_of)
@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_every_command_survives_travelling_inside_a_request(command, data):
    sent = Request(
        caller=data.draw(st.uuids()),
        key=data.draw(st.text(max_size=128)),
        digest=data.draw(st.text()),
        dialog_id=data.draw(st.uuids()),
        command=data.draw(MADE[command] if command in MADE else st.from_type(command)),
        transfer_id=data.draw(st.none() | st.uuids()),
        address=data.draw(st.none() | st.text()),
    )
    back = REQUESTS.validate_json(REQUESTS.dump_json(sent))
    assert back == sent
    assert type(back.command) is command


@pytest.mark.parametrize("command", CLASSES, ids=kind_of)
def test_what_a_stored_command_leaves_out_means_what_it_always_meant(command):
    kind = kind_of(command)
    least = LEAST[kind]
    meant = asdict(REQUESTS.validate_python(stored(kind=kind, **least)).command)
    assert {name: value for name, value in meant.items() if name not in least} == {
        "kind": kind,
        **LEFT_OUT.get(kind, {}),
    }


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
        ("set_priority", {"priority": 5}),
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


def request(caller: UUID = OLHA, key: str = "k1", digest: str = "0" * 64) -> Request:
    return Request(caller, key, digest, dialog_id=uid(9), command=Take())


def test_the_update_id_is_the_caller_the_key_and_the_beginning_of_the_digest():
    assert request(OLHA, "k:1", "0123456789abcdef" * 4).update_id == (
        "00000000-0000-0000-0000-000000000001:k:1:0123456789abcdef"
    )


digests = st.text("0123456789abcdef", min_size=16, max_size=16)


@patient
@given(ours=st.tuples(st.uuids(), st.text(":0a"), digests), theirs=st.tuples(st.uuids(), st.text(":0a"), digests))
def test_update_ids_of_different_callers_keys_or_requests_never_meet(ours, theirs):
    mixed = (ours[0], theirs[1], ours[2])
    ids = {request(*what).update_id for what in (ours, theirs, mixed)}
    assert len(ids) == len({ours, theirs, mixed})
    assert request(*ours).update_id == request(*ours).update_id


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


def _is_finite(message) -> bool:
    """JSON has no word for the others."""
    return all(isfinite(v) for f in fields(message) if isinstance(v := getattr(message, f.name), float))


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: m.__name__)
@settings(deadline=None, max_examples=15)
@given(data=st.data())
def test_every_message_of_a_workflow_survives_travelling(message, data):
    adapter = TypeAdapter(message)
    sent = data.draw(st.from_type(message).filter(_is_finite))
    assert adapter.validate_json(adapter.dump_json(sent)) == sent
