"""The commands: help, exit codes, the doctor."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from embedded.checks import examine
from settings import Settings

ROOT = Path(__file__).parents[2]


def switchboard(*arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("SWITCHBOARD_", "TEMPORAL_"))}
    bare.pop("DATABASE_URL", None)
    return subprocess.run(
        [sys.executable, "cli.py", *arguments],
        cwd=ROOT,
        env=bare | {"COLUMNS": "120"} | environment,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_help_lists_every_command() -> None:
    shown = switchboard("--help")
    assert shown.returncode == 0
    for command in ("up", "embedded", "server", "worker", "migrate", "seed", "admin", "validate", "doctor"):
        assert command in shown.stdout


def test_an_unknown_command_leaves_with_2() -> None:
    assert switchboard("upp").returncode == 2


@pytest.mark.parametrize("command", ["server", "worker"])
def test_a_program_without_its_addresses_says_which(command: str, data_dir: Path) -> None:
    alone = switchboard(command, SWITCHBOARD_DATA_DIR=str(data_dir))
    assert alone.returncode == 2
    assert alone.stderr.startswith("switchboard: DATABASE_URL is not set")
    halfway = switchboard(command, SWITCHBOARD_DATA_DIR=str(data_dir), DATABASE_URL="postgresql://u@h/d")
    assert halfway.returncode == 2
    assert halfway.stderr.startswith("switchboard: TEMPORAL_ADDRESS is not set")


def test_one_shot_commands_bring_their_own_database_when_none_runs(used_dir: Path) -> None:
    here = {"SWITCHBOARD_DATA_DIR": str(used_dir)}
    migrated = switchboard("migrate", "--demo", **here)
    assert migrated.returncode == 0, migrated.stderr
    first = switchboard("admin", "anna@example.org", stdin="12345678\n", **here)
    assert first.returncode == 0, first.stderr
    taken = switchboard("admin", "olha@demo.local", stdin="correct horse\n", **here)
    assert taken.returncode == 1
    assert "olha@demo.local" in taken.stderr


def test_a_short_password_is_refused_with_2(data_dir: Path) -> None:
    shown = switchboard("admin", "anna@example.org", stdin="short\n", SWITCHBOARD_DATA_DIR=str(data_dir))
    assert shown.returncode == 2


@pytest.mark.parametrize(
    ("email", "password", "what"), [("notanemail", "12345678", "e-mail"), ("anna@example.org", "1234567", "password")]
)
def test_an_administrator_is_asked_for_what_the_api_asks_for(
    data_dir: Path, email: str, password: str, what: str
) -> None:
    shown = switchboard("admin", email, stdin=f"{password}\n", SWITCHBOARD_DATA_DIR=str(data_dir))
    assert shown.returncode == 2
    assert f"the {what} cannot be used" in shown.stderr
    assert password not in shown.stderr
    assert not data_dir.exists()


def test_a_database_out_of_reach_is_one_line() -> None:
    shown = switchboard("migrate", DATABASE_URL="postgresql://user:hidden@127.0.0.1:1/none")
    assert shown.returncode == 1
    assert shown.stderr.startswith("switchboard: the database cannot be used: ")
    assert shown.stderr.count("\n") == 1
    assert "hidden" not in shown.stderr


def test_the_doctor_is_content_with_a_sound_machine(data_dir: Path) -> None:
    verdicts = {finding.subject: finding for finding in examine(Settings(data_dir=data_dir))}
    assert verdicts["Python"].verdict == "ok"
    assert verdicts["PostgreSQL"].found == "embedded, version 18"
    assert "temporal version" in verdicts["Temporal"].found
    assert not data_dir.exists()


def test_the_doctor_names_what_stands_in_the_way_and_leaves_with_1(data_dir: Path, taken_port: int) -> None:
    shown = switchboard(
        "doctor",
        SWITCHBOARD_DATA_DIR=str(data_dir),
        SWITCHBOARD_HTTP_PORT=str(taken_port),
        DATABASE_URL="postgresql://user:hidden@127.0.0.1:1/none",
        TEMPORAL_ADDRESS="127.0.0.1:1",
    )
    assert shown.returncode == 1
    failed = [line for line in shown.stdout.splitlines() if line.startswith("fail")]
    assert [line.split()[1] for line in failed] == ["PostgreSQL", "Temporal", "port"]
    assert "set SWITCHBOARD_HTTP_PORT" in failed[2]
    assert "hidden" not in shown.stdout
