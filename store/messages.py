"""Messages as rows: said, received, and on their way out. The row is the ledger of delivery (DECISIONS 31)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import set_committed_value

from domain.errors import InvalidError
from domain.events import Fact
from domain.messages import LONGEST_TEXT, MOST_ATTACHMENTS, Delivery, Direction
from domain.workflow_ids import of_dialog
from store.dialogs import Scene
from store.ids import new_id
from store.statements import Statement
from store.tables import Attachment, Channel, ContactIdentity, Dialog, Message
from store.transactions import Work

_NOTE = Statement("""
WITH counted AS (UPDATE dialogs SET last_message_seq = :seq WHERE id = :dialog_id)
INSERT INTO messages (id, dialog_id, seq, direction, author_kind, author_id, run_id, text, channel_key, created_at,
                      is_pinned, attachments)
VALUES (:id, :dialog_id, :seq, 'note', :author_kind, :author_id, :run_id, :text, :channel_key, :created_at, :is_pinned,
        CAST(:attachments AS jsonb))
""")


def require_text(value: str, *, has_attachments: bool) -> str:
    """Raises InvalidError for nothing to say, too much of it, or characters no database stores."""
    if "\x00" in value:
        raise InvalidError("A text cannot contain the character NUL.", field="text")
    if not value.strip() and not has_attachments:
        raise InvalidError("There is nothing to send: the text is empty.", field="text")
    if len(value) > LONGEST_TEXT:
        raise InvalidError(f"A text has at most {LONGEST_TEXT} characters.", field="text")
    return value


async def attachments_named(work: Work, ids: Sequence[UUID], dialog_id: UUID) -> list[dict[str, Any]]:
    """What a message keeps of its files; binds fresh uploads to the dialog. Raises InvalidError."""
    if not ids:
        return []
    if len(ids) > MOST_ATTACHMENTS:
        raise InvalidError(f"A message carries at most {MOST_ATTACHMENTS} files.", field="attachments")
    rows = (
        await work.session.execute(
            update(Attachment)
            .where(
                Attachment.id.in_(list(ids)),
                (Attachment.dialog_id == dialog_id)
                | (Attachment.dialog_id.is_(None) & (Attachment.uploaded_by == work.actor.id)),
            )
            .values(dialog_id=dialog_id)
            .returning(Attachment.id, Attachment.name, Attachment.media_type, Attachment.size)
        )
    ).all()
    found = {r.id: r for r in rows}
    if missing := [i for i in ids if i not in found]:
        raise InvalidError(f"There is no such attachment: {missing[0]}.", field="attachments")
    return [
        {"id": str(i), "name": found[i].name, "media_type": found[i].media_type, "size": found[i].size} for i in ids
    ]


def _next(scene: Scene) -> int:
    scene.dialog.last_message_seq += 1
    return scene.dialog.last_message_seq


async def add_reply(
    work: Work, scene: Scene, body: str, attachments: Sequence[UUID] = (), *, author_kind: str = "operator"
) -> Message:
    """A message to the client: queued here, delivered in order by the dialog's workflow, or by the run that says it."""
    dialog = scene.dialog
    files = await attachments_named(work, attachments, dialog.id)
    message = Message(
        id=new_id(), dialog_id=dialog.id, seq=_next(scene), direction=Direction.OUT, author_kind=author_kind,
        author_id=work.actor.id, text=require_text(body, has_attachments=bool(files)), attachments=files,
        channel_key=dialog.channel_key, created_at=work.now, delivery=Delivery.QUEUED, run_id=work.run_id,
    )  # fmt: skip
    work.session.add(message)
    if author_kind == "operator":
        dialog.awaiting_reply_since = None
    dialog.last_message_at = work.now
    work.record(
        Fact.MESSAGE_QUEUED, **scene.event_ids, operator_id=dialog.operator_id, message_id=str(message.id),
        seq=message.seq,
    )  # fmt: skip
    if work.run_id is None:
        work.react(of_dialog(dialog.id), "message_queued", message_id=str(message.id))
    return message


async def add_note(
    work: Work, scene: Scene, body: str, attachments: Sequence[UUID] = (), *, is_pinned: bool = False
) -> Message:
    """An internal note: in the dialog's order, never near a channel."""
    dialog = scene.dialog
    files = await attachments_named(work, attachments, dialog.id)
    message = Message(
        id=new_id(), dialog_id=dialog.id, seq=dialog.last_message_seq + 1, direction=Direction.NOTE,
        author_kind="process" if work.run_id else "operator", author_id=work.actor.id, run_id=work.run_id,
        text=require_text(body, has_attachments=bool(files)), attachments=files, channel_key=dialog.channel_key,
        created_at=work.now, is_pinned=is_pinned,
    )  # fmt: skip
    await _write_note(work, dialog, message)
    work.record(
        Fact.NOTE_ADDED, **scene.event_ids, operator_id=dialog.operator_id, message_id=str(message.id),
        seq=message.seq,
    )  # fmt: skip
    return message


async def _write_note(work: Work, dialog: Dialog, note: Message) -> None:
    """The note and the dialog's next number in one statement: notes are what processes write most."""
    await work.session.flush()
    names = ("id", "dialog_id", "seq", "author_kind", "author_id", "run_id", "text", "channel_key", "created_at",
             "is_pinned")  # fmt: skip
    given = {name: getattr(note, name) for name in names}
    await work.ask(_NOTE, **given, attachments=json.dumps(note.attachments))
    set_committed_value(dialog, "last_message_seq", note.seq)


def add_inbound(
    work: Work, scene: Scene, body: str, *, external_id: str, attachments: list[dict[str, Any]], rates: bool = False
) -> Message:
    """What the client wrote, in the dialog's order. `rates`: it is a score, and waits for no answer."""
    dialog = scene.dialog
    message = Message(
        id=new_id(), dialog_id=dialog.id, seq=_next(scene), direction=Direction.IN, author_kind="client",
        text=body, attachments=attachments, channel_key=dialog.channel_key, external_id=external_id,
        created_at=work.now,
    )  # fmt: skip
    work.session.add(message)
    dialog.last_client_message_at = dialog.last_message_at = work.now
    score: dict[str, Any] = {"rates": True} if rates else {}
    if not rates:
        dialog.awaiting_reply_since = dialog.awaiting_reply_since or work.now
    work.record(
        Fact.MESSAGE_RECEIVED, **scene.event_ids, operator_id=dialog.operator_id, message_id=str(message.id),
        seq=message.seq, **score,
    )  # fmt: skip
    return message


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message claimed for its provider call. `is_doubtful`: a former call may have reached the provider."""

    message_id: UUID
    dialog_id: UUID
    seq: int
    text: str
    attachments: list[dict[str, Any]]
    channel_key: str
    channel_kind: str
    channel_settings: dict[str, Any]
    address: str
    attempts: int
    is_doubtful: bool


@dataclass(frozen=True, slots=True)
class Claim:
    """state: claimed, settled (nothing left to do), behind (an earlier message of the dialog goes first)."""

    state: str
    outgoing: Outgoing | None = None


async def claim_delivery(work: Work, message_id: UUID) -> Claim:
    """Claim a queued message, unless an earlier one of its dialog is still on its way.

    A row found in `sending` was claimed by somebody who died: nobody knows what the provider saw.
    """
    row = await work.session.scalar(select(Message).where(Message.id == message_id).with_for_update())
    if row is None or row.delivery not in (Delivery.QUEUED, Delivery.SENDING):
        await finish_reaction(work, message_id)
        return Claim("settled")
    if await goes_after_another(work.session, row):
        return Claim("behind")
    return Claim("claimed", await take(work, row))


async def goes_after_another(session: AsyncSession, row: Message) -> bool:
    """Whether an earlier message of its dialog goes first.

    What a run has queued may wait for its turn under a rate limit: a person's message does not wait for that.
    """
    before = [Message.dialog_id == row.dialog_id, Message.seq < row.seq]
    queued = Message.delivery == Delivery.QUEUED
    if row.run_id is None:
        queued &= Message.run_id.is_(None)
    return bool(await session.scalar(select(exists().where(*before, (Message.delivery == Delivery.SENDING) | queued))))


async def take(work: Work, row: Message) -> Outgoing:
    """Claim the locked row for one call to its provider."""
    is_doubtful = row.delivery == Delivery.SENDING
    row.delivery, row.attempts = Delivery.SENDING, row.attempts + 1
    channel = await work.session.get_one(Channel, row.channel_key)
    address = await work.session.scalar(
        select(ContactIdentity.address)
        .join(Dialog, Dialog.identity_id == ContactIdentity.id)
        .where(Dialog.id == row.dialog_id)
    )
    return Outgoing(
        row.id, row.dialog_id, row.seq, row.text, row.attachments, row.channel_key, channel.kind,
        channel.settings, address or "", row.attempts, is_doubtful,
    )  # fmt: skip


async def put_back(work: Work, message_id: UUID, error: str, *, counts: bool = True) -> None:
    """The provider surely did not take it: queue it again for the next try. Not `counts`: that was no attempt."""
    await work.session.execute(
        update(Message)
        .where(Message.id == message_id, Message.delivery == Delivery.SENDING)
        .values(delivery=Delivery.QUEUED, delivery_error=error, attempts=Message.attempts - (0 if counts else 1))
    )


async def settle_delivery(
    work: Work, message_id: UUID, delivery: Delivery, *, error: str | None = None, provider_id: str | None = None
) -> None:
    """Write how the delivery ended (sent, failed, unknown), once, with its event."""
    await work.read_clock()
    row = await work.session.scalar(select(Message).where(Message.id == message_id).with_for_update())
    if row is None or row.delivery not in (Delivery.QUEUED, Delivery.SENDING):
        return
    dialog = await work.session.get_one(Dialog, row.dialog_id)
    row.delivery, row.delivery_error, row.provider_id = delivery, error, provider_id
    if delivery == Delivery.SENT:
        row.sent_at = work.now
    await finish_reaction(work, message_id)
    fact = {
        Delivery.SENT: Fact.MESSAGE_SENT, Delivery.FAILED: Fact.MESSAGE_FAILED, Delivery.UNKNOWN: Fact.MESSAGE_UNKNOWN
    }[delivery]  # fmt: skip
    work.record(
        fact, dialog_id=row.dialog_id, contact_id=dialog.contact_id, team=dialog.team_key,
        operator_id=dialog.operator_id, message_id=str(row.id), seq=row.seq, reason=error,
        after={"delivery": delivery.value},
    )  # fmt: skip


async def finish_reaction(work: Work, message_id: UUID) -> None:
    await work.session.execute(
        text(
            "UPDATE reactions SET done_at = clock_timestamp() WHERE done_at IS NULL AND kind = 'message_queued'"
            " AND workflow_id = (SELECT 'dialog:' || dialog_id FROM messages WHERE id = :id)"
            " AND payload ->> 'message_id' = CAST(:id AS text)"
        ),
        {"id": message_id},
    )
