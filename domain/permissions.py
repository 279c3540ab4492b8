"""Who may do what: named rights, the rights each role starts with, and the relation rules of a dialog.

Rights are granted to roles by rows (store/roles.py); GRANTS is only what a new installation is seeded with.
"""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from domain.errors import ForbiddenError, NotTakenError, NotYoursError


class Permission(StrEnum):
    DIALOG_READ = "dialog.read"
    DIALOG_READ_TEXTS = "dialog.read_texts"
    DIALOG_READ_ALL = "dialog.read_all"
    DIALOG_REPLY = "dialog.reply"
    DIALOG_NOTE = "dialog.note"
    DIALOG_TAKE = "dialog.take"
    DIALOG_TAKE_OVER_LIMIT = "dialog.take_over_limit"
    DIALOG_ASSIGN = "dialog.assign"
    DIALOG_CLOSE = "dialog.close"
    DIALOG_TRANSFER = "dialog.transfer"
    DIALOG_EDIT = "dialog.edit"
    DIALOG_OPEN = "dialog.open"
    DIALOG_CONNECT = "dialog.connect"
    DIALOG_HOLD = "dialog.hold"
    DIALOG_LEAD = "dialog.lead"
    CONTACT_BAN = "contact.ban"
    QUEUE_READ = "queue.read"
    HISTORY_READ = "history.read"
    DISTRIBUTION_AUDIT = "distribution.audit"
    DISTRIBUTION_MANAGE = "distribution.manage"
    OPERATORS_READ = "operators.read"
    OPERATORS_FORCE = "operators.force"
    TEAMS_READ = "teams.read"
    TEAMS_MANAGE = "teams.manage"
    TOPICS_MANAGE = "topics.manage"
    TAGS_MANAGE = "tags.manage"
    CHANNELS_MANAGE = "channels.manage"
    USERS_MANAGE = "users.manage"
    ROLES_MANAGE = "roles.manage"
    SETTINGS_MANAGE = "settings.manage"
    DEFINITIONS_READ = "definitions.read"
    DEFINITIONS_MANAGE = "definitions.manage"
    RUNS_LAUNCH = "runs.launch"
    RUNS_READ = "runs.read"
    RUNS_CONTROL = "runs.control"
    CONNECTIONS_MANAGE = "connections.manage"
    DESK_READ = "desk.read"
    DESK_MANAGE = "desk.manage"
    CONTACT_EDIT = "contact.edit"
    REPORTS_READ = "reports.read"
    SLA_MANAGE = "sla.manage"
    TICKETS_MANAGE = "tickets.manage"
    AUDIT_READ = "audit.read"
    PRESENCE_OWN = "presence.own"


P = Permission
_READING = {P.DIALOG_READ, P.DIALOG_READ_TEXTS, P.TEAMS_READ, P.OPERATORS_READ, P.DEFINITIONS_READ, P.DESK_READ}
_OPERATOR = _READING | {
    P.DIALOG_REPLY, P.DIALOG_NOTE, P.DIALOG_TAKE, P.DIALOG_CLOSE, P.DIALOG_TRANSFER, P.DIALOG_EDIT, P.DIALOG_OPEN,
    P.DIALOG_HOLD, P.QUEUE_READ, P.PRESENCE_OWN, P.RUNS_LAUNCH, P.RUNS_READ, P.CONTACT_EDIT,
}  # fmt: skip
_SUPERVISOR = _OPERATOR | {
    P.DIALOG_ASSIGN, P.DIALOG_LEAD, P.CONTACT_BAN, P.HISTORY_READ, P.DISTRIBUTION_AUDIT,
    P.DISTRIBUTION_MANAGE, P.OPERATORS_FORCE, P.DIALOG_TAKE_OVER_LIMIT, P.AUDIT_READ,
    P.RUNS_CONTROL, P.DESK_MANAGE, P.REPORTS_READ,
}  # fmt: skip

#: role → the rights it is seeded with
GRANTS: dict[str, frozenset[Permission]] = {
    "operator": frozenset(_OPERATOR),
    "light_agent": frozenset(_READING | {P.DIALOG_NOTE, P.PRESENCE_OWN, P.RUNS_LAUNCH, P.RUNS_READ}),
    "supervisor": frozenset(_SUPERVISOR),
    "admin": frozenset(Permission),
    "integrator": frozenset({P.CHANNELS_MANAGE, P.TEAMS_READ, P.DIALOG_CONNECT, P.DEFINITIONS_READ,
                             P.DEFINITIONS_MANAGE, P.CONNECTIONS_MANAGE, P.DESK_READ, P.RUNS_READ}),
    "ops": frozenset({P.DIALOG_READ, P.DIALOG_READ_ALL, P.HISTORY_READ, P.QUEUE_READ, P.DISTRIBUTION_AUDIT,
                      P.OPERATORS_READ, P.TEAMS_READ, P.AUDIT_READ, P.DEFINITIONS_READ, P.RUNS_READ, P.DESK_READ}),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks. `teams` are the teams the person belongs to; a leader without teams leads all of them.

    `token_id`: the bearer token asked by, if any; `is_narrowed`: that token has scopes or expires.
    """

    user_id: UUID
    name: str
    roles: frozenset[str]
    permissions: frozenset[str]
    teams: frozenset[str]
    token_id: UUID | None = None
    is_narrowed: bool = False

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions

    def require(self, permission: Permission) -> None:
        """Raises ForbiddenError naming the missing right."""
        if not self.may(permission):
            raise ForbiddenError(f"This needs the right {permission.value}.", permission=permission.value)

    def require_whole(self) -> None:
        """Raises ForbiddenError for a token with scopes or an end: it must leave nothing behind that outlives it."""
        if self.is_narrowed:
            raise ForbiddenError("A token with scopes or an end may not do this; sign in, or use a token without them.")

    @property
    def sees_all(self) -> bool:
        return self.may(P.DIALOG_READ_ALL) or (self.may(P.DIALOG_LEAD) and not self.teams)


@dataclass(frozen=True, slots=True)
class Relation:
    """How a dialog relates to people; gathered in the transaction that decides."""

    team: str | None
    operator_id: UUID | None
    author_id: UUID | None
    participants: frozenset[UUID]
    watchers: frozenset[UUID]
    offered_to: UUID | None = None


def may_read(viewer: Viewer, relation: Relation) -> bool:
    """DECISIONS 20: own teams' dialogs, and those one holds, authored, watches, takes part in or is offered."""
    if not viewer.may(P.DIALOG_READ):
        return False
    if viewer.sees_all or relation.team in viewer.teams:
        return True
    me = viewer.user_id
    mine = (relation.operator_id, relation.author_id, relation.offered_to)
    return me in mine or me in relation.participants or me in relation.watchers


def leads(viewer: Viewer, relation: Relation) -> bool:
    return viewer.may(P.DIALOG_LEAD) and (viewer.sees_all or relation.team in viewer.teams)


def require_acting(viewer: Viewer, relation: Relation, *, is_waiting: bool) -> None:
    """Acting on a dialog needs its holder, a participant or a leader of its team.

    Raises NotTakenError for a dialog of the viewer's that nobody holds yet, NotYoursError otherwise.
    """
    if leads(viewer, relation) or viewer.user_id in relation.participants:
        return
    if relation.operator_id == viewer.user_id:
        return
    if is_waiting and relation.team in viewer.teams:
        raise NotTakenError("Nobody holds this dialog: take it first.")
    raise NotYoursError("Only its operator, a participant or a supervisor of its team may do this.")
