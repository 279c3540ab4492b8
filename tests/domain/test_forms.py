"""Forms and pictures of definitions."""

from datetime import UTC, datetime

import pytest
from jsonschema import Draft202012Validator

from domain.definitions.inputs import InputField
from domain.definitions.loading import load
from domain.forms import property_of, schema_of, ui_of, values_of
from domain.pictures import mermaid
from macros.catalogue import built_ins as macros
from processes.catalogue import built_ins as processes

NOW = datetime(2026, 11, 22, tzinfo=UTC)
BUILT_INS = [*macros(), *processes()]


def asked(**fields) -> InputField:
    return InputField.model_validate({"label": "Скільки", "type": "string", **fields})


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"type": "integer", "min": 1, "max": 3}, {"type": "integer", "minimum": 1, "maximum": 3}),
        ({"min_length": 2, "max_length": 5}, {"type": "string", "minLength": 2, "maxLength": 5}),
        ({"type": "boolean"}, {"type": "boolean"}),
        ({"type": "datetime"}, {"type": "string", "format": "date-time"}),
        ({"type": "operator"}, {"type": "string", "format": "uuid"}),
        ({"sensitive": True}, {"type": "string", "writeOnly": True}),
        ({"type": "choice", "choices": ["a"]}, {"oneOf": [{"const": "a", "title": "a"}]}),
        (
            {"type": "team", "multiple": True, "help": "h"},
            {"description": "h", "type": "array", "items": {"type": "string"}, "uniqueItems": True, "maxItems": 200},
        ),
    ],
)
def test_a_question_becomes_a_property(fields, told):
    assert property_of(asked(**fields)) == {"title": "Скільки", **told}


def test_what_may_be_hidden_or_has_a_default_is_not_required_by_the_schema():
    fields = {
        "a": asked(required=True),
        "b": asked(required=True, show_if="true"),
        "c": asked(required=True, default="x"),
    }
    assert schema_of(fields)["required"] == ["a"]
    assert [one["required"] for one in ui_of(fields)] == [True, True, True]


def test_a_default_reads_what_is_at_hand_and_is_left_empty_where_it_cannot():
    fields = {"a": asked(default="{{ contact.external_id }}"), "b": asked(default="{{ inputs.a }}!"), "c": asked()}
    assert values_of(fields, {"contact": {"external_id": "17"}}, NOW) == {"a": "17", "b": "17!", "c": None}
    assert values_of(fields, {"contact": None}, NOW) == {"a": None, "b": None, "c": None}


@pytest.mark.parametrize(("name", "source"), BUILT_INS, ids=[name for name, _ in BUILT_INS])
def test_forms_and_pictures_of_the_library(name, source):
    loaded = load(source)
    fields = loaded.definition.inputs
    Draft202012Validator.check_schema(schema_of(fields))
    drawn = mermaid(loaded.canonical)
    assert drawn.startswith("flowchart TD\n")
    assert drawn.count("subgraph") == drawn.count("\n  end\n")


def test_nothing_in_a_picture_is_markup_of_the_author():
    step = {"id": "x", "title": '"]<script>alert(1)</script>\nclick n1 "javascript:x"', "call": "log", "with": {}}
    drawn = mermaid({"title": "<b>", "do": [step]})
    assert "<" not in drawn.replace("-->", "")
    assert "\nclick" not in drawn
    assert drawn.count('"') % 2 == 0
