"""A stack of its own for the programs: `switchboard up` on a fresh data directory and free ports, ended with them."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from embedded.postgres import EmbeddedPostgres

CLI = Path(__file__).resolve().parent.parent / "cli.py"
PASSWORD = "bench-password"
TOKEN = "bench-channel-token"
READY_WITHIN = 120.0
"""Seconds."""
PARTS = ("server", "worker", "temporal", "postgresql")


@dataclass(frozen=True)
class Stack:
    """Where everything is; `supervisor` is the process whose children the parts are."""

    http_port: int
    temporal_address: str
    database_url: str
    data_dir: Path
    supervisor: psutil.Process

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    def part(self, name: str) -> psutil.Process:
        return next(p for p in self.supervisor.children() if _part_of(p) == name)

    def cpu_seconds(self, *, helper: str | None = None) -> dict[str, float]:
        """Part → CPU seconds so far, ended backends of PostgreSQL too. `helper`: what helpers count as."""
        spent = dict.fromkeys(PARTS, 0.0)
        for process in self.supervisor.children():
            part = _part_of(process)
            if part in spent:
                spent[part] += _cpu_of(process)
        for process in psutil.Process().children() if helper else ():
            if "bench.bare" in process.cmdline():
                spent[helper or ""] += _cpu_of(process)
        return spent

    def resident(self) -> dict[str, float]:
        """Part → MiB, all workers as one; PostgreSQL's shared memory is counted in each backend, so it is left out."""
        found = dict.fromkeys(PARTS[:3], 0.0)
        for process in self.supervisor.children():
            part = _part_of(process)
            if part in found:
                found[part] += process.memory_info().rss / 2**20
        return found


def _part_of(process: psutil.Process) -> str:
    with contextlib.suppress(psutil.Error):
        line = process.cmdline()
        if line[-1:] == ["server"] or line[-1:] == ["worker"]:
            return line[-1]
        if "start-dev" in line:
            return "temporal"
        if "postgres" in Path(line[0]).name:
            return "postgresql"
    return ""


def _cpu_of(process: psutil.Process) -> float:
    try:
        own = process.cpu_times()
        total = own.user + own.system + own.children_user + own.children_system
    except psutil.Error:
        return 0.0
    for child in process.children():
        with contextlib.suppress(psutil.Error):
            total += sum(child.cpu_times()[:2])
    return float(total)


@contextlib.contextmanager
def running_stack() -> Iterator[Stack]:
    """PostgreSQL with fsync, Temporal, one server, a worker for people and one for mass runs; all gone at the end."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # or the stack would outlive us
    data_dir = Path(tempfile.mkdtemp(prefix="switchboard-bench-"))
    http_port, temporal_port = free_ports(2)
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("SWITCHBOARD_", "TEMPORAL_", "DATABASE_"))}
    environment |= {
        "SWITCHBOARD_DATA_DIR": str(data_dir),
        "SWITCHBOARD_HTTP_PORT": str(http_port),
        "SWITCHBOARD_TEMPORAL_PORT": str(temporal_port),
        "SWITCHBOARD_TEMPORAL_UI_PORT": "0",
        "SWITCHBOARD_WORKER_QUEUES": "interactive,mass",
        "SWITCHBOARD_DEMO_PASSWORD": PASSWORD,
        "SWITCHBOARD_DEMO_TOKEN": TOKEN,
        "SWITCHBOARD_LOG_FORMAT": "json",
    }
    with (data_dir / "up.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, str(CLI), "up"], env=environment, stdout=log, stderr=log, start_new_session=True
        )
        try:
            _wait_until_ready(process, f"http://127.0.0.1:{http_port}", data_dir)
            url = EmbeddedPostgres(data_dir).url
            yield Stack(http_port, f"127.0.0.1:{temporal_port}", url, data_dir, psutil.Process(process.pid))
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            shutil.rmtree(data_dir, ignore_errors=True)


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, data_dir: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"{url}/readyz", timeout=10, trust_env=False).status_code == 200:
                return
        time.sleep(0.2)
    raise SystemExit(f"the stack did not start:\n{(data_dir / 'up.log').read_text()[-2000:]}")


def free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


@contextlib.contextmanager
def helper(stack: Stack, *arguments: str) -> Iterator[str]:
    """`python -m bench.bare …` beside the stack; answers the first line it prints, once it is ready."""
    environment = os.environ | {"DATABASE_URL": stack.database_url, "TEMPORAL_ADDRESS": stack.temporal_address}
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.bare", *arguments], env=environment, stdout=subprocess.PIPE, cwd=CLI.parent
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline().decode().strip()
        if not line:
            raise SystemExit(f"bench.bare {arguments[0]} did not start")
        yield line
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
