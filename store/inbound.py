"""A client's message arrives: message, place and reaction in one transaction (DECISIONS 14, 15, 17)."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError

from domain import dialogs as rules
from domain.errors import NotFoundError
from domain.events import Fact
from domain.permissions import Relation
from store import closures
from store.dialogs import Scene, TeamFacts, lock_concerned_teams, lock_scene
from store.engines import Sessions
from store.ids import new_id
from store.messages import add_inbound
from store.places import settle_waiting
from store.tables import Channel, Contact, ContactIdentity, Dialog, Message, Team
from store.topics import resolve_topic, team_of_topic
from store.transactions import Actor, GroundMovedError, Work, transact


@dataclass(frozen=True, slots=True)
class Inbound:
    """One provider message. `thread` tells conversations of one client in one channel apart ('' = the only one)."""

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


@dataclass(frozen=True, slots=True)
class Receipt:
    """result: accepted, repeated (the same provider message again) or banned."""

    result: str
    dialog_id: UUID | None = None
    message_id: UUID | None = None
    rings: frozenset[str] = field(default_factory=frozenset)


async def receive(sessions: Sessions, inbound: Inbound) -> Receipt:
    """Store the message once and put its dialog where it belongs.

    Raises NotFoundError (no such active channel), UnknownTopicError, InvalidError (nothing says which team).
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
    channel = await work.session.get(Channel, inbound.channel)
    if channel is None or not channel.active:
        raise NotFoundError(f"There is no active channel {inbound.channel!r}.")
    if repeated := await _find_repeated(work, inbound):
        return repeated
    identity = await _lock_identity(work, inbound)
    contact = await work.session.get_one(Contact, identity.contact_id)
    if contact.banned_at is not None:
        return Receipt("banned")
    if repeated := await _find_repeated(work, inbound):
        return repeated
    scene, came = await _scene_for(work, inbound, channel, identity)
    body = inbound.text.replace("\x00", "")
    message = add_inbound(work, scene, body, external_id=inbound.external_id, attachments=list(inbound.attachments))
    if inbound.weight is not None and scene.dialog.place in rules.WAITING:
        scene.dialog.weight = inbound.weight
    await work.session.flush()
    if came == "opened":
        await settle_waiting(work, scene, cause="arrived")
    elif came == "reopens":
        await closures.reopen_now(work, scene, cause="by_client")
    return Receipt("accepted", scene.dialog.id, message.id)


async def _find_repeated(work: Work, inbound: Inbound) -> Receipt | None:
    row = (
        await work.session.execute(
            select(Message.dialog_id, Message.id).where(
                Message.channel_key == inbound.channel,
                Message.external_id == inbound.external_id,
                Message.direction == "in",
            )
        )
    ).one_or_none()
    return Receipt("repeated", row.dialog_id, row.id) if row else None


async def _lock_identity(work: Work, inbound: Inbound) -> ContactIdentity:
    """The client's address in this channel, its row locked: messages of one client are taken one after another.

    FOR NO KEY UPDATE: whoever updates a dialog twice in one transaction has its foreign keys checked again, and holds
    locks that this transaction is yet to take.
    """
    found = select(ContactIdentity).where(
        ContactIdentity.channel_key == inbound.channel, ContactIdentity.address == inbound.address
    )
    identity = await work.session.scalar(found.with_for_update(key_share=True))
    if identity is not None:
        return identity
    contact = Contact(id=new_id(), name=inbound.name, phone=inbound.phone, email=inbound.email)
    work.session.add(contact)
    await work.session.flush()
    made = await work.session.scalar(
        upsert(ContactIdentity)
        .values(
            id=new_id(), contact_id=contact.id, channel_key=inbound.channel, address=inbound.address,
            name=inbound.name,
        )
        .on_conflict_do_nothing()
        .returning(ContactIdentity.id)
    )  # fmt: skip
    if made is None:
        raise GroundMovedError
    return await work.session.get_one(ContactIdentity, made)


async def _scene_for(work: Work, inbound: Inbound, channel: Channel, identity: ContactIdentity) -> tuple[Scene, str]:
    """The dialog this message belongs to, locked: the open chat of the thread, else the latest unclosed ticket,
    else one that reopens, else a new one. Answers also how it came: continues, reopens or opened.
    """
    here = select(Dialog.id, Dialog.status).where(
        Dialog.identity_id == identity.id, Dialog.channel_key == channel.key, Dialog.thread == inbound.thread
    )
    newest_first = Dialog.id.desc()
    open_chat = here.where(Dialog.status != "closed", Dialog.kind != "ticket")
    open_ticket = (
        select(Dialog.id, Dialog.status)
        .where(Dialog.identity_id == identity.id, Dialog.kind == "ticket", Dialog.status != "closed")
        .order_by(newest_first)
        .limit(1)
    )
    for query in (open_chat, open_ticket):
        row = (await work.session.execute(query)).first()
        if row is not None:
            return await _continue(work, row.id, row.status)
    last = (
        await work.session.execute(
            here.add_columns(Dialog.closed_at).where(Dialog.status == "closed", Dialog.kind != "ticket")
            .order_by(Dialog.closed_at.desc()).limit(1)
        )
    ).first()  # fmt: skip
    now = await work.read_clock()
    if last is not None and last.closed_at + timedelta(seconds=channel.reopen_window) > now:
        await lock_concerned_teams(work, last.id)
        scene = await lock_scene(work, last.id)
        if scene.dialog.status != "closed":
            raise GroundMovedError
        return scene, "reopens"
    return await _open(work, inbound, channel, identity), "opened"


async def _continue(work: Work, dialog_id: UUID, status: str) -> tuple[Scene, str]:
    waits_for_client = status in ("pending", "resolved")
    if waits_for_client:
        await lock_concerned_teams(work, dialog_id)
    scene = await lock_scene(work, dialog_id)
    if scene.dialog.status != status and (scene.dialog.status == "closed" or waits_for_client):
        raise GroundMovedError
    if scene.dialog.status in ("pending", "resolved"):
        if not waits_for_client:
            raise GroundMovedError
        return scene, "reopens"
    return scene, "continues"


async def _open(work: Work, inbound: Inbound, channel: Channel, identity: ContactIdentity) -> Scene:
    topic = (await resolve_topic(work.session, inbound.topic)).key if inbound.topic else None
    team_key = await team_of_topic(work.session, topic, channel.team_key)
    await work.lock_teams([team_key])
    now = await work.read_clock()
    team = await work.session.get_one(Team, team_key)
    if not team.active:
        raise GroundMovedError
    dialog = Dialog(
        id=new_id(), kind=rules.Kind.CHAT, status=rules.Status.NEW, place=rules.place_when_waiting(auto=team.auto),
        channel_key=channel.key, identity_id=identity.id, contact_id=identity.contact_id, thread=inbound.thread,
        topic_key=topic, team_key=team_key, weight=inbound.weight or 0, opened_at=now, waiting_since=now,
        last_message_seq=0, tags=[], is_forced=False, cycle=1,
    )  # fmt: skip
    work.session.add(dialog)
    await work.session.flush()
    facts = TeamFacts(team.key, team.auto, team.active, team.transfer_window, team.transfer_fallback)
    scene = Scene(dialog, facts, None, Relation(team.key, None, None, frozenset(), frozenset()))
    work.record(
        Fact.DIALOG_OPENED, **scene.event_ids, channel=channel.key, kind=dialog.kind, topic=topic, number=dialog.number
    )
    return scene
