"""Conditions of selections, and of `find_dialogs`: fields, what may be asked of them, values (E2xx, E303, E107)."""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from domain.definitions.diagnostics import Findings
from domain.definitions.mistypes import report_type, shown, type_of
from domain.definitions.names import closest
from domain.definitions.places import Path
from domain.definitions.refusals import path_of, value_at
from domain.definitions.scalars import has_braces
from domain.definitions.selections import AllOf, AnyOf, Comparison, Not, Where
from domain.durations import is_duration
from domain.errors import InvalidError
from domain.selections import DEEPEST, FIELDS, OPS, ORDERABLE, read

_WHERE: TypeAdapter[Any] = TypeAdapter(Where)
_KEYS = ("field", "op", "value", "all", "any", "not")
#: ops that ask for nothing but the field
_ALONE = ("is_empty", "is_not_empty")


class Conditions:
    """`target`: what the condition is asked of."""

    def __init__(self, target: str, findings: Findings) -> None:
        self._target = target
        self._fields = FIELDS.get(target, {})
        self._findings = findings

    def written(self, tree: Any, path: Path) -> None:
        """One that stands among the parameters of an action: what is literal in it is checked."""
        if has_braces(tree):
            return
        try:
            self.check(_WHERE.validate_python(tree), path)
        except ValidationError as refused:
            for error in refused.errors(include_url=False):
                self._refused(error, tree, path)

    def _refused(self, error: Any, tree: Any, path: Path) -> None:
        rest = path_of(error, tree)
        where, value, name = (*path, *rest), value_at(tree, rest), str(rest[-1]) if rest else "where"
        if has_braces(value):
            return
        if error["type"] == "missing":
            self._findings.add("E202", where[:-1], key=name)
        elif error["type"] == "extra_forbidden":
            self._findings.add("E201", where, at_key=True, key=name, known=", ".join(_KEYS))
        elif error["type"] == "literal_error":
            known = sorted({op for ops in OPS.values() for op in ops})
            suggestion = closest(value, known)
            self._findings.add(
                "E204.like" if suggestion else "E204", where, name=name, value=shown(value), known=", ".join(known),
                suggestion=suggestion, fix=suggestion,
            )  # fmt: skip
        elif error["type"] in ("too_long", "string_too_long"):
            self._findings.add("E506.most", where, name=name, most=error["ctx"]["max_length"])
        elif error["type"] in ("too_short", "string_too_short"):
            self._findings.add("E203.empty", where, name=name)
        else:
            kind = "model_type" if error["type"].startswith("union_tag") else error["type"]
            report_type(kind, where, value, self._findings)

    def check(self, tree: Any, path: Path, depth: int = 0) -> None:
        if depth > DEEPEST:
            self._findings.add("E107.where", path, most=DEEPEST)
            return
        match tree:
            case AllOf() | AnyOf():
                name = "all" if isinstance(tree, AllOf) else "any"
                for n, one in enumerate(getattr(tree, name)):
                    self.check(one, (*path, name, n), depth + 1)
            case Not():
                self.check(tree.not_, (*path, "not"), depth + 1)
            case Comparison():
                self._comparison(tree, path)

    def _comparison(self, test: Comparison, path: Path) -> None:
        if has_braces(test.field):
            return
        kind = _kind_of(test.field, self._fields)
        if kind is None:
            self._unknown(test.field, (*path, "field"), self._fields)
            return
        if test.op not in OPS[kind]:
            known = ", ".join(sorted(OPS[kind]))
            self._findings.add("E204.op", (*path, "op"), op=test.op, field=test.field, known=known)
        elif test.op not in _ALONE and "value" not in test.model_fields_set:
            self._findings.add("E202", path, key="value")
        elif test.op in ("older_than", "newer_than") and not has_braces(test.value) and not is_duration(test.value):
            self._findings.add("E209", (*path, "value"), value=str(test.value))
        elif test.op == "between" and not has_braces(test.value) and not _is_pair(test.value):
            self._findings.add("E203", (*path, "value"), name="value", wanted="list", given="other")
        elif not any(map(has_braces, test.value if isinstance(test.value, list) else [test.value])):
            try:
                read(test.model_dump(), self._target)
            except InvalidError:
                wanted = kind if kind in ("number", "boolean", "moment") else "text"
                self._findings.add("E203", (*path, "value"), name="value", wanted=wanted, given=type_of(test.value))

    def order(self, name: str | None, path: Path) -> None:
        if name is None:
            return
        fields = {f: kind for f, kind in self._fields.items() if kind in ORDERABLE}
        if name.removeprefix("-") not in fields:
            self._unknown(name, path, fields)

    def _unknown(self, name: str, path: Path, fields: Mapping[str, str]) -> None:
        suggestion = closest(name, fields)
        self._findings.add("E303", path, name=name, suggestion=suggestion, fix=suggestion)


def _kind_of(field: str, fields: Mapping[str, str]) -> str | None:
    if field in fields and fields[field] != "open":
        return fields[field]
    root, _, part = field.rpartition(".")
    return "open" if part and fields.get(root) == "open" else None


def _is_pair(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2
