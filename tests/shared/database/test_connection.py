"""The database goes away in many ways; the response is a 503 that can be trusted, or a 2xx."""

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from time import monotonic, time
from uuid import uuid4

import httpx2
import psycopg
import pytest
from psycopg import sql

from local.network import black_hole
from shared.database import budget
from shared.database import connection as database
from shared.database.database import Database
from shared.database.execution import Rows
from shared.database.sql import Statement
from shared.database.tasks import TaskRepository
from shared.http.problems import DatabaseUnavailable, Locked
from tests.conftest import User, database_url, fresh_database
from tests.functions.support import (
    CREATE,
    GET,
    LIST,
    MARKER,
    OPERATIONS,
    UPDATE,
    WRITES_TO_ONE_TASK,
    Operation,
    admin,
    alembic,
    another_database,
    current_url,
    each_operation,
    no_content,
    problem,
    task,
    tasks,
)
from tests.shared.database.support import READY, change_scope, message, odd_server, statement

PROCESS = statement("select pg_backend_pid()")
MINUTE = statement("select pg_sleep(60)")


def unavailable(response: httpx2.Response) -> str:
    """What a 503 says, which is something about trying again."""
    details = problem(response, 503)
    assert 1 <= int(response.headers["retry-after"]) <= 60
    assert details["type"] == "/problems/unavailable"
    detail: str = details["detail"]
    for inner in ("postgres", "psycopg", "sql", "127.0.0.1", "refused", "tasks_user"):
        assert inner not in detail.lower()
    return detail


def process() -> int:
    """The process of Postgres that serves the functions."""
    [(number,)] = Database().read(PROCESS)
    return int(number)


def terminate(number: int) -> None:
    """End a process of Postgres, and wait until it has."""
    with admin() as connection:
        connection.execute("select pg_terminate_backend(%s, 5000)", [number])


def refuse(client: socket.socket) -> None:
    """Refuse each statement, without an SQLSTATE."""
    while client.recv(65536).endswith(message(b"S")):
        client.sendall(message(b"E", b"MNo.\0\0") + READY)


@contextmanager
def unreachable_url() -> Iterator[str]:
    """The URL of a database on a port where no server listens, nor can while this lasts."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"postgresql://api@127.0.0.1:{taken.getsockname()[1]}/tasks"


class TestUnreachable:
    @each_operation
    def test_is_a_503_in_which_nothing_was_written(self, alice: User, operation: Operation) -> None:
        with unreachable_url() as url, another_database(url):
            assert "Nothing was written" in unavailable(operation.ask(alice))

    def test_is_a_503_within_10_seconds_where_no_server_answers(self, alice: User) -> None:
        started = monotonic()
        with black_hole() as port, another_database(f"postgresql://api@127.0.0.1:{port}/tasks"):
            unavailable(CREATE.ask(alice))
        assert monotonic() - started < 10

    @each_operation
    def test_is_a_503_where_a_server_does_not_say_why(
        self, alice: User, operation: Operation
    ) -> None:
        with odd_server(refuse) as url, another_database(url):
            assert "Nothing was written" in unavailable(operation.ask(alice))

    def test_ends_as_soon_as_the_database_is_there_again(self, alice: User) -> None:
        with unreachable_url() as url, another_database(url):
            unavailable(LIST.ask(alice))
        assert tasks(LIST.ask(alice)) == []

    def test_comes_after_401_403_and_422(self, alice: User, bob: User) -> None:
        with unreachable_url() as url, another_database(url):
            problem(alice.api.get(alice.path), 401)
            problem(GET.ask(User(alice.subject, bob.token, alice.api)), 403)
            problem(GET.ask(alice, "x"), 422)

    def test_is_not_reported_when_it_is_found_before_the_first_request(self, alice: User) -> None:
        with unreachable_url() as url, another_database(url):
            database.connect()
            unavailable(LIST.ask(alice))

    @pytest.mark.parametrize("there", [True, False], ids=["there", "not there"])
    def test_leaves_no_connection_that_is_made_too_late(
        self, alice: User, monkeypatch: pytest.MonkeyPatch, there: bool
    ) -> None:
        too_late, tried = threading.Event(), threading.Event()
        log_in = database._log_in  # noqa: SLF001 (delayed, not replaced)
        made: list[psycopg.Connection] = []

        def late() -> psycopg.Connection:
            assert too_late.wait(10)
            try:
                made.append(log_in())
            finally:
                tried.set()
            return made[0]

        url = current_url() if there else "postgresql://api@127.0.0.1:1/tasks"
        with another_database(url):
            monkeypatch.setattr(database, "_log_in", late)
            monkeypatch.setattr(budget, "CONNECT", 0.01)
            unavailable(LIST.ask(alice))
            too_late.set()
            assert tried.wait(10)
            monkeypatch.undo()
        assert tasks(LIST.ask(alice)) == []
        deadline = monotonic() + 10
        while not all(connection.closed for connection in made):
            assert monotonic() < deadline
        assert len(made) == there


class TestIdleConnection:
    @pytest.mark.parametrize("operation", OPERATIONS, ids=str)
    def test_that_died_is_replaced_silently(self, alice: User, operation: Operation) -> None:
        task_id = alice.create().json()["id"]
        terminate(process())
        assert operation.ask(alice, task_id).status_code == operation.success

    def test_is_used_again(self) -> None:
        assert process() == process()

    @pytest.mark.parametrize("drift", [301, -301])
    def test_that_the_network_may_have_forgotten_is_replaced(
        self, monkeypatch: pytest.MonkeyPatch, drift: int
    ) -> None:
        before = process()
        monkeypatch.setattr("shared.database.connection.time", lambda: time() + drift)
        assert process() != before

    def test_is_dropped_before_a_snapshot(self) -> None:
        before = process()
        database.disconnect()
        assert process() != before


Send = Callable[[Statement], Rows]


def cut_off(send: Callable[[Database], Send], sleeping: Statement) -> Rows:
    """Send a statement, and end its process of Postgres while it runs."""
    number = process()
    running = "select wait_event = 'PgSleep' from pg_stat_activity where pid = %s"

    def cut() -> None:
        with admin() as connection:
            deadline = monotonic() + 10
            while connection.execute(running, [number]).fetchone() != (True,):
                assert monotonic() < deadline
        terminate(number)

    killer = threading.Thread(target=cut)
    killer.start()
    try:
        return send(Database())(sleeping)
    finally:
        killer.join()


class TestConnectionThatBreaks:
    # Sleeps when it runs in the process that is about to end, but not in the next one.
    def once(self) -> Statement:
        sleep = f"case when pg_backend_pid() = {process()} then pg_sleep(60) end"
        return statement(f"select {sleep}, 'again' as response")

    def test_is_no_matter_under_a_read(self) -> None:
        rows = cut_off(lambda database: database.read, self.once())
        assert rows[0].response == "again"

    def test_is_no_matter_under_a_write_that_is_safe_to_repeat(self) -> None:
        def send(database: Database) -> Send:
            return lambda sleeping: database.write(sleeping, repeatable=True)

        assert cut_off(send, self.once())[0].response == "again"

    def test_leaves_a_write_unknown(self) -> None:
        with pytest.raises(DatabaseUnavailable) as error:
            cut_off(lambda database: database.write, self.once())
        assert "not known" in error.value.detail
        assert process()

    def test_twice_is_a_503(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(budget, "FIRST_TRY", 0.1)
        monkeypatch.setattr(budget, "CONNECT", 0.4)
        monkeypatch.setattr(budget, "REQUEST", 0.8)
        with pytest.raises(DatabaseUnavailable) as error:
            Database().read(MINUTE)
        assert "Nothing was written" in error.value.detail


class TestTime:
    def test_of_a_statement_ends_before_that_of_a_request(self) -> None:
        assert budget.LOCK < budget.FIRST_TRY < budget.STATEMENT
        assert budget.STATEMENT + budget.CONNECT <= budget.REQUEST
        assert budget.REQUEST < 10

    def test_of_a_statement_that_hangs_is_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        change_scope(monkeypatch, "'5s'", "'50ms'")
        with pytest.raises(DatabaseUnavailable) as error:
            Database().write(MINUTE)
        assert "Nothing was written" in error.value.detail

    def test_of_a_request_is_up_where_the_server_hangs(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = process()
        monkeypatch.setattr(budget, "REQUEST", 0.2)
        with pytest.raises(DatabaseUnavailable) as error:
            Database().write(MINUTE)
        assert "not known" in error.value.detail
        monkeypatch.undo()
        assert process() != before

    def test_of_a_first_try_is_up_sooner(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(budget, "FIRST_TRY", 0.1)
        sleep = statement(f"select case when pg_backend_pid() = {process()} then pg_sleep(60) end")
        assert len(Database().read(sleep)) == 1

    @pytest.mark.parametrize("operation", WRITES_TO_ONE_TASK, ids=str)
    def test_of_a_lock_is_up(
        self, alice: User, operation: Operation, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        created = alice.create().json()
        change_scope(monkeypatch, "'2s'", "'50ms'")
        with admin() as other, other.transaction(force_rollback=True):
            other.execute("select from tasks where id = %s for update", [created["id"]])
            assert "Nothing was written" in unavailable(operation.ask(alice, created["id"]))
            assert task(GET.ask(alice, created["id"])) == created
        assert operation.ask(alice, created["id"]).status_code == operation.success

    def test_of_a_lock_is_told_from_other_faults(self, monkeypatch: pytest.MonkeyPatch) -> None:
        change_scope(monkeypatch, "'2s'", "'50ms'")
        with admin() as other, other.transaction():
            other.execute("select pg_advisory_xact_lock(42)")
            with pytest.raises(Locked):
                Database().write(statement("select pg_advisory_xact_lock(42)"))


class TestDatabaseThatCannotServe:
    @pytest.fixture
    def name(self) -> Iterator[str]:
        """A database of one's own, where something can go wrong."""
        with fresh_database() as name:
            yield name

    def alter(self, name: str, change: str) -> None:
        with admin() as connection:
            statement = sql.SQL("alter database {} ").format(sql.Identifier(name))
            connection.execute(statement + sql.SQL(change))

    @each_operation
    def test_for_want_of_a_schema_is_a_503(self, alice: User, operation: Operation) -> None:
        with fresh_database("template1") as name, another_database(database_url(name, "api")):
            assert "Nothing was written" in unavailable(operation.ask(alice))

    @each_operation
    def test_for_want_of_the_role_is_a_503(
        self, alice: User, name: str, operation: Operation
    ) -> None:
        login = f"stranger_{uuid4().hex}"
        with admin() as connection:
            connection.execute(sql.SQL("create role {} login").format(sql.Identifier(login)))
            with another_database(database_url(name, login)):
                unavailable(operation.ask(alice))
            connection.execute(sql.SQL("drop role {}").format(sql.Identifier(login)))

    @pytest.mark.parametrize("login", ["nobody", "api"])
    def test_for_want_of_a_login_or_a_database_is_a_503(self, alice: User, login: str) -> None:
        with another_database(database_url("nothing", login)):
            unavailable(LIST.ask(alice))

    def test_because_it_is_full_is_a_503(self, alice: User, name: str) -> None:
        self.alter(name, "connection limit 0")
        with another_database(database_url(name, "api")):
            unavailable(LIST.ask(alice))
        self.alter(name, "connection limit -1")
        with another_database(database_url(name, "api")):
            assert tasks(LIST.ask(alice)) == []

    def test_because_it_is_read_only_still_reads(self, alice: User, name: str) -> None:
        with another_database(database_url(name, "api")):
            created = task(CREATE.ask(alice), 201)
        self.alter(name, "set default_transaction_read_only = on")
        with another_database(database_url(name, "api")):
            assert tasks(LIST.ask(alice)) == [created]
            assert task(GET.ask(alice, created["id"])) == created
            for operation in (CREATE, *WRITES_TO_ONE_TASK):
                assert "Nothing was written" in unavailable(operation.ask(alice, created["id"]))
            assert tasks(LIST.ask(alice)) == [created]


class TestLinkedUsers:
    @pytest.fixture
    def linked(self, alice: User) -> Iterator[None]:
        """A database whose user table has Alice alone."""
        with fresh_database() as name:
            with admin(name, "owner") as connection:
                connection.execute('create table "user" (id text primary key)')
                connection.execute('insert into "user" values (%s)', [alice.subject])
            alembic(database_url(name, "owner"), "upgrade", "head", section="link_users")
            with another_database(database_url(name, "api")):
                yield

    @pytest.mark.usefixtures("linked")
    @pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "first"}], ids=str)
    def test_are_the_only_ones_who_create_tasks(
        self, alice: User, bob: User, headers: dict[str, str]
    ) -> None:
        created = task(CREATE.ask(alice), 201)
        details = problem(CREATE.ask(bob, headers=headers), 403)
        assert details["type"] == "/problems/unknown-user"
        assert tasks(LIST.ask(alice)) == [created]
        assert tasks(LIST.ask(bob)) == []

    @pytest.mark.usefixtures("linked")
    def test_take_their_tasks_with_them(self, alice: User) -> None:
        task_id = task(CREATE.ask(alice), 201)["id"]
        with admin() as connection:
            connection.execute('delete from "user"')
        problem(GET.ask(alice, task_id), 404)
        problem(CREATE.ask(alice), 403)


class TestDefect:
    @pytest.mark.parametrize("error", [RuntimeError, AssertionError, KeyError, MemoryError])
    def test_is_a_500_that_says_nothing_of_the_inside(
        self, alice: User, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
    ) -> None:
        def defect(*_: object) -> None:
            raise error(MARKER)

        monkeypatch.setattr(TaskRepository, "get", defect)
        details = problem(GET.ask(alice), 500)
        assert error.__name__ not in str(details)
        assert ".py" not in str(details)

    def test_in_a_statement_is_a_500(self, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(
            "shared.database.statements.read_task",
            lambda: statement(f"select {MARKER} from where"),
        )
        details = problem(GET.ask(alice), 500)
        assert "select" not in str(details)

    def test_in_a_statement_does_not_break_the_connection(self, alice: User) -> None:
        before = process()
        with pytest.raises(psycopg.errors.DivisionByZero):
            Database().write(statement("select 1 / 0"))
        assert process() == before
        no_content(alice.delete(alice.create().json()["id"]))

    def test_of_ours_is_not_taken_for_the_databases(self) -> None:
        with pytest.raises(ValueError, match="twice"):
            Database().read(statement("select 1 as twice, 2 as twice"))

    def test_of_stored_data_is_a_500(self, alice: User) -> None:
        created = alice.create().json()
        with admin() as connection:
            constraint = f"check (title <> '{MARKER}')"
            connection.execute(f"alter table tasks add constraint refuse {constraint}".encode())
            try:
                problem(UPDATE.ask(alice, created["id"], json={"title": MARKER}), 500)
            finally:
                connection.execute("alter table tasks drop constraint refuse")
        assert task(GET.ask(alice, created["id"])) == created


class TestRoundTrip:
    def test_is_one_users_alone_though_threads_share_the_connection(self) -> None:
        who = statement("select current_setting('app.user_id') as subject, pg_sleep(0.01)")
        subjects = [f"user-{number}" for number in range(8)]
        with ThreadPoolExecutor(8) as threads:
            rows = threads.map(lambda subject: Database(subject).read(who)[0], subjects)
        assert [row.subject for row in rows] == subjects

    def test_leaves_nothing_of_its_user_behind(self, alice: User) -> None:
        task(CREATE.ask(alice), 201)
        with database.pool.connection() as connection:
            left = b"select current_setting('app.user_id', true), current_user"
            pgconn = connection.opened.pgconn
            pgconn.exit_pipeline_mode()
            result = pgconn.exec_(left)
            pgconn.enter_pipeline_mode()
        assert (result.get_value(0, 0), result.get_value(0, 1)) == (b"", b"api")
