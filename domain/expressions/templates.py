"""Texts with {{ }}, {% if %} and {% for %}: compiled to closures that append to one list of pieces, metered."""

from collections.abc import Callable
from typing import Any, Final

from jinja2 import nodes

from domain.expressions.budgets import Evaluation
from domain.expressions.compiling import Compiler
from domain.expressions.errors import ExpressionError, quoted
from domain.expressions.parts import Part
from domain.expressions.values import described, kind_of

Write = Callable[[Evaluation, "Pieces"], None]
_TAGS: Final = {
    "Assign": "set", "AssignBlock": "set", "Macro": "macro", "CallBlock": "call", "FilterBlock": "filter",
    "With": "with", "Block": "block", "Include": "include", "Import": "import", "FromImport": "from",
    "Extends": "extends",
}  # fmt: skip


class Pieces:
    """The text so far, never beyond its limit."""

    __slots__ = ("parts", "size")

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.size = 0

    def add(self, text: str, run: Evaluation) -> None:
        self.parts.append(text)
        self.size += len(text)
        run.room(self.size)

    def text(self, run: Evaluation) -> str:
        return run.text("".join(self.parts))


def compile_template(compiler: Compiler, root: nodes.Template) -> Part:
    """The whole text; the value itself when it is one {{ }} and nothing else; a constant without any."""
    match root.body:
        case []:
            return compiler.constant("")
        case [nodes.Output(nodes=[nodes.TemplateData() as only])]:
            return compiler.constant(only.data)
        case [nodes.Output(nodes=[only])]:
            return compiler.value(only)
    write = _body(compiler, root.body)

    def run(run: Evaluation) -> str:
        pieces = Pieces()
        write(run, pieces)
        return pieces.text(run)

    return Part(run, "text")


def _body(compiler: Compiler, statements: list[nodes.Node]) -> Write:
    writers: list[Write] = []
    for statement in statements:
        match statement:
            case nodes.Output():
                writers.extend(_piece(compiler, piece) for piece in statement.nodes)
            case nodes.If():
                writers.append(_if(compiler, statement))
            case nodes.For():
                writers.append(_for(compiler, statement))
            case _:
                name = type(statement).__name__
                tag = _TAGS.get(name, name.lower())
                raise ExpressionError(
                    "E305", f"the tag {quoted(tag)} is not allowed — only if and for", offset=statement.lineno, length=1
                )
    if len(writers) == 1:
        return writers[0]

    def write(run: Evaluation, pieces: Pieces) -> None:
        for writer in writers:
            writer(run, pieces)

    return write


def _piece(compiler: Compiler, node: nodes.Node) -> Write:
    if isinstance(node, nodes.TemplateData):
        data = node.data
        return lambda run, pieces: pieces.add(data, run)
    text, span = compiler.text(node), compiler.spans.of(node)

    def write(run: Evaluation, pieces: Pieces) -> None:
        written = text(run)
        try:
            pieces.add(written, run)
        except ExpressionError as error:
            raise error.at(*span) from None

    return write


def _if(compiler: Compiler, node: nodes.If) -> Write:
    arms = [(compiler.boolean(arm.test), _block(compiler, arm, arm.body)) for arm in (node, *node.elif_)]
    otherwise = _block(compiler, node, node.else_)

    def write(run: Evaluation, pieces: Pieces) -> None:
        for condition, arm in arms:
            if condition(run):
                return arm(run, pieces)
        return otherwise(run, pieces)

    return write


def _for(compiler: Compiler, node: nodes.For) -> Write:
    if node.recursive or not isinstance(node.target, nodes.Name) or node.target.name == "loop":
        raise ExpressionError("E305", "a loop has one name: {% for item in list %}", offset=node.lineno, length=3)
    source, span = compiler.present(node.iter).run, compiler.spans.of(node.iter)
    before = compiler.cost
    (item,) = compiler.open_scope(node.target.name)
    condition = compiler.boolean(node.test) if node.test is not None else None
    (place,) = compiler.open_scope("loop")
    body = _block(compiler, node, node.body)
    compiler.close_scope()
    compiler.close_scope()
    cost = compiler.cost - before + 1
    otherwise = _block(compiler, node, node.else_)

    def write(run: Evaluation, pieces: Pieces) -> None:
        items = source(run)
        try:
            if kind_of(items) != "list":
                raise ExpressionError("R323", f"a loop needs a list, not {described(items)}")
            run.items(len(items))
            chosen = items if condition is None else [one for one in items if _holds(run, item, one, condition)]
            for at, one in enumerate(chosen):
                run.spend(cost)
                run.slots[item], run.slots[place] = one, (at, len(chosen))
                body(run, pieces)
        except ExpressionError as error:
            raise error.at(*span) from None
        if not chosen:
            otherwise(run, pieces)

    return write


def _holds(run: Evaluation, slot: int, item: Any, condition: Callable[[Evaluation], Any]) -> bool:
    run.spend(1)
    run.slots[slot] = item
    return condition(run) is True


def _block(compiler: Compiler, owner: nodes.Node, statements: list[nodes.Node]) -> Write:
    compiler.enter(owner)
    try:
        return _body(compiler, statements)
    finally:
        compiler.leave()
