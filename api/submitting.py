"""A command's way from a door to its workflow and back: once per key, 202 when nobody can answer yet."""

import asyncio
import hashlib
import json
from typing import Annotated, Any
from uuid import UUID, uuid4
from weakref import WeakValueDictionary

import psycopg
from fastapi import Depends, Header, Request, Response
from fastapi.responses import JSONResponse
from pydantic import StringConstraints, TypeAdapter
from sqlalchemy.exc import SQLAlchemyError

from api.errors import refuse
from api.house import CurrentHouse, House
from api.viewers import CurrentViewer
from domain import commands
from domain.commands import Command, Outcome
from domain.errors import KeyReusedError, UnavailableError
from domain.permissions import Permission, Viewer
from relay.sending import AnswerPendingError, send, workflow_of
from store import pending_commands
from store.commands import find_answered

#: commands under way at once per dialog from one process (Temporal Cloud allows ten per workflow)
AT_ONCE = 8
_COMMAND: TypeAdapter[Command] = TypeAdapter(Command)
_turns: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

IdempotencyKey = Annotated[
    Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[\x21-\x7e]+$")] | None,
    Header(
        alias="Idempotency-Key",
        description="Makes the call happen once: the same key answers as the first time. Kept for seven days.",
    ),
]

#: what a command may answer besides its success
PROBLEM = {"description": "A problem (RFC 9457) with a stable `code`.", "content": {"application/problem+json": {}}}
ANSWERS: dict[int | str, dict[str, Any]] = {
    202: {"description": "Stored; ask `GET /api/v1/commands/{key}` for its answer."},
    **dict.fromkeys((400, 401, 403, 404, 409, 410, 413, 422, 429, 503), PROBLEM),
}


class Submission:
    """What a door needs to speak a command for its caller."""

    def __init__(
        self, request: Request, house: CurrentHouse, viewer: CurrentViewer, idempotency_key: IdempotencyKey = None
    ) -> None:
        self.house: House = house
        self.viewer: Viewer = viewer
        self._given_key = idempotency_key
        self._address = request.client.host if request.client else None

    async def __call__(
        self,
        permission: Permission,
        dialog_id: UUID,
        command: Any,
        *,
        transfer_id: UUID | None = None,
    ) -> Response:
        """Check the right, send the command, answer its result, its refusal, or 202."""
        self.viewer.require(permission)
        request = commands.Request(
            caller=self.viewer.user_id,
            key=self._given_key or uuid4().hex,
            digest=_digest(dialog_id, transfer_id, command),
            dialog_id=dialog_id,
            command=command,
            transfer_id=transfer_id,
            address=self._address,
        )
        if self._given_key and (stored := await self._first_answer(request)):
            return answer_of(stored)
        if self.house.bell.is_away:
            raise UnavailableError("The workflow server is away; the command was not accepted. Try again shortly.")
        turn = _turns.setdefault(workflow_of(request), asyncio.Semaphore(AT_ONCE))
        try:
            async with asyncio.timeout(self.house.answer_within.total_seconds()), turn:
                client = await self.house.bell.client()
                outcome = await send(client, self.house.sessions, request, within=self.house.answer_within)
        except (AnswerPendingError, TimeoutError, SQLAlchemyError):
            return await self._pending(request)
        return answer_of(outcome)

    async def _first_answer(self, request: commands.Request) -> Outcome | None:
        """Raises KeyReusedError when the key stands for another request."""
        async with self.house.glances() as session:
            stored = await find_answered(session, request.caller, request.key)
            if stored is None:
                await pending_commands.require_same(session, request)
                return None
        digest, outcome = stored
        if digest != request.digest:
            raise KeyReusedError("This Idempotency-Key was used for another request.")
        return outcome

    async def _pending(self, request: commands.Request) -> Response:
        try:
            async with self.house.sessions.begin() as session:
                await pending_commands.keep(session, request, workflow_of(request))
        except (SQLAlchemyError, psycopg.Error, OSError):
            raise UnavailableError(
                "No answer came and the command could not be stored. Repeat it under the same Idempotency-Key.",
                key=request.key,
            ) from None
        return pending_answer(request.key)


def pending_answer(key: str) -> JSONResponse:
    place = f"/api/v1/commands/{key}"
    return JSONResponse({"status": "pending", "key": key, "ask": place}, 202, {"Location": place, "Retry-After": "1"})


def answer_of(outcome: Outcome) -> Response:
    if outcome.refusal is not None:
        return refuse(outcome.refusal, outcome.answer.get("detail", ""), outcome.answer.get("extra"))
    return JSONResponse(outcome.answer, outcome.status or 200)


def _digest(dialog_id: UUID, transfer_id: UUID | None, command: Any) -> str:
    body = _COMMAND.dump_python(command, mode="json")
    said = json.dumps([str(dialog_id), str(transfer_id), body], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()


Submit = Annotated[Submission, Depends(Submission)]
