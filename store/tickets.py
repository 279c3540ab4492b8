"""A ticket is opened by somebody for a client: place, author, number and watchers in one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from domain import dialogs as rules
from domain import tickets
from domain.errors import BannedError, InvalidError
from domain.events import Fact
from domain.permissions import Permission, Relation, Viewer
from domain.workflow_ids import of_dialog
from store import contacts
from store.assignees import hand_to
from store.conversions import told
from store.dialogs import Scene, TeamFacts
from store.fields import MOST_FIELDS, require_said
from store.ids import new_id
from store.inbound import Inbound, lock_identity
from store.places import settle_waiting
from store.priorities import FIRST, require_priority
from store.tables import Dialog
from store.ticket_fields import FIELDS_OF, specs_of
from store.topics import resolve_topic, team_of_topic
from store.transactions import GroundMovedError, Work
from store.watching import tell_of_watching

_CHANNEL = text("SELECT team_key, active FROM channels WHERE key = :channel")
#: of the ways to a contact the one asked for, else the last used; its lock is that of inbound messages
_WAY = text("""
SELECT i.id, i.contact_id, i.channel_key, c.team_key,
       (SELECT banned_at IS NOT NULL FROM contacts WHERE id = i.contact_id) AS is_banned
FROM identities i JOIN channels c ON c.key = i.channel_key AND c.active
WHERE i.contact_id = :contact AND (CAST(:channel AS text) IS NULL OR c.key = :channel)
ORDER BY (SELECT max(last_message_at) FROM dialogs d WHERE d.identity_id = i.id) DESC NULLS LAST, i.id DESC
LIMIT 1 FOR NO KEY UPDATE OF i
""")
_GROUND = text(
    "SELECT t.*, clock_timestamp() AS now, nextval('ticket_numbers') AS number, "
    + FIELDS_OF.format(topic="CAST(:topic AS text)")
    + " AS fields FROM teams t WHERE key = :team"
)
_WATCH = text("""
INSERT INTO participants (dialog_id, user_id, role, added_by)
SELECT :dialog, u.id, 'watcher', :by FROM users u
WHERE u.id = ANY(:people) AND u.is_active AND EXISTS (
    SELECT 1 FROM user_roles ur JOIN role_permissions rp ON rp.role_key = ur.role_key
    WHERE ur.user_id = u.id AND rp.permission = :right)
ORDER BY u.id RETURNING user_id
""")


@dataclass(frozen=True, slots=True)
class Client:
    """For whom: a known contact (`channel` chooses among the ways to it), or an address in a channel."""

    contact_id: UUID | None = None
    channel: str | None = None
    address: str | None = None
    name: str | None = None
    phone: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True)
class NewTicket:
    """`assignee`: an operator's id, role:NAME or team:NAME; None: distribution. `team`: else the topic's."""

    client: Client
    subject: str
    description: str | None = None
    topic: str | None = None
    team: str | None = None
    priority: str | None = None
    ticket_type: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    assignee: str | None = None
    watchers: tuple[UUID, ...] = ()


async def open_ticket(work: Work, viewer: Viewer, asked: NewTicket) -> dict[str, Any]:
    """Raises NotFoundError (the contact), InvalidError naming the field, UnknownTopicError, BannedError,
    AtCapacityError, OperatorUnsuitableError.
    """
    subject = require_said("subject", asked.subject)
    if subject is None:
        raise InvalidError("Say in a few words what the ticket is about.", field="subject")
    topic = (await resolve_topic(work.session, asked.topic)).key if asked.topic is not None else None
    if asked.priority is not None:
        await require_priority(work.session, asked.priority)
    way = await _way_to(work, viewer, asked.client)
    team_key = _team_named(asked) or await team_of_topic(work.session, topic, way.team_key)
    await work.lock_teams([team_key])
    ground = (await work.session.execute(_GROUND, {"team": team_key, "topic": topic})).one_or_none()
    if ground is None or not ground.active:
        if _team_named(asked) is None:
            raise GroundMovedError
        raise InvalidError(f"There is no active team {team_key!r}.", field="team")
    work.moment = ground.now
    values = tickets.merge(specs_of(ground.fields), {}, asked.fields)
    if len(values) > MOST_FIELDS:
        raise InvalidError(f"A ticket has at most {MOST_FIELDS} fields.", field="fields")
    dialog = Dialog(
        id=new_id(), kind=rules.Kind.TICKET, status=rules.Status.OPEN, place=rules.place_when_waiting(auto=ground.auto),
        channel_key=way.channel_key, identity_id=way.id, contact_id=way.contact_id, thread="", topic_key=topic,
        team_key=team_key, author_id=work.actor.id, priority=asked.priority or FIRST, weight=0, opened_at=work.now,
        waiting_since=work.now, last_message_seq=0, tags=[], is_forced=False, cycle=1, ticket_number=ground.number,
        subject=subject, description=require_said("description", asked.description), fields=values,
        ticket_type=asked.ticket_type, keeps_time=False,
    )  # fmt: skip
    work.session.add(dialog)
    team = TeamFacts(ground.key, ground.auto, ground.active, ground.transfer_window, ground.transfer_fallback)
    scene = Scene(dialog, team, None, Relation(team_key, None, dialog.author_id, frozenset(), frozenset()))
    work.scenes[dialog.id] = scene
    work.react(of_dialog(dialog.id), "dialog_opened")
    work.record(Fact.DIALOG_OPENED, **scene.event_ids, channel=way.channel_key, kind=dialog.kind, topic=topic)
    work.record(
        Fact.TICKET_CREATED, **scene.event_ids, number=ground.number, type=asked.ticket_type, priority=dialog.priority
    )
    await work.session.flush()
    await _watch(work, scene, asked.watchers)
    person = asked.assignee if asked.assignee is not None and not asked.assignee.startswith("team:") else None
    if person is None or not await hand_to(work, scene, person, cause="opened"):
        await settle_waiting(work, scene, cause="opened")
    return told(dialog)


def _team_named(asked: NewTicket) -> str | None:
    """Raises InvalidError where two are."""
    kind, _, key = (asked.assignee or "").partition(":")
    assigned = key if kind == "team" else None
    if assigned is not None and asked.team not in (None, assigned):
        raise InvalidError("Two teams are named: say team, or assignee team:NAME.", field="assignee")
    return assigned or asked.team


async def _way_to(work: Work, viewer: Viewer, client: Client) -> Row[Any]:
    """The client's address in a channel, its row locked: messages of one client are taken one after another."""
    if client.contact_id is not None:
        await contacts.require_seen(work.session, viewer, client.contact_id)
        asked = {"contact": client.contact_id, "channel": client.channel}
        way = (await work.session.execute(_WAY, asked)).one_or_none()
        if way is None:
            where = f"in the channel {client.channel!r}" if client.channel else "in any active channel"
            raise InvalidError(f"The client has no address {where}.", field="channel")
    else:
        way = await _way_of_address(work, client)
    if way.is_banned:
        raise BannedError("The client is banned.")
    return way


async def _way_of_address(work: Work, client: Client) -> Any:
    channel = (await work.session.execute(_CHANNEL, {"channel": client.channel})).one_or_none()
    if channel is None or not channel.active:
        raise InvalidError(f"There is no active channel {client.channel!r}.", field="from.channel")
    row = await lock_identity(
        work,
        Inbound(
            str(client.channel), "", str(client.address), "", name=client.name, phone=client.phone, email=client.email
        ),
    )
    return _Way(row.id, row.contact_id, str(client.channel), channel.team_key, bool(row.is_banned))


@dataclass(frozen=True, slots=True)
class _Way:
    id: UUID
    contact_id: UUID
    channel_key: str
    team_key: str | None
    is_banned: bool


async def _watch(work: Work, scene: Scene, people: tuple[UUID, ...]) -> None:
    """They are told so. Raises InvalidError naming the first who is not there or may not read dialogs at all."""
    if not people:
        return
    given = {
        "dialog": scene.dialog.id, "people": sorted({*people}), "by": work.actor.id, "right": Permission.DIALOG_READ
    }  # fmt: skip
    added = set(await work.session.scalars(_WATCH, given))
    if missing := [person for person in people if person not in added]:
        raise InvalidError(f"There is no such active person: {missing[0]}.", field="watchers")
    for person in sorted(added):
        work.record(Fact.WATCHER_ADDED, **scene.event_ids, operator_id=person)
    if others := [person for person in sorted(added) if person != work.actor.id]:
        await tell_of_watching(work, scene, others, None)
