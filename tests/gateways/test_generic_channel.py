"""What the generic channel makes of a provider's answers, however odd."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import httpx
import pytest

from gateways.channels.generic import GenericChannel
from gateways.channels.outgoing import CannotAskError, Letter, NotTakenError


def channel(answer: httpx.Response | Exception) -> GenericChannel:
    def respond(_: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return GenericChannel(httpx.AsyncClient(transport=httpx.MockTransport(respond)))


LETTER = Letter(uuid4(), "shop", "client", "hello", settings={"url": "http://127.0.0.1/", "ask": True})


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"id": "m-1"}', "m-1"), (b'{"id": 7}', "7"), (b'{"id": "a\\u0000b"}', None), (b'{"id": "\\ud800"}', None),
        (b'{"id": true}', None), (b'{"id": {}}', None), (b"[" * 100_000, None), (b"not json", None), (b"[1]", None),
        (b'{"id": "' + b"x" * 300 + b'"}', None),
    ],
)  # fmt: skip
async def test_whatever_else_it_says_a_200_is_a_message_taken(body: bytes, told: str | None) -> None:
    assert await channel(httpx.Response(200, content=body)).send(LETTER) == told


@pytest.mark.parametrize(
    ("header", "wait"),
    [(b"2", timedelta(seconds=2)), (b"999999", timedelta(hours=1)), ("²".encode("latin-1"), None), (b"9" * 5000, None),
     (b"Wed, 21 Oct 2026 07:28:00 GMT", None)],
)  # fmt: skip
async def test_429_is_tried_again_whatever_its_retry_after(header: bytes, wait: timedelta | None) -> None:
    with pytest.raises(NotTakenError) as refused:
        await channel(httpx.Response(429, headers=[(b"Retry-After", header)])).send(LETTER)
    assert refused.value.wait == wait


@pytest.mark.parametrize(("status", "has_it"), [(200, True), (404, False), (403, None), (302, None)])
async def test_asking_tells_yes_no_or_nothing(status: int, has_it: bool | None) -> None:
    assert await channel(httpx.Response(status)).ask(LETTER) is has_it


@pytest.mark.parametrize("answer", [httpx.Response(500), httpx.Response(429), httpx.ReadTimeout("slow")])
async def test_a_provider_that_cannot_be_asked_just_now_leaves_the_doubt(answer: httpx.Response | Exception) -> None:
    with pytest.raises(CannotAskError):
        await channel(answer).ask(LETTER)
