"""What actions may do, by name, and the right of a person that covers it."""

from collections.abc import Iterable

from domain.permissions import Permission as P

READ, ASSIGN, CLOSE, EDIT = "dialog.read", "dialog.assign", "dialog.close", "dialog.edit"
TRANSFER, NOTE, SEND, CONTACT = "dialog.transfer", "dialog.note", "message.send", "contact.edit"
FORCE, OPERATORS, NOTIFY, HTTP, AI, NOTHING = "operators.force", "operators.read", "notify", "http", "ai", "none"
SLA = "sla.manage"

#: None: nobody needs a right of their own for it, the definition's launch list decides
RIGHTS: dict[str, P | None] = {
    READ: P.DIALOG_READ, ASSIGN: P.DIALOG_ASSIGN, CLOSE: P.DIALOG_CLOSE, EDIT: P.DIALOG_EDIT,
    TRANSFER: P.DIALOG_TRANSFER, NOTE: P.DIALOG_NOTE, SEND: P.DIALOG_REPLY, CONTACT: P.CONTACT_EDIT,
    FORCE: P.OPERATORS_FORCE, OPERATORS: P.OPERATORS_READ, SLA: P.SLA_MANAGE, NOTIFY: None, HTTP: None, AI: None,
    NOTHING: None,
}  # fmt: skip


def covers(permissions: Iterable[str], capability: str) -> bool:
    """Whether somebody with these rights has the capability. `http:NAME` is asked as `http`. Unknown ones: nobody."""
    kind = capability.partition(":")[0]
    if kind not in RIGHTS:
        return False
    right = RIGHTS[kind]
    return right is None or right.value in set(permissions)


def is_granted(granted: Iterable[str], capability: str) -> bool:
    """Whether a list of capabilities, as a version keeps it, holds this one."""
    held = set(granted)
    return RIGHTS.get(capability.partition(":")[0], P.DIALOG_READ) is None or capability in held
