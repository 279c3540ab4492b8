"""The embedded PostgreSQL: made, stopped, killed, broken."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from embedded import accounts, launching
from embedded.children import command_line
from embedded.errors import StartError
from embedded.postgres import EmbeddedPostgres

ROOT = Path(__file__).parents[2]
NOBODY = 65534


def careless(data_dir: Path, port: int = 0) -> EmbeddedPostgres:
    return EmbeddedPostgres(data_dir, port=port, fsync=False)


def query(postgres: EmbeddedPostgres, sql: str) -> list[tuple[object, ...]]:
    with psycopg.connect(postgres.url.replace("+psycopg", ""), autocommit=True) as connection:
        cursor = connection.execute(sql)  # type: ignore[arg-type]
        return cursor.fetchall() if cursor.description else []


def test_a_second_start_finds_the_rows_of_the_first(data_dir: Path) -> None:
    with careless(data_dir) as postgres:
        query(postgres, "CREATE TABLE kept (n int)")
        query(postgres, "INSERT INTO kept VALUES (7)")
        first_url = postgres.url
    with careless(data_dir) as postgres:
        assert postgres.url == first_url
        assert query(postgres, "SELECT n FROM kept") == [(7,)]


def test_committed_rows_survive_kill_9(used_dir: Path) -> None:
    with EmbeddedPostgres(used_dir) as postgres:
        query(postgres, "CREATE TABLE kept (n int)")
        query(postgres, "INSERT INTO kept SELECT generate_series(1, 1000)")
        assert postgres.pid
        os.kill(postgres.pid, signal.SIGKILL)
        postgres.start()
        assert query(postgres, "SELECT count(*) FROM kept") == [(1000,)]


def test_it_speaks_unicode_and_utc_and_knows_one_database(used_dir: Path) -> None:
    with careless(used_dir) as postgres:
        assert query(postgres, "SELECT upper('ґанок')") == [("ҐАНОК",)]
        assert query(postgres, "SHOW timezone") == [("UTC",)]
        assert query(postgres, "SELECT current_database(), current_user") == [("switchboard", "switchboard")]


def test_only_the_password_opens_it_and_only_its_owner_reads_the_password(used_dir: Path) -> None:
    with careless(used_dir) as postgres:
        assert stat.S_IMODE((used_dir / "postgres" / "password").stat().st_mode) == 0o600
        scheme, _, rest = postgres.url.replace("+psycopg", "").partition("://switchboard:")
        stranger = f"{scheme}://switchboard:guess@{rest.partition('@')[2]}"
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(stranger)


def test_it_listens_on_loopback_alone(used_dir: Path) -> None:
    with careless(used_dir) as postgres:
        assert query(postgres, "SHOW listen_addresses") == [("127.0.0.1",)]
        assert query(postgres, "SHOW unix_socket_directories") == [("",)]


def test_a_remembered_port_that_was_taken_meanwhile_is_replaced(used_dir: Path) -> None:
    with careless(used_dir) as postgres:
        port = int((used_dir / "postgres" / "port").read_text())
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        with careless(used_dir) as postgres:
            assert f":{port}/" not in postgres.url
            assert query(postgres, "SELECT 1") == [(1,)]


def test_a_taken_port_that_was_asked_for_is_named_with_its_setting(used_dir: Path, taken_port: int) -> None:
    with pytest.raises(StartError, match=rf"port {taken_port} .* taken .*SWITCHBOARD_POSTGRES_PORT"):
        careless(used_dir, taken_port).start()


def test_a_used_directory_of_something_else_is_refused_and_left_alone(used_dir: Path) -> None:
    (used_dir / "postgres" / "cluster" / "PG_VERSION").write_text("garbage\n")
    with pytest.raises(StartError, match=r"does not hold PostgreSQL 18 data.*restore it"):
        careless(used_dir).start()
    assert (used_dir / "postgres" / "cluster" / "base").is_dir()


def test_damage_that_only_postgresql_sees_is_quoted(used_dir: Path) -> None:
    (used_dir / "postgres" / "cluster" / "global" / "pg_control").write_bytes(b"x" * 8192)
    with pytest.raises(StartError, match=r"PostgreSQL did not start: .*(control|incompatible).*log: "):
        careless(used_dir).start()


def test_a_first_start_that_was_killed_half_way_is_begun_again(data_dir: Path) -> None:
    draft = data_dir / "postgres" / "cluster.new"
    draft.mkdir(parents=True)
    (draft / "PG_VERSION").write_text("18")
    with careless(data_dir) as postgres:
        assert query(postgres, "SELECT 1") == [(1,)]
    assert not draft.exists()


def test_a_pid_file_that_names_a_stranger_does_not_stop_it(used_dir: Path) -> None:
    pid_file = used_dir / "postgres" / "cluster" / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{pid_file.parent}\n0\n5432\n\n127.0.0.1\n  0 0\nready   \n")
    with careless(used_dir) as postgres:
        assert query(postgres, "SELECT 1") == [(1,)]


def test_a_server_left_by_a_killed_parent_is_ended_first(used_dir: Path) -> None:
    left = careless(used_dir)
    left.start()
    with careless(used_dir) as postgres:
        assert left.child.exit_code == 0
        assert query(postgres, "SELECT 1") == [(1,)]


def test_it_ends_with_its_parent_even_by_kill_9(used_dir: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from embedded.postgres import EmbeddedPostgres as E;"
        f"e = E(Path({str(used_dir)!r}), fsync=False); e.start(); print(e.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE)
    assert parent.stdout
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    with careless(used_dir) as postgres:
        assert query(postgres, "SELECT 1") == [(1,)]
        assert str(used_dir) not in command_line(pid)


def test_an_ordinary_user_runs_it_as_himself(data_dir: Path) -> None:
    script = (
        "import os; from pathlib import Path; from embedded.postgres import EmbeddedPostgres as E;"
        f"e = E(Path({str(data_dir)!r}), fsync=False); e.start(); print(os.geteuid(), e._account); e.stop()"
    )
    account = f"{NOBODY}:{NOBODY}+reach" if os.geteuid() == 0 else "self"
    command = [sys.executable, launching.__file__, str(os.getpid()), "9", account, sys.executable, "-Bc", script]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert shown.stderr == ""
    uid, used = shown.stdout.split()
    assert int(uid) != 0
    assert used == "self"


def test_a_path_that_is_no_folder_is_named(data_dir: Path) -> None:
    data_dir.write_text("a file")
    with pytest.raises(StartError, match=r"cannot use .*data.*set SWITCHBOARD_DATA_DIR"):
        careless(data_dir).start()


def test_missing_programs_are_named_with_the_remedy(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("embedded.binaries.find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(data_dir))
    with pytest.raises(StartError, match=r"no PostgreSQL programs: .*DATABASE_URL"):
        careless(data_dir).start()


if os.geteuid() == 0:

    @pytest.mark.parametrize("mode", [0o755, 0o700], ids=["open folder", "private folder"])
    def test_root_without_user_namespaces_hands_the_data_to_nobody(
        mode: int, data_dir: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = accounts.can_launch
        monkeypatch.setattr(
            accounts, "can_launch", lambda account, *rest: account != accounts.NAMESPACE and real(account, *rest)
        )
        data_dir.parent.chmod(mode)
        for _ in range(2):
            with careless(data_dir) as postgres:
                assert query(postgres, "SELECT 1") == [(1,)]
                assert (data_dir / "postgres" / "cluster").stat().st_uid == NOBODY
        monkeypatch.undo()
        with careless(data_dir) as again:  # namespaces are back: the data's owner still decides
            assert query(again, "SELECT 1") == [(1,)]

    def test_root_whom_nobody_can_stand_in_for_is_told_so(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(accounts, "can_launch", lambda *_: False)
        with pytest.raises(StartError, match=r"root cannot run PostgreSQL here.*ordinary user"):
            careless(data_dir).start()
