"""The environment, read once and explained in one line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from settings import SettingsError, load_settings


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith(("SWITCHBOARD_", "TEMPORAL_", "DATABASE_URL")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("SWITCHBOARD_DATA_DIR", str(tmp_path / "data"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SWITCHBOARD_HTTP_PORT", "eighty"),
        ("SWITCHBOARD_HTTP_PORT", "70000"),
        ("SWITCHBOARD_TEMPORAL_PORT", "0"),
        ("SWITCHBOARD_DEMO", "perhaps"),
        ("SWITCHBOARD_LOG_LEVEL", "loud"),
        ("SWITCHBOARD_LOG_FORMAT", "xml"),
        ("SWITCHBOARD_SECRET_KEY", "short"),
        ("SWITCHBOARD_WORKER_QUEUES", "a b"),
        ("SWITCHBOARD_DATABASE_POOL_SIZE", "0"),
        ("SWITCHBOARD_TEMPORAL_UI_URL", "temporal-ui:8080"),
        ("DATABASE_URL", "mysql://host/db"),
        ("DATABASE_URL", "postgresql:host"),
        ("TEMPORAL_ADDRESS", "http://host:7233"),
        ("TEMPORAL_ADDRESS", "host"),
    ],
)
def test_a_bad_value_is_one_line_that_names_the_variable_and_hides_the_value(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as refused:
        load_settings()
    line = str(refused.value)
    assert line.startswith(f"{name}: ")
    assert "\n" not in line
    if name in ("DATABASE_URL", "SWITCHBOARD_SECRET_KEY"):
        assert value not in line


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_usual_database_url_becomes_the_one_sqlalchemy_wants(
    scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"{scheme}://user:pass@host:5432/db?sslmode=require")
    assert load_settings().database() == "postgresql+psycopg://user:pass@host:5432/db?sslmode=require"


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "")
    monkeypatch.setenv("SWITCHBOARD_HTTP_PORT", "")
    settings = load_settings()
    assert settings.database_url is None
    assert settings.http_port == 8080


def test_queue_names_are_split_and_named_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHBOARD_WORKER_QUEUES", "mass, interactive,,mass")
    assert load_settings().worker_queues == ("mass", "interactive")


def test_a_secret_key_is_made_once_and_kept_for_its_owner_alone(tmp_path: Path) -> None:
    first = load_settings().secret_key.get_secret_value()
    assert len(first) >= 32
    assert load_settings().secret_key.get_secret_value() == first
    assert (tmp_path / "data" / "secret_key").stat().st_mode & 0o777 == 0o600


def test_a_command_that_only_looks_leaves_no_trace(tmp_path: Path) -> None:
    load_settings(keep_secret_key=False)
    assert not (tmp_path / "data").exists()


def test_secrets_stay_out_of_the_printed_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://user:hidden-a@host/db")
    monkeypatch.setenv("SWITCHBOARD_SECRET_KEY", "hidden-b-hidden-b-hidden-b")
    monkeypatch.setenv("SWITCHBOARD_DEMO_PASSWORD", "hidden-c")
    assert "hidden" not in repr(load_settings())


def test_temporal_tls_and_key_come_as_its_own_tools_read_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "cloud.example:7233")
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "contact-centre")
    monkeypatch.setenv("TEMPORAL_API_KEY", "key")
    assert load_settings().temporal() == {
        "target_host": "cloud.example:7233",
        "namespace": "contact-centre",
        "api_key": "key",
        "tls": True,
    }


def test_an_empty_key_does_not_turn_tls_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "temporal:7233")
    monkeypatch.setenv("TEMPORAL_API_KEY", "")
    assert load_settings().temporal() == {"target_host": "temporal:7233", "namespace": "default"}


def test_temporals_file_is_read_when_it_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "temporal.toml"
    file.write_text('[profile.default]\naddress = "there:7233"\nnamespace = "theirs"\n')
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(file))
    settings = load_settings()
    assert settings.temporal_address == "there:7233"
    assert settings.temporal() == {"target_host": "there:7233", "namespace": "theirs"}


def test_what_a_command_cannot_do_without_is_named() -> None:
    settings = load_settings()
    with pytest.raises(SettingsError, match="DATABASE_URL is not set"):
        settings.database()
    with pytest.raises(SettingsError, match="TEMPORAL_ADDRESS is not set"):
        settings.temporal()


def test_a_key_that_cannot_be_kept_names_the_way_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SWITCHBOARD_DATA_DIR", str(tmp_path / "file" / "data"))
    with pytest.raises(SettingsError, match="SWITCHBOARD_SECRET_KEY is not set and cannot be kept"):
        load_settings()
