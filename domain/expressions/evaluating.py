"""Compiled expressions and how they are evaluated: a pure function of the names and one frozen moment."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache, wraps
from typing import Any, Final

from jinja2 import nodes

from domain.expressions.budgets import FUEL, Evaluation, Purse
from domain.expressions.compiling import Compiler
from domain.expressions.errors import ExpressionError
from domain.expressions.parsing import parse_condition, parse_text
from domain.expressions.parts import Comparison, Part, Reference, never_boolean, not_boolean
from domain.expressions.paths import Path, path_text, read
from domain.expressions.templates import compile_template
from domain.expressions.values import MISSING
from domain.expressions.writing import one_line, to_json

LONGEST_READ = 200
LONGEST_SHORT = 400
_BEGINNINGS: Final = ("{{", "{%", "{#")


class Expression:
    """A compiled expression; immutable, safe to share between threads and workflows.

    `names`: every static path read. `references`: the same with their places. `literal`: there is nothing to evaluate.
    `result_type`: text, number, boolean, null, list, object, moment, duration, or None when it is not known.
    """

    __slots__ = ("_cost", "_run", "_slots", "comparisons", "literal", "names", "references", "result_type", "source")

    def __init__(self, source: str, part: Part, compiler: Compiler | None) -> None:
        self.source = source
        self.result_type = part.type
        self.literal = compiler is None
        self.references: tuple[Reference, ...] = tuple(compiler.references) if compiler else ()
        self.comparisons: tuple[Comparison, ...] = tuple(compiler.comparisons) if compiler else ()
        self.names: tuple[Path, ...] = tuple(dict.fromkeys(reference.path for reference in self.references))
        self._run = part.run
        self._cost = compiler.cost if compiler else 0
        self._slots = compiler.slots if compiler else 0

    def evaluate(
        self,
        names: Mapping[str, Any],
        *,
        now: datetime,
        fuel: int = FUEL,
        missing: Any = None,
        purse: Purse | None = None,
    ) -> Any:
        """The value, `missing` (null) where nothing is. Raises ExpressionError R3xx, nothing else.

        `purse` pays for it, and allows no more than it holds.
        """
        if purse is not None:
            fuel = min(fuel, purse.left)
        run = Evaluation(names, now, fuel, self._slots)
        try:
            run.spend(self._cost)
            value = self._run(run)
        finally:
            if purse is not None:
                purse.left -= fuel - run.fuel
        return missing if value is MISSING else value

    def evaluate_condition(
        self, names: Mapping[str, Any], *, now: datetime, fuel: int = FUEL, purse: Purse | None = None
    ) -> bool:
        """True or false; R306 for anything else."""
        value = self.evaluate(names, now=now, fuel=fuel, purse=purse)
        if value is True or value is False:
            return value
        raise not_boolean(value, (0, len(self.source)))

    def read(self, names: Mapping[str, Any]) -> dict[str, Any]:
        """What the expression reads, path by path: plain JSON, cut short, null where nothing is."""
        found: dict[str, Any] = {}
        for path in self.names:
            try:
                found[path_text(path)] = _shortened(read(names, path))
            except ExpressionError:
                found[path_text(path)] = None
        return found

    def __repr__(self) -> str:
        return f"Expression({self.source!r})"


def _kept(compile: Callable[[str], Expression]) -> Callable[[str], Expression]:
    """The same, keeping what it compiled: few of the long ones, which may take half a megabyte each."""
    short, long = lru_cache(maxsize=1024)(compile), lru_cache(maxsize=64)(compile)

    @wraps(compile)
    def compiled(source: str) -> Expression:
        return short(source) if len(source) <= LONGEST_SHORT else long(source)

    return compiled


@_kept
def compile_condition(source: str) -> Expression:
    """A bare expression that yields true or false. Raises ExpressionError E3xx."""
    text = _normal(source)
    try:
        tree = parse_condition(text)
        compiler = Compiler(tree, text)
        part = compiler.value(tree.root)
    except ExpressionError as error:
        if error.code == "E303":
            bare = source.replace("{{", "").replace("}}", "").strip()
            error.fix = bare if bare and bare != source else None
        raise
    if part.type not in (None, "boolean"):
        raise never_boolean(part.type, (0, len(source)))
    return Expression(source, part, compiler)


@_kept
def compile_value(source: str) -> Expression:
    """A text with {{ }} in it. Exactly one {{ }} and nothing else is the value itself; none at all is the text."""
    if not any(beginning in source for beginning in _BEGINNINGS):
        return Expression(source, Part(lambda _run: source, "text"), None)
    text = _normal(source)
    tree = parse_text(text)
    assert isinstance(tree.root, nodes.Template)
    compiler = Compiler(tree, text)
    part = compile_template(compiler, tree.root)
    if part.value is not MISSING and not compiler.cost:
        return Expression(source, part, None)
    return Expression(source, part, compiler)


def _normal(source: str) -> str:
    """Line breaks as the parser wants them."""
    return source.replace("\r\n", "\n").replace("\r", "\n") if "\r" in source else source


def _shortened(value: Any) -> Any:
    try:
        plain = to_json(value)
    except ExpressionError as error:
        return "…" if error.code == "R312" else None
    text = plain if isinstance(plain, str) else one_line(plain)
    return plain if len(text) <= LONGEST_READ else text[: LONGEST_READ - 1] + "…"


__all__ = ["Expression", "compile_condition", "compile_value"]
