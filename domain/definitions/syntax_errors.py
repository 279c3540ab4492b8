"""What the YAML parser says, in words that tell how to mend it (E101)."""

import re

import yaml

from domain.definitions.diagnostics import Findings
from domain.definitions.places import LINE_BREAK, Span

#: `key: 'text' more`
_AFTER_QUOTE = re.compile(r"""(?:^|[\s{,\[-])(?:[\w-]+:\s+)(?:'[^']*'|"[^"]*")\s*[^\s,}\]#]""")
#: what YAML does not call printable
_UNREADABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_WORDINGS = (
    ("tab", "E101.tab"),
    ("mapping values are not allowed", "E101.colon"),
    ("unknown escape", "E101.escape"),
    ("escape", "E101.escape"),
    ("control characters", "E101.character"),
    ("unexpected end of stream", "E101.quote"),
    ("or '}'", "E101.flow"),
    ("or ']'", "E101.flow"),
    ("expected key", "E101.indent"),
    ("expected '-'", "E101.indent"),
    ("could not find expected ':'", "E101.no_colon"),
    ("directive", "E101.token"),
    ("start any token", "E101.token"),
    ("alias", "E103.anchor"),
    ("anchor", "E103.anchor"),
    ("tag", "E103.tag"),
)


def explain(problem: yaml.YAMLError, findings: Findings) -> None:
    mark = getattr(problem, "problem_mark", None) or getattr(problem, "context_mark", None)
    if "end of stream" in str(getattr(problem, "problem", "")):
        mark = getattr(problem, "context_mark", None) or mark
    said = str(getattr(problem, "problem", None) or getattr(problem, "reason", None) or problem).split("\n")[0]
    line, column = (mark.line, mark.column) if mark is not None else _place(findings)
    lines = findings.places.lines
    wording = next((wording for words, wording in _WORDINGS if words in said), "E101")
    row = lines[line] if line < len(lines) else ""
    if "\t" in row[: column + 1] and not row[: column + 1].split("\t")[0].strip():
        wording = "E101.tab"
    elif wording == "E101.indent" and _AFTER_QUOTE.search(row[: column + 1]):
        wording = "E101.after_quote"
    elif row[column : column + 1] in ("%", "@", "`"):
        wording = "E101.token"
    findings.add(wording, (), span=Span(line + 1, column + 1, line + 1, column + 2), said=said, name="&")


def _place(findings: Findings) -> tuple[int, int]:
    """(line, column) from 0 of the character the reader could not take: it counts bytes, not characters."""
    found = _UNREADABLE.search(findings.places.text)
    before = LINE_BREAK.split(findings.places.text[: found.start() if found else 0])
    return len(before) - 1, len(before[-1])
