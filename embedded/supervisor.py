"""Starts the stack in order, keeps it alive, stops it in reverse."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType
from typing import Protocol

from embedded import demo, folders, ports
from embedded.children import Child, rotate
from embedded.demo import SignIns
from embedded.errors import StartError
from embedded.postgres import EmbeddedPostgres
from embedded.programs import Program, environment_of, run_once, why_ended
from embedded.readiness import url_of, wait_until_ready
from embedded.temporal import EmbeddedTemporal
from settings import Settings

LOOK_EVERY = 0.2
"""Seconds between two looks at the children."""
FIRST_DELAY = 0.5
LONGEST_DELAY = 3.0
STEADY_AFTER = 10.0
"""Seconds alive after which an end counts as the first again."""
SERVER_GRACE = 6.0
WORKER_GRACE = 11.0
"""Between SIGTERM and SIGKILL; with the embedded servers' own graces a stop stays around 15 s at worst."""
SAME_KEYSTROKE = 1.0
"""Seconds within which a second SIGINT is an echo of the first (a terminal and `make` may both send one)."""


class Part(Protocol):
    """What the supervisor keeps alive."""

    @property
    def name(self) -> str: ...
    @property
    def child(self) -> Child: ...
    def clear(self) -> None: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...


@dataclass
class Watched:
    """A started part and how its restarts go."""

    part: Part
    started_at: float = field(default_factory=time.monotonic)
    failures: int = 0
    retry_at: float | None = None

    def schedule(self) -> float:
        """Notes an end; the seconds until the next try."""
        now = time.monotonic()
        self.failures = 1 if now - self.started_at > STEADY_AFTER else self.failures + 1
        delay = float(min(LONGEST_DELAY, FIRST_DELAY * 2 ** (self.failures - 1)))
        self.retry_at = now + delay
        return delay

    def started(self) -> None:
        self.started_at, self.retry_at = time.monotonic(), None


@dataclass(frozen=True)
class Stack:
    """Where the running stack is found; the database URL carries its password."""

    url: str
    database_url: str
    temporal_address: str
    temporal_ui_url: str | None
    sign_ins: SignIns | None


class StopRequested(BaseException):
    """A signal asked for the end; raised wherever the main thread is."""


class Supervisor:
    """Runs once, in the main thread."""

    def __init__(self, settings: Settings, *, say: Callable[[str], None], programs: bool = True) -> None:
        """`programs=False` runs the embedded servers alone. `say` shows one line to a person."""
        self._settings = settings
        self._say = say
        self._with_programs = programs
        self._watched: list[Watched] = []
        self._interrupted_at: float | None = None
        home = settings.data_dir
        self._postgres = None if settings.database_url else EmbeddedPostgres(home, port=settings.postgres_port)
        self._temporal = (
            None
            if settings.temporal_address
            else EmbeddedTemporal(
                home,
                port=settings.temporal_port,
                ui_port=settings.temporal_ui_port,
                namespace=settings.temporal_namespace,
            )
        )

    def run(self, on_ready: Callable[[Stack], None]) -> None:
        """Returns after a clean stop by SIGINT, SIGTERM or SIGHUP; raises `StartError` if it never got ready."""
        with folders.locked(self._settings.data_dir):
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, self._on_signal)
            try:
                on_ready(self._start_all())
                self._keep_alive()
            except StopRequested:
                self._say("stopping")
            except OSError as problem:
                raise StartError(
                    f"{problem.filename or self._settings.data_dir} cannot be used ({problem.strerror}): "
                    "mend it, or set SWITCHBOARD_DATA_DIR"
                ) from problem
            finally:
                self._interrupted_at = self._interrupted_at or 0.0
                self._stop_all()

    def _start_all(self) -> Stack:
        settings = self._settings
        for log in (settings.data_dir / "logs").glob("*.log"):
            rotate(log)
        parts = [part for part in (self._postgres, self._temporal) if part]
        for part in reversed(parts):
            part.clear()
        workers, server = self._programs({})
        for program in (server, *workers) if self._with_programs else ():
            program.clear()
        self._require_ports()
        if settings.temporal_address and self._with_programs:
            ports.require_reached(settings.temporal_address, "TEMPORAL_ADDRESS")
        if self._postgres:
            self._start(self._postgres)
        if self._temporal:
            self._start(self._temporal)
        database_url = self._postgres.url if self._postgres else settings.database()
        address = self._temporal.address if self._temporal else str(settings.temporal_address)
        signed = demo.sign_ins(settings) if settings.demo and self._with_programs else None
        if self._with_programs:
            self._start_programs(environment_of(settings, database_url, address), signed)
        return Stack(
            url=url_of(settings.host, settings.http_port),
            database_url=database_url,
            temporal_address=address,
            temporal_ui_url=self._temporal.ui_url if self._temporal else None,
            sign_ins=signed,
        )

    def _require_ports(self) -> None:
        settings = self._settings
        if self._with_programs:
            ports.require_free(settings.host, settings.http_port, "SWITCHBOARD_HTTP_PORT")
        if self._temporal:
            self._temporal.require_ports()
        wanted = {
            "SWITCHBOARD_HTTP_PORT": settings.http_port,
            "SWITCHBOARD_TEMPORAL_PORT": settings.temporal_port,
            "SWITCHBOARD_TEMPORAL_UI_PORT": settings.temporal_ui_port,
            "SWITCHBOARD_POSTGRES_PORT": settings.postgres_port,
        }
        owners: dict[int, str] = {}
        for name, port in wanted.items():
            if port and port in owners:
                raise StartError(f"{owners[port]} and {name} are both {port}: give each a port of its own")
            owners[port] = name

    def _programs(self, environment: dict[str, str]) -> tuple[list[Program], Program]:
        workers = [
            Program(
                f"worker-{queue}",
                ["worker"],
                self._settings,
                environment | {"SWITCHBOARD_WORKER_QUEUES": queue},
                WORKER_GRACE,
            )
            for queue in self._settings.worker_queues
        ]
        return workers, Program("server", ["server"], self._settings, environment, SERVER_GRACE)

    def _start_programs(self, environment: dict[str, str], signed: SignIns | None) -> None:
        environment = environment | {"SWITCHBOARD_DEMO": "1" if signed else "0"}
        if signed:
            environment["SWITCHBOARD_DEMO_PASSWORD"] = signed.password
            environment["SWITCHBOARD_DEMO_TOKEN"] = signed.token
        run_once("migrate", ["migrate", "--demo"] if signed else ["migrate"], self._settings, environment)
        workers, server = self._programs(environment)
        for part in (*workers, server):
            self._start(part)
        wait_until_ready(self._settings.host, self._settings.http_port, [*workers, server])

    def _start(self, part: Part) -> None:
        watched = Watched(part)
        self._watched.append(watched)
        part.start()
        watched.started()

    def _keep_alive(self) -> None:
        while True:
            for watched in self._watched:
                if watched.retry_at is not None:
                    if time.monotonic() >= watched.retry_at:
                        self._revive(watched)
                elif not watched.part.child.is_running:
                    child = watched.part.child
                    delay = watched.schedule()
                    self._say(
                        f"{watched.part.name} ended ({why_ended(child)}); "
                        f"starting it again in {delay:g} s (log: {child.log})"
                    )
            time.sleep(LOOK_EVERY)

    def _revive(self, watched: Watched) -> None:
        try:
            if watched.part is self._temporal:
                self._restart_with_workers(watched.part)
            else:
                watched.part.start()
        except StartError as problem:
            self._say(f"{problem}; trying again in {watched.schedule():g} s")
        else:
            watched.started()
            self._say(f"{watched.part.name} runs again")

    def _restart_with_workers(self, temporal: Part) -> None:
        """Workers hold sticky queues and open polls of the server that died: they start afresh with the new one."""
        workers = [each for each in self._watched if each.part.name.startswith("worker-")]
        for each in workers:
            each.part.child.ask_to_stop()
        temporal.start()
        for each in workers:
            each.part.stop()
            each.part.start()
            each.started()

    def _stop_all(self) -> None:
        for watched in reversed(self._watched):
            watched.part.stop()

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        if self._interrupted_at is None:
            self._interrupted_at = now
            raise StopRequested
        if number == signal.SIGINT and now - self._interrupted_at > SAME_KEYSTROKE:
            for watched in self._watched:
                with contextlib.suppress(RuntimeError):  # not started yet
                    watched.part.child.send(signal.SIGKILL)
            os._exit(128 + number)
