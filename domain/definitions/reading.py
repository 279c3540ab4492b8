"""Every expression of a document: does it compile, and are the names it reads known at its place (E3xx, W608)."""

import json
import re
from collections.abc import Iterable
from typing import Any

from domain.definitions.contexts import KNOWN_IN, Book, Scope
from domain.definitions.diagnostics import Findings, Fix
from domain.definitions.names import OPTIONS, closest
from domain.definitions.patterns import Patterns
from domain.definitions.places import Path, Span
from domain.definitions.scalars import has_braces
from domain.definitions.wording import CATALOGUE
from domain.expressions import Expression, ExpressionError, Reference, compile_condition, compile_value
from domain.walks.contexts import STEP

_SIMPLE = re.compile(r"[A-Za-z(][\w.()<>=!| +*/-]*", re.ASCII)
_RESERVED = {"true", "false", "null", "yes", "no", "on", "off", "~"}


class Reader:
    """`read_vars` gathers the variables that are read, for the lints."""

    def __init__(self, book: Book, findings: Findings, patterns: Patterns) -> None:
        self.book = book
        self._patterns = patterns
        self.findings = findings
        self.places = findings.places
        self.read_vars: set[str] = set()

    def condition(self, source: str | None, path: Path, scope: Scope) -> None:
        if source is None or not self._has_room(source, path):
            return
        try:
            expression = compile_condition(source)
        except ExpressionError as error:
            self._report(error, source, path)
            return
        self._check(expression, source, path, scope)
        self._require_boolean(expression, source, path, scope)

    def value(self, tree: Any, path: Path, scope: Scope) -> None:
        """A JSON value; each text in it may hold expressions."""
        if isinstance(tree, dict):
            for key, one in tree.items():
                self.value(one, (*path, key), scope)
        elif isinstance(tree, list | tuple):
            for n, one in enumerate(tree):
                self.value(one, (*path, n), scope)
        elif has_braces(tree) and self._has_room(tree, path):
            try:
                expression = compile_value(tree)
            except ExpressionError as error:
                self._report(error, tree, path)
                return
            self._check(expression, tree, path, scope)

    def _has_room(self, source: str, path: Path) -> bool:
        if self._patterns.has_room_in(source):
            return True
        self.findings.add("E306.patterns", path)
        return False

    # --- errors of the expression itself

    def _report(self, error: ExpressionError, source: str, path: Path) -> None:
        span = self.places.inside(path, error.offset, error.length)
        if error.code == "E303":
            fix = yaml_text(error.fix, self.places.styles.get(path)) if error.fix is not None else None
            self.findings.add("E303.braces", path, span=self.places.value(path), fix=fix)
            return
        said, hint = error.message, error.hint
        if " — " in said:
            said, _, remedy = said.partition(" — ")
            hint = hint or remedy
        code = error.code if error.code in CATALOGUE else "E301"
        wording = f"{code}.hint" if hint else code
        name, meant = error.name, error.suggestion
        if error.code == "E305":  # a call; with arguments it takes more than another name
            name, meant = f".{name}()", f" | {meant}" if meant else None
        mended = self.mended(source, path, error.offset, name, meant)
        self.findings.add(wording, path, span=span, fix=mended, said=said, hint=hint, suggestion=error.suggestion)

    def mended(
        self, source: str, path: Path, offset: int | None, name: str | None, suggestion: str | None
    ) -> Fix | None:
        """The wrong name replaced by the one that was meant."""
        if not name or not suggestion or name == suggestion:
            return None
        at = source.find(name, offset or 0)
        if at < 0:
            return None
        span = self.places.inside(path, at, len(name))
        return Fix(span, suggestion) if self.places.written(span) == name else None

    # --- names

    def _check(self, expression: Expression, source: str, path: Path, scope: Scope) -> None:
        for reference in expression.references:
            self._reference(reference, source, path, scope)
        for compared in expression.comparisons:
            self._comparison(compared, path, scope)

    def _reference(self, reference: Reference, source: str, path: Path, scope: Scope) -> None:
        root = str(reference.path[0])
        rest = [str(part) for part in reference.path[1:]]
        wrong = _Wrong(self, reference, source, path)
        if root == "blueprint" and rest and self.book.definition.kind == "blueprint":
            known = self.book.definition.parameters
            whole = f"blueprint.{rest[0]}"
            wrong.say("E302.blueprint" if rest[0] in known else "E302", whole if rest[0] in known else rest[0], known)
        elif root not in scope.roots:
            self._unknown_root(root, wrong, scope)
        elif root == "inputs" and rest:
            wrong.unless(rest[0], self.book.definition.inputs, "E302.input")
        elif root == "vars" and rest:
            self.read_vars.add(rest[0])
            if rest[0] not in self.book.definition.vars:
                known = self.book.definition.vars
                wrong.say("E302.var" if closest(rest[0], known) else "E302.var_new", rest[0], known)
        elif root == "vars":
            self.read_vars.update(self.book.definition.vars)
        elif root == "steps" and rest:
            self._step(rest, wrong, scope)
        elif rest and (fields := scope.roots[root]) is not None:
            self._field(root, rest, fields, wrong)

    def _unknown_root(self, root: str, wrong: "_Wrong", scope: Scope) -> None:
        definition = self.book.definition
        if root in KNOWN_IN:
            wrong.say("E302.here", root, (), where=KNOWN_IN[root])
            return
        for holder, names in (("vars", definition.vars), ("inputs", definition.inputs), ("steps", self.book.steps)):
            if root in names:
                wrong.say("E302", root, (), suggestion=f"{holder}.{root}")
                return
        wrong.unless(root, scope.roots, "E302")

    def _step(self, rest: list[str], wrong: "_Wrong", scope: Scope) -> None:
        visit = self.book.steps.get(rest[0])
        if visit is None:
            wrong.say("E302.step", rest[0], [*scope.ran, *self.book.steps])
            return
        if rest[0] not in scope.ran:
            is_items = scope.section == "after" and visit.section in ("do", "on_failure")
            wrong.say("E307.items" if is_items else "E307", rest[0], (), where=scope.section)
            return
        fields = STEP
        if len(rest) > 1 and rest[1] not in fields:
            wrong.say("E303", rest[1], fields)
        elif len(rest) > 2 and rest[1] == "result":
            results = self.book.result_fields(rest[0])
            is_closed = self.book.is_closed(rest[0])
            if results is not None and rest[2] not in results and (is_closed or closest(rest[2], results)):
                wrong.say("E303", rest[2], results)

    def _field(self, root: str, rest: list[str], fields: Any, wrong: "_Wrong") -> None:
        if rest[0] not in fields:
            wrong.say("E303", rest[0], fields)
        elif len(rest) > 1 and fields[rest[0]] in ("text", "number", "boolean", "moment"):
            wrong.say("E303.plain", f"{root}.{rest[0]}", (), given=fields[rest[0]])

    # --- types

    def _comparison(self, compared: Any, path: Path, scope: Scope) -> None:
        if compared.sign not in ("==", "!="):
            return
        left, right = (self._side_type(side, scope) for side in (compared.left, compared.right))
        span = self.places.inside(path, compared.offset, compared.length)
        if left and right and left != right and "null" not in (left, right):
            self.findings.add("W608", path, span=span, left=left, right=right)
            return
        for one, other in ((compared.left, compared.right), (compared.right, compared.left)):
            options = self._options(one.path)
            if options and isinstance(other.value, str) and other.value not in options:
                self.findings.add(
                    "W608.option", path, span=span, name=".".join(map(str, one.path)), value=other.value,
                    known=", ".join(options), suggestion=closest(other.value, options),
                )  # fmt: skip

    def _side_type(self, side: Any, scope: Scope) -> str | None:
        if side.type is not None or side.path is None:
            return str(side.type) if side.type else None
        return self.book.type_of(side.path, scope)

    def _options(self, path: tuple[str | int, ...] | None) -> tuple[str, ...]:
        if not path or len(path) != 2:
            return ()
        if path[0] == "inputs":
            one = self.book.definition.inputs.get(str(path[1]))
            return tuple(str(c.value) for c in one.choices) if one and one.choices and one.type == "choice" else ()
        return tuple(OPTIONS.get(f"{path[0]}.{path[1]}", ()))

    def _require_boolean(self, expression: Expression, source: str, path: Path, scope: Scope) -> None:
        if len(expression.references) != 1 or expression.result_type is not None:
            return
        only = expression.references[0]
        if only.offset or only.length != len(source.strip()):
            return
        kind = self.book.type_of(only.path, scope)
        if kind not in (None, "boolean"):
            self.findings.add("E306.type", path, name=".".join(map(str, only.path)), given=kind)


class _Wrong:
    """Says what is wrong about one reference: where its wrong part stands, and what was probably meant."""

    def __init__(self, reader: Reader, reference: Reference, source: str, path: Path) -> None:
        self._reader, self._reference, self._source, self._path = reader, reference, source, path

    def unless(self, name: str, known: Iterable[str], wording: str) -> None:
        if name not in known:
            self.say(wording, name, known)

    def say(self, wording: str, name: str, known: Iterable[str], **facts: Any) -> None:
        names = sorted(set(known))
        facts.setdefault("suggestion", closest(name, names))
        if names and not facts["suggestion"] and wording in ("E302", "E303"):
            wording, facts["known"] = f"{wording}.known", ", ".join(names[:30])
        part = name.rpartition(".")[2]
        at = self._source.find(part, self._reference.offset)
        span = self._span(at, len(part))
        mended = self._reader.mended(self._source, self._path, at, part, facts["suggestion"])
        self._reader.findings.add(wording, self._path, span=span, fix=mended, name=name, **facts)

    def _span(self, at: int, length: int) -> Span:
        if at < 0:
            at, length = self._reference.offset, self._reference.length
        return self._reader.places.inside(self._path, at, length)


def yaml_text(text: str, style: str | None = '"') -> str:
    """A text as it may be written in YAML in place of one of that style."""
    if style == "'":
        return "'" + text.replace("'", "''") + "'"
    if style is None and _SIMPLE.fullmatch(text) and text.lower() not in _RESERVED:
        return text
    return json.dumps(text, ensure_ascii=False)
