"""All tables, by name; importing this package completes the metadata."""

from store.tables.channels import Channel, Contact, ContactIdentity
from store.tables.clocks import (
    Calendar,
    CalendarVersion,
    Clock,
    ClockInterval,
    SlaPolicy,
    SlaPolicyVersion,
    TimedDialog,
)
from store.tables.commands import CommandResult, PendingCommand, Reaction, WorkflowRun
from store.tables.connections import Connection, Secret
from store.tables.decisions import Decision
from store.tables.definitions import Definition, DefinitionVersion, Trigger, TriggerMark, Watermark
from store.tables.desks import Folder, MessageTemplate, Notice, QuickReply, RatingRequest
from store.tables.dialogs import Dialog, Exclusion, Participant
from store.tables.events import Event
from store.tables.messages import Attachment, Message
from store.tables.operators import ContactTouch, Operator, OperatorLoad, PresenceInterval, PresenceLease, Reservation
from store.tables.rows import Row
from store.tables.runs import Approval, Effect, RateBucket, Run, RunItem, RunStep, Subscription
from store.tables.settings import Setting
from store.tables.teams import Tag, Team, TeamMember, TeamTopic, Topic
from store.tables.tickets import Priority, TicketField, TopicField
from store.tables.transfers import Transfer
from store.tables.users import Role, RolePermission, Session, SignInAttempt, Token, User, UserRole

__all__ = [
    "Approval", "Attachment", "Calendar", "CalendarVersion", "Channel", "Clock", "ClockInterval", "CommandResult",
    "Connection", "Contact", "ContactIdentity", "ContactTouch", "Decision", "Definition", "DefinitionVersion",
    "Dialog", "Effect", "Event", "Exclusion", "Folder", "Message", "MessageTemplate", "Notice", "Operator",
    "OperatorLoad", "Participant", "PendingCommand", "PresenceInterval", "PresenceLease", "Priority", "QuickReply",
    "RateBucket", "RatingRequest", "Reaction", "Reservation", "Role", "RolePermission", "Row", "Run", "RunItem",
    "RunStep", "Secret", "Session", "Setting", "SignInAttempt", "SlaPolicy", "SlaPolicyVersion", "Subscription", "Tag",
    "Team", "TeamMember", "TeamTopic", "TicketField", "TimedDialog", "Token", "Topic", "TopicField", "Transfer",
    "Trigger", "TriggerMark", "User", "UserRole", "Watermark", "WorkflowRun",
]  # fmt: skip
