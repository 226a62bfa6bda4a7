"""What an operation costs on the network: one round trip, counted by a proxy before Postgres."""

from collections.abc import Callable, Iterator
from uuid import uuid4

import psycopg
import pytest

from local.network import Proxy, proxy
from shared.database import budget
from shared.database.database import Database
from shared.settings import settings
from tests.conftest import User
from tests.functions.support import (
    CREATE,
    DELETE,
    GET,
    LIST,
    TOGGLE,
    UPDATE,
    Operation,
    another_database,
    each_operation,
    forget_database,
    problem,
    task,
)
from tests.shared.database.support import statement

SYNC = b"S\0\0\0\4"


@pytest.fixture(scope="module")
def net() -> Iterator[Proxy]:
    """The network between the functions of this process and Postgres."""
    with proxy(str(settings().database_url)) as made, another_database(made.url):
        yield made


@pytest.fixture
def count(net: Proxy) -> Callable[[], int]:
    """The round trips since the last look."""
    seen = 0

    def look() -> int:
        nonlocal seen
        made, seen = net.round_trips - seen, net.round_trips
        return made

    look()
    return look


class TestRoundTrip:
    @each_operation
    def test_is_all_that_an_operation_takes(
        self, alice: User, count: Callable[[], int], operation: Operation
    ) -> None:
        created = alice.create().json()["id"]
        count()
        assert operation.ask(alice, created).status_code == operation.success
        assert count() == 1

    def test_is_all_that_a_keyed_create_takes_and_its_replay(
        self, alice: User, count: Callable[[], int]
    ) -> None:
        alice.list()
        key = {"Idempotency-Key": uuid4().hex}
        count()
        first = task(alice.create(key), 201)
        assert count() == 1
        again = alice.create(key)
        assert count() == 1
        assert again.headers["idempotency-replayed"] == "true"
        assert again.json() == first
        problem(alice.create(key, title="another"), 422)
        assert count() == 1

    def test_is_all_that_a_page_takes_wherever_it_is(
        self, alice: User, count: Callable[[], int]
    ) -> None:
        for _ in range(2):
            alice.create()
        page = alice.list(limit=1)
        count()
        headers = {"Authorization": f"Bearer {alice.token}"}
        assert alice.api.get(page.links["next"]["url"], headers=headers).status_code == 200
        assert count() == 1

    @pytest.mark.parametrize("operation", [GET, UPDATE, DELETE, TOGGLE], ids=str)
    def test_tells_that_there_is_no_such_task(
        self, alice: User, count: Callable[[], int], operation: Operation
    ) -> None:
        alice.list()
        count()
        problem(operation.ask(alice, 2**62), 404)
        assert count() == 1

    @pytest.mark.parametrize("operation", [UPDATE, DELETE, TOGGLE], ids=str)
    def test_tells_that_the_task_has_changed(
        self, alice: User, count: Callable[[], int], operation: Operation
    ) -> None:
        created = alice.create().json()["id"]
        count()
        problem(operation.ask(alice, created, headers={"If-Match": '"2"'}), 412)
        assert count() == 1

    def test_is_all_that_health_takes(self, alice: User, count: Callable[[], int]) -> None:
        alice.list()
        count()
        assert alice.api.get("/health").status_code == 200
        assert count() == 1

    @pytest.mark.parametrize("operation", [LIST, CREATE], ids=str)
    def test_is_not_needed_more_often_before_the_first_response_than_psycopg_needs_it(
        self, alice: User, net: Proxy, count: Callable[[], int], operation: Operation
    ) -> None:
        with psycopg.connect(net.url, autocommit=True, connect_timeout=budget.ADDRESS) as raw:
            raw.execute("SELECT 1")
        needed = count()
        forget_database()
        assert operation.ask(alice).status_code == operation.success
        assert count() <= needed


class TestPipeline:
    def test_says_nothing_behind_its_sync(self, alice: User, net: Proxy) -> None:
        """A pooler would take it for the start of a transaction, and keep a server for it."""
        alice.list()
        net.sent.clear()
        for _ in range(50):
            alice.list()
        said = bytes(net.sent)
        assert said.count(SYNC) == 50
        assert said.endswith(SYNC)
        for message in said.split(SYNC)[1:-1]:
            assert message.startswith((b"P", b"B"))


class TestStatement:
    def test_has_the_timeouts_of_the_budget_from_the_server(self, net: Proxy) -> None:
        names = ("lock_timeout", "statement_timeout")
        shown = ", ".join(f"current_setting('{name}') as {name}" for name in names)
        [row] = Database().read(statement(f"SELECT {shown}"))
        assert tuple(row) == (f"{budget.LOCK}s", f"{budget.STATEMENT}s")
