"""What `switchboard validate` does: definitions checked without an installation, told to a person or to a program."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

from rich.console import Console
from rich.text import Text

from domain.actions.catalogue import catalogue
from domain.definitions.checking import full_check
from domain.definitions.diagnostics import Diagnostic, in_language
from domain.definitions.loading import load
from embedded.errors import StartError

COLOURS = {"error": "red", "warning": "yellow", "info": "blue"}
STDIN = "-"
#: bytes; of what is far too large no more is read than to say so
_MOST_READ = 10_000_000
_WORDS = {
    "en": {"clean": "clean", "tests": "tests", "error": "errors", "warning": "warnings", "info": "remarks"},
    "uk": {"clean": "без зауважень", "tests": "тестів", "error": "помилок", "warning": "застережень", "info": "зауваг"},
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """One file's. `tests`: how many of its own it has."""

    file: str
    name: str | None
    sha256: str | None
    tests: int
    diagnostics: tuple[Diagnostic, ...]

    def fails(self, *, strict: bool) -> bool:
        return any(d.is_error or (strict and d.severity == "warning") for d in self.diagnostics)

    def as_json(self) -> dict[str, Any]:
        return {
            "file": self.file,
            "name": self.name,
            "sha256": self.sha256,
            "diagnostics": [d.as_json() for d in self.diagnostics],
        }


def verdict_on(file: str, language: str) -> Verdict:
    """Raises StartError when the file cannot be read."""
    try:
        with nullcontext(sys.stdin.buffer) if file == STDIN else Path(file).open("rb") as stream:
            source = stream.read(_MOST_READ)
    except OSError as problem:
        raise StartError(f"{file} cannot be read: {problem.strerror or problem}") from problem
    loaded = load(source)
    found = full_check(loaded, catalogue(), timezones=frozenset(available_timezones()))
    draft = loaded.draft
    return Verdict(
        file=file,
        name=draft.name if draft else None,
        sha256=loaded.sha256,
        tests=len(draft.tests) if draft else 0,
        diagnostics=tuple(in_language(found, language)),
    )


def tell_programs(verdicts: Sequence[Verdict]) -> None:
    print(json.dumps([verdict.as_json() for verdict in verdicts], ensure_ascii=False, indent=2))


def tell_people(verdicts: Sequence[Verdict], language: str) -> None:
    console = Console(highlight=False, soft_wrap=True)
    words = _WORDS[language]
    for verdict in verdicts:
        counts = Counter(d.severity for d in verdict.diagnostics)
        told = ", ".join(f"{counts[s]} {words[s]}" for s in COLOURS if counts[s])
        colour = next((COLOURS[s] for s in COLOURS if counts[s]), "green")
        clean = f"{words['clean']} ({verdict.tests} {words['tests']})" if verdict.tests else words["clean"]
        console.print(Text.assemble((verdict.file, "bold"), " ", (told or clean, colour)))
        for diagnostic in verdict.diagnostics:
            console.print(_line(diagnostic))


def _line(d: Diagnostic) -> Text:
    line = Text.assemble(
        (f"{d.line:>4}:{d.column}", "bold"), " ", (d.severity, COLOURS[d.severity]), " ", d.code, " ", d.message
    )  # fmt: skip
    if d.hint:
        line.append(f" — {d.hint}", style="cyan")
    if d.pointer:
        line.append(f"  [{d.pointer}]", style="dim")
    for row in d.facts.get("trace", ()):
        line.append(f"\n       {row}", style="dim")
    return line
