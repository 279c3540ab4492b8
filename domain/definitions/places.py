"""Where in the text a value stands. Lines and columns count from 1, columns in characters; an end lies behind its last
character.
"""

import re
from dataclasses import dataclass, field
from typing import NamedTuple

Path = tuple[str | int, ...]

#: what YAML takes for the end of a line
LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


class Span(NamedTuple):
    line: int
    column: int
    end_line: int
    end_column: int


START = Span(1, 1, 1, 1)


def pointer_of(path: Path) -> str:
    """RFC 6901."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def path_of(pointer: str) -> tuple[str, ...]:
    """The parts of an RFC 6901 pointer, list indexes as texts."""
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])


@dataclass(slots=True)
class Places:
    """`values`, `keys`: path → where it stands. `styles`: how a text was written: `'`, `"`, `|`, `>`, None if plain."""

    text: str = ""
    values: dict[Path, Span] = field(default_factory=dict)
    keys: dict[Path, Span] = field(default_factory=dict)
    styles: dict[Path, str | None] = field(default_factory=dict)
    _lines: list[str] | None = None

    @property
    def lines(self) -> list[str]:
        if self._lines is None:
            self._lines = LINE_BREAK.split(self.text)
        return self._lines

    def value(self, path: Path) -> Span:
        """Where the value stands, else what holds it."""
        for length in range(len(path), -1, -1):
            if (span := self.values.get(path[:length])) is not None:
                return span
        return START

    def key(self, path: Path) -> Span:
        """Where the key of the path stands; a list's member, which has none, stands for itself."""
        span = self.keys.get(path)
        return span if span is not None else self.value(path)

    def written_at(self, path: Path) -> Path:
        """The path, or the part of it that is in the text: shorthand leaves keys out."""
        return path if path in self.values or not path else self.written_at(path[:-1])

    def inside(self, path: Path, offset: int | None, length: int | None = None) -> Span:
        """Where characters `offset` to `offset + length` of a text stand; the whole text where that cannot be told."""
        span = self.values.get(path)
        if span is None or offset is None or path not in self.styles:
            return self.value(path)
        at = self._positions(path, span)
        if not 0 <= offset < len(at):
            return span
        line, column = at[offset]
        last = at[min(offset + max(length or 1, 1), len(at)) - 1]
        return Span(line, column, last[0], last[1] + 1)

    def written(self, span: Span) -> str | None:
        """The source text of a span on one line."""
        if span.line != span.end_line or span.line > len(self.lines):
            return None
        return self.lines[span.line - 1][span.column - 1 : span.end_column - 1]

    def _positions(self, path: Path, span: Span) -> list[tuple[int, int]]:
        """(line, column) of each character of the text; empty where its writing changes it too much to tell."""
        style = self.styles[path]
        if style == "|":
            return self._positions_in_block(span)
        raw = self.written(span)
        if raw is None or style == ">":
            return []
        if style is None:
            return [(span.line, span.column + n) for n in range(len(raw))]
        return [(span.line, span.column + n) for n in _starts(raw, style)]

    def _positions_in_block(self, span: Span) -> list[tuple[int, int]]:
        rows = self.lines[span.line : span.end_line - (span.end_column == 1)]
        indents = [len(row) - len(row.lstrip(" ")) for row in rows if row.strip()]
        indent = min(indents, default=0)
        return [
            (span.line + 1 + n, indent + 1 + k)
            for n, row in enumerate(rows)
            for k in range(max(len(row) - indent, 0) + 1)
        ]


_ESCAPE = re.compile(r"\\(?:x..|u....|U........|.)", re.DOTALL)


def _starts(raw: str, style: str) -> list[int]:
    """Where in a quoted text's writing each of its characters begins."""
    starts, n, end = [], 1, len(raw) - 1
    while n < end:
        starts.append(n)
        if style == '"' and raw[n] == "\\":
            found = _ESCAPE.match(raw, n)
            n = found.end() if found else n + 1
        else:
            n += 2 if style == "'" and raw[n : n + 2] == "''" else 1
    return starts
