"""`switchboard doctor`: what would keep the platform from starting on this machine."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from embedded import folders, ports
from embedded.accounts import NAMESPACE, can_launch
from embedded.binaries import first_line, postgres_major, postgres_programs, temporal_program
from embedded.errors import StartError
from settings import Settings, SettingsError

OLDEST_PYTHON = (3, 11)
COMFORTABLE_FREE = 2 * 1024**3
"""Bytes."""


@dataclass(frozen=True, slots=True)
class Finding:
    verdict: Literal["ok", "warn", "fail"]
    subject: str
    found: str
    remedy: str = ""


def examine(settings: Settings) -> list[Finding]:
    """Every check, in the order in which `up` would meet them. Starts and changes nothing that stays."""
    return [_python(), *_venv(), *_data_dir(settings), *_database(settings), *_temporal(settings), *_http(settings)]


def _python() -> Finding:
    found = platform.python_version()
    if sys.version_info < OLDEST_PYTHON:
        return Finding("fail", "Python", found, "install Python 3.11 or newer, then PYTHON=python3.11 make run")
    return Finding("ok", "Python", found)


def _venv() -> Iterator[Finding]:
    missing = [name for name in ("venv", "ensurepip") if find_spec(name) is None]
    if missing:
        yield Finding("warn", "venv", f"no module {', '.join(missing)}", "apt install python3-venv")
    else:
        yield Finding("ok", "venv", "modules are there")


def _data_dir(settings: Settings) -> Iterator[Finding]:
    folder = settings.data_dir.absolute()
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not os.access(existing, os.W_OK | os.X_OK) or not existing.is_dir():
        yield Finding("fail", "data directory", f"{folder} is not writable", "set SWITCHBOARD_DATA_DIR")
        return
    running = " (Switchboard runs on it)" if folders.is_locked(folder) else ""
    yield Finding("ok", "data directory", f"{folder}{running}")
    free = shutil.disk_usage(existing).free
    found = f"{free / 1024**3:.1f} GiB free"
    if free < folders.LEAST_FREE:
        yield Finding("fail", "disk", found, "free some space, or set SWITCHBOARD_DATA_DIR to another disk")
    elif free < COMFORTABLE_FREE:
        yield Finding("warn", "disk", found, "enough to start, not for long")
    else:
        yield Finding("ok", "disk", found)


def _database(settings: Settings) -> Iterator[Finding]:
    if settings.database_url is not None:
        yield _reached("PostgreSQL", lambda: _ask_database(settings.database()), "check DATABASE_URL")
        return
    try:
        programs = postgres_programs()
        yield Finding("ok", "PostgreSQL", f"embedded, version {postgres_major(programs)}")
    except StartError as problem:
        yield Finding("fail", "PostgreSQL", str(problem), "make run, or set DATABASE_URL")
        return
    if os.geteuid() == 0:
        yield _root(programs / "postgres")
    if settings.postgres_port:
        yield _port(settings, "127.0.0.1", settings.postgres_port, "SWITCHBOARD_POSTGRES_PORT")


def _root(program: Path) -> Finding:
    if can_launch(NAMESPACE, program):
        return Finding("ok", "running as root", "user namespaces work")
    return Finding(
        "warn", "running as root", "no user namespaces: PostgreSQL will run as nobody", "run as an ordinary user"
    )


def _temporal(settings: Settings) -> Iterator[Finding]:
    if settings.temporal_address is not None:
        yield _reached("Temporal", lambda: _ask_temporal(settings), "check TEMPORAL_ADDRESS and TEMPORAL_TLS*")
        return
    try:
        yield Finding("ok", "Temporal", f"embedded, {first_line([temporal_program(), '--version'])}")
    except StartError as problem:
        yield Finding("fail", "Temporal", str(problem), "make run, or set TEMPORAL_ADDRESS")
        return
    yield _port(settings, "127.0.0.1", settings.temporal_port, "SWITCHBOARD_TEMPORAL_PORT")
    if settings.temporal_ui_port:
        yield _port(settings, "127.0.0.1", settings.temporal_ui_port, "SWITCHBOARD_TEMPORAL_UI_PORT")


def _http(settings: Settings) -> Iterator[Finding]:
    yield _port(settings, settings.host, settings.http_port, "SWITCHBOARD_HTTP_PORT")


def _port(settings: Settings, host: str, port: int, setting: str) -> Finding:
    if ports.is_free(host, port):
        return Finding("ok", f"port {port}", "free")
    if folders.is_locked(settings.data_dir):
        return Finding("ok", f"port {port}", "in use while Switchboard runs on this data directory")
    return Finding("fail", f"port {port}", f"taken on {host}", f"stop its owner, or set {setting}")


def _reached(subject: str, ask: Callable[[], str], remedy: str) -> Finding:
    try:
        return Finding("ok", subject, ask())
    except SettingsError as problem:
        return Finding("fail", subject, str(problem), remedy)
    except Exception as problem:  # whatever a driver raises, the doctor only reports it
        reason = " ".join(str(problem).split()) or type(problem).__name__
        return Finding("fail", subject, f"not reached: {reason[:200]}", remedy)


def _ask_database(url: str) -> str:
    import psycopg

    with psycopg.connect(url.replace("+psycopg", "", 1), connect_timeout=5) as connection:
        return f"reached, version {connection.info.server_version // 10000}"


def _ask_temporal(settings: Settings) -> str:
    """The address answers TCP; whether it accepts us shows when a worker connects."""
    target = settings.temporal()["target_host"]
    host, _, port = target.rpartition(":")
    socket.create_connection((host.strip("[]"), int(port)), timeout=5).close()
    return f"{target} answers"
