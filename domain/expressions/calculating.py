"""Compiling what calculates: lists and objects, logic, arithmetic, joining, comparing, choosing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from jinja2 import nodes

from domain.expressions.budgets import Evaluation
from domain.expressions.errors import ExpressionError
from domain.expressions.operators import ARITHMETIC, COMPARISONS, SIGNS, affirm, negate
from domain.expressions.parts import Comparison, Part, Run, Side
from domain.expressions.values import MISSING

if TYPE_CHECKING:
    from domain.expressions.compiling import Compiler

_ARITHMETIC_NODES: Final = (nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod)
_NUMBERS_ONLY: Final = (nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod)


def list_of(compiler: Compiler, node: nodes.List | nodes.Tuple) -> Part:
    parts = [compiler.present(member) for member in node.items]
    members = [part.run for part in parts]

    def run(run: Evaluation) -> list[Any]:
        run.items(len(members))
        return [member(run) for member in members]

    values = [part.value for part in parts]
    is_literal = all(value is not MISSING for value in values)
    return Part(run, "list", value=values if is_literal else MISSING)


def object_of(compiler: Compiler, node: nodes.Dict) -> Part:
    pairs: list[tuple[str, Run]] = []
    for pair in node.items:
        if not (isinstance(pair.key, nodes.Const) and isinstance(pair.key.value, str)):
            raise compiler.forbidden(pair.key, "a key of an object is a quoted text")
        pairs.append((pair.key.value, compiler.present(pair.value).run))

    def run(run: Evaluation) -> dict[str, Any]:
        run.items(len(pairs))
        return {key: member(run) for key, member in pairs}

    return Part(run, "object")


def logic(compiler: Compiler, node: nodes.And | nodes.Or) -> Part:
    """Stops at the first part that decides."""
    parts = [compiler.boolean(part) for _kind, part in _chain(node, (type(node),))]
    compiler.cost += len(parts) - 2
    decisive = isinstance(node, nodes.Or)
    first, second, *_ = parts

    def run(run: Evaluation) -> Any:
        for part in parts:
            if part(run) is decisive:
                return decisive
        return not decisive

    def run_two(run: Evaluation) -> Any:
        return decisive if first(run) is decisive else second(run)

    return Part(run_two if len(parts) == 2 else run, "boolean")


def negation(compiler: Compiler, node: nodes.Not) -> Part:
    inner = compiler.boolean(node.node)
    return Part(lambda run: not inner(run), "boolean")


def arithmetic(compiler: Compiler, node: nodes.BinExpr) -> Part:
    """A whole chain `a + b - c` at once, from left to right."""
    (_, head), *tail = _chain(node, _ARITHMETIC_NODES)
    compiler.cost += len(tail) - 1
    parts = [compiler.present(part) for part in (head, *(part for _kind, part in tail))]
    links = [(ARITHMETIC[kind.__name__], part.run) for (kind, _node), part in zip(tail, parts[1:], strict=True)]
    first = parts[0].run
    span = compiler.spans.of(node)

    def run(run: Evaluation) -> Any:
        value = first(run)
        for calculate, part in links:
            other = part(run)
            try:
                value = calculate(value, other, run)
            except ExpressionError as error:
                raise error.at(*span) from None
        return value

    kinds = {part.type for part in parts}
    if any(issubclass(kind, _NUMBERS_ONLY) for kind, _ in tail):
        kinds = {"number"}
    return Part(run, kinds.pop() if len(kinds) == 1 and kinds <= {"number", "text", "list", "duration"} else None)


def sign(compiler: Compiler, node: nodes.Neg | nodes.Pos) -> Part:
    part, span = compiler.present(node.node), compiler.spans.of(node)
    inner, apply = part.run, negate if isinstance(node, nodes.Neg) else affirm
    if part.type == "number" and part.value is not MISSING:
        return compiler.constant(apply(part.value))

    def run(run: Evaluation) -> Any:
        value = inner(run)
        try:
            return apply(value)
        except ExpressionError as error:
            raise error.at(*span) from None

    return Part(run, part.type if part.type == "number" else None)


def joined(compiler: Compiler, node: nodes.Concat) -> Part:
    parts = [compiler.text(part) for part in node.nodes]
    span = compiler.spans.of(node)

    def run(run: Evaluation) -> str:
        texts = [part(run) for part in parts]
        try:
            run.room(sum(map(len, texts)))
            return run.text("".join(texts))
        except ExpressionError as error:
            raise error.at(*span) from None

    return Part(run, "text")


def comparison(compiler: Compiler, node: nodes.Compare) -> Part:
    """`a < b < c` compares neighbours and stops at the first that fails."""
    first = compiler.present(node.expr)
    compiler.cost += len(node.ops) - 1
    before, place = first, compiler.spans.of(node.expr)
    links: list[tuple[Any, Run, tuple[int, int]]] = []
    for operand in node.ops:
        part, start = compiler.present(operand.expr), place[0]
        place = compiler.spans.of(operand.expr)
        span = (start, sum(place) - start)
        compiler.comparisons.append(Comparison(_side(before), SIGNS[operand.op], _side(part), *span))
        run_part = part.run
        if operand.op in ("in", "notin") and isinstance(part.value, list):
            run_part = compiler.constant(part.value).run
        links.append((COMPARISONS[operand.op], run_part, span))
        before = part
    head, (compare_first, tail, span_first) = first.run, links[0]

    def run_one(run: Evaluation) -> bool:
        left, right = head(run), tail(run)
        try:
            return bool(compare_first(left, right, run))
        except ExpressionError as error:
            raise error.at(*span_first) from None

    def run(run: Evaluation) -> bool:
        left = head(run)
        for compare, part, span in links:
            right = part(run)
            try:
                if not compare(left, right, run):
                    return False
            except ExpressionError as error:
                raise error.at(*span) from None
            left = right
        return True

    return Part(run_one if len(links) == 1 else run, "boolean")


def choice(compiler: Compiler, node: nodes.CondExpr, take: Callable[[nodes.Node], Part]) -> Part:
    """`a if c else b`; `take` says whether a branch may be missing."""
    if node.expr2 is None:
        raise compiler.forbidden(node, "`a if b` needs its `else`")
    condition = compiler.boolean(node.test)
    yes, no = take(node.expr1), take(node.expr2)
    first, second = yes.run, no.run
    return Part(
        lambda run: first(run) if condition(run) else second(run),
        yes.type if yes.type == no.type else None,
        may_miss=yes.may_miss or no.may_miss,
    )


def _chain(node: nodes.BinExpr, kinds: tuple[type[nodes.BinExpr], ...]) -> list[tuple[type, nodes.Expr]]:
    """`a + b - c` as (Add, a), (Add, b), (Sub, c): left to right, without recursion."""
    found: list[tuple[type, nodes.Expr]] = []
    left: nodes.Expr = node
    while isinstance(left, kinds):
        found.append((type(left), left.right))
        left = left.left
    found.append((type(node), left))
    found.reverse()
    return found


def _side(part: Part) -> Side:
    return Side(part.type, part.path, part.value)
