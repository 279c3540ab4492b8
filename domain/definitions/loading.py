"""Text → Definition: YAML or JSON in, canonical document and sha256 out, with everything that is wrong about it."""

from dataclasses import dataclass, field
from typing import Any

from domain.definitions.canonical import canonical_json, canonical_of, from_canonical, sha256_of
from domain.definitions.composing import compose
from domain.definitions.diagnostics import Diagnostic, EnoughError, Findings
from domain.definitions.places import Places
from domain.definitions.shapes import LARGEST_BYTES, Definition
from domain.definitions.shaping import shape

_BYTE_ORDER_MARK = "\ufeff"


@dataclass(frozen=True, slots=True)
class Loaded:
    """`definition`, `canonical` and `sha256` are there when no error was found.

    `draft` is as much of the definition as could be read: names and expressions are checked in it all the same.
    An instance of a blueprint (`use:`) loads without the blueprint's steps; see blueprints.expand.
    """

    definition: Definition | None = None
    canonical: dict[str, Any] | None = None
    sha256: str | None = None
    diagnostics: list[Diagnostic] = field(default_factory=list)
    places: Places = field(default_factory=Places)
    draft: Definition | None = None


def load(source: bytes | str) -> Loaded:
    """Never raises; what is wrong is among the diagnostics."""
    places = Places()
    findings = Findings(places)
    text = _text_of(source, findings)
    if text is None:
        return Loaded(diagnostics=findings.sorted(), places=places)
    try:
        return _loaded(text, findings)
    except EnoughError:
        return Loaded(diagnostics=findings.sorted(), places=places)


def _loaded(text: str, findings: Findings) -> Loaded:
    places = findings.places
    is_read, document = compose(text, findings)
    if not is_read:
        return Loaded(diagnostics=findings.sorted(), places=places)
    canonical = canonical_of(document) if isinstance(document, dict) else None
    if canonical is not None and (size := len(canonical_json(canonical))) > LARGEST_BYTES:
        findings.add("E106", (), size=size, most=LARGEST_BYTES)
        return Loaded(diagnostics=findings.sorted(), places=places)
    draft = shape(canonical if canonical is not None else document, findings)
    if findings.has_errors or draft is None or canonical is None:
        return Loaded(diagnostics=findings.sorted(), places=places, draft=draft)
    return Loaded(draft, canonical, sha256_of(canonical), findings.sorted(), places, draft)


def _text_of(source: bytes | str, findings: Findings) -> str | None:
    try:
        raw = source.encode() if isinstance(source, str) else source
        text = raw.decode()
    except UnicodeError:
        findings.add("E101.encoding", ())
        return None
    if len(raw) > LARGEST_BYTES:
        findings.add("E106", (), size=len(raw), most=LARGEST_BYTES)
        return None
    return text.removeprefix(_BYTE_ORDER_MARK)


__all__ = ["Loaded", "canonical_json", "from_canonical", "load"]
