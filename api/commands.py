"""Asking after a command that was answered 202."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response

from api.house import CurrentHouse
from api.submitting import PROBLEM, answer_of, pending_answer
from api.viewers import CurrentViewer
from domain.errors import NotFoundError
from store import commands, pending_commands

router = APIRouter(tags=["commands"])
_RESPONSES: dict[int | str, dict[str, Any]] = {
    201: {"description": "It made something: what it answered the first time."},
    202: {"description": "Not carried out yet."},
    **dict.fromkeys((401, 403, 404, 409, 410, 422, 503), PROBLEM),
}
Key = Annotated[str, Path(min_length=1, max_length=128, pattern=r"^[\x21-\x7e]+$")]


@router.get("/commands/{key}", responses=_RESPONSES)
async def get_command(key: Key, house: CurrentHouse, viewer: CurrentViewer) -> Response:
    """The answer of a command of yours: 202 while it is pending, afterwards what it answered the first time."""
    if outcome := await commands.find_result(house.sessions, viewer.user_id, key):
        return answer_of(outcome)
    async with house.sessions() as session:
        if await pending_commands.is_kept(session, viewer.user_id, key):
            return pending_answer(key)
    raise NotFoundError("You gave no command under this key in the last seven days.")
