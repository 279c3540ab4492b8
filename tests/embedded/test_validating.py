"""`switchboard validate`: what it prints and how it leaves."""

import json
from pathlib import Path

import pytest

from tests.embedded.test_cli import ROOT, switchboard

BROKEN = "tests/domain/definitions/broken.yaml"
GOOD = "processes/close-stale.yaml"


def test_clean_files_leave_with_0() -> None:
    shown = switchboard("validate", GOOD, "macros/check-deposit.yaml")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.splitlines() == [f"{GOOD} clean (3 tests)", "macros/check-deposit.yaml clean (3 tests)"]


def test_errors_leave_with_1_and_say_where() -> None:
    shown = switchboard("validate", GOOD, BROKEN)
    assert shown.returncode == 1
    assert "tests/domain/definitions/broken.yaml 7 errors, 1 warnings" in shown.stdout
    assert (
        "   7:12 error E204 unknown event 'sla.breach' — did you mean 'sla.breached'?  [/triggers/1/event]"
        in shown.stdout
    )


def test_a_file_that_cannot_be_read_leaves_with_2() -> None:
    shown = switchboard("validate", "nowhere.yaml")
    assert (shown.returncode, shown.stdout) == (2, "")
    assert shown.stderr == "switchboard: nowhere.yaml cannot be read: No such file or directory\n"
    assert switchboard("validate", "processes").returncode == 2
    assert switchboard("validate").returncode == 2
    assert switchboard("validate", "--lang", "fr", GOOD).returncode == 2


@pytest.mark.parametrize(("arguments", "code"), [((), 0), (("--strict",), 1)])
def test_warnings_fail_only_when_asked(arguments: tuple[str, ...], code: int, tmp_path: Path) -> None:
    file = tmp_path / "warned.yaml"
    file.write_text("dsl: 1\nkind: process\nname: p\ntitle: P\ndo: [{ call: close }]\n")
    shown = switchboard("validate", *arguments, str(file))
    assert shown.returncode == code
    assert "W610" in shown.stdout


def test_programs_get_json_and_people_their_language() -> None:
    shown = switchboard("validate", "--json", "--lang", "uk", BROKEN)
    assert shown.returncode == 1
    (told,) = json.loads(shown.stdout)
    assert (told["file"], told["name"], told["sha256"]) == (BROKEN, "broken", None)
    assert told["diagnostics"][0] == {
        "code": "E204", "severity": "error", "message": "невідома подія 'sla.breach'",
        "line": 7, "column": 12, "end_line": 7, "end_column": 22, "pointer": "/triggers/1/event",
        "hint": "можливо, 'sla.breached'?",
        "fix": {"line": 7, "column": 12, "end_line": 7, "end_column": 22, "text": "sla.breached"},
        "doc": "/docs/diagnostics.md#e204",
    }  # fmt: skip


def test_the_standard_input_is_a_file_too() -> None:
    shown = switchboard("validate", "-", stdin=(ROOT / GOOD).read_text("utf-8"))
    assert (shown.returncode, shown.stdout) == (0, "- clean (3 tests)\n")


def test_of_an_endless_file_no_more_is_read_than_to_say_so() -> None:
    shown = switchboard("validate", "/dev/zero")
    assert shown.returncode == 1
    assert "E106" in shown.stdout
