"""What is wrong with a definition, where, and how to mend it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from domain.definitions.places import START, Path, Places, Span, pointer_of
from domain.definitions.wording import DEFAULT_LANGUAGE, hint_for, message_for

DOC = "/docs/diagnostics.md"


@dataclass(frozen=True, slots=True)
class Fix:
    """Replace the characters of `span` by `text`."""

    span: Span
    text: str

    def as_json(self) -> dict[str, Any]:
        return {**self.span._asdict(), "text": self.text}


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """`pointer` leads into the canonical document. `wording` names its text in wording.py, `facts` fill that text."""

    wording: str
    pointer: str = ""
    span: Span = START
    facts: Mapping[str, Any] = field(default_factory=dict)
    fix: Fix | None = None
    language: str = DEFAULT_LANGUAGE

    @property
    def code(self) -> str:
        return self.wording.partition(".")[0]

    @property
    def severity(self) -> str:
        return {"W": "warning", "I": "info"}.get(self.wording[0], "error")

    @property
    def is_error(self) -> bool:
        return self.severity == "error"

    @property
    def message(self) -> str:
        return message_for(self.wording, self.facts, self.language)

    @property
    def hint(self) -> str | None:
        return hint_for(self.wording, self.facts, self.language)

    @property
    def line(self) -> int:
        return self.span.line

    @property
    def column(self) -> int:
        return self.span.column

    @property
    def doc(self) -> str:
        return f"{DOC}#{self.code.lower()}"

    def as_json(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            **self.span._asdict(),
            "pointer": self.pointer,
            "hint": self.hint,
            "fix": self.fix.as_json() if self.fix else None,
            "doc": self.doc,
        }


MOST_FINDINGS = 200


class EnoughError(Exception):
    """As many diagnostics as anybody reads are found; what is left of the text is not looked at."""


class Findings:
    """Collects diagnostics over one text; the same thing is said once. Raises EnoughError at MOST_FINDINGS."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self._found: dict[tuple[str, str, Span], Diagnostic] = {}

    def add(
        self,
        wording: str,
        path: Path,
        *,
        span: Span | None = None,
        at_key: bool = False,
        fix: str | Fix | None = None,
        **facts: Any,
    ) -> None:
        """`fix` as a text replaces the span. A path that shorthand left out of the text is cut to what is there."""
        if span is None and path not in self.places.keys:
            path = self.places.written_at(path)
        where = span or (self.places.key(path) if at_key else self.places.value(path))
        mended = Fix(where, fix) if isinstance(fix, str) else fix
        found = Diagnostic(wording, pointer_of(path), where, facts, mended)
        self._found.setdefault((found.code, found.pointer, where), found)
        if len(self._found) >= MOST_FINDINGS:
            raise EnoughError

    def extend(self, others: Iterable[Diagnostic]) -> None:
        for other in others:
            self._found.setdefault((other.code, other.pointer, other.span), other)

    def sorted(self) -> list[Diagnostic]:
        """In the order of the text."""
        return sorted(self._found.values(), key=lambda d: (d.span.line, d.span.column, d.code))

    @property
    def has_errors(self) -> bool:
        return any(d.is_error for d in self._found.values())


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    return any(d.is_error for d in diagnostics)


def in_language(diagnostics: Iterable[Diagnostic], language: str) -> list[Diagnostic]:
    return [replace(d, language=language) for d in diagnostics]


def readable(diagnostics: Iterable[Diagnostic], file: str | None = None) -> str:
    """One line each: `7:12 error E204 unknown event 'sla.breach' — did you mean …?  [/triggers/1/event]`."""
    return "\n".join(readable_line(d, file) for d in diagnostics)


def readable_line(d: Diagnostic, file: str | None = None) -> str:
    place = f"{file}:{d.line}:{d.column}" if file else f"{d.line}:{d.column}"
    hint = f" — {d.hint}" if d.hint else ""
    pointer = f"  [{d.pointer}]" if d.pointer else ""
    return f"{place} {d.severity} {d.code} {d.message}{hint}{pointer}"
