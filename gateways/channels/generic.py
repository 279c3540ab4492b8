"""The generic channel (and the demo): delivers to an HTTP address of its settings, or to the log.

settings: `url` the address; `ask` true when `GET {url}/{message_id}` answers 200 or 404 for a message it has or not.
"""

import re
from datetime import timedelta
from typing import Any

import httpx
import structlog

from gateways.channels.outgoing import (
    AnswerLostError,
    CannotAskError,
    Letter,
    LimitedError,
    NotTakenError,
    RefusedError,
)

log = structlog.get_logger("channel.generic")
_LONGEST_ID = 200
_TIMEOUT = httpx.Timeout(10, connect=3)


class GenericChannel:
    """One HTTP call per message; redirects are never followed (DECISIONS 31)."""

    def __init__(self, client: httpx.AsyncClient | None = None) -> None:
        self._client = client or httpx.AsyncClient(timeout=_TIMEOUT, follow_redirects=False, trust_env=False)

    async def send(self, letter: Letter) -> str | None:
        url = letter.settings.get("url")
        if not url:
            log.info("delivered", channel=letter.channel, message_id=str(letter.message_id), to="log")
            return f"log:{letter.message_id}"
        try:
            answer = await self._client.post(
                url, json=_body(letter), headers={"Idempotency-Key": str(letter.message_id)}
            )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise NotTakenError(f"No connection: {type(error).__name__}.") from None
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise RefusedError(f"The channel's url is not usable: {type(error).__name__}.") from None
        except httpx.HTTPError as error:
            raise AnswerLostError(f"No answer: {type(error).__name__}.") from None
        return _read(answer)

    async def ask(self, letter: Letter) -> bool | None:
        url = letter.settings.get("url")
        if not url:
            return True
        if not letter.settings.get("ask"):
            return None
        try:
            answer = await self._client.get(f"{str(url).rstrip('/')}/{letter.message_id}")
        except httpx.HTTPError as error:
            raise CannotAskError(f"The provider cannot be asked: {type(error).__name__}.") from None
        if answer.status_code == 429 or answer.status_code >= 500:
            raise CannotAskError(f"The provider cannot be asked: it answered {answer.status_code}.")
        return {200: True, 404: False}.get(answer.status_code)


def _body(letter: Letter) -> dict[str, Any]:
    return {
        "id": str(letter.message_id),
        "channel": letter.channel,
        "to": letter.address,
        "text": letter.text,
        "attachments": letter.attachments,
    }


def _read(answer: httpx.Response) -> str | None:
    status = answer.status_code
    if status == 429:
        raise LimitedError(f"The provider answered {status}.", _retry_after(answer))
    if status == 503:
        raise NotTakenError(f"The provider answered {status}.", _retry_after(answer))
    if status >= 500:
        raise AnswerLostError(f"The provider answered {status}.")
    if status >= 300:
        raise RefusedError(f"The provider answered {status}.")
    return _id_in(answer)


def _id_in(answer: httpx.Response) -> str | None:
    """The provider's id, if it gave one that can be kept: whatever else it said, it took the message."""
    try:
        given = answer.json().get("id")
    except (ValueError, AttributeError, RecursionError):
        return None
    if isinstance(given, bool) or not isinstance(given, str | int):
        return None
    told = str(given)
    return told if 0 < len(told) <= _LONGEST_ID and told.isprintable() else None


def _retry_after(answer: httpx.Response) -> timedelta | None:
    value = answer.headers.get("Retry-After", "")
    if not re.fullmatch(r"[0-9]{1,6}", value):
        return None
    return timedelta(seconds=min(int(value), 3600))
