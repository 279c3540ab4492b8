"""The data directory: made, checked for room, and locked for one supervisor."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from embedded.errors import StartError

LEAST_FREE = 200 * 1024 * 1024
"""Bytes; below it PostgreSQL soon stops taking writes."""


@contextlib.contextmanager
def locked(data_dir: Path) -> Iterator[None]:
    """Holds the directory; the kernel lets go when the process ends, however it ends. Raises `StartError`."""
    prepare(data_dir)
    path = data_dir / "lock"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as problem:
        raise _unusable(data_dir, problem) from problem
    with os.fdopen(descriptor, "r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as problem:
            owner = file.read().strip() or "unknown"
            raise StartError(
                f"Switchboard already runs on {data_dir} (pid {owner}): stop it, or set SWITCHBOARD_DATA_DIR"
            ) from problem
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def is_locked(data_dir: Path) -> bool:
    """Whether a supervisor runs on it."""
    try:
        with (data_dir / "lock").open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def prepare(data_dir: Path) -> None:
    """Raises `StartError` when the directory cannot be made or written, or its disk is all but full."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        probe = data_dir / f".probe.{os.getpid()}"
        probe.write_text("writable")
        probe.unlink()
    except OSError as problem:
        raise _unusable(data_dir, problem) from problem
    free = shutil.disk_usage(data_dir).free
    if free < LEAST_FREE:
        raise StartError(
            f"only {free // 2**20} MiB are free on the disk of {data_dir}: "
            f"free at least {LEAST_FREE // 2**20} MiB, or set SWITCHBOARD_DATA_DIR to another disk"
        )


def _unusable(data_dir: Path, problem: OSError) -> StartError:
    return StartError(
        f"data directory {data_dir} cannot be used ({problem.strerror}): make it writable for this user, "
        "or set SWITCHBOARD_DATA_DIR"
    )
