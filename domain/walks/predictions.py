"""What a dialog would look like after an action that is only supposed: for tests and dry runs."""

from collections.abc import Callable, Mapping
from typing import Any

from domain.walks.ports import Snapshot
from domain.walks.samples import sample_dialog

Json = dict[str, Any]


def after(action: str, params: Mapping[str, Any], result: Mapping[str, Any], seen: Snapshot) -> Snapshot | None:
    """The snapshot as the action would leave it; None when it would not change."""
    if action == "start_dialog":
        return _started(params, result, seen)
    if params.get("scope") == "contact":
        return _contact(action, params, seen)
    change = _CHANGES.get(action)
    if change is None or seen.dialog is None:
        return None
    changed = change(seen.dialog, params, result)
    operator = seen.operator
    if "operator_id" in changed and changed["operator_id"] != seen.dialog.get("operator_id"):
        operator = None if changed["operator_id"] is None else _operator(changed)
    revision = seen.revision + 1
    return Snapshot({**seen.dialog, **changed, "revision": revision}, seen.contact, operator, revision)


def _operator(changed: Json) -> Json:
    return {
        "id": changed["operator_id"], "name": changed.get("operator_name"), "email": None, "status": "online",
        "teams": [],
    }  # fmt: skip


def _started(params: Mapping[str, Any], result: Mapping[str, Any], seen: Snapshot) -> Snapshot:
    channel = params.get("channel")
    dialog = {
        **sample_dialog(), "id": result.get("dialog_id") or "dialog-2", "place": "bot", "operator_id": None,
        "operator_name": None, "channel": channel, "channel_kind": channel, "revision": seen.revision + 1,
    }  # fmt: skip
    return Snapshot(dialog, seen.contact, None, seen.revision + 1)


def _contact(action: str, params: Mapping[str, Any], seen: Snapshot) -> Snapshot | None:
    change = _CHANGES.get(action)
    if change is None or seen.contact is None:
        return None
    return Snapshot(contact={**seen.contact, **change(seen.contact, params, {})}, revision=seen.revision)


def _owned(operator: Any) -> Json:
    if not isinstance(operator, Mapping):
        return {"operator_id": None, "operator_name": None}
    return {"operator_id": operator.get("id"), "operator_name": operator.get("name"), "place": "owned"}


def _distribute(dialog: Json, params: Mapping[str, Any], result: Mapping[str, Any]) -> Json:
    if result.get("operator"):
        return _owned(result["operator"])
    return {**_owned(None), "place": result.get("place") or ("queued" if result.get("queued") else "unassigned")}


def _tagged(dialog: Json, params: Mapping[str, Any], result: Mapping[str, Any]) -> Json:
    tags = list(dialog.get("tags") or [])
    return {"tags": tags if params["tag"] in tags else [*tags, params["tag"]]}


def _untagged(dialog: Json, params: Mapping[str, Any], result: Mapping[str, Any]) -> Json:
    return {"tags": [tag for tag in dialog.get("tags") or [] if tag != params["tag"]]}


def _filled(dialog: Json, params: Mapping[str, Any], result: Mapping[str, Any]) -> Json:
    return {"fields": {**(dialog.get("fields") or {}), params["field"]: params["value"]}}


def _converted(dialog: Json, params: Mapping[str, Any], result: Mapping[str, Any]) -> Json:
    priority = params.get("priority") or dialog.get("priority")
    return {"kind": "ticket", "status": "open", "ticket_type": params.get("type"), "priority": priority}


def _sent(dialog: Json, params: Mapping[str, Any], result: Mapping[str, Any]) -> Json:
    return {"last_message_from": "operator"} if result.get("sent") else {}


_CHANGES: Mapping[str, Callable[[Json, Mapping[str, Any], Mapping[str, Any]], Json]] = {
    "assign": lambda d, p, r: _owned(r.get("operator") or {"id": p["operator"]}),
    "unassign": lambda d, p, r: {**_owned(None), "place": "queued" if p.get("to") == "queue" else "unassigned"},
    "distribute": _distribute,
    "transfer_to_team": lambda d, p, r: {"team": p["team"]},
    "close": lambda d, p, r: {**_owned(None), "status": "closed", "place": None, "closed_by": "system"},
    "reopen": lambda d, p, r: {"status": r.get("status") or "open"},
    "set_status": lambda d, p, r: {"status": p["status"]},
    "set_topic": lambda d, p, r: {"topic": p.get("topic")},
    "set_priority": lambda d, p, r: {"priority": p["priority"]},
    "set_field": _filled,
    "add_tag": _tagged,
    "remove_tag": _untagged,
    "convert_to_ticket": _converted,
    "send_message": _sent,
    "send_quick_reply": _sent,
}
