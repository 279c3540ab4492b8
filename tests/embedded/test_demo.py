"""The demo's sign-ins."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from embedded.demo import sign_ins
from embedded.errors import StartError
from settings import Settings


def test_they_are_made_once_and_kept_for_their_owner_alone(data_dir: Path) -> None:
    settings = Settings(data_dir=data_dir)
    first = sign_ins(settings)
    assert sign_ins(settings) == first
    assert (data_dir / "demo.json").stat().st_mode & 0o777 == 0o600


def test_what_the_settings_say_wins_and_is_not_written_down(data_dir: Path) -> None:
    kept = sign_ins(Settings(data_dir=data_dir))
    given = sign_ins(Settings(data_dir=data_dir, demo_token=SecretStr("given")))
    assert (given.password, given.token) == (kept.password, "given")
    assert "given" not in (data_dir / "demo.json").read_text()


def test_a_damaged_file_is_named(data_dir: Path) -> None:
    data_dir.mkdir()
    (data_dir / "demo.json").write_text("{")
    with pytest.raises(StartError, match=r"demo\.json cannot be read .*remove it"):
        sign_ins(Settings(data_dir=data_dir))
