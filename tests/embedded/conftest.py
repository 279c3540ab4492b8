"""Rooms for real servers: short paths, free ports, nothing left running."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from embedded.folders import is_locked
from embedded.postgres import EmbeddedPostgres

STACK = Path(__file__).with_name("stack.py")
READY = "Switchboard is ready"


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """Outside pytest's own private folder, so that another user can be let in."""
    folder = Path(tempfile.mkdtemp(prefix="sb"))
    yield folder / "data"
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Path]:
    """A database made once: initdb is the slow part of a first start."""
    folder = Path(tempfile.mkdtemp(prefix="sb"))
    with EmbeddedPostgres(folder, fsync=False):
        pass
    yield folder / "postgres"
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def used_dir(data_dir: Path, cluster: Path) -> Path:
    """A data directory that has been started before."""
    shutil.copytree(cluster, data_dir / "postgres", ignore=shutil.ignore_patterns("port"))
    return data_dir


@pytest.fixture
def free_port() -> Callable[[], int]:
    def choose() -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return int(probe.getsockname()[1])

    return choose


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as owner:
        owner.bind(("127.0.0.1", 0))
        owner.listen()
        yield owner.getsockname()[1]


class Stack:
    """`switchboard up` in a process of its own, with stand-ins for our own programs."""

    def __init__(self, data_dir: Path, port: Callable[[], int]) -> None:
        self.data_dir = data_dir
        self.http_port = port()
        self.output = data_dir.parent / "output.txt"
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("SWITCHBOARD_")}
        self.environment |= {
            "SWITCHBOARD_DATA_DIR": str(data_dir),
            "SWITCHBOARD_HTTP_PORT": str(self.http_port),
            "SWITCHBOARD_TEMPORAL_PORT": str(port()),
            "SWITCHBOARD_TEMPORAL_UI_PORT": "0",
        }
        self.process: subprocess.Popen[bytes] | None = None

    def launch(self, command: str = "up", **environment: str) -> subprocess.Popen[bytes]:
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, str(STACK), command],
                env=self.environment | environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        return self.process

    def start(self, **environment: str) -> None:
        self.launch(**environment)
        self.wait_for(READY)

    def wait_for(self, text: str, seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while text not in self.said:
            assert self.process
            assert self.process.poll() is None, self.said
            assert time.monotonic() < deadline, self.said
            time.sleep(0.02)

    @property
    def said(self) -> str:
        return self.output.read_text()

    def end(self, number: signal.Signals = signal.SIGTERM, seconds: float = 20) -> int:
        assert self.process
        self.process.send_signal(number)
        return self.process.wait(seconds)

    def failure(self, command: str = "up", **environment: str) -> tuple[int, str]:
        """Exit code and the one line that a start which fails leaves."""
        code = self.launch(command, **environment).wait(30)
        lines = self.said.strip().splitlines()
        assert len(lines) == 1, self.said
        return code, lines[0]

    def pid_of(self, part: str) -> int:
        folder = part if part in ("postgres", "temporal") else "run"
        name = "pid" if folder == part else f"{part}.pid"
        return int((self.data_dir / folder / name).read_text().split()[0])

    @property
    def pids(self) -> set[int]:
        parts = ("postgres", "temporal", "worker-interactive", "worker-mass", "server")
        return {self.pid_of(part) for part in parts}


@pytest.fixture
def stack(data_dir: Path, free_port: Callable[[], int]) -> Iterator[Stack]:
    made = Stack(data_dir, free_port)
    yield made
    if made.process and made.process.poll() is None:
        made.process.kill()
        made.process.wait()
    deadline = time.monotonic() + 10
    while is_locked(data_dir) and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.1)
