"""All tables, by name; importing this package completes the metadata."""

from store.tables.channels import Channel, Contact, ContactIdentity
from store.tables.commands import CommandResult, PendingCommand, Reaction, WorkflowRun
from store.tables.connections import Connection, Secret
from store.tables.decisions import Decision
from store.tables.definitions import Definition, DefinitionVersion, Trigger, TriggerMark, Watermark
from store.tables.desks import Folder, MessageTemplate, Notice, QuickReply, RatingRequest
from store.tables.dialogs import Dialog, Exclusion, Participant
from store.tables.events import Event
from store.tables.messages import Attachment, Message
from store.tables.operators import ContactTouch, Operator, PresenceInterval, PresenceLease, Reservation
from store.tables.rows import Row
from store.tables.runs import Approval, Effect, RateBucket, Run, RunItem, RunStep, Subscription
from store.tables.settings import Setting
from store.tables.teams import Tag, Team, TeamMember, TeamTopic, Topic
from store.tables.transfers import Transfer
from store.tables.users import Role, RolePermission, Session, SignInAttempt, Token, User, UserRole

__all__ = [
    "Approval", "Attachment", "Channel", "CommandResult", "Connection", "Contact", "ContactIdentity",
    "ContactTouch", "Decision", "Definition", "DefinitionVersion", "Dialog", "Effect", "Event", "Exclusion",
    "Folder", "Message", "MessageTemplate", "Notice", "Operator", "Participant", "PendingCommand",
    "PresenceInterval", "PresenceLease", "QuickReply", "RateBucket", "RatingRequest", "Reaction", "Reservation",
    "Role", "RolePermission", "Row", "Run", "RunItem", "RunStep", "Secret", "Session", "Setting",
    "SignInAttempt", "Subscription", "Tag", "Team", "TeamMember", "TeamTopic", "Token", "Topic", "Transfer",
    "Trigger", "TriggerMark", "User", "UserRole", "Watermark", "WorkflowRun",
]  # fmt: skip
