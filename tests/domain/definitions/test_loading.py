"""Texts become definitions: strict YAML and JSON, canonical documents, places; never an exception."""

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.actions.catalogue import catalogue
from domain.definitions.canonical import canonical_of, from_canonical, is_generated
from domain.definitions.checking import check
from domain.definitions.loading import canonical_json, load
from domain.definitions.places import Places
from tests.domain.definitions.corpus import DO, HEAD

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted([*ROOT.glob("processes/*.yaml"), *ROOT.glob("macros/*.yaml")])


def loaded(text: str):
    found = load(text)
    assert found.definition is not None, [d.message for d in found.diagnostics]
    return found


def canonical(text: str) -> dict:
    found = loaded(text).canonical
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("yes", "yes"), ("no", "no"), ("on", "on"), ("off", "off"), ("true", True), ("False", False), ("~", None),
        ("null", None), ("12:30", "12:30"), ("2026-01-01", "2026-01-01"), ("1_000", "1_000"), ("0o17", 15),
        ("0x1F", 31), ("1e3", 1000.0), ("-0.5", -0.5), ("1.2.3", "1.2.3"), ("<<", "<<"), ("5%", "5%"), ("=", "="),
        ("'0671234567'", "0671234567"), ('"\\u0456"', "і"), ("0", 0), ("-7", -7),
    ],
)  # fmt: skip
def test_scalars_are_those_of_yaml_1_2(written: str, read: object) -> None:
    value = canonical(f"{HEAD}vars: {{ a: {written} }}\n{DO}")["vars"]["a"]
    assert (value, type(value)) == (read, type(read))


def test_json_is_the_same_definition() -> None:
    for example in EXAMPLES:
        text = example.read_text("utf-8")
        plain = yaml.load(text, Loader=yaml.BaseLoader)
        assert isinstance(plain, dict)
        first = loaded(text)
        for indent in (None, 1, "\t"):
            assert load(json.dumps(first.canonical, ensure_ascii=indent is None, indent=indent)).sha256 == first.sha256


def test_json_may_write_an_emoji_as_two_halves() -> None:
    text = json.dumps({"dsl": 1, "kind": "process", "name": "p", "title": "Привіт 👋", "do": [{"call": "get_dialog"}]})
    assert "\\ud83d" in text
    assert canonical(text)["title"] == "Привіт 👋"


def test_steps_without_an_id_are_numbered_by_kind_and_keep_clear_of_given_ones() -> None:
    text = HEAD + (
        "do:\n  - call: close\n  - { id: call_2, call: reopen }\n  - call: close\n"
        "  - if: 1 == 1\n    do:\n      - call: close\n      - wait: 1h\n"
    )
    made = canonical(text)
    ids = [made["do"][0]["id"], made["do"][2]["id"], made["do"][3]["id"], made["do"][3]["do"][0]["id"]]
    assert ids == ["call_1", "call_3", "do_1", "call_4"]
    assert made["do"][3]["do"][1]["id"] == "wait_1"
    assert all(is_generated(one) for one in ids)
    assert not any(is_generated(one) for one in ("call", "call_a", "ask_1", "wait_01"))


def test_the_canonical_document_is_its_own_canonical_document() -> None:
    for example in EXAMPLES:
        made = canonical(example.read_text("utf-8"))
        assert canonical_of(made) == made
        assert list(canonical_of(made)) == list(made)
        assert load(canonical_json(made)).sha256 == load(example.read_bytes()).sha256
        assert from_canonical(made) == load(example.read_bytes()).definition


def test_keys_stand_in_the_order_of_the_schema_and_free_ones_as_written() -> None:
    steps = "do: [{ with: { b: 1, a: 2 }, call: x, id: i }]"
    text = f"title: T\nname: n\n{steps}\nvars: {{ z: 1, a: 2 }}\nkind: process\ndsl: 1\n"
    made = canonical(text)
    assert list(made) == ["dsl", "kind", "name", "title", "vars", "do"]
    assert list(made["do"][0]) == ["id", "call", "with"]
    assert list(made["do"][0]["with"]) == ["b", "a"]
    assert list(made["vars"]) == ["z", "a"]
    assert "mode" not in made


def test_comments_spaces_and_quotes_change_no_sha256() -> None:
    plain = loaded(HEAD + DO).sha256
    other = (
        "# note\r\ndsl:   1\r\nkind: \"process\"\r\nname: 'p'\r\ntitle: P # why\r\n\r\ndo:\r\n- {call: get_dialog}\r\n"
    )
    assert loaded("\ufeff" + other).sha256 == plain


def test_shorthand_stays_in_the_canonical_document_and_is_read_in_full() -> None:
    found = loaded(
        HEAD + "do:\n  - { call: close, retry: 3 }\n  - wait: 15m\n  - listen: { to: dialog.closed, timeout: 1h }\n"
    )
    assert found.canonical is not None
    assert found.definition is not None
    assert found.canonical["do"][0]["retry"] == 3
    call, wait, listen = found.definition.do
    assert call.retry.max_attempts == 3
    assert wait.wait.for_.span.total_seconds() == 900
    assert listen.listen.events[0].event == "dialog.closed"


@pytest.mark.parametrize(
    ("written", "offset", "place"),
    [
        ("abc def", 4, (5, 12)),
        ('"abc def"', 4, (5, 13)),
        (r'"a\tb\u0456c"', 4, (5, 19)),
        ("'it''s so'", 3, (5, 13)),
        ("|\n  first\n  second line", 8, (7, 5)),
        (">\n  folded", 2, (5, 8)),
    ],
)
def test_characters_of_texts_are_found_in_their_writing(written: str, offset: int, place: tuple[int, int]) -> None:
    places: Places = load(f"{HEAD}note:  {written}\n{DO}").places
    span = places.inside(("note",), offset, 1)
    assert (span.line, span.column) == place


def test_lists_and_objects_end_where_their_last_member_does() -> None:
    places = load(HEAD + "tags:\n  - a\n  - bb\n" + DO).places
    assert places.value(("tags",)) == (6, 3, 7, 7)


@given(st.binary(max_size=400))
def test_no_bytes_raise(source: bytes) -> None:
    check(load(source), catalogue())


SNIPPETS = st.sampled_from([
    "dsl: 1\n", "do:\n", "  - ", "call: ", "{", "}", "[", "]", ": ", "&a ", "*a", "!!x ", "\t", '"', "'", "|\n", "{{ ",
    " }}", "if: ", "\\ud800", "\x00", "é", "- ", "? ", "set: ", "switch: ", "for: ", "1e999", "99999999999999999999",
    "null", "~: 1", "with: ", "steps.x", "---\n", "\n", "  ", "#", ",", "wait: ", "yes", "{}", "[]", "id: ", "title: ",
    "kind: process\n",
])  # fmt: skip


@given(st.lists(SNIPPETS, max_size=40).map("".join))
@settings(max_examples=300)
def test_no_text_raises(source: str) -> None:
    check(load(source), catalogue())


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(["{{ vars.x }}", "1h", "5/s", "dialog.status == 'x'", "{{", "pinned"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_examples_with_a_part_replaced_do_not_raise(data: st.DataObject) -> None:
    document = json.loads(json.dumps(canonical(data.draw(st.sampled_from(EXAMPLES)).read_text("utf-8"))))
    for _ in range(data.draw(st.integers(1, 3))):
        at = document
        while True:
            keys = list(at) if isinstance(at, dict) else list(range(len(at)))
            key = data.draw(st.sampled_from(keys))
            if not isinstance(at[key], dict | list) or not at[key] or data.draw(st.integers(0, 3)) == 0:
                at[key] = data.draw(TREES)
                break
            at = at[key]
        if not isinstance(document, dict) or not document:
            break
    check(load(json.dumps(document)), catalogue())
