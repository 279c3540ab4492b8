"""Compiling what applies: filters, tests, and the four functions. Nothing else can be called."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from jinja2 import nodes

from domain.expressions.budgets import MOST_PATTERNS, Evaluation
from domain.expressions.errors import ExpressionError, quoted
from domain.expressions.filters import FILTERS, Filter, bind
from domain.expressions.parts import Part
from domain.expressions.spans import Span
from domain.expressions.suggestions import closest, filter_for
from domain.expressions.values import MISSING, described, is_empty, kind_of

if TYPE_CHECKING:
    from domain.expressions.compiling import Compiler

FUNCTIONS: Final = ("now", "minutes", "hours", "days")
TESTS: Final = ("empty", "none")


def filtered(compiler: Compiler, node: nodes.Filter) -> Part:
    span = (node.lineno, len(node.name))
    found = FILTERS.get(node.name)
    if found is None or node.node is None:
        suggestion = filter_for(node.name, FILTERS)
        did_you_mean = f" — did you mean {quoted(suggestion)}?" if suggestion else ""
        raise ExpressionError(
            "E304", f"unknown filter {quoted(node.name)}{did_you_mean}",
            offset=span[0], length=span[1], suggestion=suggestion, name=node.name,
        )  # fmt: skip
    compiler.patterns += found.counts_as_pattern
    if compiler.patterns > MOST_PATTERNS:
        raise ExpressionError("E306", f"more than {MOST_PATTERNS} patterns", offset=span[0], length=span[1])
    part = compiler.value(node.node) if found.takes_missing else compiler.present(node.node)
    return _applied(found, part, _arguments(compiler, node, found, span), span)


def tested(compiler: Compiler, node: nodes.Test) -> Part:
    if node.name not in TESTS or node.args or node.kwargs or node.dyn_args or node.dyn_kwargs:
        offset, length = compiler.spans.of_test(node)
        remedy = "write `is not empty`" if node.name == "defined" else "known: is empty, is none"
        raise ExpressionError(
            "E304", f"unknown test `is {node.name[:40]}` — {remedy}",
            offset=offset, length=length, suggestion=closest(node.name, TESTS), name=node.name,
        )  # fmt: skip
    inner = compiler.value(node.node).run
    if node.name == "empty":
        return Part(lambda run: is_empty(inner(run)), "boolean")

    def is_none(run: Evaluation) -> bool:
        value = inner(run)
        return value is None or value is MISSING

    return Part(is_none, "boolean")


def called(compiler: Compiler, node: nodes.Call) -> Part:
    if isinstance(node.node, nodes.Getattr):
        method = node.node.attr
        found = filter_for(method, FILTERS)
        remedy = f" — use the filter: | {found}" if found else ""
        message = f"calling '.{method[:40]}()' is not allowed{remedy}"
        raise compiler.forbidden(node.node, message, suggestion=found, name=method)
    name = node.node.name if isinstance(node.node, nodes.Name) else ""
    if name not in FUNCTIONS:
        found = filter_for(name, FILTERS) if name else None
        remedy = f"use the filter: | {found}" if found else "functions: now() minutes(n) hours(n) days(n)"
        message = f"calling {quoted(name or 'a value')} is not allowed — {remedy}"
        raise compiler.forbidden(node.node, message, suggestion=found, name=name or None)
    wanted = 0 if name == "now" else 1
    if node.kwargs or node.dyn_args is not None or node.dyn_kwargs is not None or len(node.args) != wanted:
        raise compiler.forbidden(node.node, f"{name}() takes {'one number' if wanted else 'nothing'}", name=name)
    if not wanted:
        return Part(lambda run: run.now, "moment")
    return _span_of_time(compiler, name, node)


def _span_of_time(compiler: Compiler, unit: str, node: nodes.Call) -> Part:
    inner, span = compiler.present(node.args[0]).run, compiler.spans.of(node.node)

    def run(run: Evaluation) -> timedelta:
        value = inner(run)
        if kind_of(value) != "number":
            raise ExpressionError("R323", f"{unit}() needs a number, not {described(value)}").at(*span)
        try:
            return timedelta(**{unit: value})
        except (OverflowError, ValueError):
            raise ExpressionError("R313", "the duration is out of range").at(*span) from None

    return Part(run, "duration")


def _arguments(compiler: Compiler, node: nodes.Filter, found: Filter, span: Span) -> list[Part]:
    if node.dyn_args is not None or node.dyn_kwargs is not None:
        raise ExpressionError("E305", "arguments are written out one by one", offset=span[0], length=span[1])
    take = compiler.value if found.takes_missing else compiler.present
    try:
        bound = bind(found, node.args, [(str(pair.key), pair.value) for pair in node.kwargs])
        parts = [take(part) if isinstance(part, nodes.Node) else compiler.constant(part) for part in bound]
        if found.check is not None:
            found.check([part.value for part in parts])
    except ExpressionError as error:
        if error.code.startswith("R"):
            error.code = "E305"
        raise error.at(*span) from None
    return parts


def _applied(found: Filter, part: Part, arguments: list[Part], span: Span) -> Part:
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

    may_miss = found.may_miss and (not found.takes_missing or arguments[0].may_miss)
    return Part(run if runs else run_plain, found.type, may_miss=may_miss)
