"""Structured conditions as SQL."""

from typing import Any

from sqlalchemy import ColumnElement, and_, case, cast, false, func, literal, not_, or_, select, true
from sqlalchemy.dialects.postgresql import JSONB

from domain.selections import Asked, Both, Either, Neither, Tree
from store.deadlines import due_at, is_late
from store.tables import Channel, Contact, Dialog, Message, Operator, TeamMember, User

Condition = ColumnElement[bool]

_operator_name = select(User.name).where(User.id == Dialog.operator_id).scalar_subquery()
_channel_kind = select(Channel.kind).where(Channel.key == Dialog.channel_key).scalar_subquery()
_last_from = (
    select(case((Message.direction == "in", literal("client")), else_=Message.author_kind))
    .where(Message.dialog_id == Dialog.id, Message.direction != "note")
    .order_by(Message.seq.desc())
    .limit(1)
    .scalar_subquery()
)
_COLUMNS: dict[str, Any] = {
    "dialog.id": Dialog.id, "dialog.number": Dialog.number, "dialog.kind": Dialog.kind,
    "dialog.status": Dialog.status, "dialog.place": Dialog.place, "dialog.channel": Dialog.channel_key,
    "dialog.channel_kind": _channel_kind, "dialog.team": Dialog.team_key, "dialog.topic": Dialog.topic_key,
    "dialog.priority": Dialog.priority, "dialog.subject": Dialog.subject, "dialog.ticket_type": Dialog.ticket_type,
    "dialog.tags": Dialog.tags, "dialog.fields": Dialog.fields, "dialog.weight": Dialog.weight,
    "dialog.operator_id": Dialog.operator_id, "dialog.operator_name": _operator_name,
    "dialog.author_id": Dialog.author_id, "dialog.csat": Dialog.rating, "dialog.cycle": Dialog.cycle,
    "dialog.opened_at": Dialog.opened_at, "dialog.closed_at": Dialog.closed_at,
    "dialog.closed_by": Dialog.closed_by, "dialog.waiting_since": Dialog.waiting_since,
    "dialog.assigned_at": Dialog.assigned_at, "dialog.awaiting_reply_since": Dialog.awaiting_reply_since,
    "dialog.last_message_at": Dialog.last_message_at, "dialog.last_message_from": _last_from,
    "dialog.last_client_message_at": Dialog.last_client_message_at,
    "dialog.ticket_number": Dialog.ticket_number, "dialog.description": Dialog.description,
    "dialog.pending_until": Dialog.pending_until, "dialog.due_at": due_at, "dialog.is_overdue": is_late,
    "contact.id": Contact.id, "contact.name": Contact.name, "contact.phone": Contact.phone,
    "contact.email": Contact.email, "contact.external_id": Contact.external_id, "contact.consent": Contact.consent,
    "contact.blocked": Contact.banned_at.is_not(None), "contact.tags": Contact.tags,
    "contact.fields": Contact.fields, "contact.created_at": Contact.created_at,
    "operator.id": User.id, "operator.name": User.name, "operator.email": User.email,
    "operator.status": Operator.status,
}  # fmt: skip


def compile_tree(tree: Tree) -> Condition:
    """The condition on the target's rows: dialogs joined with their contacts, contacts, or users with operators."""
    match tree:
        case Both(tests):
            return and_(true(), *(compile_tree(t) for t in tests))
        case Either(tests):
            return or_(false(), *(compile_tree(t) for t in tests))
        case Neither(test):
            return not_(func.coalesce(compile_tree(test), false()))
        case Asked():
            return _test(tree)


def column_of(field: str) -> Any:
    """The column behind a field of domain.selections.FIELDS."""
    return _COLUMNS[field]


def _test(test: Asked) -> Condition:
    compiled: Condition = _list_test(test) if test.kind == "list" else _single_test(test)
    return compiled


def _single_test(test: Asked) -> Any:
    column = _column(test)
    value = test.value
    is_empty: Condition = column.is_(None)
    if test.kind in ("text", "open"):
        is_empty = or_(is_empty, column == "")
    match test.op:
        case "is_empty":
            return is_empty
        case "is_not_empty":
            return not_(is_empty)
        case "eq":
            return column.is_(None) if value is None else column == value
        case "ne":
            return column.is_not(None) if value is None else column.is_distinct_from(value)
        case "in":
            return column.in_(value)
        case "not_in":
            return or_(column.is_(None), column.not_in(value))
        case "between":
            return and_(column >= value[0], column <= value[1])
        case "older_than":
            return column < func.now() - literal(value)
        case "newer_than":
            return column >= func.now() - literal(value)
        case "contains":
            return column.icontains(value, autoescape=True)
        case "not_contains":
            return or_(column.is_(None), not_(column.icontains(value, autoescape=True)))
        case "starts_with":
            return column.istartswith(value, autoescape=True)
    return _compared(column, test.op, value)


def _compared(column: Any, op: str, value: Any) -> Any:
    compared = {
        "gt": column > value, "gte": column >= value, "lt": column < value, "lte": column <= value,
    }  # fmt: skip
    return compared[op]


def _column(test: Asked) -> Any:
    if test.part is None:
        return _COLUMNS[test.field]
    return _COLUMNS[test.field[: -len(test.part) - 1]][test.part].astext


def _list_test(test: Asked) -> Any:
    if test.field == "operator.teams":
        among = select(TeamMember.team_key).where(TeamMember.user_id == User.id)
        has_any: Any = lambda keys: among.where(TeamMember.team_key.in_(keys)).exists()  # noqa: E731
        is_empty: Condition = not_(among.exists())
    elif test.field == "contact.tags":
        has_any = lambda keys: or_(false(), *(Contact.tags.contains(cast(literal([k], JSONB), JSONB)) for k in keys))  # noqa: E731
        is_empty = Contact.tags == cast(literal([], JSONB), JSONB)
    else:
        has_any = lambda keys: Dialog.tags.overlap(list(keys)) if keys else false()  # noqa: E731
        is_empty = func.cardinality(Dialog.tags) == 0
    match test.op:
        case "is_empty":
            return is_empty
        case "is_not_empty":
            return not_(is_empty)
        case "contains":
            return has_any([test.value])
        case "not_contains":
            return not_(has_any([test.value]))
        case "in":
            return has_any(list(test.value))
    return not_(has_any(list(test.value)))
