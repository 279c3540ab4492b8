"""All tables, by name; importing this package completes the metadata."""

from store.tables.channels import Channel, Contact, ContactIdentity
from store.tables.commands import CommandResult, PendingCommand, Reaction, WorkflowRun
from store.tables.decisions import Decision
from store.tables.dialogs import Dialog, Exclusion, Participant
from store.tables.events import Event
from store.tables.messages import Attachment, Message
from store.tables.operators import ContactTouch, Operator, PresenceInterval, PresenceLease, Reservation
from store.tables.rows import Row
from store.tables.settings import Setting
from store.tables.teams import Tag, Team, TeamMember, TeamTopic, Topic
from store.tables.transfers import Transfer
from store.tables.users import Role, RolePermission, Session, SignInAttempt, Token, User, UserRole

__all__ = [
    "Attachment", "Channel", "CommandResult", "Contact", "ContactIdentity", "ContactTouch", "Decision", "Dialog",
    "Event", "Exclusion", "Message", "Operator", "Participant", "PendingCommand", "PresenceInterval",
    "PresenceLease", "Reaction", "Reservation", "Role", "RolePermission", "Row", "Session", "Setting",
    "SignInAttempt", "Tag", "Team", "TeamMember", "TeamTopic", "Token", "Topic", "Transfer", "User", "UserRole",
    "WorkflowRun",
]  # fmt: skip
