"""YAML 1.2 core, strict, or JSON → plain values, and where each of them stands (E1xx).

No anchors, aliases, tags, second documents, double keys, keys that are not texts; nothing turns into a number or a
boolean that its author may have meant as a text.
"""

import re
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    CollectionStartEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)

from domain.definitions.diagnostics import Findings, Fix
from domain.definitions.places import Path, Span
from domain.definitions.syntax_errors import explain

#: with libyaml where PyYAML has it: the same events, faster
_Parser: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

DEEPEST = 60
LONGEST_KEY = 200
_INT64 = 2**63
_INTEGER = re.compile(r"[-+]?[0-9]+", re.ASCII)
_RADIX = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+", re.ASCII)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", re.ASCII)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_WORDS = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
#: JSON writes characters beyond the first plane as two halves, which YAML does not know
_HALVES = re.compile(r"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")


class _Unreadable(Exception):
    """What follows cannot be composed; the reason is among the findings."""


def compose(text: str, findings: Findings) -> tuple[bool, Any]:
    """(whether it could be read to its end, the value). Fills the findings' places."""
    findings.places.text = _HALVES.sub(_joined, text) if text.lstrip().startswith("{") else text
    try:
        return True, _Composer(_Parser(findings.places.text), findings).document()
    except _Unreadable:
        return False, None
    except yaml.YAMLError as problem:
        explain(problem, findings)
        return False, None


def _joined(halves: re.Match[str]) -> str:
    high, low = int(halves[1], 16), int(halves[2], 16)
    return f"\\U{0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00):08X}"


class _Composer:
    def __init__(self, parser: Any, findings: Findings) -> None:
        self._next = parser.get_event
        self._findings = findings
        self._places = findings.places

    def document(self) -> Any:
        event = self._next()
        while isinstance(event, StreamStartEvent):
            event = self._next()
        if isinstance(event, StreamEndEvent) or event is None:
            self._findings.add("E101.empty", ())
            raise _Unreadable
        if isinstance(event, DocumentStartEvent) and event.tags:
            self._stop("E103.tag", (), event)
        value = self._value(self._next(), ())
        event = self._next()
        while isinstance(event, DocumentEndEvent):
            event = self._next()
        if not isinstance(event, StreamEndEvent):
            self._stop("E101.documents", (), event)
        return value

    def _stop(self, wording: str, path: Path, event: Any, **facts: Any) -> None:
        self._findings.add(wording, path, span=_span(event), **facts)
        raise _Unreadable

    def _value(self, event: Any, path: Path) -> Any:
        self._places.values[path] = _span(event)
        if isinstance(event, AliasEvent):
            self._stop("E103.alias", path, event, name=event.anchor)
        self._refuse_extras(event, path)
        if isinstance(event, ScalarEvent):
            return self._scalar(event, path)
        if len(path) >= DEEPEST:
            self._stop("E107", path, event, most=DEEPEST)
        if isinstance(event, SequenceStartEvent):
            return self._sequence(event, path)
        return self._mapping(event, path)

    def _refuse_extras(self, event: Any, path: Path) -> None:
        if event.anchor is not None:
            self._stop("E103.anchor", path, event, name=event.anchor)
        if event.tag is not None:
            self._stop("E103.tag", path, event)

    def _end(self, start: Any, end: Any, path: Path, last: Path | None) -> None:
        begun = _span(start)
        if start.flow_style:
            closed = (end.end_mark.line + 1, end.end_mark.column + 1)
        else:  # a block's end mark stands at what follows it
            inner = self._places.values.get(last, begun) if last is not None else begun
            closed = (inner.end_line, inner.end_column)
        self._places.values[path] = Span(begun.line, begun.column, *closed)

    def _sequence(self, start: Any, path: Path) -> list[Any]:
        values: list[Any] = []
        event = self._next()
        while not isinstance(event, SequenceEndEvent):
            values.append(self._value(event, (*path, len(values))))
            event = self._next()
        self._end(start, event, path, (*path, len(values) - 1) if values else None)
        return values

    def _mapping(self, start: Any, path: Path) -> Any:
        values: dict[str, Any] = {}
        last: Path | None = None
        is_template = False
        event = self._next()
        while not isinstance(event, MappingEndEvent):
            key = self._key(event, path, start)
            if key is None:
                is_template = is_template or self._is_braces(event, start)
                self._skip(self._next())
            elif key in values:
                first = self._places.keys[(*path, key)]
                self._findings.add("E102", (*path, key), span=_span(event), key=key, line=first.line)
                self._skip(self._next())
            elif start.flow_style and self._is_bare(event):
                self._findings.add("E201.comma", (*path, key), span=_span(event), key=key)
                self._skip(self._next())
            else:
                last = (*path, key)
                self._places.keys[last] = _span(event)
                values[key] = self._value(self._next(), last)
            event = self._next()
        self._end(start, event, path, last)
        return self._as_template(path) if is_template and not values else values

    def _key(self, event: Any, path: Path, start: Any) -> str | None:
        """None for what cannot be a key; that is among the findings then."""
        if isinstance(event, AliasEvent):
            self._stop("E103.alias", path, event, name=event.anchor)
        self._refuse_extras(event, path)
        span = _span(event)
        if not isinstance(event, ScalarEvent):
            if self._is_braces(event, start):
                self._findings.add("E104.braces", path, fix=self._quoted_line(_span(start)))
            else:
                self._findings.add("E104", path, span=span)
            self._skip(event)
            return None
        if _is_plain(event) and not isinstance(_resolve(event.value), str):
            self._findings.add("E104.text", path, span=span, fix=f'"{event.value}"', value=event.value or "null")
        elif not event.value or len(event.value) > LONGEST_KEY or not is_storable(event.value):
            self._findings.add("E104.odd", path, span=span, most=LONGEST_KEY)
        else:
            return str(event.value)
        return None

    def _is_braces(self, event: Any, start: Any) -> bool:
        """Whether this is `{{ … }}` outside quotes: a mapping whose only key is a mapping."""
        if not (isinstance(event, MappingStartEvent) and event.flow_style and start.flow_style):
            return False
        first: Any = event
        a, b = start.start_mark, first.start_mark
        return bool(a.line == b.line and a.column + 1 == b.column)

    def _quoted_line(self, span: Span) -> Fix | None:
        rest = self._places.lines[span.line - 1][span.column - 1 :].rstrip()
        if not rest.endswith("}}") or '"' in rest or "\\" in rest or " #" in rest:
            return None
        return Fix(Span(span.line, span.column, span.line, span.column + len(rest)), f'"{rest}"')

    def _as_template(self, path: Path) -> str | dict[str, Any]:
        """`{{ x }}` outside quotes is gone on with as the text it was meant to be."""
        return self._places.written(self._places.values[path]) or {}

    def _is_bare(self, event: Any) -> bool:
        """A key without its colon."""
        mark = event.end_mark
        row = self._places.lines[mark.line] if mark.line < len(self._places.lines) else ""
        return not (row[mark.column :].lstrip().startswith(":") or self._has_question_mark(event))

    def _has_question_mark(self, event: Any) -> bool:
        row: str = self._places.lines[event.start_mark.line]
        return row[: event.start_mark.column].rstrip().endswith("?")

    def _skip(self, event: Any) -> None:
        """Reads past a value."""
        depth = 0
        while True:
            if isinstance(event, CollectionStartEvent):
                depth += 1
            elif isinstance(event, MappingEndEvent | SequenceEndEvent):
                depth -= 1
            if depth <= 0:
                return
            event = self._next()

    def _scalar(self, event: Any, path: Path) -> Any:
        span = _span(event)
        self._places.values[path] = span
        text = str(event.value)
        if not is_storable(text):
            self._findings.add("E105.character", path, span=span)
            return ""
        if _is_plain(event):
            value = _resolve(text)
            if not isinstance(value, str):
                return self._number(text, value, path)
        self._places.styles[path] = event.style or None
        return text

    def _number(self, text: str, value: Any, path: Path) -> Any:
        """Numbers that would not come back as they were written are refused: they were meant as texts."""
        if isinstance(value, bool) or value is None:
            return value
        digits = text.lstrip("+-")
        is_odd = text.startswith("+") or (digits.isdigit() and len(digits) > 1 and digits.startswith("0"))
        is_huge = isinstance(value, int) and not -_INT64 <= value < _INT64
        if is_odd or is_huge or _NOT_FINITE.fullmatch(text) or value in (float("inf"), float("-inf")):
            self._findings.add("E105.number", path, value=text[:60], fix=f'"{text}"')
            return text
        return value


def _is_plain(event: Any) -> bool:
    return bool(event.implicit[0]) and not event.style


def _span(event: Any) -> Span:
    start, end = event.start_mark, event.end_mark
    return Span(start.line + 1, start.column + 1, end.line + 1, end.column + 1)


def _resolve(text: str) -> Any:
    """The core schema of YAML 1.2: yes, no, on, off, dates and clock readings are texts."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text) if len(text) <= 4000 else float("inf")
    if _RADIX.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        return float(text)
    return float("nan") if _NOT_FINITE.fullmatch(text) else text


def is_storable(text: str) -> bool:
    """Neither NUL, which PostgreSQL refuses, nor half a character."""
    return _UNSTORABLE.search(text) is None
