"""The network, or a server behind it, goes away in the middle: nothing is sent twice blindly."""

import os
import re
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import psycopg
import pytest

from functions.health import PROBE
from local.issuer import Issuer
from local.network import Proxy, black_hole, closed_port, proxy
from shared.database import statements
from tests.functions.support import CREATE, DELETE, GET, LIST, TOGGLE, UPDATE, Operation, tasks
from tests.reliability.concurrency import until
from tests.reliability.conftest import Note
from tests.reliability.postgres import Postgres
from tests.reliability.support import (
    CREATE_ONCE,
    EVERY,
    FLIP,
    HEALTH,
    NOT_KNOWN,
    NOTHING_WRITTEN,
    READS,
    WRITES,
    WRITES_ONCE,
    Company,
    company,
    longest,
    refused,
    some,
    unavailable,
    users,
    well,
)

# The names of what is prepared, which pass with each use, the first included.
STATEMENTS = {
    LIST.name: statements.read_page("created_at", True, None, False).name,
    GET.name: statements.read_task().name,
    HEALTH.name: PROBE.name,
    CREATE.name: statements.insert_task().name,
    CREATE_ONCE.name: statements.insert_task_once().name,
    UPDATE.name: statements.update_task(frozenset(UPDATE.body or {})).name,
    TOGGLE.name: statements.toggle_task().name,
    FLIP.name: statements.toggle_task().name,
    DELETE.name: statements.delete_task().name,
}
ROWS = "SELECT id, version FROM tasks"
LOCK_WAITERS = """
    SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND usename = 'api' AND wait_event_type = 'Lock'
"""
BACKENDS = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND usename = 'api'"

each_operation = pytest.mark.parametrize("operation", EVERY, ids=str)


@pytest.fixture(scope="module")
def database(postgres: Postgres) -> Iterator[str]:
    """One database for all breaks."""
    with postgres.database() as name:
        yield name


@pytest.fixture(scope="module")
def net(postgres: Postgres, database: str) -> Iterator[Proxy]:
    """The network between the functions and Postgres."""
    with proxy(postgres.url(database, "api")) as made:
        yield made


@pytest.fixture(scope="module")
def company_behind(net: Proxy, tokens: Issuer) -> Iterator[Company]:
    """The same environments in all tests: none is ever restarted."""
    with company(tokens, net.url) as made:
        yield made


@pytest.fixture
def staff(company_behind: Company, net: Proxy) -> Company:
    """They are well, and have tasks."""
    company_behind.prepare()
    net.sent.clear()
    return company_behind


@pytest.fixture
def table(postgres: Postgres, database: str) -> Iterator[psycopg.Connection]:
    """The superuser's view, not through the network."""
    with postgres.admin(database) as admin:
        yield admin


def rows(table: psycopg.Connection) -> dict[int, int]:
    """The version of each task."""
    return dict(table.execute(ROWS).fetchall())


def changes(before: dict[int, int], after: dict[int, int]) -> int:
    """How often the table was written to."""
    both = before.keys() & after.keys()
    moved = sum(after[task_id] - before[task_id] for task_id in both)
    return len(before.keys() ^ after.keys()) + moved


def executions(net: Proxy, name: bytes) -> int:
    """How often a prepared statement was to be executed: the Bind messages that name it."""
    return len(re.findall(rb"B.{4}\x00" + name + rb"\x00", net.sent, re.DOTALL))


class TestConnectionThatBreaksWhileItIsIdle:
    def test_is_replaced_without_an_error(self, staff: Company, net: Proxy) -> None:
        net.cut()
        well(staff.ask())


class TestResponseThatIsLost:
    """The statement was carried out, and nobody heard of it."""

    @each_operation
    def test_is_asked_for_again_only_where_that_is_safe(
        self, staff: Company, net: Proxy, table: psycopg.Connection, operation: Operation
    ) -> None:
        statement = STATEMENTS[operation.name]
        before = rows(table)
        net.lose_response(statement)
        responses = staff.ask(operation)
        times = executions(net, statement)
        if operation in WRITES_ONCE:
            unavailable(responses[operation.name], NOT_KNOWN)
            assert times == 1
        else:
            well(responses)
            assert times == 2
        assert changes(before, rows(table)) == (operation in WRITES)

    @pytest.mark.parametrize("operation", [*READS, CREATE_ONCE], ids=str)
    def test_twice_is_a_503_after_one_retry(
        self, staff: Company, net: Proxy, table: psycopg.Connection, operation: Operation
    ) -> None:
        statement = STATEMENTS[operation.name]
        before = rows(table)
        for _ in range(2):
            net.lose_response(statement)
        said = NOT_KNOWN if operation in WRITES else NOTHING_WRITTEN
        unavailable(staff.ask(operation)[operation.name], said)
        assert executions(net, statement) == 2
        assert changes(before, rows(table)) == (operation in WRITES)

    def test_is_not_denied_when_the_retry_fails_otherwise(
        self, staff: Company, net: Proxy, table: psycopg.Connection
    ) -> None:
        before = rows(table)
        net.lose_response(STATEMENTS[CREATE_ONCE.name])
        net.closed = True
        responses = staff.ask(CREATE_ONCE)
        net.closed = False
        assert changes(before, rows(table)) == 1
        unavailable(responses[CREATE_ONCE.name], NOT_KNOWN)


class TestConnectionThatIsClosedAtOnce:
    def test_is_a_503(self, staff: Company, net: Proxy, table: psycopg.Connection) -> None:
        before = rows(table)
        net.cut()
        net.curt = True
        responses = staff.ask()
        net.curt = False
        for response in responses.values():
            unavailable(response)
        refused(some(responses, *READS))
        assert rows(table) == before
        well(staff.ask())


class TestConnectionThatDiedInAFreeze:
    def test_is_given_up_in_time_and_replaced_where_that_is_safe(
        self, staff: Company, net: Proxy, table: psycopg.Connection, note: Note
    ) -> None:
        """The connection is dead after a freeze; it is replaced where that is safe."""
        before = rows(table)
        net.freeze()
        responses = staff.ask()
        well(some(responses, *READS, CREATE_ONCE))
        for response in some(responses, *WRITES_ONCE).values():
            unavailable(response, NOT_KNOWN)
        assert changes(before, rows(table)) == 1
        well(staff.ask())
        retried, given_up = some(responses, *READS, CREATE_ONCE), some(responses, *WRITES_ONCE)
        note(f"answered after {longest(retried)}, given up after {longest(given_up)}")

    def test_and_cannot_be_replaced_is_a_503_in_time(
        self, staff: Company, net: Proxy, table: psycopg.Connection, note: Note
    ) -> None:
        """The connection is dead after a freeze and cannot be replaced; the response is a 503."""
        before = rows(table)
        net.freeze()
        net.mute = True
        responses = staff.ask()
        net.mute = False
        for response in responses.values():
            unavailable(response)
        refused(some(responses, *READS))
        assert rows(table) == before
        note(f"503 after {longest(responses)}")


class TestServerThatHangs:
    def test_in_the_middle_of_everything_is_a_503_in_time_and_never_a_response_to_another(
        self, staff: Company, table: psycopg.Connection, note: Note
    ) -> None:
        """Postgres hangs during requests; no response goes to another request."""
        before = rows(table)
        backends = [process for (process,) in table.execute(BACKENDS)]
        with stopped(*backends):
            responses = staff.ask(*WRITES_ONCE)
            for response in responses.values():
                unavailable(response, NOT_KNOWN)
        assert until(lambda: changes(before, rows(table)) == len(WRITES_ONCE))
        well(staff.ask(LIST))
        note(f"503 after {longest(responses)}; each write was carried out once when it went on")

    def test_when_it_is_connected_to_is_a_503_in_time(
        self, postgres: Postgres, staff: Company, net: Proxy, note: Note
    ) -> None:
        """Postgres hangs while a connection is opened; the response is a 503."""
        with stopped(postgres.pid):
            net.cut()
            responses = staff.ask()
            refused(responses)
        note(f"503 after {longest(responses)}")


@contextmanager
def stopped(*processes: int) -> Iterator[None]:
    """Stop processes for the length of a block."""
    try:
        for process in processes:
            os.kill(process, signal.SIGSTOP)
        yield
    finally:
        for process in processes:
            os.kill(process, signal.SIGCONT)


class TestBackendThatIsTerminatedWhileItWaitsForALock:
    def test_leaves_writes_undone_and_says_that_they_may_not_be(
        self, staff: Company, table: psycopg.Connection, postgres: Postgres, database: str
    ) -> None:
        waiting = (UPDATE, TOGGLE, FLIP, DELETE)
        before = rows(table)
        with (
            postgres.admin(database) as holder,
            ThreadPoolExecutor(1) as thread,
            holder.transaction(),
        ):
            holder.execute("SELECT FROM tasks FOR UPDATE")
            responses = thread.submit(staff.ask, *waiting)
            assert until(lambda: len(table.execute(LOCK_WAITERS).fetchall()) == len(waiting))
            for (process,) in table.execute(LOCK_WAITERS).fetchall():
                table.execute("SELECT pg_terminate_backend(%s)", [process])
            for response in responses.result().values():
                unavailable(response)
        assert rows(table) == before
        well(staff.ask(*waiting))


class TestLock:
    def test_that_is_held_for_too_long_is_a_503(
        self, staff: Company, table: psycopg.Connection, postgres: Postgres, database: str
    ) -> None:
        before = rows(table)
        with postgres.admin(database) as holder, holder.transaction():
            holder.execute("SELECT FROM tasks FOR UPDATE")
            refused(staff.ask(UPDATE, TOGGLE, FLIP, DELETE))
            well(staff.ask(*READS, CREATE, CREATE_ONCE))
        assert changes(before, rows(table)) == 2


class TestAddressesThatDoNotAnswer:
    def test_are_a_503_in_time_however_many_they_are(self, tokens: Issuer, note: Note) -> None:
        """No address of the host responds; the response is a 503."""
        with ExitStack() as held:
            holes = [f"127.0.0.{n}" for n in range(1, 7)]
            addresses = [f"{host}:{held.enter_context(black_hole(host))}" for host in holes]
            url = f"postgresql://api@{','.join(addresses)}/tasks"
            with company(tokens, url) as staff:
                responses = staff.ask_of_nothing()
                refused(responses)
        note(f"{len(holes)} addresses: 503 after {longest(responses)}")

    def test_where_nobody_listens_are_a_503(self, tokens: Issuer) -> None:
        with company(tokens, f"postgresql://api@127.0.0.1:{closed_port()}/tasks") as staff:
            refused(staff.ask_of_nothing())

    def test_are_passed_over_for_one_that_does(
        self, tokens: Issuer, postgres: Postgres, database: str
    ) -> None:
        with black_hole("127.0.0.2") as port:
            url = postgres.url(database, "api").replace("@", f"@127.0.0.2:{port},")
            with users(tokens, 1, url) as [user]:
                assert until(lambda: user.list().status_code == 200)
                assert tasks(user.list()) == []
