"""The JSON Schema for editors agrees with the loader, as far as a schema can."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from domain.actions.catalogue import INTERNAL, catalogue
from domain.definitions.composing import compose
from domain.definitions.diagnostics import Findings
from domain.definitions.loading import load
from domain.definitions.places import Places
from domain.definitions.schema import json_schema
from domain.definitions.steps import KINDS
from tests.domain.definitions.corpus import CORPUS, HEAD, Bad

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted([*ROOT.glob("processes/*.yaml"), *ROOT.glob("macros/*.yaml")])
SCHEMA = json_schema(catalogue())
VALIDATOR = Draft202012Validator(SCHEMA)
#: shapes that are wrong by what stands in them together, or by what the text says elsewhere
BEYOND = ("levl", "друже", "nobody", "choices", "default", "look", "'need'", "'text'", "be an id")
SEEN = [
    bad
    for bad in CORPUS
    if bad.code in ("E201", "E202", "E203", "E204", "E205", "E206", "E208", "E209", "E210")
    and not any(word in bad.says or word in bad.pointer for word in BEYOND)
    and "selection" not in bad.pointer
    and "with/where" not in bad.pointer
    and "retry/on" not in bad.pointer
]


def document_of(text: str | bytes) -> Any:
    assert isinstance(text, str)
    _, document = compose(text, Findings(Places()))
    return document


def test_it_is_a_schema_of_the_2020_12_draft() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    json.dumps(SCHEMA)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_the_built_in_definitions_follow_it(example: Path) -> None:
    assert [e.message for e in VALIDATOR.iter_errors(load(example.read_bytes()).canonical)] == []


@pytest.mark.parametrize("bad", SEEN, ids=lambda bad: f"{bad.code}-{bad.pointer}")
def test_what_it_can_see_it_refuses(bad: Bad) -> None:
    assert list(VALIDATOR.iter_errors(document_of(bad.source)))


def test_it_knows_every_kind_and_every_action() -> None:
    told = {rule["if"]["required"][0] for rule in SCHEMA["$defs"]["Step"]["allOf"]}
    assert told == set(KINDS)
    assert set(SCHEMA["$defs"]["Call"]["properties"]["call"]["enum"]) == set(catalogue()) - INTERNAL
    assert "oneOf" not in SCHEMA["$defs"]["Step"]


def test_a_wrong_step_is_told_by_its_own_kind() -> None:
    document = document_of(HEAD + "do:\n  - { wait: 1h, colour: red }\n")
    (error,) = VALIDATOR.iter_errors(document)
    assert "'colour' was unexpected" in error.message
    document = document_of(HEAD + "do:\n  - { call: distribute, with: { to: moon } }\n")
    (error,) = VALIDATOR.iter_errors(document)
    assert list(error.path) == ["do", 0, "with", "to"]


def test_an_expression_may_stand_for_any_parameter() -> None:
    text = (
        HEAD
        + "do:\n  - { call: get_dialog, with: { messages: '{{ vars.n }}' } }\n"
        + "  - { call: close, with: { reason: null } }\n"
    )
    assert list(VALIDATOR.iter_errors(document_of(text))) == []


def test_a_blueprint_may_hold_parameters_anywhere() -> None:
    text = HEAD.replace("process", "blueprint") + (
        "parameters: { wait: { label: W, type: duration } }\ntimeout: '{{ blueprint.wait }}'\n"
        "do: [{ wait: '{{ blueprint.wait }}' }]\n"
    )
    assert list(VALIDATOR.iter_errors(document_of(text))) == []
