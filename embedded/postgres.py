"""PostgreSQL as a child process: made on first start, recovered after any end."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from embedded import launching, ports
from embedded.accounts import SELF, choose_account
from embedded.binaries import postgres_major, postgres_programs
from embedded.children import PAUSE, Child, command_line
from embedded.errors import StartError

HOST = "127.0.0.1"
USER = "switchboard"
DATABASE = "switchboard"
READY_WITHIN = 60.0
"""Seconds; crash recovery of a large write-ahead log is the slow case."""
STOP_GRACE = 10.0
ATTACHED = "is still in use"
"""In the log when sessions of a killed server have not ended yet."""

CONFIGURATION = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "effective_cache_size": "2GB",
    "work_mem": "8MB",
    "maintenance_work_mem": "128MB",
    "synchronous_commit": "on",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",
    "log_min_duration_statement": "1s",
    "log_line_prefix": "%m [%p] ",
}
CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_wal_size": "4GB"}
"""For tests: data may be lost with the machine, so nothing waits for the disk."""


class EmbeddedPostgres:
    """One server on one directory. `start()`, `url`, `stop()`; also a context manager.

    Nobody else may use the directory meanwhile: the supervisor's lock sees to that. Not thread-safe, and on Linux
    the server ends with the thread that started it.
    """

    name = "PostgreSQL"

    def __init__(self, data_dir: Path, *, port: int = 0, fsync: bool = True, log: Path | None = None) -> None:
        """`port` 0 = a free one, remembered in the directory; `fsync=False` is for tests."""
        self._home = data_dir.absolute() / "postgres"
        self._cluster = self._home / "cluster"
        self._log = log or data_dir.absolute() / "logs" / "postgres.log"
        self._wanted_port = port
        self._port = port
        self._fsync = fsync
        self._account = SELF
        self._programs = Path()
        self._child: Child | None = None

    def __enter__(self) -> EmbeddedPostgres:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """SQLAlchemy's URL of the database `switchboard`; valid once started, also for another process."""
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> str:
        password = self._password_file.read_text().strip()
        port = self._port or int(self._port_file.read_text())
        return f"postgresql+psycopg://{USER}:{password}@{HOST}:{port}/{database}"

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    @property
    def child(self) -> Child:
        if self._child is None:
            raise RuntimeError("PostgreSQL was not started")
        return self._child

    def start(self) -> None:
        """Returns when the database answers. Raises `StartError` in one line."""
        self._programs = postgres_programs()
        major = postgres_major(self._programs)
        try:
            self._prepare_home()
            self._check_version(major)
            self.stop()
            self.clear()
            if not self._cluster.exists():
                self._make_cluster()
            self._drop_stale_pid_file()
            self._choose_port()
            self._launch()
        except OSError as problem:
            where = problem.filename or self._home
            raise StartError(
                f"PostgreSQL cannot use {where} ({problem.strerror}): make it writable for this user, "
                "or set SWITCHBOARD_DATA_DIR"
            ) from problem
        try:
            self._create_database()
        except StartError:
            self.stop()
            raise

    def stop(self) -> None:
        """Fast shutdown: sessions end, committed rows are safe. Then SIGQUIT's and SIGKILL's turn."""
        if self._child is not None:
            self._child.stop(STOP_GRACE)

    def clear(self) -> None:
        """Ends the server that a killed supervisor left."""
        self._new_child([]).stop_leftover(STOP_GRACE)

    @property
    def _password_file(self) -> Path:
        return self._home / "password"

    @property
    def _port_file(self) -> Path:
        return self._home / "port"

    def _prepare_home(self) -> None:
        self._home.mkdir(parents=True, exist_ok=True)
        self._account = choose_account(self._home, self._programs / "postgres")
        draft = self._home / "cluster.new"
        if draft.exists():  # an initdb that was killed half-way
            shutil.rmtree(draft)

    def _check_version(self, major: int) -> None:
        if not self._cluster.exists():
            return
        try:
            found = (self._cluster / "PG_VERSION").read_text(errors="replace").strip()
        except FileNotFoundError:
            found = "missing"
        if found != str(major):
            raise StartError(
                f"{self._cluster} does not hold PostgreSQL {major} data (its PG_VERSION is {found[:20]!r}): "
                "restore it from a backup, or move it away to start empty"
            )

    def _make_cluster(self) -> None:
        """initdb beside the final place, renamed when whole: a kill half-way leaves nothing that looks usable."""
        draft = self._home / "cluster.new"
        self._write_private(self._password_file, secrets.token_urlsafe(24))
        command = [
            *(sys.executable, "-I", "-S", launching.__file__),
            *(str(os.getpid()), str(int(signal.SIGTERM)), self._account),
            *(str(self._programs / "initdb"), "--pgdata", str(draft), "--username", USER),
            *("--pwfile", str(self._password_file), "--auth", "scram-sha-256", "--encoding", "UTF8"),
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--no-instructions"),
            *(() if self._fsync else ("--no-sync",)),
        ]
        made = subprocess.run(
            command, env=_environment(), capture_output=True, text=True, check=False, start_new_session=True
        )
        if made.returncode != 0:
            shutil.rmtree(draft, ignore_errors=True)
            raise StartError(f"initdb failed: {_reason(made.stderr or made.stdout)}")
        draft.rename(self._cluster)

    def _write_private(self, path: Path, text: str) -> None:
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
        if self._account not in (SELF, "namespace"):
            owner = self._home.stat()
            os.chown(path, owner.st_uid, owner.st_gid)

    def _drop_stale_pid_file(self) -> None:
        """After a reboot the number in the file may belong to anybody, and PostgreSQL would not start."""
        path = self._cluster / "postmaster.pid"
        try:
            pid = int(path.read_text().splitlines()[0])
        except (FileNotFoundError, ValueError, IndexError):
            return
        command = command_line(pid)
        if str(self._cluster) in command:
            raise StartError(
                f"another PostgreSQL (pid {pid}) already serves {self._cluster}: stop it, then start again"
            )
        if command:
            path.unlink()

    def _choose_port(self) -> None:
        if self._wanted_port:
            ports.require_free(HOST, self._wanted_port, "SWITCHBOARD_POSTGRES_PORT")
            self._port_file.write_text(str(self._wanted_port))
            self._port = self._wanted_port
        else:
            self._port = ports.remembered(self._port_file)

    def _new_child(self, command: list[str]) -> Child:
        return Child(
            self.name,
            command,
            log=self._log,
            record=self._home / "pid",
            environment=_environment(),
            stop_signal=signal.SIGINT,  # "fast": does not wait for clients to leave
            account=self._account,
        )

    def _launch(self) -> None:
        options = CONFIGURATION | {"port": str(self._port)} | ({} if self._fsync else CARELESS)
        command = [str(self._programs / "postgres"), "-D", str(self._cluster)]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        deadline = time.monotonic() + READY_WITHIN
        while True:
            self._child = self._new_child(command)
            self._child.start()
            while self._child.is_running and time.monotonic() < deadline:
                if self._is_ready():
                    return
                time.sleep(PAUSE)
            written = self._child.written()
            if self._child.is_running or ATTACHED not in written or time.monotonic() >= deadline:
                break
            time.sleep(0.2)
        self.stop()
        raise StartError(f"PostgreSQL did not start: {_reason(written)} (log: {self._log})")

    def _is_ready(self) -> bool:
        """The pid file of *this* child says so; after a kill a stale one says it too."""
        try:
            lines = (self._cluster / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[0].strip() == str(self.pid) and lines[7].strip() == "ready"

    def _create_database(self) -> None:
        import psycopg

        url = self.url_of("postgres").replace("+psycopg", "")
        try:
            with psycopg.connect(url, autocommit=True, connect_timeout=10) as connection:
                row = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
                if row is None:
                    connection.execute(f"CREATE DATABASE {DATABASE}")
        except psycopg.Error as problem:
            raise StartError(f"PostgreSQL runs but refuses us: {_reason(str(problem))} (log: {self._log})") from problem


def _environment() -> dict[str, str]:
    """Without LANG, LC_* and PG*: a locale the machine lacks breaks initdb, PG* steers libpq elsewhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return kept | {"LC_ALL": "C"}


def _reason(output: str) -> str:
    """The line of PostgreSQL's output that says why, with a remedy where the disk is full."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    if any("No space left on device" in line for line in lines):
        return "the disk is full: free some space, or set SWITCHBOARD_DATA_DIR to another disk"
    blamed = [line for line in lines if "FATAL:" in line or "PANIC:" in line or "error:" in line]
    chosen = (blamed or lines or ["it wrote nothing"])[0]
    for word in ("FATAL:", "PANIC:", "error:"):
        chosen = chosen.partition(word)[2].strip() or chosen
    return chosen[:400]
