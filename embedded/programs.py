"""Our own programs as child processes: `cli.py server`, `worker`, and the one-shot commands."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from embedded.children import PAUSE, Child
from embedded.errors import StartError
from embedded.temporal import without_temporal
from settings import Settings

CLI = Path(__file__).parent.parent / "cli.py"
ONE_SHOT_WITHIN = 300.0
"""Seconds for a migration or a seed."""


class Program:
    """A long-running command of ours. Not thread-safe."""

    def __init__(
        self, name: str, arguments: list[str], settings: Settings, environment: Mapping[str, str], grace: float
    ) -> None:
        """`grace`: seconds between SIGTERM and SIGKILL."""
        data_dir = settings.data_dir.absolute()
        self.child = Child(
            name,
            [sys.executable, str(CLI), *arguments],
            log=data_dir / "logs" / f"{name}.log",
            record=data_dir / "run" / f"{name}.pid",
            environment=environment,
        )
        self._grace = grace

    @property
    def name(self) -> str:
        return self.child.name

    def clear(self) -> None:
        self.child.stop_leftover(self._grace)

    def start(self) -> None:
        try:
            self.child.start()
        except OSError as problem:
            raise StartError(f"{self.name} cannot be started: {problem.strerror}") from problem

    def stop(self) -> None:
        self.child.stop(self._grace)


def run_once(name: str, arguments: list[str], settings: Settings, environment: Mapping[str, str]) -> None:
    """Runs a one-shot command to its end; `StartError` quotes its last line."""
    program = Program(name, arguments, settings, environment, grace=5.0)
    program.clear()
    program.start()
    try:
        deadline = time.monotonic() + ONE_SHOT_WITHIN
        while program.child.is_running and time.monotonic() < deadline:
            time.sleep(PAUSE)
    finally:
        program.stop()
    code = program.child.exit_code
    if code != 0:
        raise StartError(f"{name} failed: {why_ended(program.child)} (log: {program.child.log})")


def why_ended(child: Child) -> str:
    """For a person: the signal that killed it, or its exit code and the last line it wrote."""
    code = child.exit_code
    if code is not None and code < 0:
        return f"killed by {signal.Signals(-code).name}"
    return f"exit code {code}: {child.last_line()}"


def environment_of(settings: Settings, database_url: str, temporal_address: str) -> dict[str, str]:
    """What every program of ours gets; our own Temporal knows no TLS, so the user's TEMPORAL_* stay out."""
    inherited = without_temporal() if settings.temporal_address is None else dict(os.environ)
    return inherited | {
        "PYTHONUNBUFFERED": "1",
        "SWITCHBOARD_DATA_DIR": str(settings.data_dir.absolute()),
        "DATABASE_URL": database_url,
        "TEMPORAL_ADDRESS": temporal_address,
        "TEMPORAL_NAMESPACE": settings.temporal_namespace,
        "SWITCHBOARD_SECRET_KEY": settings.secret_key.get_secret_value(),
    }
