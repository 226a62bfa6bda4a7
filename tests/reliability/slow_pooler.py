"""Behind PgBouncer in transaction mode: few server connections, many clients, no leak, no loss."""

import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from time import sleep
from uuid import uuid4

import psycopg
import pytest

from local.issuer import Issuer
from local.pgbouncer import PgBouncer, pgbouncer
from tests.conftest import User
from tests.functions.support import problem, task, tasks
from tests.reliability.concurrency import together, until
from tests.reliability.conftest import Note
from tests.reliability.environments import environments
from tests.reliability.ledger import Writer, check, writing
from tests.reliability.postgres import Postgres
from tests.reliability.support import (
    LONGEST,
    READS,
    client,
    company,
    longest,
    refused,
    some,
    unavailable,
    users,
    well,
)

POOL, CLIENTS = 4, 100
STRANGERS, ROUNDS = 8, 15
LEFTOVERS = "SELECT current_user, current_setting('app.user_id', true), current_setting('role')"


class TestAHundredClientsOnFourServerConnections:
    @pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "stopped"])
    def test_lose_nothing_when_the_pooler_is_restarted(
        self,
        postgres: Postgres,
        database: str,
        tokens: Issuer,
        note: Note,
        how: signal.Signals,
    ) -> None:
        """A pooler with 100 clients on 4 server connections restarts; nothing is lost."""
        with (
            pgbouncer(postgres, POOL) as pooler,
            users(tokens, CLIENTS, pooler.url(database)) as members,
        ):
            writers = together(
                lambda number: Writer(members[number], f"writer {number}"), range(CLIENTS)
            )
            with writing(writers):
                sleep(1)
                pooler.stop(how)
                sleep(0.5)
                pooler.start()
            with postgres.admin(database) as table:
                note(check(writers, table))

    def test_lose_nothing_when_postgres_crashes_behind_the_pooler(
        self, postgres: Postgres, database: str, tokens: Issuer, note: Note
    ) -> None:
        """Postgres crashes behind a pooler with 100 clients; nothing is lost."""
        with (
            pgbouncer(postgres, POOL) as pooler,
            users(tokens, CLIENTS, pooler.url(database)) as members,
        ):
            writers = together(
                lambda number: Writer(members[number], f"writer {number}"), range(CLIENTS)
            )
            with writing(writers):
                sleep(1)
                postgres.crash()
                sleep(0.5)
                postgres.start()
            with postgres.admin(database) as table:
                note(check(writers, table))


class TestAllClientsOnOneServerConnection:
    def test_never_see_or_touch_what_is_another_users(
        self, postgres: Postgres, database: str, tokens: Issuer, note: Note
    ) -> None:
        """Users who share one server connection see only their own tasks."""
        with (
            pgbouncer(postgres, size=1) as pooler,
            strangers(tokens, pooler, database) as everybody,
        ):
            own = dict(zip(everybody, together(keep_to_oneself, everybody), strict=True))
            for user, ids in own.items():
                others = set().union(*own.values()) - ids
                for task_id in list(others)[:5]:
                    problem(user.get(task_id), 404)
            with psycopg.connect(pooler.url(database), autocommit=True) as same:
                assert same.execute(LEFTOVERS).fetchone() == ("api", "", "none")
        note(f"{STRANGERS} users, {STRANGERS * ROUNDS * 5} statements in turns, no leak")


@contextmanager
def strangers(tokens: Issuer, pooler: PgBouncer, database: str) -> Iterator[Sequence[User]]:
    """Users who have nothing to do with each other."""
    with environments(STRANGERS, {"DATABASE_URL": pooler.url(database)}) as served:
        names = [f"stranger-{uuid4().hex}" for _ in served]
        yield [
            User(name, tokens.token(name), client(each))
            for name, each in zip(names, served, strict=True)
        ]


def keep_to_oneself(user: User) -> set[int]:
    """Create, change and list again and again: it is always all one's own, and nothing else."""
    ids = {item["id"] for item in tasks(user.list(limit=500))}
    for number in range(ROUNDS):
        created = task(user.create(title=f"{user.subject} {number}"), 201)
        assert created["user_id"] == user.subject
        ids.add(created["id"])
        assert task(user.toggle(created["id"]))["version"] == 2
        assert task(user.update(created["id"], {"description": "x"}))["user_id"] == user.subject
        problem(user.get(2**62), 404)
        found = tasks(user.list(limit=500))
        assert Counter(item["id"] for item in found) == Counter(ids)
        assert {item["user_id"] for item in found} == {user.subject}
    return ids


class TestExhaustedPool:
    @pytest.fixture
    def pooler(self, postgres: Postgres, request: pytest.FixtureRequest) -> Iterator[PgBouncer]:
        with pgbouncer(postgres, POOL, request.param) as made:
            yield made

    @pytest.mark.parametrize(
        "pooler", ["", "query_wait_timeout = 2"], ids=["waits", "refuses"], indirect=True
    )
    def test_answers_503_in_time_and_serves_when_there_is_room(
        self, pooler: PgBouncer, database: str, tokens: Issuer, note: Note
    ) -> None:
        """The pool is exhausted; requests get a 503 in time."""
        with company(tokens, pooler.url(database)) as staff:
            staff.prepare()
            before = len(tasks(staff.anyone.list(limit=500)))
            with occupied(pooler, database):
                responses = staff.ask()
            for response in responses.values():
                unavailable(response)
            refused(some(responses, *READS))
            assert until(lambda: staff.anyone.list().status_code == 200, LONGEST)
            assert len(tasks(staff.anyone.list(limit=500))) == before
            staff.prepare()
            well(staff.ask())
            note(f"the last 503 after {longest(responses)}")

    def test_of_connections_of_postgres_answers_503(
        self, postgres: Postgres, database: str, tokens: Issuer
    ) -> None:
        with company(tokens, postgres.url(database, "api")) as staff, postgres.admin() as admin:
            staff.prepare()
            admin.execute("ALTER ROLE api CONNECTION LIMIT 0")
            try:
                with postgres.admin(database) as there:
                    postgres.terminate(there)
                refused(staff.ask())
            finally:
                admin.execute("ALTER ROLE api CONNECTION LIMIT -1")
            staff.prepare()
            well(staff.ask())


@contextmanager
def occupied(pooler: PgBouncer, database: str) -> Iterator[None]:
    """Hold every server connection of the pool in a transaction."""
    with ExitStack() as held:
        for _ in range(POOL):
            other = held.enter_context(psycopg.connect(pooler.url(database)))
            other.execute("SELECT")
        yield
