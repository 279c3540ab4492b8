"""What each place of a definition may read: walks the steps in the order they run and hands every expression to the
reader with its scope (E302, E303, E307).
"""

from collections.abc import Sequence
from typing import Any

from domain.definitions.contexts import Book, Scope, scope_of
from domain.definitions.names import closest
from domain.definitions.places import Path
from domain.definitions.reading import Reader
from domain.definitions.scalars import has_braces
from domain.definitions.selections import AllOf, AnyOf, Comparison, Not
from domain.definitions.steps import (
    Approve,
    Call,
    Do,
    Emit,
    For,
    Fork,
    Listen,
    Raise,
    Run,
    Set,
    Stop,
    Switch,
    Try,
    Wait,
)
from domain.definitions.surveys import walk
from domain.definitions.triggers import EventTrigger, ManualTrigger
from domain.walks.contexts import ERROR, EVENT_FIELDS

Ran = frozenset[str]


class Scoping:
    def __init__(self, book: Book, reader: Reader) -> None:
        self._book = book
        self._reader = reader
        self._findings = reader.findings

    def check(self) -> None:
        definition = self._book.definition
        before = self._book.ids_in("before")
        item = scope_of("do").having(before)
        self._forms(item)
        self._launching()
        self._reader.value(definition.vars, ("vars",), scope_of("before"))
        self._reader.condition(definition.guard, ("guard",), item)
        self._steps(definition.before or (), ("before",), scope_of("before", "items"), frozenset())
        self._steps(definition.do, ("do",), scope_of("do"), before)
        self._steps(definition.after or (), ("after",), scope_of("after", "items"), before)
        failed = before | self._book.ids_in("do")
        self._steps(definition.on_failure or (), ("on_failure",), scope_of("on_failure", "error"), failed)
        self._ends(item.having(failed))

    # --- around the steps

    def _forms(self, item: Scope) -> None:
        for name, one in self._book.definition.inputs.items():
            self._reader.value(one.default, ("inputs", name, "default"), item.having(frozenset()))
            self._reader.condition(one.show_if, ("inputs", name, "show_if"), item.having(frozenset()))

    def _launching(self) -> None:
        definition = self._book.definition
        occasion = Scope({name: scope_of("do").roots[name] for name in ("trigger", "dialog", "contact", "operator")})
        for n, trigger in enumerate(definition.triggers):
            if isinstance(trigger, ManualTrigger):
                continue
            path: Path = ("triggers", n)
            known = EVENT_FIELDS.get(trigger.event) if isinstance(trigger, EventTrigger) else None
            told = occasion.naming(trigger=known) if known else occasion
            self._reader.value(trigger.inputs, (*path, "inputs"), told)
            self._reader.condition(getattr(trigger, "if_", None), (*path, "if"), told)
            self._reader.value(getattr(trigger, "once_key", None), (*path, "once_key"), told)
        if definition.selection is not None:
            self._where(definition.selection.where, ("selection", "where"), scope_of("before"))

    def _where(self, tree: Any, path: Path, scope: Scope) -> None:
        match tree:
            case AllOf() | AnyOf():
                name = "all" if isinstance(tree, AllOf) else "any"
                for n, one in enumerate(tree.all if isinstance(tree, AllOf) else tree.any):
                    self._where(one, (*path, name, n), scope)
            case Not():
                self._where(tree.not_, (*path, "not"), scope)
            case Comparison():
                self._reader.value(tree.value, (*path, "value"), scope)

    def _ends(self, scope: Scope) -> None:
        definition = self._book.definition
        for name, output in definition.outputs.items():
            self._reader.condition(output.show_if, ("outputs", name, "show_if"), scope)
            self._reader.value(output.value, ("outputs", name, "value"), scope)
        self._reader.value(definition.message, ("message",), scope)

    # --- steps

    def _steps(self, steps: Sequence[Any], path: Path, scope: Scope, ran: Ran) -> Ran:
        """Ids of the steps that may have run behind the last one."""
        for n, step in enumerate(steps):
            ran = self._step(step, (*path, n), scope.having(ran))
        return ran

    def _step(self, step: Any, path: Path, scope: Scope) -> Ran:
        self._reader.condition(step.if_, (*path, "if"), scope)
        ran = self._inside(step, path, scope)
        return ran | {step.id} if step.id else ran

    def _inside(self, step: Any, path: Path, scope: Scope) -> Ran:
        ran = scope.ran
        match step:
            case Do():
                return self._steps(step.do, (*path, "do"), scope, ran)
            case Switch():
                return self._switch(step, path, scope)
            case For():
                return self._for(step, path, scope)
            case Fork():
                ended = [
                    self._steps(branch.do, (*path, "fork", "branches", n, "do"), scope, ran)
                    for n, branch in enumerate(step.fork.branches)
                ]
                return ran.union(*ended)
            case Try():
                return self._try(step, path, scope)
        self._plain(step, path, scope)
        return ran

    def _plain(self, step: Any, path: Path, scope: Scope) -> None:
        value = self._reader.value
        match step:
            case Call():
                value(step.with_, (*path, "with"), scope)
            case Set():
                self._set(step, path, scope)
            case Wait():
                if has_braces(step.wait.for_):
                    value(str(step.wait.for_), self._reader.places.written_at((*path, "wait", "for")), scope)
                value(step.wait.until, (*path, "wait", "until"), scope)
            case Listen():
                self._listen(step, path, scope)
            case Approve():
                value(step.approve.message, (*path, "approve", "message"), scope)
                for name, one in (step.approve.form or {}).items():
                    value(one.default, (*path, "approve", "form", name, "default"), scope)
            case Run():
                self._run(step, path, scope)
            case Raise():
                value(step.raise_.message, (*path, "raise", "message"), scope)
            case Stop():
                value(step.stop.message, (*path, "stop", "message"), scope)
            case Emit():
                value(step.emit.data, (*path, "emit", "data"), scope)

    def _set(self, step: Set, path: Path, scope: Scope) -> None:
        declared = self._book.definition.vars
        for name in step.set:
            if name not in declared:
                self._undeclared(name, (*path, "set", name))
        self._reader.value(step.set, (*path, "set"), scope)

    def _undeclared(self, name: str, path: Path) -> None:
        suggestion = closest(name, self._book.definition.vars)
        wording = "E302.var" if suggestion else "E302.var_new"
        self._findings.add(wording, path, at_key=True, name=name, suggestion=suggestion, fix=suggestion)

    def _switch(self, step: Switch, path: Path, scope: Scope) -> Ran:
        ended: Ran = scope.ran
        for n, case in enumerate(step.switch):
            here = (*path, "switch", n)
            self._reader.condition(case.when, (*here, "when"), scope)
            ended = ended | self._steps(case.do, (*here, "do"), scope, scope.ran)
        return ended

    def _for(self, step: For, path: Path, scope: Scope) -> Ran:
        loop = step.for_
        self._reader.value(loop.in_, (*path, "for", "in"), scope)
        inner = scope.naming(**{loop.each: None, loop.at: {}})
        body = frozenset(v.step.id for v in walk(step.do, (), "") if v.step.id)
        # An earlier round has run the whole body; rounds that run at the same time know nothing of each other.
        ran = scope.ran | (body if loop.concurrency == 1 else frozenset())
        self._reader.condition(step.while_, (*path, "while"), inner.having(ran))
        self._steps(step.do, (*path, "do"), inner, ran)
        return scope.ran | body

    def _try(self, step: Try, path: Path, scope: Scope) -> Ran:
        ran = self._steps(step.try_, (*path, "try"), scope, scope.ran)
        if step.catch is not None:
            caught = scope.naming(**{step.catch.as_: ERROR})
            self._reader.condition(step.catch.when, (*path, "catch", "when"), caught.having(ran))
            ran = self._steps(step.catch.do, (*path, "catch", "do"), caught, ran)
        if step.finally_ is not None:
            ran = self._steps(step.finally_, (*path, "finally"), scope, ran)
        return ran

    def _listen(self, step: Listen, path: Path, scope: Scope) -> None:
        ear, here = step.listen, (*path, "listen")
        named = scope.naming(event=None)
        if ear.to is not None:
            self._reader.condition(ear.to.where, (*here, "to", "where"), _heard(named, ear.to))
        for name, patterns in (("any", ear.any), ("all", ear.all)):
            for n, pattern in enumerate(patterns or ()):
                self._reader.condition(pattern.where, (*here, name, n, "where"), _heard(named, pattern))
        if ear.since is not None and ear.since not in scope.ran:
            wording = "E307" if ear.since in self._book.steps else "E302.step"
            self._findings.add(wording, (*here, "since"), name=ear.since)

    def _run(self, step: Run, path: Path, scope: Scope) -> None:
        self._reader.value(step.run.inputs, (*path, "run", "inputs"), scope)
        chosen = step.run.selection
        if chosen is None:
            return
        here = (*path, "run", "selection")
        for name in ("ids", "folder", "filter", "operator", "team", "topic"):
            self._reader.value(getattr(chosen, name), (*here, name), scope)
        self._where(chosen.where, (*here, "where"), scope)


def _heard(scope: Scope, pattern: Any) -> Scope:
    """What `event` holds, where that is known of the event listened for."""
    known = EVENT_FIELDS.get(pattern.event)
    return scope.naming(event=known) if known else scope
