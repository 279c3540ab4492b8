"""Values of the wrong type (E203), each with how to write it."""

import json
from typing import Any

from domain.definitions.diagnostics import Findings
from domain.definitions.places import Path

_WORDS = {
    "string": "text", "str": "text", "int": "integer", "bool": "boolean", "float": "number", "dict": "object",
    "model": "object", "tuple": "list", "list": "list",
}  # fmt: skip
_YES_NO = {
    "yes": "true", "on": "true", "y": "true", "так": "true", "no": "false", "off": "false", "n": "false", "ні": "false",
}  # fmt: skip
#: key → how its object is written
_FORMS = {
    "retry": "3 or { max_attempts: 3, initial: 1s }", "listen": "{ to: message.received, timeout: 1h }",
    "run": "{ process: NAME }", "set": "{ variable: value }", "wait": "15m",
    "approve": "{ by: { roles: [supervisor] }, message: …, timeout: 8h }", "raise": "{ error: NAME, message: … }",
    "stop": "{ status: succeeded }", "emit": "{ event: custom.NAME }", "for": '{ in: "{{ dialog.tags }}" }',
    "fork": "{ branches: [{ id: a, do: […] }, { id: b, do: […] }] }", "manual": "{ from: [table] }",
    "schedule": '{ cron: "0 10 * * 1-5" }', "webhook": "{ path: NAME, secret: NAME }",
    "permissions": "{ launch: { roles: [admin] } }", "launch": "{ roles: [admin] }", "view": "{ roles: [admin] }",
    "by": "{ roles: [supervisor] }", "inputs": "{ NAME: { label: …, type: string } }", "vars": "{ NAME: value }",
    "outputs": "{ NAME: { label: …, value: … } }", "mass": "{ concurrency: 20 }", "with": "{ parameter: value }",
    "selection": "{ where: { field: dialog.status, op: eq, value: open } }", "rate": "{ default: 5/s }",
    "catch": "{ do: […] }", "use": "{ blueprint: NAME, version: 1 }", "expect": "{ status: succeeded }",
}  # fmt: skip
_STEP_LISTS = ("before", "do", "after", "on_failure", "try", "finally")


def report_type(kind: str, path: Path, value: Any, findings: Findings) -> None:
    """`kind`: pydantic's type of the error."""
    wanted = _WORDS.get(kind.split("_")[0], "other")
    name = next((part for part in reversed(path) if isinstance(part, str)), "")
    facts: dict[str, Any] = {"name": name, "value": shown(value), "wanted": wanted, "given": type_of(value)}
    written = findings.places.written(findings.places.value(path))
    if wanted == "boolean" and isinstance(value, str) and value.lower() in _YES_NO:
        suggestion = _YES_NO[value.lower()]
        findings.add("E203.yes_no", path, fix=suggestion, suggestion=suggestion, **facts)
    elif wanted == "text" and isinstance(value, bool | int | float) and written:
        findings.add("E203.quote", path, fix=f'"{written}"', written=written, **facts)
    elif value is None:
        findings.add("E203.nothing", path, at_key=True, **facts)
    elif wanted == "list" and not isinstance(value, dict) and name not in _STEP_LISTS and written:
        findings.add("E203.list", path, fix=f"[{written}]", written=written, **facts)
    elif wanted == "list" and name in _STEP_LISTS:
        findings.add("E203.steps", path, **facts)
    elif wanted == "object" and path and isinstance(path[-1], int):
        is_step = len(path) > 1 and path[-2] in _STEP_LISTS
        findings.add("E203.step" if is_step else "E203", path, **facts)
    elif wanted == "object" and name in _FORMS:
        findings.add("E203.form", path, form=_FORMS[name], **facts)
    else:
        findings.add("E203", path, **facts)


def type_of(value: Any) -> str:
    names = ((bool, "boolean"), (str, "text"), (int, "integer"), (float, "number"), (dict, "object"), (list, "list"))
    return next((name for kind, name in names if isinstance(value, kind)), "nothing")


def shown(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, dict | list):
        return "{…}" if isinstance(value, dict) else "[…]"
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 60 else text[:59] + "…"
