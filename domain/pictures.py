"""A definition as a picture: a Mermaid flowchart of its canonical document, blocks within blocks."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

KINDS = (
    "call", "set", "do", "switch", "for", "fork", "try", "wait", "listen", "approve", "run", "raise", "stop", "emit",
)  # fmt: skip
_SHAPES: Mapping[str, tuple[str, str]] = {
    "switch": ("{", "}"), "wait": ("([", "])"), "listen": ("([", "])"), "approve": ("[/", "/]"),
    "raise": ("((", "))"), "stop": ("((", "))"), "run": ("[[", "]]"), "emit": (">", "]"),
}  # fmt: skip
LONGEST_LABEL = 80
_PHASES = (("before", "before"), ("do", "each item"), ("after", "after"), ("on_failure", "when an item fails"))


class _Drawing:
    def __init__(self) -> None:
        self.lines = ["flowchart TD"]
        self._edges: list[str] = []
        self._nodes = 0

    def node(self, label: str, kind: str = "call") -> str:
        self._nodes += 1
        name = f"n{self._nodes}"
        opens, closes = _SHAPES.get(kind, ("[", "]"))
        self.lines.append(f'  {name}{opens}"{_plain(label)}"{closes}')
        return name

    def edge(self, start: str, end: str, label: str | None = None) -> None:
        self._edges.append(f'  {start} -->|"{_plain(label)}"| {end}' if label else f"  {start} --> {end}")

    def block(self, label: str) -> None:
        self._nodes += 1
        self.lines.append(f'  subgraph b{self._nodes}["{_plain(label)}"]')

    def end(self) -> None:
        self.lines.append("  end")

    def text(self) -> str:
        """Edges come last: a node belongs to the block that names it first."""
        return "\n".join([*self.lines, *self._edges]) + "\n"


#: where drawing goes on: nodes whose next step is still to come, with the words on the way to it
_Ends = list[tuple[str, str | None]]


def mermaid(canonical: Mapping[str, Any]) -> str:
    """The text of a Mermaid diagram; nothing in it is markup of the definition's author."""
    drawing = _Drawing()
    ends: _Ends = [(drawing.node(str(canonical.get("title") or canonical.get("name") or ""), "wait"), None)]
    for key, label in _PHASES:
        steps = canonical.get(key)
        if not steps:
            continue
        drawing.block(label)
        found = _sequence(drawing, steps, [] if key == "on_failure" else ends)
        drawing.end()
        ends = ends if key == "on_failure" else found
    return drawing.text()


def _sequence(drawing: _Drawing, steps: Sequence[Any], ends: _Ends) -> _Ends:
    for step in steps:
        if isinstance(step, Mapping):
            ends = _step(drawing, step, ends)
    return ends


def _step(drawing: _Drawing, step: Mapping[str, Any], ends: _Ends) -> _Ends:
    kind = next((k for k in KINDS if k in step), "do")
    name = drawing.node(_label(step, kind), kind)
    for start, words in ends:
        drawing.edge(start, name, words)
    after: _Ends = _INNER[kind](drawing, step, name) if kind in _INNER else [(name, None)]
    if kind in ("raise", "stop"):
        after = []
    if step.get("if") is not None:
        after = [*after, (name, f"not: {step['if']}")]
    return after


def _label(step: Mapping[str, Any], kind: str) -> str:
    told = step.get("title") or step.get("id") or kind
    what = step.get(kind)
    if kind == "call":
        return f"{told}: {what}" if told != what else str(what)
    if kind == "wait" and isinstance(what, str):
        return f"{told}: {what}"
    if kind == "run" and isinstance(what, Mapping):
        return f"{told}: {what.get('process') or what.get('macro')}"
    return str(told)


def _cases(drawing: _Drawing, step: Mapping[str, Any], name: str) -> _Ends:
    after: _Ends = []
    has_else = False
    for case in step["switch"]:
        has_else = has_else or bool(case.get("else"))
        words = "else" if case.get("else") else str(case.get("title") or case.get("when") or "")
        after += _sequence(drawing, case.get("do") or (), [(name, words)])
    return after if has_else else [*after, (name, "no case")]


def _branches(drawing: _Drawing, step: Mapping[str, Any], name: str) -> _Ends:
    after: _Ends = []
    for branch in step["fork"].get("branches") or ():
        after += _sequence(drawing, branch.get("do") or (), [(name, str(branch.get("title") or branch.get("id")))])
    return after


def _loop(drawing: _Drawing, step: Mapping[str, Any], name: str) -> _Ends:
    for end, words in _sequence(drawing, step.get("do") or (), [(name, "each")]):
        if end != name:
            drawing.edge(end, name, words)
    return [(name, "done")]


def _attempt(drawing: _Drawing, step: Mapping[str, Any], name: str) -> _Ends:
    after = _sequence(drawing, step["try"], [(name, None)])
    caught = step.get("catch") or {}
    if caught:
        after = [*after, *_sequence(drawing, caught.get("do") or (), [(name, "error")])]
    return _sequence(drawing, step.get("finally") or (), after)


def _block(drawing: _Drawing, step: Mapping[str, Any], name: str) -> _Ends:
    return _sequence(drawing, step["do"], [(name, None)])


_INNER: Mapping[str, Callable[[_Drawing, Mapping[str, Any], str], _Ends]] = {
    "switch": _cases,
    "fork": _branches,
    "for": _loop,
    "try": _attempt,
    "do": _block,
}
_MARKUP = re.compile(r'["<>&#;`\\\x00-\x1f{}|\[\]]')


def _plain(label: str | None) -> str:
    """Characters that mean something to Mermaid or to HTML become spaces."""
    told = " ".join(_MARKUP.sub(" ", str(label or "")).split())
    return told if len(told) <= LONGEST_LABEL else told[: LONGEST_LABEL - 1] + "…"
