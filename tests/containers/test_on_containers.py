"""What is proven on the embedded servers holds on others: the same tests, on PostgreSQL and Temporal in containers."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import POSTGRES_URL, TEMPORAL_ADDRESS

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.containers, pytest.mark.timeout(1800)]


def run(*paths: str, **servers: str) -> int:
    """How many tests passed in a pytest of their own; none may fail or be left out."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *paths]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **servers}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-5000:]
    passed = re.search(r"(\d+) passed(?! *, *\d+ skipped)", done.stdout)
    assert passed, done.stdout[-2000:]
    return int(passed[1])


def test_the_store(postgres_address: str) -> None:
    """Without the hunts through random sequences: they are about our rules, and slow over a container's network."""
    hunts = ("--ignore=tests/store/test_invariants.py", "--ignore=tests/store/test_deadlock_hunt.py")
    assert run("tests/store", "--timeout=600", *hunts, **{POSTGRES_URL: postgres_address}) > 50


def test_a_dialogs_life(postgres_address: str, temporal_address: str) -> None:
    servers = {POSTGRES_URL: postgres_address, TEMPORAL_ADDRESS: temporal_address}
    assert run("tests/journeys/test_dialog_lives.py", **servers) >= 2
