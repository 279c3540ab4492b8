"""Numbered events, taken in their order: those that run listens for become its reactions, those that start something
start it; all of a batch, and how far it came, in one transaction. So nothing is missed and nothing happens twice.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.events import Fact
from domain.triggers import Occasion, payload_of
from store.engines import Sessions
from store.events import number_events
from store.tables import Event, Message, Subscription
from store.transactions import SYSTEM, Work, transact
from store.triggers import chain_of, start_all, triggers_of

READER = "matching"
BATCH = 200

_BEGIN = text("""
INSERT INTO watermarks (reader, seq) SELECT :reader, coalesce(max(seq), 0) FROM events ON CONFLICT DO NOTHING
""")
_WHERE = text("SELECT seq FROM watermarks WHERE reader = :reader FOR UPDATE")
_MOVE = text("UPDATE watermarks SET seq = :seq WHERE reader = :reader")


async def match_next(sessions: Sessions, *, most: int = BATCH) -> tuple[int, set[str]]:
    """Take the next events, at most `most`; answers how many, and whom to ring."""
    async with sessions.begin() as session:
        await number_events(session)

    async def story(work: Work) -> int:
        seq = await _position(work.session)
        events = list(await work.session.scalars(select(Event).where(Event.seq > seq).order_by(Event.seq).limit(most)))
        if not events:
            return 0
        await work.read_clock()
        await _tell(work, events)
        await _start(work, events)
        await work.session.execute(_MOVE, {"reader": READER, "seq": events[-1].seq})
        return len(events)

    return await transact(sessions, story, actor=SYSTEM)


async def _position(session: AsyncSession) -> int:
    found = await session.scalar(_WHERE, {"reader": READER})
    if found is None:
        await session.execute(_BEGIN, {"reader": READER})
        found = await session.scalar(_WHERE, {"reader": READER})
    return int(found or 0)


async def _tell(work: Work, events: Sequence[Event]) -> None:
    """Each event to whoever listens for its kind about its dialog or its contact.

    `message.sent` tells of people's messages: what a process or the house itself sends answers nobody.
    """
    dialogs = {e.dialog_id for e in events if e.dialog_id}
    contacts = {e.contact_id for e in events if e.contact_id}
    rows = list(
        await work.session.scalars(
            select(Subscription).where(Subscription.dialog_id.in_(dialogs) | Subscription.contact_id.in_(contacts))
        )
    )
    if not rows:
        return
    said = await _texts_of(work.session, events)
    for event in events:
        words = said.get(event.data.get("message_id", ""), {})
        if event.kind == Fact.MESSAGE_SENT and words.get("author") != "operator":
            continue
        for listener in rows:
            if event.kind in listener.kinds and _concerns(event, listener):
                work.react(
                    listener.workflow_id, "event", id=event.seq, event=event.kind, at=event.at.isoformat(),
                    payload=_payload(event, work.now) | words,
                )  # fmt: skip


def _concerns(event: Event, listener: Subscription) -> bool:
    if listener.dialog_id is not None and event.dialog_id is not None:
        return listener.dialog_id == event.dialog_id
    return listener.contact_id is not None and listener.contact_id == event.contact_id


async def _texts_of(session: AsyncSession, events: Sequence[Event]) -> dict[str, dict[str, Any]]:
    """Events carry no texts; a run that listens is handed those of messages."""
    ids = [e.data["message_id"] for e in events if "message_id" in e.data]
    if not ids:
        return {}
    rows = await session.execute(
        select(Message.id, Message.text, Message.author_kind, Message.author_id, Message.attachments).where(
            Message.id.in_([UUID(i) for i in ids])
        )
    )
    return {str(r.id): {"text": r.text, "author": r.author_kind, "attachments": len(r.attachments)} for r in rows}


def _payload(event: Event, now: datetime) -> dict[str, Any]:
    ids = {
        "dialog_id": event.dialog_id, "contact_id": event.contact_id, "operator_id": event.operator_id,
        "team": event.team_key,
    }  # fmt: skip
    return payload_of(
        event.kind, event.seq or 0, event.at, actor=event.actor_kind, actor_id=event.actor_id, ids=ids, data=event.data,
        now=now,
    )  # fmt: skip


async def _start(work: Work, events: Sequence[Event]) -> None:
    found = await triggers_of(work.session, "event", {e.kind for e in events})
    for event in events if found else ():
        mine = [t for t in found if t.match == event.kind]
        if not mine:
            continue
        occasion = Occasion(
            kind="event", key=str(event.id), payload=_payload(event, work.now), dialog_id=event.dialog_id,
            contact_id=event.contact_id, operator_id=event.operator_id,
            cause=await chain_of(work.session, event.run_id),
        )  # fmt: skip
        await start_all(work, mine, occasion)
