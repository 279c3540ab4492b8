"""A client's message arrives: message, place and reaction in one transaction (DECISIONS 14, 15, 17)."""

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.exc import IntegrityError

from domain import dialogs as rules
from domain.errors import NotFoundError, UnauthenticatedError
from domain.events import Fact
from domain.permissions import Relation
from domain.workflow_ids import of_dialog
from store import bots, closures, ratings, scenarios
from store.dialogs import Scene, TeamFacts, lock_concerned_teams, lock_scene
from store.engines import Sessions
from store.ids import new_id
from store.messages import add_inbound
from store.places import settle_waiting, to_pool
from store.tables import Dialog
from store.topics import resolve_topic, team_of_topic
from store.transactions import Actor, GroundMovedError, Work, transact

_ARRIVE = text("""
SELECT c.key, c.team_key, c.active, c.token_hash, c.reopen_window, c.bot_process, m.id AS message_id, m.dialog_id
FROM channels c LEFT JOIN messages m
  ON m.channel_key = c.key AND m.external_id = :external_id AND m.direction = 'in'
WHERE c.key = :channel
""")
_IDENTITY = text("""
SELECT i.id, i.contact_id, (SELECT banned_at IS NOT NULL FROM contacts WHERE id = i.contact_id) AS is_banned
FROM identities i WHERE channel_key = :channel AND address = :address FOR NO KEY UPDATE OF i
""")
_STRANGER = text("""
WITH person AS (
    INSERT INTO contacts (id, name, phone, email) VALUES (:contact, :name, :phone, :email) RETURNING id
)
INSERT INTO identities (id, contact_id, channel_key, address, name)
SELECT :identity, id, :channel, :address, :name FROM person
ON CONFLICT DO NOTHING RETURNING id, contact_id, false AS is_banned
""")
_BELONGS = text("""
SELECT id, status, place, closed_at + make_interval(secs => :reopen_window) > clock_timestamp() AS may_reopen
FROM dialogs
WHERE identity_id = :identity AND (
    (kind <> 'ticket' AND channel_key = :channel AND thread = :thread) OR (kind = 'ticket' AND status <> 'closed'))
ORDER BY status = 'closed', kind = 'ticket', closed_at DESC, id DESC LIMIT 1
""")
_TEAM = text("SELECT t.*, clock_timestamp() AS now FROM teams t WHERE key = :team")


@dataclass(frozen=True, slots=True)
class Inbound:
    """One provider message. `thread` tells conversations of one client in one channel apart ('' = the only one).

    `token`: what the caller showed as the channel's token; None where the door has checked it by other means.
    """

    channel: str
    external_id: str
    address: str
    text: str
    name: str | None = None
    phone: str | None = None
    email: str | None = None
    topic: str | None = None
    weight: int | None = None
    thread: str = ""
    attachments: tuple[dict[str, Any], ...] = ()
    token: str | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """result: accepted, repeated (the same provider message again) or banned."""

    result: str
    dialog_id: UUID | None = None
    message_id: UUID | None = None
    rings: frozenset[str] = field(default_factory=frozenset)


async def receive(sessions: Sessions, inbound: Inbound) -> Receipt:
    """Store the message once and put its dialog where it belongs.

    Raises UnauthenticatedError (the same for an unknown channel as for a wrong token), NotFoundError (the channel is
    not active), UnknownTopicError, InvalidError (nothing says which team).
    """

    async def story(work: Work) -> Receipt:
        return await _receive(work, inbound)

    try:
        receipt, rings = await transact(sessions, story, actor=Actor("client"))
    except IntegrityError as error:
        constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", "") or ""
        if not constraint.startswith(("uq_messages_channel_key_external_id", "uq_dialogs_open", "uq_identities")):
            raise
        receipt, rings = await transact(sessions, story, actor=Actor("client"))
    return Receipt(receipt.result, receipt.dialog_id, receipt.message_id, frozenset(rings))


async def _receive(work: Work, inbound: Inbound) -> Receipt:
    found = (
        await work.session.execute(_ARRIVE, {"channel": inbound.channel, "external_id": inbound.external_id})
    ).one_or_none()
    if inbound.token is not None and not _fits(inbound.token, found.token_hash if found else None):
        raise UnauthenticatedError("X-Channel-Token is missing or wrong for this channel.")
    if found is None or not found.active:
        raise NotFoundError(f"There is no active channel {inbound.channel!r}.")
    if found.message_id is not None:
        return Receipt("repeated", found.dialog_id, found.message_id)
    topic = (await resolve_topic(work.session, inbound.topic)).key if inbound.topic else None
    identity = await lock_identity(work, inbound)
    if identity.is_banned:
        return Receipt("banned")
    scene, came = await _scene_for(work, inbound, found, identity, topic)
    body = inbound.text.replace("\x00", "")
    if came == "rates":
        return await _rated(work, inbound, scene, body)
    message = add_inbound(work, scene, body, external_id=inbound.external_id, attachments=list(inbound.attachments))
    if inbound.weight is not None and scene.dialog.place in rules.WAITING:
        scene.dialog.weight = inbound.weight
    await work.session.flush()
    if came == "opened":
        if found.bot_process is None or not await scenarios.begin(work, scene, found.bot_process, message):
            await settle_waiting(work, scene, cause="arrived")
    elif came == "reopens":
        await closures.reopen_now(work, scene, cause="by_client")
    elif came == "leaves_bot":
        await to_pool(work, scene, cause="bot_ended")
        await settle_waiting(work, scene, cause="bot_ended")
    return Receipt("accepted", scene.dialog.id, message.id)


async def _rated(work: Work, inbound: Inbound, scene: Scene, body: str) -> Receipt:
    """The message is a score (DECISIONS 30): kept in the dialog's order, waits for no answer, reopens nothing."""
    request = await ratings.pending_of(work.session, scene.dialog.id)
    score = ratings.read_score(request.scale, body) if request is not None else None
    if request is None or score is None:
        raise GroundMovedError
    message = add_inbound(work, scene, body, external_id=inbound.external_id, attachments=[], rates=True)
    ratings.receive(work, scene.dialog, request, score, None)
    return Receipt("accepted", scene.dialog.id, message.id)


def _fits(token: str, known: bytes | None) -> bool:
    return known is not None and hmac.compare_digest(hashlib.sha256(token.encode()).digest(), known)


async def lock_identity(work: Work, inbound: Inbound) -> Row[Any]:
    """The client's address in this channel, its row locked: messages of one client are taken one after another.

    FOR NO KEY UPDATE: whoever updates a dialog twice in one transaction has its foreign keys checked again, and holds
    locks that this transaction is yet to take.
    """
    where = {"channel": inbound.channel, "address": inbound.address}
    identity = (await work.session.execute(_IDENTITY, where)).one_or_none()
    if identity is not None:
        return identity
    stranger = {
        **where, "identity": new_id(), "contact": new_id(), "name": inbound.name, "phone": inbound.phone,
        "email": inbound.email,
    }  # fmt: skip
    made = (await work.session.execute(_STRANGER, stranger)).one_or_none()
    if made is None:
        raise GroundMovedError
    return made


async def _scene_for(
    work: Work, inbound: Inbound, channel: Row[Any], identity: Row[Any], topic: str | None
) -> tuple[Scene, str]:
    """The dialog this message belongs to, locked: the open chat of the thread, else the latest unclosed ticket,
    else one that reopens, else a new one. Answers also how it came: continues, leaves_bot, reopens, opened or rates.
    """
    if not inbound.attachments:
        rated = await ratings.dialog_rated(work.session, identity.id, channel.key, inbound.text)
        if rated is not None:
            return await lock_scene(work, rated), "rates"
    last = (
        await work.session.execute(
            _BELONGS,
            {
                "identity": identity.id,
                "channel": channel.key,
                "thread": inbound.thread,
                "reopen_window": channel.reopen_window,
            },
        )
    ).one_or_none()
    if last is not None and last.status != "closed":
        return await _continue(work, last.id, last.status, is_left=last.place == "bot")
    if last is not None and last.may_reopen:
        await lock_concerned_teams(work, last.id)
        scene = await lock_scene(work, last.id)
        if scene.dialog.status != "closed":
            raise GroundMovedError
        return scene, "reopens"
    return await _open(work, inbound, channel, identity, topic), "opened"


async def _continue(work: Work, dialog_id: UUID, status: str, *, is_left: bool) -> tuple[Scene, str]:
    waits_for_client = status in ("pending", "resolved")
    is_left = is_left and await bots.is_left(work, dialog_id)
    if waits_for_client or is_left:
        await lock_concerned_teams(work, dialog_id)
    scene = await lock_scene(work, dialog_id)
    if scene.dialog.place == rules.Place.BOT and await bots.is_left(work, dialog_id):
        if not is_left:
            raise GroundMovedError
        return scene, "leaves_bot"
    if scene.dialog.status != status and (scene.dialog.status == "closed" or waits_for_client):
        raise GroundMovedError
    if scene.dialog.status in ("pending", "resolved"):
        if not waits_for_client:
            raise GroundMovedError
        return scene, "reopens"
    return scene, "continues"


async def _open(work: Work, inbound: Inbound, channel: Row[Any], identity: Row[Any], topic: str | None) -> Scene:
    team_key = await team_of_topic(work.session, topic, channel.team_key)
    await work.lock_teams([team_key])
    team = (await work.session.execute(_TEAM, {"team": team_key})).one()
    work.moment = now = team.now
    if not team.active:
        raise GroundMovedError
    dialog = Dialog(
        id=new_id(), kind=rules.Kind.CHAT, status=rules.Status.NEW, place=rules.place_when_waiting(auto=team.auto),
        channel_key=channel.key, identity_id=identity.id, contact_id=identity.contact_id, thread=inbound.thread,
        topic_key=topic, team_key=team_key, weight=inbound.weight or 0, opened_at=now, waiting_since=now,
        last_message_seq=0, tags=[], is_forced=False, cycle=1,
    )  # fmt: skip
    work.session.add(dialog)
    facts = TeamFacts(team.key, team.auto, team.active, team.transfer_window, team.transfer_fallback)
    scene = Scene(dialog, facts, None, Relation(team.key, None, None, frozenset(), frozenset()))
    work.react(of_dialog(dialog.id), "dialog_opened")
    work.record(Fact.DIALOG_OPENED, **scene.event_ids, channel=channel.key, kind=dialog.kind, topic=topic)
    return scene
