"""From a syntax tree to nested closures: each node is looked at once, an allow-list decides what it becomes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from jinja2 import nodes

from domain.expressions.budgets import DEEPEST, MOST_PATTERNS, Evaluation
from domain.expressions.errors import ExpressionError, quoted
from domain.expressions.filters import FILTERS, Filter, bind
from domain.expressions.operators import ARITHMETIC, COMPARISONS, SIGNS, affirm, negate
from domain.expressions.parsing import Tree
from domain.expressions.paths import Path, cut, path_text, read, step_into
from domain.expressions.suggestions import closest, filter_for
from domain.expressions.values import MISSING, described, is_empty, kind_of, number, text_of

Run = Callable[[Evaluation], Any]
FUNCTIONS: Final = ("now", "minutes", "hours", "days")
TESTS: Final = ("empty", "none")


@dataclass(frozen=True, slots=True)
class Reference:
    """A path that is read from the names, and where it stands. `is_optional`: it may be missing without an error."""

    path: Path
    offset: int
    length: int
    is_optional: bool = False


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison: a path, or a literal, or (both None) something else; `type` when it is known."""

    type: str | None
    path: Path | None = None
    value: Any = MISSING


@dataclass(frozen=True, slots=True)
class Comparison:
    """`left sign right`, for whoever knows the types of names."""

    left: Side
    sign: str
    right: Side
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Part:
    """A compiled node. `type` is what it always yields, None when that is not known; `path` when it is one."""

    run: Run
    type: str | None = None
    may_miss: bool = False
    path: Path | None = None
    value: Any = MISSING


class Compiler:
    """Compiles the nodes of one tree; afterwards `references`, `comparisons`, `slots` tell what it met."""

    def __init__(self, tree: Tree, source: str) -> None:
        self.source = source
        self.ends = tree.ends
        self.references: list[Reference] = []
        self.comparisons: list[Comparison] = []
        self.scopes: list[dict[str, int]] = []
        self.slots = 0
        self.cost = 0
        self.patterns = 0
        self._depth = 0

    def value(self, node: nodes.Node) -> Part:
        """A part that may yield MISSING."""
        self.cost += 1
        self._depth += 1
        if self._depth > DEEPEST:
            raise ExpressionError(
                "E306", f"nested more than {DEEPEST} deep — split it into steps", offset=self.span(node)[0], length=1
            )
        try:
            compiler = _COMPILERS.get(type(node))
            if compiler is None:
                raise self.forbidden(node, f"{type(node).__name__.lower()} is not part of the language")
            return compiler(self, node)
        finally:
            self._depth -= 1

    def present(self, node: nodes.Node) -> Part:
        """A part that never yields MISSING: it raises R320 instead."""
        before = len(self.references)
        part = self.value(node)
        if not part.may_miss:
            return part
        if part.path is not None and len(self.references) > before:
            own = self.references[-1]
            self.references[-1] = Reference(own.path, own.offset, own.length)
        inner, span, name = part.run, self.span(node), path_text(part.path) if part.path else None

        def run(run: Evaluation) -> Any:
            value = inner(run)
            if value is MISSING:
                raise missing(name, span)
            return value

        return Part(run, part.type, path=part.path)

    def boolean(self, node: nodes.Node) -> Run:
        """A part that yields true or false: no truthiness."""
        part = self.present(node)
        span = self.span(node)
        if part.type is not None and part.type != "boolean":
            raise ExpressionError(
                "E306", f"a condition is true or false, this is a {part.type} — compare it with something",
                offset=span[0], length=span[1],
            )  # fmt: skip
        if part.type == "boolean":
            return part.run
        inner = part.run

        def run(run: Evaluation) -> bool:
            value = inner(run)
            if value is True or value is False:
                return value
            raise not_boolean(value, span)

        return run

    def text(self, node: nodes.Node) -> Run:
        """A part as it is written into text."""
        part, span = self.present(node), self.span(node)
        inner = part.run

        def run(run: Evaluation) -> str:
            value = inner(run)
            if type(value) is str:
                return value
            try:
                return text_of(value)
            except ExpressionError as error:
                raise error.at(*span) from None

        return run

    def constant(self, value: Any) -> Part:
        return Part(lambda _run: value, kind_of(value), value=value)

    def take_slot(self) -> int:
        self.slots += 1
        return self.slots - 1

    def slot_of(self, name: str) -> int | None:
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        return None

    def span(self, node: nodes.Node) -> tuple[int, int]:
        """Offset and length of a node, as near as its tokens tell."""
        start = self._start(node)
        return start, max(self._end(node) - start, 1)

    def forbidden(self, node: nodes.Node, message: str, **more: Any) -> ExpressionError:
        offset, length = self.span(node)
        return ExpressionError("E305", message, offset=offset, length=length, **more)

    def _start(self, node: nodes.Node) -> int:
        while True:
            match node:
                case nodes.Getattr() | nodes.Getitem() | nodes.Filter() | nodes.Test() | nodes.Call() if node.node:
                    node = node.node
                case nodes.BinExpr():
                    node = node.left
                case nodes.Compare():
                    node = node.expr
                case nodes.CondExpr():
                    node = node.expr1
                case nodes.Concat() | nodes.Output() if node.nodes:
                    node = node.nodes[0]
                case nodes.Not() if isinstance(node.node, nodes.Test):
                    node = node.node
                case _:
                    return min(node.lineno, len(self.source))

    def _end(self, node: nodes.Node) -> int:
        while True:
            match node:
                case nodes.Getattr():
                    name = self.source.find(node.attr, node.lineno)
                    return self.ends.get(name, node.lineno + 1)
                case nodes.BinExpr():
                    node = node.right
                case nodes.Compare() if node.ops:
                    node = node.ops[-1].expr
                case nodes.Concat() | nodes.Output() if node.nodes:
                    node = node.nodes[-1]
                case nodes.CondExpr() if node.expr2 is not None:
                    node = node.expr2
                case nodes.Not() | nodes.Neg() | nodes.Pos():
                    node = node.node
                case nodes.Tuple() if node.items:
                    node = node.items[-1]
                case _:
                    return self.ends.get(node.lineno, node.lineno + 1)


def missing(name: str | None, span: tuple[int, int]) -> ExpressionError:
    what = f": {name}" if name else ""
    return ExpressionError(
        "R320", f"value is missing{what} — add | default(…)", offset=span[0], length=span[1], name=name
    )


def not_boolean(value: Any, span: tuple[int, int]) -> ExpressionError:
    remedy = "add | default(false)" if value is None else "compare it with something"
    return ExpressionError(
        "R306", f"a condition is true or false, this is {described(value)} — {remedy}", offset=span[0], length=span[1]
    )


def _constant(compiler: Compiler, node: nodes.Const) -> Part:
    return compiler.constant(node.value)


def _name(compiler: Compiler, node: nodes.Name) -> Part:
    slot = compiler.slot_of(node.name)
    if slot is not None:
        if node.name == "loop":
            raise compiler.forbidden(node, "`loop` alone is no value — write loop.index or loop.last")
        return Part(lambda run: run.slots[slot], may_miss=True)
    return _path(compiler, node, (node.name,))


def _path(compiler: Compiler, node: nodes.Node, path: Path) -> Part:
    offset, length = compiler.span(node)
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
    while True:
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
        if len(keys) > DEEPEST:
            return None


def _attribute(compiler: Compiler, node: nodes.Getattr) -> Part:
    path = _static_path(compiler, node)
    if path is not None:
        return _path(compiler, node, path)
    if isinstance(node.node, nodes.Name) and node.node.name == "loop":
        return _loop_field(compiler, node)
    return _item_of(compiler, node, node.node, compiler.constant(node.attr).run)


def _item(compiler: Compiler, node: nodes.Getitem) -> Part:
    path = _static_path(compiler, node)
    if path is not None:
        return _path(compiler, node, path)
    if isinstance(node.arg, nodes.Slice):
        return _slice(compiler, node, node.arg)
    if isinstance(node.arg, nodes.Tuple):
        raise compiler.forbidden(node, "one key stands in the brackets")
    return _item_of(compiler, node, node.node, compiler.present(node.arg).run)


def _item_of(compiler: Compiler, node: nodes.Node, owner: nodes.Node, key: Run) -> Part:
    inner, span = compiler.value(owner).run, compiler.span(node)

    def run(run: Evaluation) -> Any:
        value = inner(run)
        try:
            return step_into(value, key(run))
        except ExpressionError as error:
            raise error.at(*span) from None

    return Part(run, may_miss=True)


def _loop_field(compiler: Compiler, node: nodes.Getattr) -> Part:
    slot = compiler.slot_of("loop")
    read_field = LOOP_FIELDS.get(node.attr)
    if slot is None or read_field is None:
        suggestion = closest(node.attr, LOOP_FIELDS)
        raise compiler.forbidden(
            node, f"loop has no {quoted(node.attr)} — known: {', '.join(LOOP_FIELDS)}", suggestion=suggestion
        )
    return Part(lambda run: read_field(*run.slots[slot]), "boolean" if node.attr in ("first", "last") else "number")


#: of the place (from 0) and the number of items
LOOP_FIELDS: Final[dict[str, Callable[[int, int], Any]]] = {
    "index": lambda at, _of: at + 1,
    "index0": lambda at, _of: at,
    "first": lambda at, _of: at == 0,
    "last": lambda at, of: at == of - 1,
    "length": lambda _at, of: of,
}


def _slice(compiler: Compiler, node: nodes.Getitem, bounds: nodes.Slice) -> Part:
    part, span = compiler.present(node.node), compiler.span(node)
    inner = part.run
    start, stop, step = (
        compiler.present(bound).run if bound is not None else (lambda _run: None)
        for bound in (bounds.start, bounds.stop, bounds.step)
    )

    def run(run: Evaluation) -> Any:
        try:
            return cut(inner(run), start(run), stop(run), step(run), run)
        except ExpressionError as error:
            raise error.at(*span) from None

    return Part(run, part.type if part.type in ("text", "list") else None)


def _list(compiler: Compiler, node: nodes.List | nodes.Tuple) -> Part:
    items = [compiler.present(item).run for item in node.items]

    def run(run: Evaluation) -> list[Any]:
        run.items(len(items))
        return [item(run) for item in items]

    return Part(run, "list")


def _object(compiler: Compiler, node: nodes.Dict) -> Part:
    pairs: list[tuple[str, Run]] = []
    for pair in node.items:
        if not (isinstance(pair.key, nodes.Const) and isinstance(pair.key.value, str)):
            raise compiler.forbidden(pair.key, "a key of an object is a quoted text")
        pairs.append((pair.key.value, compiler.present(pair.value).run))

    def run(run: Evaluation) -> dict[str, Any]:
        run.items(len(pairs))
        return {key: item(run) for key, item in pairs}

    return Part(run, "object")


def _chain(node: nodes.BinExpr, kinds: tuple[type[nodes.BinExpr], ...]) -> Iterator[tuple[type, nodes.Expr]]:
    """`a + b - c` as (Add, a), (Add, b), (Sub, c): left to right, without recursion."""
    found: list[tuple[type, nodes.Expr]] = []
    left: nodes.Expr = node
    while isinstance(left, kinds):
        found.append((type(left), left.right))
        left = left.left
    found.append((type(node), left))
    return reversed(found)


def _logic(compiler: Compiler, node: nodes.And | nodes.Or) -> Part:
    parts = [compiler.boolean(part) for _kind, part in _chain(node, (type(node),))]
    decisive = isinstance(node, nodes.Or)

    def run(run: Evaluation) -> bool:
        for part in parts:
            if part(run) is decisive:
                return decisive
        return not decisive

    def run_two(run: Evaluation) -> bool:
        return decisive if first(run) is decisive else second(run)

    if len(parts) == 2:
        first, second = parts
        return Part(run_two, "boolean")
    return Part(run, "boolean")


def _not(compiler: Compiler, node: nodes.Not) -> Part:
    inner = compiler.boolean(node.node)
    return Part(lambda run: not inner(run), "boolean")


def _arithmetic(compiler: Compiler, node: nodes.BinExpr) -> Part:
    (_, head), *tail = _chain(node, _ARITHMETIC_NODES)
    compiler.cost += len(tail) - 1
    first_part = compiler.present(head)
    parts = [(ARITHMETIC[kind.__name__], compiler.present(part).run) for kind, part in tail]
    first, span = first_part.run, compiler.span(node)
    known = "number" if all(kind.__name__ in ("Mul", "Div", "FloorDiv", "Mod") for kind, _ in tail) else None

    def run(run: Evaluation) -> Any:
        value = first(run)
        try:
            for calculate, part in parts:
                value = calculate(value, part(run), run)
        except ExpressionError as error:
            raise error.at(*span) from None
        return value

    return Part(run, known)


def _sign(compiler: Compiler, node: nodes.Neg | nodes.Pos) -> Part:
    part, span = compiler.present(node.node), compiler.span(node)
    inner, apply = part.run, negate if isinstance(node, nodes.Neg) else affirm
    if isinstance(node.node, nodes.Const) and part.type == "number":
        return compiler.constant(number(apply(part.value)))

    def run(run: Evaluation) -> Any:
        try:
            return apply(inner(run))
        except ExpressionError as error:
            raise error.at(*span) from None

    return Part(run, part.type if part.type == "number" else None)


def _joined(compiler: Compiler, node: nodes.Concat) -> Part:
    parts = [compiler.text(part) for part in node.nodes]
    span = compiler.span(node)

    def run(run: Evaluation) -> str:
        texts = [part(run) for part in parts]
        try:
            run.room(sum(map(len, texts)))
            return run.text("".join(texts))
        except ExpressionError as error:
            raise error.at(*span) from None

    return Part(run, "text")


def _comparison(compiler: Compiler, node: nodes.Compare) -> Part:
    span = compiler.span(node)
    first = compiler.present(node.expr)
    before, last = first, node.expr
    links: list[tuple[Any, Run]] = []
    for operand in node.ops:
        part = compiler.present(operand.expr)
        start = compiler.span(last)[0]
        length = sum(compiler.span(operand.expr)) - start
        compiler.comparisons.append(Comparison(_side(before), SIGNS[operand.op], _side(part), start, length))
        links.append((COMPARISONS[operand.op], part.run))
        before, last = part, operand.expr
    head, (compare, tail) = first.run, links[0]

    def run_one(run: Evaluation) -> bool:
        left, right = head(run), tail(run)
        try:
            return compare(left, right, run)  # type: ignore[no-any-return]
        except ExpressionError as error:
            raise error.at(*span) from None

    def run(run: Evaluation) -> bool:
        left = head(run)
        for compare, part in links:
            right = part(run)
            try:
                if not compare(left, right, run):
                    return False
            except ExpressionError as error:
                raise error.at(*span) from None
            left = right
        return True

    return Part(run_one if len(links) == 1 else run, "boolean")


def _side(part: Part) -> Side:
    return Side(part.type, part.path, part.value)


def _choice(compiler: Compiler, node: nodes.CondExpr) -> Part:
    if node.expr2 is None:
        raise compiler.forbidden(node, "`a if b` needs its `else`")
    condition = compiler.boolean(node.test)
    yes, no = compiler.value(node.expr1), compiler.value(node.expr2)
    first, second = yes.run, no.run
    return Part(
        lambda run: first(run) if condition(run) else second(run),
        yes.type if yes.type == no.type else None,
        may_miss=yes.may_miss or no.may_miss,
    )


def _filter(compiler: Compiler, node: nodes.Filter) -> Part:
    offset, length = node.lineno, len(node.name)
    found = FILTERS.get(node.name)
    if found is None or node.node is None:
        suggestion = filter_for(node.name, FILTERS)
        did_you_mean = f" — did you mean {quoted(suggestion)}?" if suggestion else ""
        raise ExpressionError(
            "E304", f"unknown filter {quoted(node.name)}{did_you_mean}",
            offset=offset, length=length, suggestion=suggestion, name=node.name,
        )  # fmt: skip
    if found.counts_as_pattern:
        compiler.patterns += 1
        if compiler.patterns > MOST_PATTERNS:
            raise ExpressionError("E306", f"more than {MOST_PATTERNS} patterns", offset=offset, length=length)
    inner = compiler.value(node.node) if found.takes_missing else compiler.present(node.node)
    arguments = _arguments(compiler, node, found)
    return _applied(found, inner, arguments, (offset, length))


def _arguments(compiler: Compiler, node: nodes.Filter, found: Filter) -> list[Part]:
    if node.dyn_args is not None or node.dyn_kwargs is not None:
        raise compiler.forbidden(node, "arguments are written out one by one")
    span = (node.lineno, len(node.name))
    try:
        bound = bind(found, node.args, {pair.key: pair.value for pair in node.kwargs})
        parts = [
            (compiler.value(part) if found.takes_missing else compiler.present(part))
            if isinstance(part, nodes.Node)
            else compiler.constant(part)
            for part in bound
        ]
        if found.check is not None:
            found.check([part.value for part in parts])
    except ExpressionError as error:
        raise error.at(*span) from None
    return parts


def _applied(found: Filter, part: Part, arguments: list[Part], span: tuple[int, int]) -> Part:
    apply, inner = found.apply, part.run
    runs = [argument.run for argument in arguments]

    def run_plain(run: Evaluation) -> Any:
        value = inner(run)
        try:
            return apply(run, value)
        except ExpressionError as error:
            raise error.at(*span) from None

    def run(run: Evaluation) -> Any:
        value = inner(run)
        values = [argument(run) for argument in runs]
        try:
            return apply(run, value, *values)
        except ExpressionError as error:
            raise error.at(*span) from None

    return Part(run if runs else run_plain, found.type, may_miss=found.may_miss)


def _test(compiler: Compiler, node: nodes.Test) -> Part:
    offset = compiler.source.find(node.name, node.lineno + 2)
    if node.name not in TESTS or node.args or node.kwargs:
        suggestion = closest(node.name, TESTS)
        remedy = "write `is not empty`" if node.name == "defined" else "known: is empty, is none"
        raise ExpressionError(
            "E304", f"unknown test `is {node.name}` — {remedy}",
            offset=max(offset, 0), length=len(node.name), suggestion=suggestion, name=node.name,
        )  # fmt: skip
    inner = compiler.value(node.node).run
    if node.name == "empty":
        return Part(lambda run: is_empty(inner(run)), "boolean")

    def is_none(run: Evaluation) -> bool:
        value = inner(run)
        return value is None or value is MISSING

    return Part(is_none, "boolean")


def _call(compiler: Compiler, node: nodes.Call) -> Part:
    if isinstance(node.node, nodes.Getattr):
        method = node.node.attr
        found = filter_for(method, FILTERS)
        remedy = f" — use the filter: | {found}" if found else ""
        raise compiler.forbidden(
            node.node, f"calling '.{method[:40]}()' is not allowed{remedy}", suggestion=found, name=method
        )
    name = node.node.name if isinstance(node.node, nodes.Name) else ""
    if name not in FUNCTIONS:
        found = filter_for(name, FILTERS) if name else None
        remedy = f"use the filter: | {found}" if found else "functions: now() minutes(n) hours(n) days(n)"
        raise compiler.forbidden(
            node.node, f"calling {quoted(name or 'a value')} is not allowed — {remedy}", suggestion=found, name=name
        )
    is_now = name == "now"
    if node.kwargs or node.dyn_args is not None or node.dyn_kwargs is not None or len(node.args) != (not is_now):
        raise compiler.forbidden(node.node, f"{name}() takes {'nothing' if is_now else 'one number'}")
    if is_now:
        return Part(lambda run: run.now, "moment")
    inner, span = compiler.present(node.args[0]).run, compiler.span(node.node)

    def run(run: Evaluation) -> timedelta:
        value = inner(run)
        if kind_of(value) != "number":
            raise ExpressionError("R323", f"{name}() needs a number, not {described(value)}").at(*span)
        try:
            return timedelta(**{name: value})
        except (OverflowError, ValueError):
            raise ExpressionError("R313", "the duration is out of range").at(*span) from None

    return Part(run, "duration")


_ARITHMETIC_NODES: Final = (nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod)
_COMPILERS: Final[dict[type, Callable[[Compiler, Any], Part]]] = {
    nodes.Const: _constant, nodes.Name: _name, nodes.Getattr: _attribute, nodes.Getitem: _item,
    nodes.List: _list, nodes.Tuple: _list, nodes.Dict: _object, nodes.And: _logic, nodes.Or: _logic, nodes.Not: _not,
    nodes.Neg: _sign, nodes.Pos: _sign, nodes.Concat: _joined, nodes.Compare: _comparison, nodes.CondExpr: _choice,
    nodes.Filter: _filter, nodes.Test: _test, nodes.Call: _call,
    **dict.fromkeys(_ARITHMETIC_NODES, _arithmetic),
}  # fmt: skip

__all__ = ["Comparison", "Compiler", "Part", "Reference", "Side", "missing", "not_boolean", "read"]
