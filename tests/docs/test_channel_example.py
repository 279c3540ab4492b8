"""The provider printed in docs/connect-a-channel.md works as printed."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.chaos.stack import PASSWORD, TOKEN, Stack, free_port
from tests.docs.tour import fenced

pytestmark = pytest.mark.timeout(180)
ADMIN = {"Authorization": f"Bearer {TOKEN}"}


def test_what_is_typed_arrives_and_what_is_replied_is_printed(stack: Stack, tmp_path: Path) -> None:
    (source,) = fenced("docs/connect-a-channel.md", "python")
    assert len(source.splitlines()) <= 50
    (tmp_path / "provider.py").write_text(source)
    port = free_port()
    with httpx.Client(base_url=f"{stack.url}/api/v1", headers=ADMIN, timeout=30) as admin:
        olha = sign_in(stack)
        settings = {"url": f"http://127.0.0.1:{port}/messages", "ask": True}
        channel = {"key": "bridge", "kind": "generic", "name": "My bridge", "team": "vip", "settings": settings}
        made = ask(admin.post("/channels", json=channel))
        ask(olha.put("/operators/me/presence", json={"status": "online", "lease": 3600}))
        said = {"SWITCHBOARD": stack.url, "CHANNEL": "bridge", "TOKEN": made["token"], "PORT": str(port)}
        provider = subprocess.Popen(
            [sys.executable, str(tmp_path / "provider.py")], env={**os.environ, **said}, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        try:
            lines = lines_of(provider)
            provider.stdin.write("Hello\n")
            provider.stdin.flush()
            assert lines.get(timeout=30) == "accepted"
            (dialog,) = ask(admin.get("/dialogs", params={"channel": "bridge"}))["items"]
            assert dialog["operator_name"] == "Ольга"
            ask(olha.post(f"/dialogs/{dialog['id']}/messages", json={"text": "Good day"}))
            assert lines.get(timeout=30) == "to client-7: Good day"
        finally:
            provider.terminate()
            provider.wait(10)
            ask(olha.put("/operators/me/presence", json={"status": "offline"}))
            olha.close()


def ask(answer: httpx.Response) -> Any:
    assert answer.is_success, answer.text
    return answer.json()


def sign_in(stack: Stack) -> httpx.Client:
    client = httpx.Client(base_url=f"{stack.url}/api/v1", timeout=30)
    signed = ask(client.post("/session", json={"email": "olha@demo.local", "password": PASSWORD}))
    client.headers["X-CSRF-Token"] = signed["csrf"]
    return client


def lines_of(process: subprocess.Popen[str]) -> queue.Queue[str]:
    lines: queue.Queue[str] = queue.Queue()

    def read() -> None:
        for line in process.stdout:
            lines.put(line.strip())

    threading.Thread(target=read, daemon=True).start()
    return lines
