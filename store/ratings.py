"""Ratings a client gives behind a link: the token names the request, the first score counts."""

import hashlib
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import InvalidError, NotFoundError, RatingEndedError
from domain.events import Fact
from store.tables import Dialog, RatingRequest
from store.transactions import Actor, Work

_LONGEST_SCORE = 3
_PENDING = text("""
SELECT r.dialog_id, r.scale FROM rating_requests r JOIN dialogs d ON d.id = r.dialog_id
WHERE d.identity_id = :identity AND d.channel_key = :channel AND r.state = 'pending'
  AND r.expires_at > clock_timestamp()
ORDER BY r.asked_at DESC LIMIT 1
""")
_SUPERSEDE = text(
    "UPDATE rating_requests SET state = 'superseded', ended_at = :now WHERE dialog_id = :dialog AND state = 'pending'"
)


def digest_of_token(token: str) -> str:
    """What rating_requests.token_hash holds."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


async def find_request(session: AsyncSession, token: str) -> RatingRequest | None:
    return await session.scalar(select(RatingRequest).where(RatingRequest.token_hash == digest_of_token(token)))


async def rate(work: Work, token: str, score: int, comment: str | None) -> dict[str, Any]:
    """Take a client's score. The same score again answers the same.

    Raises NotFoundError, InvalidError for a score off the scale, RatingEndedError when it was answered otherwise, the
    dialog was reopened, or the time is over.
    """
    found = await find_request(work.session, token)
    if found is None:
        raise NotFoundError("There is no such request for a rating.")
    dialog = await work.session.get_one(
        Dialog, found.dialog_id, with_for_update={"key_share": True}, populate_existing=True
    )
    request = await work.session.get_one(RatingRequest, found.id, with_for_update=True, populate_existing=True)
    now = await work.read_clock()
    _require_score(request.scale, score)
    if request.state == "received" and request.score == score:
        return _told(request)
    if request.state != "pending" or request.expires_at <= now:
        raise RatingEndedError("This rating was given already, or its time is over.")
    receive(work, dialog, request, score, comment)
    return _told(request)


def _require_score(scale: str, score: int) -> None:
    low, _, high = scale.partition("-")
    if not int(low) <= score <= int(high):
        raise InvalidError(f"The score is a whole number from {low} to {high}.", field="score")


def _told(request: RatingRequest) -> dict[str, Any]:
    return {"score": request.score, "scale": request.scale, "state": request.state}


async def pending_of(session: AsyncSession, dialog_id: UUID) -> RatingRequest | None:
    """The request a client's next message may answer; ask with the dialog's row locked."""
    return await session.scalar(
        select(RatingRequest)
        .where(
            RatingRequest.dialog_id == dialog_id, RatingRequest.state == "pending",
            RatingRequest.expires_at > func.clock_timestamp(),
        )
        .with_for_update()
    )  # fmt: skip


async def dialog_rated(session: AsyncSession, identity_id: UUID, channel: str, said: str) -> UUID | None:
    """The dialog whose pending request this message answers, being exactly one of its scores; read before any lock."""
    if not _might_be_a_score(said):
        return None
    row = (await session.execute(_PENDING, {"identity": identity_id, "channel": channel})).one_or_none()
    return row.dialog_id if row is not None and read_score(row.scale, said) is not None else None


def _might_be_a_score(said: str) -> bool:
    words = said.strip()
    return words.isascii() and words.isdigit() and len(words) <= _LONGEST_SCORE


def read_score(scale: str, said: str) -> int | None:
    """The score when a message is exactly one of those offered, and nothing else."""
    low, _, high = scale.partition("-")
    if not _might_be_a_score(said):
        return None
    words = said.strip()
    score = int(words)
    return score if str(score) == words and int(low) <= score <= int(high) else None


def receive(work: Work, dialog: Dialog, request: RatingRequest, score: int, comment: str | None) -> None:
    """The score of a pending request, however it came."""
    request.state, request.score, request.comment, request.ended_at = "received", score, comment or None, work.now
    dialog.rating = score
    work.record(
        Fact.CSAT_RECEIVED, dialog_id=dialog.id, contact_id=dialog.contact_id, team=dialog.team_key,
        operator_id=dialog.last_operator_id, actor=Actor("client", None, work.actor.address), score=score,
        has_comment=bool(comment),
    )  # fmt: skip


async def supersede(work: Work, dialog_id: UUID) -> None:
    """A reopening ends what is pending (DECISIONS 30)."""
    await work.session.execute(_SUPERSEDE, {"dialog": dialog_id, "now": work.now})
