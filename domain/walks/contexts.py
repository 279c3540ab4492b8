"""The names an expression may read, with the type of each: one list for snapshots, the validator and the editor.

Types: text, number, boolean, moment, list, object (closed elsewhere), open (anything below it).
"""

from collections.abc import Mapping

DIALOG: Mapping[str, str] = {
    "id": "text", "number": "number", "url": "text", "kind": "text", "status": "text", "place": "text",
    "channel": "text", "channel_kind": "text", "team": "text", "topic": "text", "priority": "text",
    "subject": "text", "ticket_type": "text", "tags": "list", "fields": "open", "weight": "number",
    "operator_id": "text", "operator_name": "text", "author_id": "text", "csat": "number", "cycle": "number",
    "opened_at": "moment", "closed_at": "moment", "closed_by": "text", "waiting_since": "moment",
    "assigned_at": "moment", "awaiting_reply_since": "moment", "last_message_at": "moment",
    "last_message_from": "text", "last_client_message_at": "moment", "window_open": "boolean", "messages": "list",
    "revision": "number", "ticket_number": "number", "description": "text", "pending_until": "moment",
    "due_at": "moment", "is_overdue": "boolean",
}  # fmt: skip
CONTACT: Mapping[str, str] = {
    "id": "text", "name": "text", "first_name": "text", "last_name": "text", "phone": "text", "email": "text",
    "external_id": "text", "consent": "boolean", "blocked": "boolean", "tags": "list", "fields": "open",
    "channels": "list", "created_at": "moment",
}  # fmt: skip
#: of each member of contact.channels
CONTACT_CHANNEL: Mapping[str, str] = {
    "key": "text", "kind": "text", "address": "text", "window_open": "boolean", "last_used_at": "moment",
}  # fmt: skip
OPERATOR: Mapping[str, str] = {"id": "text", "name": "text", "email": "text", "status": "text", "teams": "list"}
RUN: Mapping[str, str] = {
    "id": "text", "number": "number", "url": "text", "launched_by": "text", "launched_at": "moment",
    "dry_run": "boolean", "definition": "text", "version": "number", "item_number": "number",
}  # fmt: skip
ITEMS: Mapping[str, str] = {
    "total": "number", "succeeded": "number", "failed": "number", "skipped": "number", "cancelled": "number",
}  # fmt: skip
ERROR: Mapping[str, str] = {"type": "text", "message": "text", "step": "text", "details": "open"}
STEP: Mapping[str, str] = {
    "result": "open", "status": "text", "error": "open", "attempts": "number", "results": "list",
    "timed_out": "boolean", "approved": "boolean",
}  # fmt: skip

_OF_EVENTS: Mapping[str, str] = {
    "event": "text", "id": "number", "at": "open", "dialog_id": "text", "contact_id": "text", "operator_id": "text",
    "team": "text", "actor": "text", "actor_id": "text",
}  # fmt: skip
_OF_CLOCKS: Mapping[str, str] = {
    **_OF_EVENTS, "clock_id": "text", "metric": "text", "alias": "text", "status": "text", "due_at": "open",
    "target": "number", "policy": "text",
}  # fmt: skip
_LATE: Mapping[str, str] = {**_OF_CLOCKS, "overdue_minutes": "number"}
#: event → what `trigger` (and `event`, where it is listened for) holds of it; of other events it is open
EVENT_FIELDS: Mapping[str, Mapping[str, str]] = {
    "sla.warned": {**_OF_CLOCKS, "percent": "number"}, "sla.breached": _LATE, "dialog.accept_late": _LATE,
    "dialog.answer_late": _LATE,
}  # fmt: skip

CONTEXTS: Mapping[str, Mapping[str, str]] = {
    "dialog": DIALOG, "contact": CONTACT, "operator": OPERATOR, "run": RUN, "items": ITEMS, "error": ERROR,
}  # fmt: skip

#: fields a text input of type `message` may carry, filled by `| fill`
FILLABLE: tuple[str, ...] = (
    "contact.name", "contact.first_name", "contact.last_name", "contact.phone", "contact.email",
    "dialog.number", "dialog.subject", "dialog.topic", "operator.name",
)  # fmt: skip
