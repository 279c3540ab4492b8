"""Criteria: how query parameters are read, and which dialogs they fit."""

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from domain.criteria import PARSERS, Criteria, DialogView, matches, parse, sought_of
from domain.errors import InvalidError
from tests.domain.values import uid

KYIV = ZoneInfo("Europe/Kyiv")
ME, OTHER = uid(1), uid(2)
DIALOG = DialogView(
    number=41, ticket_number=12047, status="open", place="owned", kind="chat", channel="demo", team="support",
    contact_id=uid(9),
    opened_at=datetime(2026, 11, 22, 9, tzinfo=UTC), topic="payment", tags=frozenset({"vip", "refund"}),
    operator_id=ME, last_operator_id=ME, contact_name="Ольга Петренко", contact_phone="+38 (050) 123-45-67",
    contact_email="olha@mail.example", texts=("Where is my parcel", "Привіт усім"),
)  # fmt: skip
CLOSED = replace(DIALOG, status="closed", place=None, operator_id=None)


def read(**given: str | list[str]) -> Criteria:
    named = {k.rstrip("_"): v if isinstance(v, list) else [v] for k, v in given.items()}
    return parse(named, me=ME, zone=KYIV)


@pytest.mark.parametrize(
    ("given", "fits"),
    [
        ({}, True),
        ({"status": "open"}, True),
        ({"status": "owned"}, True),
        ({"status": "closed"}, False),
        ({"status": ["queued", "open"]}, True),
        ({"status": "open", "kind": "ticket"}, False),
        ({"topic": "payment"}, True),
        ({"topic": "none"}, False),
        ({"topic": ["none", "payment"]}, True),
        ({"tag": ["x", "vip"]}, True),
        ({"tag": "none"}, False),
        ({"operator": "me"}, True),
        ({"operator": str(OTHER)}, False),
        ({"operator": "none"}, False),
        ({"rating": "none"}, True),
        ({"rating": "5"}, False),
        ({"from_": "2026-11-22"}, True),
        ({"to": "2026-11-22"}, True),
        ({"to": "2026-11-21"}, False),
        ({"from_": "2026-11-22T09:00:00Z", "to": "2026-11-22T09:00:01Z"}, True),
        ({"to": "2026-11-22T09:00:00Z"}, False),
        ({"awaiting_reply": "false"}, True),
        ({"awaiting_reply": "true"}, False),
        ({"overdue": "false"}, True),
        ({"overdue": "true"}, False),
        ({"q": "41"}, True),
        ({"q": "#41"}, True),
        ({"q": "4"}, False),
        ({"q": "12-047"}, True),
        ({"q": "#12047"}, True),
        ({"q": "12-048"}, False),
        ({"q": "parcel WHERE"}, True),
        ({"q": "parcel привіт"}, False),
        ({"q": "пет"}, True),
        ({"q": "0501234567"}, True),
        ({"q": "050 123-45"}, True),
        ({"q": "olha@mail"}, True),
        ({"q": "par"}, False),
        ({"q": "  "}, True),
    ],
)
def test_values_of_a_field_are_alternatives_and_fields_add_up(given, fits):
    assert matches(DIALOG, read(**given)) is fits


def test_of_a_closed_dialog_the_operator_is_who_held_it_last():
    assert matches(CLOSED, read(operator="me"))
    assert matches(CLOSED, read(operator=str(ME), status="closed"))
    assert not matches(replace(DIALOG, place="queued", operator_id=None), read(operator="me"))


def test_a_day_is_a_day_in_the_installations_zone():
    late = replace(DIALOG, opened_at=datetime(2026, 11, 21, 22, 30, tzinfo=UTC))
    assert matches(late, read(from_="2026-11-22", to="2026-11-22"))
    assert not matches(late, read(to="2026-11-21"))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("status", "opened"), ("kind", ""), ("topic", ""), ("tag", "a\x00b"), ("tag", "\ud800"),
        ("channel", "x" * 201), ("operator", "olha"), ("contact", "none"), ("rating", "1.5"), ("rating", "-1"),
        ("rating", "٣"), ("from", "yesterday"), ("from", "0001-01-01"), ("to", "9999-12-31"),
        ("to", "2026-02-30"), ("awaiting_reply", "yes"), ("q", "x" * 201), ("q", "\x00"), ("colour", "red"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_naming_the_field(field, value):
    with pytest.raises(InvalidError) as refused:
        parse({field: [value]}, me=ME, zone=UTC)
    assert refused.value.extra["field"] == field


@pytest.mark.parametrize("field", ["from", "to", "awaiting_reply", "q"])
def test_a_single_field_is_given_once(field):
    with pytest.raises(InvalidError):
        parse({field: ["2026-11-22", "2026-11-23"]}, me=ME, zone=UTC)


def test_a_field_has_at_most_a_hundred_values_and_from_lies_before_to():
    with pytest.raises(InvalidError):
        read(tag=["x"] * 101)
    with pytest.raises(InvalidError):
        read(from_="2026-11-23", to="2026-11-22")


def test_the_closed_list_of_fields():
    assert sorted(PARSERS) == [
        "awaiting_reply", "channel", "contact", "from", "kind", "operator", "overdue", "q", "rating", "status", "tag",
        "team", "to", "topic",
    ]  # fmt: skip


def test_a_contact_is_sought_by_its_particulars_in_small_letters():
    assert sought_of("Ольга", "+38 050", None) == "ольга\n+38 050\n38050\n"
