"""Carrying out actions that leave the house: the ledger first, then the call, then what came of it."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.posting import write_down
from domain.actions.catalogue import catalogue
from domain.actions.systems import AskAi, Http
from domain.connections import SAFE_METHODS, CallFailedError, ConnectionFacts, HttpAnswer, HttpRequest
from domain.picks import storable
from domain.retries import pause_after
from domain.run_messages import Bearings
from domain.walks.ports import Deed, Done, StepError
from gateways.assistants import Assistant, Question
from gateways.connections import HttpCaller
from store import outside
from store.acting import facts_of
from store.deeds.doing import read_params
from store.engines import Sessions
from store.outside import Begun
from store.secrets import Vault
from store.snapshots import snapshot_of
from store.tables import Run
from store.transactions import Work, transact

#: seconds kept of an activity's time to write down how a call ended
_RESERVE = 0.3
_LINES = 50
Call = Callable[[], Awaitable[dict[str, Any]]]


class OutsideCalls:
    """`caller` and `assistant` reach outside; `vault` opens the credentials, at the moment of a call only."""

    def __init__(self, sessions: Sessions, caller: HttpCaller, vault: Vault, assistant: Assistant) -> None:
        self._sessions, self._caller, self._vault, self._assistant = sessions, caller, vault, assistant

    def by_action(self) -> Mapping[str, Callable[[Run, Bearings, Deed], Awaitable[Done]]]:
        return {"http": self.http, "ask_ai": self.ask_ai}

    async def http(self, run: Run, bearings: Bearings, deed: Deed) -> Done:
        """One attempt of a call. Raises StepError when it is over, an ApplicationError when another follows."""
        params, connection, secret = await self._prepared(run, deed)
        request = _request_of(params, deed, _seconds_left())

        async def call() -> dict[str, Any]:
            return _result_of(await self._caller.call(connection, secret, request))

        return await self._carry_out(bearings, deed, call, is_repeatable=request.is_repeatable)

    async def ask_dry(self, run: Run, deed: Deed) -> Done | None:
        """In a dry run: a GET over a connection marked safe is made; None for what is only simulated."""
        if deed.action != "http":
            return None
        params, connection, secret = await self._prepared(run, deed)
        if params.method not in SAFE_METHODS or not connection.safe_get:
            return None
        return Done(_result_of(await self._caller.call(connection, secret, _request_of(params, deed, deed.timeout))))

    async def ask_ai(self, run: Run, bearings: Bearings, deed: Deed) -> Done:
        params = read_params(catalogue()[deed.action], deed.params)
        assert isinstance(params, AskAi)
        question = Question(
            params.task, params.text or await self._talk(deed), params.instructions, params.schema_,
            params.knowledge, params.model, params.max_tokens,
        )  # fmt: skip

        async def call() -> dict[str, Any]:
            return dict(storable(await self._assistant.ask(question)))

        return await self._carry_out(bearings, deed, call, is_repeatable=True)

    async def _prepared(self, run: Run, deed: Deed) -> tuple[Http, ConnectionFacts, str | None]:
        manifest = catalogue()[deed.action]
        params = read_params(manifest, deed.params)
        assert isinstance(params, Http)
        facts, capability = facts_of(run), f"{manifest.capability}:{params.connection}"
        if facts.is_system and not facts.granted & {capability, manifest.capability}:
            raise StepError("forbidden", f"The definition may not do this: {capability}.")
        async with self._sessions() as session:
            return params, *await outside.connection_and_secret(session, self._vault, params.connection)

    async def _carry_out(self, bearings: Bearings, deed: Deed, call: Call, *, is_repeatable: bool) -> Done:
        begun = await self._begin(bearings, deed, is_repeatable=is_repeatable)
        if begun.result is not None:
            return Done(begun.result, begun.attempts)
        try:
            result = await call()
        except StepError as error:
            await self._failed(deed, error, is_repeatable=is_repeatable)
            error.attempts = begun.attempts
            if is_repeatable or error.type == "rate_limited":
                _raise_again(error, deed, begun.attempts)
            raise
        await write_down(self._sessions, lambda work: outside.end(work, deed.key, result))
        return Done(result, begun.attempts)

    async def _begin(self, bearings: Bearings, deed: Deed, *, is_repeatable: bool) -> Begun:
        async def story(work: Work) -> Begun | StepError:
            try:
                return await outside.begin(work, bearings.run_id, bearings.seq, deed, is_repeatable=is_repeatable)
            except StepError as error:
                if error.type == "unknown_effect":
                    await outside.leave_open(work, deed.key)
                return error

        begun = (await transact(self._sessions, story))[0]
        if isinstance(begun, StepError):
            raise begun
        return begun

    async def _failed(self, deed: Deed, error: StepError, *, is_repeatable: bool) -> None:
        reach = error.reach if isinstance(error, CallFailedError) else "answered"

        async def story(work: Work) -> None:
            if reach in ("lost", "taken") and not is_repeatable:
                await outside.leave_open(work, deed.key)
            else:
                await outside.let_go(work, deed.key, counts=error.type != "rate_limited")

        await write_down(self._sessions, story)

    async def _talk(self, deed: Deed) -> str:
        """The newest messages of the dialog, one a line."""
        if deed.dialog_id is None:
            return ""
        async with self._sessions() as session:
            seen = await snapshot_of(session, UUID(deed.dialog_id), None, messages=_LINES)
        return "\n".join(f"{m['from']}: {m['text']}" for m in (seen.dialog or {}).get("messages", []))


def _request_of(params: Http, deed: Deed, timeout: float | None) -> HttpRequest:
    return HttpRequest(
        params.method, params.path, params.query, params.headers, params.body, tuple(params.expect), params.pick,
        deed.key if params.idempotent else None, timeout,
    )  # fmt: skip


def _result_of(answer: HttpAnswer) -> dict[str, Any]:
    return {**answer.picked, "status": answer.status}


def _seconds_left() -> float | None:
    """Until the step's time is over, less what writing it down takes."""
    info = activity.info()
    if not info.schedule_to_close_timeout:
        return None
    left = info.scheduled_time + info.schedule_to_close_timeout - datetime.now(UTC)
    return max(0.1, left.total_seconds() - _RESERVE)


def _raise_again(error: StepError, deed: Deed, attempts: int) -> None:
    """Raises the ApplicationError by which the attempt is made again, if one is due and there is time for it."""
    pause = pause_after(error, deed.retry, attempts)
    left = _seconds_left()
    if pause is None or (left is not None and pause >= left):
        return
    raise ApplicationError(
        error.message, type=error.type, next_retry_delay=timedelta(seconds=max(pause, 0.05))
    ) from None
