"""A child process with a log, a record of its pid, and a life bound to ours."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from embedded import launching

PAUSE = 0.02
"""Seconds between two looks at a process."""
LONGEST_QUOTE = 400
"""Characters of a log line that a message repeats."""


class Child:
    """One program. Not thread-safe.

    On Linux the kernel binds the child to the *thread* that called `start()`: start it from one that stays.
    Elsewhere a child outlives a killed parent; `stop_leftover()` ends it before the next start.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        record: Path,
        environment: Mapping[str, str],
        stop_signal: signal.Signals = signal.SIGTERM,
        account: str = "self",
    ) -> None:
        self.name = name
        self.log = log
        self._command = list(command)
        self._record = record
        self._environment = dict(environment)
        self._stop_signal = stop_signal
        self._account = account
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    def start(self) -> None:
        """Raises OSError when the log or the record cannot be written."""
        launcher = [sys.executable, "-I", "-S", launching.__file__]
        terms = [str(os.getpid()), str(int(self._stop_signal)), self._account]
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._log_start = log.tell()
            self._process = subprocess.Popen(
                [*launcher, *terms, *self._command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
                start_new_session=True,  # Ctrl-C in a terminal must reach the supervisor alone
            )
        write_record(self._record, self._process.pid)

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def exit_code(self) -> int | None:
        """None while it runs and before it was started; negative = killed by that signal."""
        return self._process.poll() if self._process else None

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def ask_to_stop(self) -> None:
        self.send(self._stop_signal)

    def send(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def stop(self, grace: float) -> None:
        """Asks, waits `grace` seconds, kills. Returns with the process gone."""
        if self._process is None:
            return
        self.ask_to_stop()
        try:
            self._process.wait(grace)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._record.unlink(missing_ok=True)

    def stop_leftover(self, grace: float) -> bool:
        """Ends the process a killed supervisor left; True if there was one."""
        pid = recorded_pid(self._record)
        if pid is not None:
            end_process(pid, self._stop_signal, grace)
        self._record.unlink(missing_ok=True)
        return pid is not None

    def written(self) -> str:
        """What it has logged since it was started."""
        with contextlib.suppress(OSError), self.log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode("utf-8", "replace")
        return ""

    def last_line(self) -> str:
        lines = [line.strip() for line in self.written().splitlines() if line.strip()]
        return lines[-1][:LONGEST_QUOTE] if lines else "it wrote nothing"


def write_record(path: Path, pid: int) -> None:
    """Pid and birth, so that a later owner of the same number is never taken for the child."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{pid} {_birth(pid)}")


def recorded_pid(path: Path) -> int | None:
    """The recorded process, if exactly that one still lives."""
    try:
        number, _, birth = path.read_text().partition(" ")
        pid = int(number)
    except (OSError, ValueError):
        return None
    return pid if birth and birth == _birth(pid) else None


def end_process(pid: int, number: signal.Signals, grace: float) -> None:
    """Ends a process that is not our child: signal, `grace` seconds, SIGKILL."""
    birth = _birth(pid)
    for attempt, seconds in ((number, grace), (signal.SIGKILL, grace)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, attempt)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not birth or _birth(pid) != birth:
                return
            time.sleep(PAUSE)


def command_line(pid: int) -> str:
    """The program and its arguments; empty for the dead."""
    if not sys.platform.startswith("linux"):
        return _asked_ps(pid, "command=")
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    except OSError:
        return ""


def _birth(pid: int) -> str:
    """What tells two owners of one pid apart: the moment of birth; empty for the dead."""
    if sys.platform.startswith("linux"):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            # A killed program counts as a zombie while its other threads still hold its ports.
            is_dead = fields[0] in "ZX" and len(os.listdir(f"/proc/{pid}/task")) <= 1
        except OSError:
            return ""
        return "" if is_dead else fields[19]
    return _asked_ps(pid, "lstart=")


def _asked_ps(pid: int, column: str) -> str:
    shown = subprocess.run(["ps", "-p", str(pid), "-o", column], capture_output=True, text=True, check=False)
    return shown.stdout.strip()


def rotate(log: Path) -> None:
    """Keeps the log of one earlier run as `.old`."""
    with contextlib.suppress(FileNotFoundError):
        log.replace(log.with_suffix(log.suffix + ".old"))
