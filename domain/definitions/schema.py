"""JSON Schema (draft 2020-12) of definitions, for editors: what to complete and what to underline while typing.

A step is told by its kind's key and an action by its name, with `if` and `then`: a `oneOf` of all would only ever say
"matches no schema". What the schema cannot say, checking.py does.
"""

from collections.abc import Mapping
from typing import Any

from pydantic.json_schema import models_json_schema

from domain.actions.catalogue import INTERNAL
from domain.actions.manifests import Manifest
from domain.definitions.calls import params_of
from domain.definitions.names import EVENTS
from domain.definitions.selections import AllOf, AnyOf, Comparison, Not
from domain.definitions.shapes import Definition
from domain.definitions.steps import KINDS
from domain.definitions.triggers import TRIGGERS

DIALECT = "https://json-schema.org/draft/2020-12/schema"
ID = "/api/v1/schemas/dsl-1.json"
_EXPRESSION: dict[str, Any] = {"type": "string", "pattern": r"\{[{%]"}
_CONDITIONS = {"field": Comparison, "all": AllOf, "any": AnyOf, "not": Not}
#: exactly one of these keys
_ONE_OF = {
    "Ear": ("to", "any", "all"), "Pause": ("for", "until"), "Errand": ("process", "macro"), "Case": ("when", "else"),
}  # fmt: skip
_EVENT: dict[str, Any] = {
    "anyOf": [{"enum": sorted(EVENTS)}, {"type": "string", "pattern": r"^custom\."}],
}  # fmt: skip


def json_schema(catalogue: Mapping[str, Manifest]) -> dict[str, Any]:
    """Self-contained; the actions' parameters are among its `$defs` as `with.ACTION`."""
    _, schema = models_json_schema([(Definition, "validation")], ref_template="#/$defs/{model}")
    defs: dict[str, Any] = {name: _told(one) for name, one in schema["$defs"].items()}
    defs["Step"] = _by_key(KINDS)
    defs["Trigger"] = _by_key(TRIGGERS)
    defs["Where"] = _by_key(_CONDITIONS)
    defs["Call"] = _call(defs["Call"], catalogue)
    for name in catalogue:
        if name not in INTERNAL:
            defs[f"with.{name}"] = _params(catalogue[name], defs)
    for holder in ("EventPattern", "EventTrigger", "TestEvent"):
        defs[holder]["properties"]["event"] = _EVENT
    defs["Announcement"]["properties"]["event"] = _EVENT["anyOf"][1]
    awaited = {"anyOf": [*_EVENT["anyOf"], {"$ref": "#/$defs/EventPattern"}]}
    defs["Ear"]["properties"]["to"] = awaited
    for name in ("any", "all"):
        defs["Ear"]["properties"][name]["items"] = awaited
    for name, keys in _ONE_OF.items():
        defs[name]["oneOf"] = [{"required": [key]} for key in keys]
    definition = defs["Definition"]
    definition["anyOf"] = [{"required": ["do"]}, {"required": ["use"]}]
    definition["required"] = [name for name in definition["required"] if name != "do"]
    return {
        "$schema": DIALECT,
        "$id": ID,
        "title": "Definition of a process or macro",
        "type": "object",
        "required": ["dsl", "kind", "name", "title"],
        # Any value of a blueprint may be a parameter: it is checked by the server, with its defaults.
        "if": {"properties": {"kind": {"const": "blueprint"}}, "required": ["kind"]},
        "then": {"properties": {"parameters": definition["properties"]["parameters"]}},
        "else": {"$ref": "#/$defs/Definition"},
        "$defs": dict(sorted(defs.items())),
    }


def _told(schema: Any) -> Any:
    """The same schema with its unions of steps, triggers and conditions named."""
    if isinstance(schema, list):
        return [_told(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if isinstance(schema.get("oneOf"), list):
        names = {str(one.get("$ref", "")).rpartition("/")[2] for one in schema["oneOf"]}
        for union, members in (("Step", KINDS), ("Trigger", TRIGGERS), ("Where", _CONDITIONS)):
            if names == {member.__name__ for member in members.values()}:
                return {"$ref": f"#/$defs/{union}"}
    told = {
        key: _told(one) for key, one in schema.items() if key != "discriminator" and (key, one) != ("default", None)
    }
    if isinstance(told.get("anyOf"), list):
        # What may be left out need not be null: without it the messages name what is wrong inside.
        some = [one for one in told["anyOf"] if one != {"type": "null"}]
        told.pop("anyOf")
        told |= some[0] if len(some) == 1 else {"anyOf": some}
    return told


def _by_key(members: Mapping[str, type[Any]]) -> dict[str, Any]:
    def has(key: str) -> dict[str, Any]:
        # the `do` of a `for` does not make it a block
        is_block = key == "do" and "for" in members
        return {"required": [key], "not": {"required": ["for"]}} if is_block else {"required": [key]}

    rules = [{"if": has(key), "then": {"$ref": f"#/$defs/{shape.__name__}"}} for key, shape in members.items()]
    return {"type": "object", "anyOf": [{"required": [key]} for key in members], "allOf": rules}


def _call(schema: dict[str, Any], catalogue: Mapping[str, Manifest]) -> dict[str, Any]:
    names = sorted(name for name in catalogue if name not in INTERNAL)
    labels = {name: catalogue[name].label.get("en", name) for name in names}
    call = {"enum": names, "markdownEnumDescriptions": [labels[name] for name in names]}
    rules = [
        {
            "if": {"properties": {"call": {"const": name}}, "required": ["call"]},
            "then": {
                "properties": {"with": {"$ref": f"#/$defs/with.{name}"}},
                "required": ["with"] if any(params_of(catalogue[name].params).values()) else [],
            },
        }
        for name in names
    ]
    return {**schema, "properties": {**schema["properties"], "call": call}, "allOf": rules}


def _params(manifest: Manifest, defs: dict[str, Any]) -> dict[str, Any]:
    schema = manifest.params.model_json_schema(by_alias=True, ref_template=f"#/$defs/with.{manifest.name}.{{model}}")
    for name, one in schema.pop("$defs", {}).items():
        defs[f"with.{manifest.name}.{name}"] = one
    schema["properties"] = {name: _or_expression(one) for name, one in schema.get("properties", {}).items()}
    return schema


def _or_expression(schema: Any) -> Any:
    """What an expression may stand for; null counts as left out. Members of lists and maps are loosened alike."""
    if not isinstance(schema, dict) or not schema:
        return schema
    loose = dict(schema)
    for key in ("items", "additionalProperties"):
        if isinstance(loose.get(key), dict):
            loose[key] = _or_expression(loose[key])
    if isinstance(loose.get("anyOf"), list):
        loose["anyOf"] = [_or_expression(one) for one in loose["anyOf"]]
    told = {key: loose.pop(key) for key in ("title", "description", "default", "x-reference") if key in loose}
    return {"anyOf": [loose, _EXPRESSION, {"type": "null"}], **told}
