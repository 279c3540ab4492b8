"""Waiting for the web process to say that all is well."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Sequence

from embedded.errors import StartError
from embedded.programs import Program, why_ended

LONGEST_ANSWER = 10_000
"""Bytes."""
READY_WITHIN = 60.0
"""Seconds."""
ASK_EVERY = 0.1
EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}
"""Where this machine itself reaches a server that listens everywhere."""


def url_of(host: str, port: int) -> str:
    """What a person on this machine types into a browser."""
    name = EVERY_ADDRESS.get(host, host)
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def wait_until_ready(host: str, port: int, programs: Sequence[Program]) -> None:
    """Returns when `GET /readyz` answers 200; `StartError` when a program ends before, or time does."""
    deadline = time.monotonic() + READY_WITHIN
    answer = "no answer"
    while time.monotonic() < deadline:
        for program in programs:
            if not program.child.is_running:
                raise StartError(f"{program.name} did not start: {why_ended(program.child)} (log: {program.child.log})")
        status, answer = ask(host, port)
        if status == 200:
            return
        time.sleep(ASK_EVERY)
    raise StartError(
        f"the server was not ready within {READY_WITHIN:.0f} s ({answer}): see the logs beside {programs[-1].child.log}"
    )


def ask(host: str, port: int) -> tuple[int, str]:
    """Status of `GET /readyz` and what it says, for a person; status 0 = no answer."""
    connection = http.client.HTTPConnection(EVERY_ADDRESS.get(host, host), port, timeout=3)
    try:
        connection.request("GET", "/readyz")
        response = connection.getresponse()
        return response.status, _said(response.status, response.read(LONGEST_ANSWER))
    except (OSError, http.client.HTTPException) as problem:
        return 0, f"no answer: {problem}"
    finally:
        connection.close()


def _said(status: int, body: bytes) -> str:
    """The `detail` of a refusal; of anything else the status alone."""
    try:
        return " ".join(str(json.loads(body)["detail"]).split())
    except (ValueError, KeyError, TypeError):
        return f"status {status}"
