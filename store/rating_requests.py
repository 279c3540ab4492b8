"""Asking a client for a score: once per closing, one request at a time (DECISIONS 30)."""

import secrets
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.events import Fact
from domain.messages import Delivery
from store.dialogs import Scene
from store.ids import new_id
from store.ratings import digest_of_token
from store.tables import Dialog, Message, RatingRequest
from store.transactions import Work

ANSWERED_WITHIN = timedelta(hours=72)


async def was_asked(session: AsyncSession, dialog: Dialog) -> bool:
    """Whether the client was asked about this closing before, whatever came of it; a question never sent is none."""
    asked = (
        select(RatingRequest.id)
        .outerjoin(Message, Message.id == RatingRequest.message_id)
        .where(
            RatingRequest.dialog_id == dialog.id, RatingRequest.cycle == dialog.cycle,
            Message.delivery.is_distinct_from(Delivery.FAILED),
        )
    )  # fmt: skip
    return await session.scalar(asked.limit(1)) is not None


async def ask(work: Work, scene: Scene, *, scale: str, question: str, message_id: UUID, delay: timedelta) -> UUID:
    """Remember that the client is asked; the time to answer begins when the question is sent, `delay` from now."""
    dialog = scene.dialog
    await work.session.execute(
        update(RatingRequest)
        .where(RatingRequest.dialog_id == dialog.id, RatingRequest.state == "pending")
        .values(state="superseded", ended_at=work.now)
    )
    row = RatingRequest(
        id=new_id(), dialog_id=dialog.id, cycle=dialog.cycle, scale=scale, question=question, message_id=message_id,
        token_hash=digest_of_token(secrets.token_urlsafe(32)), asked_at=work.now,
        expires_at=work.now + delay + ANSWERED_WITHIN,
    )  # fmt: skip
    work.session.add(row)
    await work.session.flush()
    work.record(
        Fact.CSAT_ASKED, **scene.event_ids, operator_id=dialog.last_operator_id, request_id=str(row.id), scale=scale,
        cycle=dialog.cycle,
    )  # fmt: skip
    return row.id
