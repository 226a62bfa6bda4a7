"""A statement is prepared once and sent in one round trip, whatever the server thinks of that."""

import re
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.pq.abc import PGconn

from functions.health import PROBE
from local.network import Proxy, proxy
from shared.database import statements
from shared.database.connection import pool
from shared.database.database import Database
from shared.database.scope import ROLE, SCOPE
from shared.database.sql import Statement
from shared.http.problems import DatabaseUnavailable
from shared.settings import settings
from tests.conftest import User, database_url, fresh_database
from tests.functions.support import (
    CREATE,
    GET,
    LIST,
    OPERATIONS,
    TOGGLE,
    Operation,
    admin,
    another_database,
    forget_database,
    problem,
    task,
    tasks,
)
from tests.shared.database.statements import statements as every_clause
from tests.shared.database.support import odd_server, statement

MESSAGE = struct.Struct("!cI")
SYNC = ("S", "")
KEPT_BY_PGBOUNCER = 200  # its max_prepared_statements, by default


def messages(sent: bytes) -> list[tuple[str, str]]:
    """What a client said: each message's kind, and the name of the statement it is about."""
    found = []
    while sent:
        kind, length = MESSAGE.unpack_from(sent)
        body, sent = sent[MESSAGE.size : length + 1], sent[length + 1 :]
        names = body.split(b"\0", 2)
        name = {b"P": names[0], b"B": names[1 % len(names)]}.get(kind, b"")
        found.append((kind.decode(), name.decode()))
    return found


@pytest.fixture
def net() -> Iterator[Proxy]:
    """The network between the functions and Postgres, over a connection that is new."""
    with proxy(str(settings().database_url)) as made, another_database(made.url):
        yield made


@contextmanager
def by_hand() -> Iterator[PGconn]:
    """The connection of the functions, outside of any scope."""
    with pool.connection() as connection:
        pgconn = connection.opened.pgconn
        pgconn.exit_pipeline_mode()
        yield pgconn
        pgconn.enter_pipeline_mode()


def run(command: str) -> None:
    """Run a command on the connection of the functions, as a pooler or an operator would."""
    with by_hand() as pgconn:
        result = pgconn.exec_(command.encode())
        assert result.status != psycopg.pq.ExecStatus.FATAL_ERROR, result.get_error_message()


def said(net: Proxy) -> list[tuple[str, str]]:
    """What was said since the last look."""
    heard = messages(bytes(net.sent))
    net.sent.clear()
    return heard


class TestPreparedStatement:
    def test_is_prepared_with_its_first_use_in_the_same_round_trip(
        self, alice: User, net: Proxy
    ) -> None:
        alice.list()
        net.sent.clear()
        before = net.round_trips
        for _ in range(2):
            alice.get(1)
        scope, get = SCOPE.name.decode(), statements.read_task().name.decode()
        used = [("B", scope), ("D", ""), ("E", "")], [("B", get), ("D", ""), ("E", "")]
        assert said(net) == [
            *used[0], ("P", get), *used[1], SYNC,
            *used[0], *used[1], SYNC,
        ]  # fmt: skip
        assert net.round_trips - before == 2

    def test_takes_one_round_trip_on_a_new_connection_too(self, alice: User, net: Proxy) -> None:
        with pool.connection():
            before = net.round_trips
        assert tasks(alice.list()) == []
        assert net.round_trips - before == 1

    def test_is_named_by_its_text(self) -> None:
        names = {statement(f"select {number}").name for number in (1, 1, 2)}
        assert len(names) == 2
        assert all(re.fullmatch(rb"[0-9a-f]{32}", name) for name in names)

    def test_holds_no_value(self, alice: User) -> None:
        created = alice.create(title="'; drop table tasks; --").json()
        assert task(alice.get(created["id"])) == created
        [row] = Database(alice.subject).read(
            statement("select statement, name from pg_prepared_statements where name = :name"),
            {"name": statements.insert_task().name.decode()},
        )
        assert "drop table" not in row.statement

    def test_is_kept_however_many_there_are(self) -> None:
        # Not as reads, which begin again on another connection where this one takes seconds.
        for number in range(200):
            for _ in range(2):
                assert Database().write(statement(f"select {number} as number"))[0].number == number
        [(count,)] = Database().read(statement("select count(*) from pg_prepared_statements"))
        assert count >= 200

    def test_is_one_of_fewer_than_a_pooler_keeps(self) -> None:
        names = {each.name for each in every_statement()}
        assert len(names) == len(every_statement()) < KEPT_BY_PGBOUNCER

    def test_that_fails_is_prepared_all_the_same_and_works_the_next_time(self) -> None:
        divide = statement("select 1 / cast(:number as integer) as result")
        with pytest.raises(psycopg.errors.DivisionByZero):
            Database().read(divide, {"number": 0})
        assert Database().read(divide, {"number": 1})[0].result == 1

    def test_that_is_wrong_is_not_taken_for_prepared(self) -> None:
        wrong = statement("select nothing from nowhere")
        for _ in range(2):
            with pytest.raises(DatabaseUnavailable):
                Database().read(wrong)


def taken_names() -> None:
    """Another client of the pooler has prepared all of it on this server."""
    forget_database()
    for each in every_statement():
        run(f'prepare "{each.name.decode()}" as {each.sql.decode()}')


def every_statement() -> list[Statement]:
    """All variants of all statements that the functions send."""
    return [SCOPE, PROBE, *map(Statement, every_clause().values())]


def lost_names() -> None:
    """The server has forgotten all of it: restarted behind a pooler, or told to."""
    run("discard all")


REFUSALS = {"taken": taken_names, "forgotten": lost_names}


class TestServerThatRefuses:
    @pytest.mark.parametrize("refusal", REFUSALS)
    @pytest.mark.parametrize("operation", OPERATIONS, ids=str)
    def test_is_asked_again_without_and_nothing_happens_twice(
        self, alice: User, net: Proxy, refusal: str, operation: Operation
    ) -> None:
        created = alice.create().json()
        operation.ask(alice, alice.create().json()["id"])  # prepares it
        before = len(tasks(alice.list()))
        REFUSALS[refusal]()
        net.sent.clear()
        assert operation.ask(alice, created["id"]).status_code == operation.success
        first, again = (list(part) for part in split(said(net)))
        assert {name for kind, name in first if kind == "B"} != {""}
        assert {name for kind, name in again if kind == "B"} == {""}
        grown = {"create": 1, "delete": -1}.get(operation.name, 0)
        assert len(tasks(alice.list())) == before + grown

    def test_is_remembered(self, alice: User, net: Proxy) -> None:
        alice.list()
        lost_names()
        alice.list()
        net.sent.clear()
        task(alice.create(), 201)
        [only] = split(said(net))
        assert {name for kind, name in only if kind in "PB"} == {""}

    def test_is_not_remembered_by_the_next_connection(self, alice: User, net: Proxy) -> None:
        alice.list()
        lost_names()
        alice.list()
        forget_database()
        alice.list()
        net.sent.clear()
        alice.list()
        assert "P" not in {kind for kind, _ in said(net)}

    @pytest.mark.parametrize("operation", [GET, LIST, TOGGLE], ids=str)
    def test_is_one_whose_tables_were_changed_between_two_uses(
        self, alice: User, operation: Operation
    ) -> None:
        with fresh_database() as name, another_database(database_url(name, "api")):
            created = task(CREATE.ask(alice), 201)["id"]
            operation.ask(alice, created)
            with admin(name) as connection:
                connection.execute("alter table tasks alter version type bigint")
            assert operation.ask(alice, created).status_code == operation.success
            with admin(name) as connection:
                connection.execute("alter table tasks add column more text")
            assert operation.ask(alice, created).status_code == operation.success

    def test_for_another_reason_is_not_asked_for_ever(self) -> None:
        unsupported = statement("select count(*) from pg_class for update")
        for _ in range(2):
            with pytest.raises(psycopg.errors.FeatureNotSupported):
                Database().read(unsupported)


def split(said: list[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    """Transactions: each ends with its Sync."""
    found: list[list[tuple[str, str]]] = [[]]
    for message in said:
        if message == SYNC:
            found.append([])
        else:
            found[-1].append(message)
    assert not found.pop()
    return found


class TestRole:
    def test_may_be_dropped_and_made_again_between_two_uses(self, alice: User) -> None:
        login, name_of_role = f"login_{uuid4().hex}", sql.Identifier(ROLE)
        with fresh_database() as name, admin(name) as connection:
            connection.execute(sql.SQL("create role {} login").format(sql.Identifier(login)))
            grant = sql.SQL("grant {} to {}").format(name_of_role, sql.Identifier(login))
            connection.execute(grant)
            try:
                with another_database(database_url(name, login)):
                    created = task(CREATE.ask(alice), 201)
                    connection.execute(
                        sql.SQL("revoke {} from {}").format(name_of_role, sql.Identifier(login))
                    )
                    assert GET.ask(alice, created["id"]).status_code == 503
                    connection.execute(grant)
                    assert task(GET.ask(alice, created["id"])) == created
            finally:
                connection.execute(sql.SQL("drop role {}").format(sql.Identifier(login)))

    @pytest.mark.parametrize("privilege", ["select on tasks", "update (title) on tasks"])
    def test_without_a_privilege_on_a_table_is_a_defect(self, alice: User, privilege: str) -> None:
        with fresh_database() as name, another_database(database_url(name, "api")):
            created = task(CREATE.ask(alice), 201)["id"]
            with admin(name) as connection:
                connection.execute(f"revoke {privilege} from {ROLE}")
            problem(alice.update(created, {"title": "changed"}), 500)


class TestTemporaryTable:
    def test_of_the_login_hides_no_table_of_ours(self, alice: User) -> None:
        created = task(alice.create(), 201)
        with fresh_database() as name, admin(name) as connection:
            connection.execute(f"grant temporary on database {name} to api")
            with another_database(database_url(name, "api")):
                created = task(alice.create(), 201)
                run("create temporary table tasks (like public.tasks)")
                run(f"grant all on tasks to {ROLE}")
                assert tasks(alice.list()) == [created]
                for count in ("count(*) from tasks", f"count_tasks('{alice.subject}', 9)"):
                    [(found,)] = Database(alice.subject).read(statement(f"select {count}"))
                    assert found == 1


class TestNetwork:
    def test_that_takes_a_long_statement_in_pieces_is_waited_for(self, net: Proxy) -> None:
        length = statement("select length(cast(:text as text)) as length")
        assert Database().read(length, {"text": "x" * 20_000_000})[0].length == 20_000_000

    @pytest.mark.parametrize("breaks", [Proxy.lose_response, Proxy.break_behind])
    def test_that_breaks_under_the_first_use_of_a_read_is_no_matter(
        self, alice: User, net: Proxy, breaks: Callable[[Proxy, bytes], None]
    ) -> None:
        created = task(alice.create(), 201)
        forget_database()
        breaks(net, statements.read_task().sql)
        assert task(alice.get(created["id"])) == created
        assert not net.lost

    def test_that_loses_the_response_to_the_first_use_of_a_write_says_so(
        self, alice: User, net: Proxy
    ) -> None:
        net.lose_response(statements.insert_task().sql)
        assert "not known" in problem(alice.create(), 503)["detail"]
        assert len(tasks(alice.list())) == 1

    def test_that_breaks_between_the_parse_of_a_write_and_its_use_writes_nothing(
        self, alice: User, net: Proxy
    ) -> None:
        net.break_behind(statements.insert_task().sql)
        assert "not known" in problem(alice.create(), 503)["detail"]
        assert tasks(alice.list()) == []

    def test_whose_server_talks_nonsense_is_a_broken_one(self, alice: User) -> None:
        with odd_server(talk_nonsense) as url, another_database(url):
            assert "not known" in problem(CREATE.ask(alice), 503)["detail"]


def talk_nonsense(client: socket.socket) -> None:
    """Answer with what is no message."""
    client.recv(65536)
    client.sendall(b"\xff\0\1\0\0")
    client.recv(65536)


class TestServerError:
    def test_with_an_unknown_sqlstate_is_a_defect(self) -> None:
        with pytest.raises(psycopg.Error) as error:
            Database().read(statement("do $$ begin raise using errcode = 'ZZ999'; end $$"))
        assert error.value.sqlstate == "ZZ999"


REFUSE_AT_COMMIT = """
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'no room' USING errcode = 'disk_full';
    END
    $$;
    CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON tasks DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION refuse()
"""


def test_a_commit_that_fails_is_not_acknowledged(alice: User) -> None:
    with fresh_database() as name, another_database(database_url(name, "api")):
        with psycopg.connect(database_url(name, "owner"), autocommit=True) as owner:
            owner.execute(REFUSE_AT_COMMIT)
        problem(alice.create(), 503)
        assert tasks(alice.list()) == []
