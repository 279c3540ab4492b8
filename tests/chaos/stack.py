"""The whole stack as its own processes, in a folder of its own on ports of its own, and who to kill in it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
import psutil

ROOT = Path(__file__).parents[2]
PASSWORD, TOKEN = "chaos-password", "chaos-token-0123456789"
#: part → what stands on its command line
#: (`mass` is the worker of mass work, told apart by its environment)
PARTS = {
    "worker": ("cli.py", "worker"),
    "server": ("cli.py", "server"),
    "temporal": ("temporal", "start-dev"),
    "postgres": ("postgres", "-D"),
}


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


class Stack:
    """`with Stack() as stack:` starts `switchboard up` and stops it; its data go with it."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="sbc"))
        self.http = free_port()
        self.url = f"http://127.0.0.1:{self.http}"
        self._env = {
            **os.environ,
            "SWITCHBOARD_DATA_DIR": str(self.folder),
            "SWITCHBOARD_HTTP_PORT": str(self.http),
            "SWITCHBOARD_TEMPORAL_PORT": str(free_port()),
            "SWITCHBOARD_TEMPORAL_UI_PORT": "0",
            "SWITCHBOARD_DEMO_PASSWORD": PASSWORD,
            "SWITCHBOARD_DEMO_TOKEN": TOKEN,
            "SWITCHBOARD_LOG_LEVEL": "warning",
        }
        self._up: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Stack:
        self._up = subprocess.Popen(
            [sys.executable, str(ROOT / "cli.py"), "up"], cwd=ROOT, env=self._env,
            stdout=(self.folder / "up.log").open("wb"), stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.wait_ready(90)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._up is not None
        self._up.terminate()
        try:
            self._up.wait(30)
        except subprocess.TimeoutExpired:
            self._up.kill()
            self._up.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)

    def wait_ready(self, seconds: float) -> float:
        """Seconds until /readyz answers 200. Raises TimeoutError with the last lines of the log."""
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            try:
                if httpx.get(f"{self.url}/readyz", timeout=2).status_code == 200:
                    return time.monotonic() - began
            except httpx.HTTPError:
                pass
            time.sleep(0.1)
        raise TimeoutError((self.folder / "up.log").read_text()[-2000:])

    def kill(self, part: str) -> int:
        """kill -9 one process of the part; answers its pid."""
        for process in self._found(part):
            process.kill()
            return int(process.pid)
        raise LookupError(f"no {part} is running")

    def _found(self, part: str) -> list[psutil.Process]:
        assert self._up is not None
        wanted = PARTS["worker" if part == "mass" else part]
        found = []
        for process in psutil.Process(self._up.pid).children(recursive=True):
            try:
                line = process.cmdline()
            except psutil.Error:
                continue
            if all(any(word in piece for piece in line) for word in wanted) and _is_mass(process) == (part == "mass"):
                found.append(process)
        return found[:1]

    @property
    def database_url(self) -> str:
        from embedded.postgres import EmbeddedPostgres

        return EmbeddedPostgres(self.folder).url


def _is_mass(process: psutil.Process) -> bool:
    try:
        return process.environ().get("SWITCHBOARD_WORKER_QUEUES") == "mass"
    except psutil.Error:
        return False
