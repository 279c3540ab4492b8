"""The canonical form: keys in the order of the schema, ids filled in, defaults left out; its sha256 names a version."""

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any

from domain.definitions.blueprints import with_samples
from domain.definitions.shapes import Definition
from domain.definitions.steps import KINDS, kinds_in
from domain.definitions.structure import DOCUMENT, ordered

_GENERATED = re.compile(rf"(?:{'|'.join(KINDS)})_[1-9][0-9]*")


def canonical_of(document: dict[str, Any]) -> dict[str, Any]:
    """Steps without an id get `<kind>_<n>`, counted per kind in the order of the text."""
    given = set(_ids(document))
    counts = dict.fromkeys(KINDS, 0)

    def fill(step: dict[str, Any]) -> None:
        kinds = kinds_in(step)
        if step.get("id") is not None or len(kinds) != 1:
            return
        kind = kinds[0]
        while True:
            counts[kind] += 1
            made = f"{kind}_{counts[kind]}"
            if made not in given:
                break
        step["id"] = made

    filled: dict[str, Any] = ordered(document, DOCUMENT, (), fill)
    return filled


def _ids(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("id"), str):
            yield value["id"]
        for one in value.values():
            yield from _ids(one)
    elif isinstance(value, list):
        for one in value:
            yield from _ids(one)


def is_generated(step_id: str) -> bool:
    """Whether an id was filled in: tests' paths leave such steps out."""
    return _GENERATED.fullmatch(step_id) is not None


def canonical_json(canonical: dict[str, Any]) -> bytes:
    return json.dumps(canonical, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def sha256_of(canonical: dict[str, Any]) -> str:
    return hashlib.sha256(canonical_json(canonical)).hexdigest()


def from_canonical(canonical: dict[str, Any]) -> Definition:
    """The definition of a canonical document that has been checked; a blueprint is read with sample parameters."""
    return Definition.model_validate(with_samples(canonical))
