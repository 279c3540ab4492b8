"""The embedded Temporal: made, stopped, killed, broken."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from embedded.binaries import temporal_program
from embedded.errors import StartError
from embedded.temporal import SEARCH_ATTRIBUTES, EmbeddedTemporal, without_temporal


@pytest.fixture
def temporal(data_dir: Path, free_port: Callable[[], int]) -> EmbeddedTemporal:
    return EmbeddedTemporal(data_dir, port=free_port(), ui_port=0)


def ask(temporal: EmbeddedTemporal, *words: str) -> str:
    command = [temporal_program(), *words, "--address", temporal.address]
    return subprocess.run(command, capture_output=True, text=True, env=without_temporal(), check=True).stdout


def test_it_keeps_closed_histories_for_a_week_and_knows_our_search_attributes(temporal: EmbeddedTemporal) -> None:
    with temporal:
        assert "168h0m0s" in ask(temporal, "operator", "namespace", "describe", "default")
        listed = ask(temporal, "operator", "search-attribute", "list").split()
        assert set(SEARCH_ATTRIBUTES) <= set(listed)


def test_started_workflows_survive_kill_9(temporal: EmbeddedTemporal) -> None:
    with temporal:
        ask(temporal, "workflow", "start", "--type", "Any", "--task-queue", "none", "--workflow-id", "kept")
        assert temporal.pid
        os.kill(temporal.pid, signal.SIGKILL)
        temporal.start()
        assert "kept" in ask(temporal, "workflow", "list", "--query", "ExecutionStatus = 'Running'")


def test_a_server_left_by_a_killed_parent_is_ended_first(temporal: EmbeddedTemporal, data_dir: Path) -> None:
    temporal.start()
    port = int(temporal.address.rpartition(":")[2])
    with EmbeddedTemporal(data_dir, port=port, ui_port=0):
        assert temporal.child.exit_code is not None


def test_it_serves_a_namespace_of_another_name_and_its_panel(data_dir: Path, free_port: Callable[[], int]) -> None:
    with EmbeddedTemporal(data_dir, port=free_port(), ui_port=free_port(), namespace="other") as temporal:
        assert "168h0m0s" in ask(temporal, "operator", "namespace", "describe", "other")
        assert temporal.ui_url


def test_a_taken_port_is_named_with_its_setting(data_dir: Path, taken_port: int, free_port: Callable[[], int]) -> None:
    with pytest.raises(StartError, match=rf"port {taken_port} .*SWITCHBOARD_TEMPORAL_PORT"):
        EmbeddedTemporal(data_dir, port=taken_port, ui_port=0).start()
    with pytest.raises(StartError, match=rf"port {taken_port} .*SWITCHBOARD_TEMPORAL_UI_PORT"):
        EmbeddedTemporal(data_dir, port=free_port(), ui_port=taken_port).start()


def test_a_damaged_file_is_named(temporal: EmbeddedTemporal, data_dir: Path) -> None:
    (data_dir / "temporal").mkdir(parents=True)
    (data_dir / "temporal" / "temporal.db").write_bytes(b"this is not a database" * 500)
    with pytest.raises(StartError, match=r"temporal\.db is damaged: restore it"):
        temporal.start()


def test_variables_that_name_another_server_do_not_steer_it(
    temporal: EmbeddedTemporal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    monkeypatch.setenv("TEMPORAL_TLS", "true")
    with temporal:
        assert "168h0m0s" in ask(temporal, "operator", "namespace", "describe", "default")
