"""From a syntax tree to nested closures: each node is looked at once, an allow-list decides what it becomes."""

from collections.abc import Callable
from typing import Any, Final

from jinja2 import nodes

from domain.expressions import applying, calculating, reading
from domain.expressions.budgets import DEEPEST, Evaluation
from domain.expressions.errors import ExpressionError
from domain.expressions.parsing import Tree
from domain.expressions.parts import Comparison, Part, Reference, Run, missing, never_boolean, not_boolean
from domain.expressions.paths import path_text
from domain.expressions.spans import Spans
from domain.expressions.values import MISSING, kind_of
from domain.expressions.writing import text_of


class Compiler:
    """Compiles the nodes of one tree; afterwards `references`, `comparisons`, `slots` and `cost` tell what it met."""

    def __init__(self, tree: Tree, source: str) -> None:
        self.spans = Spans(tree, source)
        self.references: list[Reference] = []
        self.comparisons: list[Comparison] = []
        self.slots = 0
        self.cost = 0
        self.patterns = 0
        self._scopes: list[dict[str, int]] = []
        self._depth = 0

    def value(self, node: nodes.Node) -> Part:
        """A part that may yield MISSING."""
        self.cost += 1
        self.enter(node)
        try:
            compile_node = _COMPILERS.get(type(node))
            if compile_node is None:
                raise self.forbidden(node, f"{type(node).__name__.lower()} is not part of the language")
            return compile_node(self, node)
        finally:
            self.leave()

    def present(self, node: nodes.Node) -> Part:
        """A part that never yields MISSING: it raises R320 instead."""
        if isinstance(node, nodes.CondExpr):
            self.cost += 1
            self.enter(node)
            try:
                return calculating.choice(self, node, self.present)
            finally:
                self.leave()
        part = self.value(node)
        if not part.may_miss:
            return part
        if part.path is not None:
            own = self.references[-1]
            self.references[-1] = Reference(own.path, own.offset, own.length)
        inner, span, name = part.run, self.spans.of(node), path_text(part.path) if part.path else None

        def run(run: Evaluation) -> Any:
            value = inner(run)
            if value is MISSING:
                raise missing(name, span)
            return value

        return Part(run, part.type, path=part.path)

    def boolean(self, node: nodes.Node) -> Run:
        """A part that yields true or false: no truthiness."""
        part, span = self.present(node), self.spans.of(node)
        if part.type == "boolean":
            return part.run
        if part.type is not None:
            raise never_boolean(part.type, span)
        inner, name = part.run, path_text(part.path) if part.path else None

        def run(run: Evaluation) -> bool:
            value = inner(run)
            if value is True or value is False:
                return value
            raise not_boolean(value, span, name)

        return run

    def text(self, node: nodes.Node) -> Run:
        """A part as it is written into text."""
        part, span = self.present(node), self.spans.of(node)
        inner, name = part.run, path_text(part.path) if part.path else None

        def run(run: Evaluation) -> str:
            value = inner(run)
            if type(value) is str:
                return value
            try:
                return text_of(value)
            except ExpressionError as error:
                error.name = error.name or name
                raise error.at(*span) from None

        return run

    def constant(self, value: Any) -> Part:
        return Part(lambda _run: value, kind_of(value), value=value)

    def enter(self, node: nodes.Node) -> None:
        """One level deeper; E306 when that is too deep."""
        self._depth += 1
        if self._depth > DEEPEST:
            raise ExpressionError(
                "E306", f"nested more than {DEEPEST} deep — split it into steps", offset=node.lineno, length=1
            )

    def leave(self) -> None:
        self._depth -= 1

    def open_scope(self, *names: str) -> list[int]:
        """Loop names stand in slots of the evaluation; answers theirs."""
        slots = list(range(self.slots, self.slots + len(names)))
        self.slots += len(names)
        self._scopes.append(dict(zip(names, slots, strict=True)))
        return slots

    def close_scope(self) -> None:
        self._scopes.pop()

    def slot_of(self, name: str) -> int | None:
        return next((scope[name] for scope in reversed(self._scopes) if name in scope), None)

    def forbidden(self, node: nodes.Node, message: str, **more: Any) -> ExpressionError:
        offset, length = self.spans.of(node)
        return ExpressionError("E305", message, offset=offset, length=length, **more)


def _constant(compiler: Compiler, node: nodes.Const) -> Part:
    return compiler.constant(node.value)


def _choice(compiler: Compiler, node: nodes.CondExpr) -> Part:
    return calculating.choice(compiler, node, compiler.value)


_COMPILERS: Final[dict[type[nodes.Node], Callable[[Compiler, Any], Part]]] = {
    nodes.Const: _constant, nodes.Name: reading.name, nodes.Getattr: reading.attribute, nodes.Getitem: reading.item,
    nodes.List: calculating.list_of, nodes.Tuple: calculating.list_of, nodes.Dict: calculating.object_of,
    nodes.And: calculating.logic, nodes.Or: calculating.logic, nodes.Not: calculating.negation,
    nodes.Add: calculating.arithmetic, nodes.Sub: calculating.arithmetic, nodes.Mul: calculating.arithmetic,
    nodes.Div: calculating.arithmetic, nodes.FloorDiv: calculating.arithmetic, nodes.Mod: calculating.arithmetic,
    nodes.Neg: calculating.sign, nodes.Pos: calculating.sign, nodes.Concat: calculating.joined,
    nodes.Compare: calculating.comparison, nodes.CondExpr: _choice,
    nodes.Filter: applying.filtered, nodes.Test: applying.tested, nodes.Call: applying.called,
}  # fmt: skip
