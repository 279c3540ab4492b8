"""The example bank as the docs start it, asked over a connection as a macro asks it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from domain.connections import CallFailedError, ConnectionFacts, HttpAnswer, HttpRequest
from examples.bank import DEPOSITS, TROUBLES
from gateways.connections import HttpCaller

PICK = {"state": "body.state", "amount": "body.amount"}


@dataclass
class OpenBank:
    process: subprocess.Popen[str]
    url: str

    async def ask(self, client: str, secret: str = "t0k3n", **more: Any) -> HttpAnswer:
        connection = ConnectionFacts(
            "core-banking", self.url, {"kind": "bearer", "secret": "bank"},
            ({"methods": ["GET"], "paths": ["/v2/clients/**"]},), internal=True,
        )  # fmt: skip
        request = HttpRequest("GET", f"/v2/clients/{client}/deposits/last", expect=(200, 404), pick=PICK, **more)
        return await HttpCaller().call(connection, secret, request)

    async def trouble(self, client: str, **more: Any) -> str:
        with pytest.raises(CallFailedError) as failure:
            await self.ask(client, **more)
        return failure.value.type


@pytest.fixture(scope="module")
def bank() -> Iterator[OpenBank]:
    command = [sys.executable, "-m", "examples.bank", "--port", "0", "--token", "t0k3n"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        yield OpenBank(process, line.split(" at ")[1].split(" ")[0])
        process.terminate()
        assert process.wait(10) == 0


async def test_known_clients_have_deposits_and_others_are_not_found(bank: OpenBank) -> None:
    for client, deposit in DEPOSITS.items():
        answer = await bank.ask(client)
        assert answer == HttpAnswer(200, {"state": deposit["state"], "amount": deposit["amount"]})
    assert await bank.ask("7654321") == HttpAnswer(404, {"state": None, "amount": None})


async def test_every_trouble_is_what_its_name_says(bank: OpenBank) -> None:
    assert await bank.trouble("5000000") == "unavailable"
    assert [await bank.trouble("5000001") for _ in range(2)] == ["unavailable"] * 2
    assert (await bank.ask("5000001")).status == 200
    assert await bank.trouble("5000002", timeout=0.3) == "timeout"
    assert await bank.trouble("5000003") == "rate_limited"
    assert (await bank.ask("5000003")).status == 200
    assert await bank.trouble("5000004") == "unavailable"
    assert await bank.trouble("5000005") == "invalid"
    assert await bank.trouble("1234567", secret="wrong") == "forbidden"
    assert len(TROUBLES) == 6


def test_help_names_the_clients() -> None:
    said = subprocess.run([sys.executable, "-m", "examples.bank", "--help"], capture_output=True, text=True, check=True)
    assert all(client in said.stdout for client in (*DEPOSITS, *TROUBLES))
