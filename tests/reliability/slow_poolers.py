"""Prepared statements behind a pooler that follows them, one that does not, and one swapped."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.issuer import Issuer
from local.pgbouncer import PgBouncer, of_debian_13, of_the_system, pgbouncer
from tests.local.support import let_in
from tests.reliability.concurrency import together
from tests.reliability.postgres import TEMPLATE, Postgres, durable
from tests.reliability.slow_pooler import keep_to_oneself, strangers
from tests.reliability.support import company, refused, well

SERVERS = 3
KINDS = {"prepares": of_debian_13, "does not prepare": of_the_system}

each_kind = pytest.mark.parametrize("pooler", KINDS, indirect=True)
either_way = pytest.mark.parametrize("kinds", [tuple(KINDS), tuple(KINDS)[::-1]], ids=" then ".join)


@pytest.fixture
def pooler(postgres: Postgres, request: pytest.FixtureRequest) -> Iterator[PgBouncer]:
    """A pooler in transaction mode, with fewer servers than there are clients."""
    with pgbouncer(postgres, SERVERS, installed=KINDS[request.param]()) as made:
        yield made


class TestStranger:
    @each_kind
    def test_is_not_let_in(self, pooler: PgBouncer, postgres: Postgres, database: str) -> None:
        right = pooler.url(database)
        password = postgres.passwords["api"]
        wrong = [right.replace(password, each) for each in ("", "wrong")]
        others = [right.replace("//api", f"//{login}") for login in ("postgres", "owner", "other")]
        assert let_in(right, *wrong, *others) == [right]


class TestClientsOnFewServers:
    @each_kind
    def test_each_get_their_own_rows_and_nothing_else(
        self, pooler: PgBouncer, database: str, tokens: Issuer
    ) -> None:
        with strangers(tokens, pooler, database) as everybody:
            together(keep_to_oneself, everybody)

    @each_kind
    def test_are_served_after_the_servers_have_forgotten_everything(
        self, pooler: PgBouncer, postgres: Postgres, database: str, tokens: Issuer
    ) -> None:
        with strangers(tokens, pooler, database) as everybody:
            together(keep_to_oneself, everybody)
            with postgres.admin(database) as admin:
                postgres.terminate(admin)
            together(keep_to_oneself, everybody)

    @either_way
    def test_are_served_by_the_next_pooler_on_the_same_port(
        self, postgres: Postgres, database: str, tokens: Issuer, kinds: tuple[str, str]
    ) -> None:
        first, second = (KINDS[kind]() for kind in kinds)
        with (
            pgbouncer(postgres, SERVERS, installed=first) as pooler,
            strangers(tokens, pooler, database) as everybody,
        ):
            together(keep_to_oneself, everybody)
            pooler.stop()
            pooler.installed = second
            pooler.start()
            together(keep_to_oneself, everybody)

    @pytest.mark.parametrize("kind", KINDS)
    def test_are_served_where_the_pooler_resets_each_connection(
        self, postgres: Postgres, database: str, tokens: Issuer, kind: str
    ) -> None:
        always = "server_reset_query = DISCARD ALL\nserver_reset_query_always = 1"
        with (
            pgbouncer(postgres, SERVERS, always, KINDS[kind]()) as pooler,
            strangers(tokens, pooler, database) as everybody,
        ):
            together(keep_to_oneself, everybody)

    def test_are_served_where_the_pooler_keeps_fewer_statements_than_there_are(
        self, postgres: Postgres, database: str, tokens: Issuer
    ) -> None:
        few = "max_prepared_statements = 2"
        with (
            pgbouncer(postgres, SERVERS, few, of_debian_13()) as pooler,
            strangers(tokens, pooler, database) as everybody,
        ):
            together(keep_to_oneself, everybody)


class TestRole:
    def test_may_be_dropped_with_its_tables_and_made_again(
        self, tmp_path: Path, tokens: Issuer
    ) -> None:
        role = "SELECT oid FROM pg_roles WHERE rolname = 'tasks_user'"
        with durable(tmp_path) as server, server.admin() as admin:
            before = admin.execute(role).fetchone()
            with company(tokens, server.url(TEMPLATE, "api")) as staff:
                staff.prepare()
                well(staff.ask())
                server.alembic("downgrade", "base")
                assert admin.execute(role).fetchone() is None
                refused(staff.ask())
                server.alembic("upgrade", "head")
                assert admin.execute(role).fetchone() != before
                staff.prepare()
                well(staff.ask())
