"""The rights each role starts with: the whole table, printed by the test ids (P1 to P10, DECISIONS 20)."""

import pytest

from domain.errors import ForbiddenError
from domain.permissions import GRANTS, Permission, Viewer
from tests.domain.values import OLHA

TABLE = """
                          operator  light_agent  supervisor  admin  integrator  ops
dialog.read                  x           x           x         x        .        x
dialog.read_texts            x           x           x         x        .        .
dialog.read_all              .           .           .         x        .        x
dialog.reply                 x           .           x         x        .        .
dialog.note                  x           x           x         x        .        .
dialog.take                  x           .           x         x        .        .
dialog.take_over_limit       .           .           x         x        .        .
dialog.assign                .           .           x         x        .        .
dialog.close                 x           .           x         x        .        .
dialog.transfer              x           .           x         x        .        .
dialog.edit                  x           .           x         x        .        .
dialog.open                  x           .           x         x        .        .
dialog.connect               .           .           .         x        x        .
dialog.hold                  x           .           x         x        .        .
dialog.lead                  .           .           x         x        .        .
contact.ban                  .           .           x         x        .        .
queue.read                   x           .           x         x        .        x
history.read                 .           .           x         x        .        x
distribution.audit           .           .           x         x        .        x
distribution.manage          .           .           x         x        .        .
operators.read               x           x           x         x        .        x
operators.force              .           .           x         x        .        .
teams.read                   x           x           x         x        x        x
teams.manage                 .           .           .         x        .        .
topics.manage                .           .           .         x        .        .
tags.manage                  .           .           .         x        .        .
channels.manage              .           .           .         x        x        .
users.manage                 .           .           .         x        .        .
roles.manage                 .           .           .         x        .        .
settings.manage              .           .           .         x        .        .
definitions.read             x           x           x         x        x        x
definitions.manage           .           .           .         x        x        .
runs.launch                  x           x           x         x        .        .
runs.read                    x           x           x         x        x        x
runs.control                 .           .           x         x        .        .
connections.manage           .           .           .         x        x        .
desk.read                    x           x           x         x        x        x
desk.manage                  .           .           x         x        .        .
contact.edit                 x           .           x         x        .        .
reports.read                 .           .           x         x        .        .
sla.manage                   .           .           .         x        .        .
tickets.manage               .           .           .         x        .        .
audit.read                   .           .           x         x        .        x
presence.own                 x           x           x         x        .        .
"""
ROLES, *_rows = [line.split() for line in TABLE.strip().splitlines()]
GRANTED = [
    pytest.param(role, row[0], mark == "x", id=f"{role} {'may' if mark == 'x' else 'may not'} {row[0]}")
    for row in _rows
    for role, mark in zip(ROLES, row[1:], strict=True)
]


def viewer(*roles: str, permissions: frozenset[Permission] | None = None) -> Viewer:
    rights = frozenset().union(*(GRANTS[r] for r in roles)) if permissions is None else permissions
    return Viewer(OLHA, "Olha", frozenset(roles), rights, frozenset())


def test_the_table_names_every_role_and_every_right_once():
    assert set(ROLES) == set(GRANTS)
    assert sorted(row[0] for row in _rows) == sorted(Permission)


@pytest.mark.parametrize(("role", "permission", "granted"), GRANTED)
def test_rights(role, permission, granted):
    someone = viewer(role)
    assert someone.may(Permission(permission)) == granted
    if granted:
        someone.require(Permission(permission))
    else:
        with pytest.raises(ForbiddenError, match=f"needs the right {permission}") as refusal:
            someone.require(Permission(permission))
        assert refusal.value.extra == {"permission": permission}


def test_rights_come_from_the_rows_of_the_role_not_from_its_name():
    stripped = viewer("admin", permissions=frozenset())
    assert not any(stripped.may(p) for p in Permission)
    granted = viewer("light_agent", permissions=frozenset({Permission.DIALOG_REPLY}))
    assert granted.may(Permission.DIALOG_REPLY)


def test_rights_read_from_rows_as_plain_texts_count_as_well():
    assert viewer("operator", permissions=frozenset({"dialog.reply"})).may(Permission.DIALOG_REPLY)


def test_a_second_role_only_adds_rights():
    both = viewer("operator", "integrator")
    assert both.permissions == GRANTS["operator"] | GRANTS["integrator"]


def test_only_those_who_may_hold_dialogs_may_take_them():
    for role, rights in GRANTS.items():
        assert (Permission.DIALOG_TAKE in rights) == (Permission.DIALOG_HOLD in rights), role
