"""`switchboard up` as a person and a kill -9 meet it. Our own programs are stand-ins, the servers are real."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import psycopg
import pytest

from embedded.children import command_line
from embedded.postgres import EmbeddedPostgres
from embedded.readiness import ask
from tests.embedded.conftest import Stack


def living(pids: Iterable[int]) -> set[int]:
    return {pid for pid in pids if command_line(pid)}


def wait_until_gone(pids: Iterable[int], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while living(pids):
        assert time.monotonic() < deadline, [command_line(pid) for pid in living(pids)]
        time.sleep(0.02)


def rows(data_dir: Path, sql: str) -> list[tuple[object, ...]]:
    url = EmbeddedPostgres(data_dir).url.replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(sql)  # type: ignore[arg-type]
        return cursor.fetchall() if cursor.description else []


def test_it_says_where_everything_is_and_a_signal_ends_it_all(stack: Stack) -> None:
    began = time.monotonic()
    stack.start()
    assert time.monotonic() - began < 10
    assert f"http://127.0.0.1:{stack.http_port}" in stack.said
    assert "admin@demo.local" in stack.said
    with urllib.request.urlopen(f"http://127.0.0.1:{stack.http_port}/readyz", timeout=5) as answer:
        assert answer.status == 200
    pids = stack.pids
    assert living(pids) == pids
    began = time.monotonic()
    assert stack.end(signal.SIGINT) == 0
    assert time.monotonic() - began < 15
    assert not living(pids)


def test_after_kill_9_nothing_stays_and_the_next_start_finds_the_rows(stack: Stack, used_dir: Path) -> None:
    stack.start()
    rows(used_dir, "CREATE TABLE kept (n int)")
    rows(used_dir, "INSERT INTO kept VALUES (7)")
    first = stack.pids
    assert stack.process
    stack.process.kill()
    stack.process.wait()
    stack.start()
    assert rows(used_dir, "SELECT n FROM kept") == [(7,)]
    wait_until_gone(first)
    assert stack.end() == 0


def test_a_killed_part_comes_back_and_workers_follow_temporal(stack: Stack, used_dir: Path) -> None:
    stack.start()
    server, worker, mass = (stack.pid_of(part) for part in ("server", "worker-interactive", "worker-mass"))
    os.kill(server, signal.SIGKILL)
    stack.wait_for("server runs again")
    assert stack.pid_of("worker-interactive") == worker
    os.kill(stack.pid_of("temporal"), signal.SIGKILL)
    stack.wait_for("Temporal runs again")
    assert stack.pid_of("worker-interactive") != worker
    assert stack.pid_of("worker-mass") != mass
    os.kill(stack.pid_of("postgres"), signal.SIGKILL)
    stack.wait_for("PostgreSQL runs again")
    pids = stack.pids
    assert living(pids) == pids
    assert stack.end() == 0
    assert not living(pids)


def test_a_second_start_on_the_same_data_is_refused_in_one_line(stack: Stack, used_dir: Path) -> None:
    stack.launch("embedded")
    stack.wait_for("TEMPORAL_ADDRESS=127.0.0.1:")
    second = Stack(used_dir, iter(range(1, 9)).__next__)
    second.output = used_dir.parent / "second.txt"
    assert stack.process
    code, line = second.failure()
    assert code == 1
    assert f"already runs on {used_dir} (pid {stack.process.pid})" in line
    assert stack.end() == 0


def test_a_second_interrupt_does_not_wait_for_the_stubborn(stack: Stack, used_dir: Path) -> None:
    stack.start(STAND_IN_IS_STUBBORN="worker")
    for log in used_dir.glob("logs/worker-*.log"):
        while "waiting" not in log.read_text():  # deaf only from here on
            time.sleep(0.02)
    pids = stack.pids
    assert stack.process
    stack.process.send_signal(signal.SIGINT)
    stack.wait_for("stopping")
    time.sleep(1.1)
    began = time.monotonic()
    assert stack.end(signal.SIGINT) == 130
    assert time.monotonic() - began < 2
    wait_until_gone(pids)


def test_a_taken_http_port_is_named_before_anything_starts(stack: Stack, taken_port: int, data_dir: Path) -> None:
    code, line = stack.failure(SWITCHBOARD_HTTP_PORT=str(taken_port))
    assert code == 1
    assert f"port {taken_port} on 127.0.0.1 is taken" in line
    assert "SWITCHBOARD_HTTP_PORT" in line
    assert not (data_dir / "postgres").exists()


def test_two_settings_with_one_port_are_both_named(stack: Stack) -> None:
    code, line = stack.failure(SWITCHBOARD_TEMPORAL_PORT=str(stack.http_port))
    assert code == 1
    assert "SWITCHBOARD_HTTP_PORT and SWITCHBOARD_TEMPORAL_PORT are both" in line


@pytest.mark.parametrize("address", ["127.0.0.1:1", "no.such.host.invalid:7233"])
def test_a_temporal_out_of_reach_is_one_line_before_anything_starts(stack: Stack, data_dir: Path, address: str) -> None:
    code, line = stack.failure(TEMPORAL_ADDRESS=address)
    assert code == 1
    assert f"nobody answers at {address}" in line
    assert line.endswith("check TEMPORAL_ADDRESS")
    assert not (data_dir / "postgres").exists()


def test_a_refusal_of_readiness_is_told_in_words(free_port: Callable[[], int]) -> None:
    class Refusing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(503)
            self.end_headers()
            self.wfile.write(b'{"status": 503, "detail": "PostgreSQL is away."}')

    server = HTTPServer(("127.0.0.1", free_port()), Refusing)
    answering = threading.Thread(target=server.handle_request)
    answering.start()
    assert ask("127.0.0.1", server.server_port) == (503, "PostgreSQL is away.")
    answering.join()
    server.server_close()


def test_a_program_that_fails_is_quoted_with_its_log(stack: Stack, taken_port: int) -> None:
    elsewhere = {"DATABASE_URL": "postgresql://nobody@127.0.0.1/none", "TEMPORAL_ADDRESS": f"127.0.0.1:{taken_port}"}
    for part in ("migrate", "server", "worker"):
        code, line = stack.failure(STAND_IN_FAILS=part, **elsewhere)
        assert code == 1
        assert "exit code 3: switchboard: the stand-in was told to fail" in line
        assert re.search(rf"/logs/{part}(-interactive|-mass)?\.log\)", line)  # whichever worker fails first


def test_configured_servers_are_used_and_no_embedded_one_is_started(
    stack: Stack, data_dir: Path, taken_port: int
) -> None:
    stack.start(DATABASE_URL="postgresql://nobody@127.0.0.1/none", TEMPORAL_ADDRESS=f"127.0.0.1:{taken_port}")
    assert not (data_dir / "postgres").exists()
    assert not (data_dir / "temporal").exists()
    assert stack.end() == 0


def test_a_data_directory_that_cannot_be_made_is_named(stack: Stack, data_dir: Path) -> None:
    data_dir.parent.joinpath("file").write_text("")
    code, line = stack.failure(SWITCHBOARD_DATA_DIR=str(data_dir.parent / "file" / "data"))
    assert code == 1
    assert "cannot be used (Not a directory)" in line
    assert "SWITCHBOARD_DATA_DIR" in line


def test_broken_data_is_named_with_the_way_out(stack: Stack, data_dir: Path) -> None:
    cluster = data_dir / "postgres" / "cluster"
    cluster.mkdir(parents=True)
    (cluster / "PG_VERSION").write_text("garbage")
    code, line = stack.failure()
    assert code == 1
    assert "does not hold PostgreSQL 18 data" in line


def test_a_bad_setting_is_named_and_leaves_with_2(stack: Stack) -> None:
    code, line = stack.failure(SWITCHBOARD_HTTP_PORT="eighty")
    assert code == 2
    assert "SWITCHBOARD_HTTP_PORT" in line


def test_a_full_disk_is_told_before_anything_starts(stack: Stack) -> None:
    code, line = stack.failure(STACK_FREE_BYTES="1000000")
    assert code == 1
    assert "only 0 MiB are free" in line
