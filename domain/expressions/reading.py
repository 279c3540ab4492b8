"""Compiling what reads: names, fields, places of lists, slices, loop names."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from jinja2 import nodes

from domain.expressions.budgets import DEEPEST, Evaluation
from domain.expressions.errors import ExpressionError, quoted
from domain.expressions.parts import Part, Reference
from domain.expressions.paths import Path, cut, step_into
from domain.expressions.suggestions import closest
from domain.expressions.values import MISSING

if TYPE_CHECKING:
    from domain.expressions.compiling import Compiler

#: fields of `loop`: of the place (from 0) and the number of items
LOOP_FIELDS: Final[dict[str, Callable[[int, int], Any]]] = {
    "index": lambda at, _of: at + 1,
    "index0": lambda at, _of: at,
    "first": lambda at, _of: at == 0,
    "last": lambda at, of: at == of - 1,
    "length": lambda _at, of: of,
}


def name(compiler: Compiler, node: nodes.Name) -> Part:
    slot = compiler.slot_of(node.name)
    if slot is None:
        return _path(compiler, node, (node.name,))
    if node.name == "loop":
        raise compiler.forbidden(node, "`loop` alone is no value — write loop.index or loop.last")
    return Part(lambda run: run.slots[slot], may_miss=True)


def attribute(compiler: Compiler, node: nodes.Getattr) -> Part:
    path = _static_path(compiler, node)
    if path is not None:
        return _path(compiler, node, path)
    if isinstance(node.node, nodes.Name) and node.node.name == "loop":
        return _loop_field(compiler, node)
    return _item_of(compiler, node)


def item(compiler: Compiler, node: nodes.Getitem) -> Part:
    path = _static_path(compiler, node)
    if path is not None:
        return _path(compiler, node, path)
    if isinstance(node.arg, nodes.Slice):
        return _slice(compiler, node, node.arg)
    if isinstance(node.arg, nodes.Tuple):
        raise compiler.forbidden(node, "one key stands in the brackets")
    return _item_of(compiler, node)


def _path(compiler: Compiler, node: nodes.Node, path: Path) -> Part:
    offset, length = compiler.spans.of(node)
    compiler.references.append(Reference(path, offset, length, is_optional=True))
    root, keys = str(path[0]), path[1:]

    def run(run: Evaluation) -> Any:
        value = run.names.get(root, MISSING)
        for key in keys:
            if type(value) is dict:
                value = value.get(key, MISSING)
            else:
                try:
                    value = step_into(value, key)
                except ExpressionError as error:
                    raise error.at(offset, length) from None
        return value

    return Part(run, may_miss=True, path=path)


def _static_path(compiler: Compiler, node: nodes.Node) -> Path | None:
    """The path a chain of static steps names, when its root is no loop name."""
    keys: list[str | int] = []
    while len(keys) <= DEEPEST:
        match node:
            case nodes.Getattr():
                keys.append(node.attr)
                node = node.node
            case nodes.Getitem(arg=nodes.Const(value=str() | int() as key)) if not isinstance(key, bool):
                keys.append(key)
                node = node.node
            case nodes.Name() if compiler.slot_of(node.name) is None:
                return (node.name, *reversed(keys))
            case _:
                return None
    return None


def _item_of(compiler: Compiler, node: nodes.Getattr | nodes.Getitem) -> Part:
    owner, span = compiler.value(node.node).run, compiler.spans.of(node)
    key_of = compiler.constant(node.attr).run if isinstance(node, nodes.Getattr) else compiler.present(node.arg).run

    def run(run: Evaluation) -> Any:
        value = owner(run)
        key = key_of(run)
        try:
            return step_into(value, key)
        except ExpressionError as error:
            raise error.at(*span) from None

    return Part(run, may_miss=True)


def _loop_field(compiler: Compiler, node: nodes.Getattr) -> Part:
    slot = compiler.slot_of("loop")
    field = LOOP_FIELDS.get(node.attr)
    if slot is None or field is None:
        message = f"loop has no {quoted(node.attr)} — known: {', '.join(LOOP_FIELDS)}"
        raise compiler.forbidden(node, message, suggestion=closest(node.attr, LOOP_FIELDS))
    return Part(lambda run: field(*run.slots[slot]), "boolean" if node.attr in ("first", "last") else "number")


def _slice(compiler: Compiler, node: nodes.Getitem, bounds: nodes.Slice) -> Part:
    part, span = compiler.present(node.node), compiler.spans.of(node)
    inner = part.run
    start, stop, step = (
        compiler.present(bound).run if bound is not None else _nothing
        for bound in (bounds.start, bounds.stop, bounds.step)
    )

    def run(run: Evaluation) -> Any:
        value = inner(run)
        try:
            return cut(value, start(run), stop(run), step(run), run)
        except ExpressionError as error:
            raise error.at(*span) from None

    return Part(run, part.type if part.type in ("text", "list") else None)


def _nothing(_run: Evaluation) -> None:
    return None
