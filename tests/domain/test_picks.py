"""Picking names out of answers: paths without expressions, hidden members, nothing that cannot be stored."""

from __future__ import annotations

from typing import Any

import pytest

from domain.picks import HIDDEN, parse_pick, pick, redacted, storable, without

BODY = {"state": "open", "items": [{"state": "new", "card": "4111"}], "owner": {"Phone": "+380", "name": "Іван"}}
HEADERS = {"etag": "abc"}


def taken(path: str, *redact: str) -> Any:
    return pick({"x": path}, status=200, headers=HEADERS, body=BODY, redact=frozenset(redact))["x"]


def test_paths_lead_to_values_and_to_null_where_nothing_is() -> None:
    assert taken("status_code") == 200
    assert taken("headers.ETag") == "abc"
    assert taken("headers.server") is None
    assert taken("body.items[0].state") == "new"
    assert taken("body.items[1].state") is None
    assert taken("body.items.state") is None
    assert taken("body.state[0]") is None
    assert taken("body.no.such") is None
    assert taken("body") == BODY


@pytest.mark.parametrize(
    "path",
    ["", "body.", "body..a", "body[x]", "body[-1]", "body['a']", "state", "status", "{{ body }}", "body|length",
     "body.a b", "body[0", "headers", "headers.a.b", "body" + ".a" * 21, "body.a" * 200],
)  # fmt: skip
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(ValueError):
        parse_pick(path)


def test_hidden_names_are_hidden_wherever_they_stand() -> None:
    assert taken("body.items[0].card", "card") == HIDDEN
    assert taken("body.items", "card") == [{"state": "new", "card": HIDDEN}]
    assert taken("body.owner.name", "owner") == HIDDEN
    assert taken("body.owner", "phone") == {"Phone": HIDDEN, "name": "Іван"}
    assert taken("body.none", "none") is None
    assert redacted([{"a": {"b": 1}}], frozenset({"b"})) == [{"a": {"b": HIDDEN}}]


def test_a_secret_told_back_is_hidden() -> None:
    told = {"seen": "Bearer s3cret", "s3cret": ["s3cret", 7]}
    assert without(told, "s3cret") == {"seen": f"Bearer {HIDDEN}", HIDDEN: [HIDDEN, 7]}


def test_characters_no_database_stores_are_replaced() -> None:
    assert storable({"a\x00": ["\x00b", "\ud800", 1]}) == {"a\ufffd": ["\ufffdb", "?", 1]}
