"""The Temporal dev server as a child process: one node, durable in a SQLite file."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from pathlib import Path

from embedded import ports
from embedded.binaries import temporal_program
from embedded.children import PAUSE, Child
from embedded.errors import StartError

HOST = "127.0.0.1"
READY_WITHIN = 45.0
"""Seconds."""
STOP_GRACE = 5.0
RETENTION = "7d"
"""How long closed histories stay; the archiver copies them to PostgreSQL long before."""

SEARCH_ATTRIBUTES = ("DialogId", "Team", "Operator", "Definition", "RunKind", "Outcome")
"""All of type Keyword."""
PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL")
DYNAMIC_CONFIG = (
    # The processors poll 20 times a second by default; this halves every latency.
    "history.transferProcessorMaxPollRPS=2000",
    "history.timerProcessorMaxPollRPS=2000",
    "history.visibilityProcessorMaxPollRPS=2000",
    # 10 by default: too few for operators who act on one dialog at once.
    "history.maxInFlightUpdates=100",
)


class EmbeddedTemporal:
    """One server on one file. `start()`, `address`, `stop()`; also a context manager. Not thread-safe."""

    name = "Temporal"

    def __init__(
        self,
        data_dir: Path,
        *,
        port: int = 7233,
        ui_port: int = 8233,
        namespace: str = "default",
        log: Path | None = None,
    ) -> None:
        """`ui_port` 0 = no web UI."""
        home = data_dir.absolute()
        self._file = home / "temporal" / "temporal.db"
        self._record = home / "temporal" / "pid"
        self._log = log or home / "logs" / "temporal.log"
        self._port = port
        self._ui_port = ui_port
        self._namespace = namespace
        self._program = ""
        self._child: Child | None = None

    def __enter__(self) -> EmbeddedTemporal:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def address(self) -> str:
        return f"{HOST}:{self._port}"

    @property
    def ui_url(self) -> str | None:
        return f"http://{HOST}:{self._ui_port}" if self._ui_port else None

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    @property
    def child(self) -> Child:
        if self._child is None:
            raise RuntimeError("Temporal was not started")
        return self._child

    def start(self) -> None:
        """Returns when the namespace answers. Raises `StartError` in one line."""
        self._program = temporal_program()
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self.stop()
            self.clear()
            self.require_ports()
            self._child = self._new_child(self._command())
            self._child.start()
        except OSError as problem:
            raise StartError(
                f"Temporal cannot use {problem.filename or self._file} ({problem.strerror}): "
                "make it writable for this user, or set SWITCHBOARD_DATA_DIR"
            ) from problem
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        if self._child is not None:
            self._child.stop(STOP_GRACE)

    def clear(self) -> None:
        """Ends the server that a killed supervisor left."""
        self._new_child([]).stop_leftover(STOP_GRACE)

    def require_ports(self) -> None:
        """Raises `StartError` naming the taken port and its setting."""
        ports.require_free(HOST, self._port, "SWITCHBOARD_TEMPORAL_PORT")
        if self._ui_port:
            ports.require_free(HOST, self._ui_port, "SWITCHBOARD_TEMPORAL_UI_PORT")

    def _new_child(self, command: list[str]) -> Child:
        return Child(self.name, command, log=self._log, record=self._record, environment=without_temporal())

    def _command(self) -> list[str]:
        command = [self._program, "server", "start-dev", "--ip", HOST, "--port", str(self._port)]
        command += ["--db-filename", str(self._file), "--namespace", self._namespace]
        command += ["--log-level", "warn", "--log-format", "json"]
        command += ["--ui-port", str(self._ui_port), "--ui-disable-news-fetch"] if self._ui_port else ["--headless"]
        for pragma in PRAGMAS:
            command += ["--sqlite-pragma", pragma]
        for value in DYNAMIC_CONFIG:
            command += ["--dynamic-config-value", value]
        for name in SEARCH_ATTRIBUTES:
            command += ["--search-attribute", f"{name}=Keyword"]
        return command

    def _wait_until_ready(self) -> None:
        """Ready = the namespace is described with the retention we want; setting it needs it to be there."""
        deadline = time.monotonic() + READY_WITHIN
        while self.child.is_running and time.monotonic() < deadline:
            if self._listens() and self._keeps_long_enough():
                return
            time.sleep(PAUSE)
        raise StartError(f"Temporal did not start: {self._reason()} (log: {self._log})")

    def _listens(self) -> bool:
        try:
            socket.create_connection((HOST, self._port), timeout=1).close()
        except OSError:
            return False
        return True

    def _keeps_long_enough(self) -> bool:
        """The dev server's own retention is one day and it has no flag for it."""
        return self._asked("update", "--retention", RETENTION, "--namespace", self._namespace)

    def _asked(self, *words: str) -> bool:
        command = [self._program, "operator", "namespace", *words, "--address", self.address]
        command += ["--command-timeout", "5s"]
        return subprocess.run(command, capture_output=True, env=without_temporal(), check=False).returncode == 0

    def _reason(self) -> str:
        written = self.child.written()
        if "database or disk is full" in written or "no space left" in written.lower():
            return "the disk is full: free some space, or set SWITCHBOARD_DATA_DIR to another disk"
        if "file is not a database" in written or "malformed" in written:
            return f"{self._file} is damaged: restore it from a backup, or move it away to start empty"
        if self.child.is_running:
            return f"no answer on {self.address} within {READY_WITHIN:.0f} s"
        return _message(self.child.last_line())


def _message(line: str) -> str:
    """The text and the error of a JSON log line; any other line as it is."""
    try:
        entry = json.loads(line)
        return ": ".join(str(entry[key]) for key in ("msg", "error") if key in entry)
    except (ValueError, TypeError):
        return line


def without_temporal() -> dict[str, str]:
    """The environment without TEMPORAL_*, with an empty configuration file: both could name another server."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TEMPORAL_")}
    return kept | {"TEMPORAL_CONFIG_FILE": os.devnull}
