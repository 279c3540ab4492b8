"""Ratings a client gives behind a link: the token names the request, the first score counts."""

import hashlib
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import InvalidError, NotFoundError, RatingEndedError
from domain.events import Fact
from store.tables import Dialog, RatingRequest
from store.transactions import Actor, Work


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
    request.state, request.score, request.comment, request.ended_at = "received", score, comment or None, now
    dialog.rating = score
    work.record(
        Fact.CSAT_RECEIVED, dialog_id=dialog.id, contact_id=dialog.contact_id, team=dialog.team_key,
        operator_id=dialog.last_operator_id, actor=Actor("client", None, work.actor.address), score=score,
        has_comment=bool(comment),
    )  # fmt: skip
    return _told(request)


def _require_score(scale: str, score: int) -> None:
    low, _, high = scale.partition("-")
    if not int(low) <= score <= int(high):
        raise InvalidError(f"The score is a whole number from {low} to {high}.", field="score")


def _told(request: RatingRequest) -> dict[str, Any]:
    return {"score": request.score, "scale": request.scale, "state": request.state}
