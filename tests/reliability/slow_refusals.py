"""The database is there, but does not serve: in each of the ways that happens to real ones."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_urlsafe

import psycopg
import pytest

from local.issuer import Issuer
from tests.functions.support import CREATE, LIST, Operation, problem
from tests.reliability.conftest import Note
from tests.reliability.postgres import Postgres
from tests.reliability.support import (
    CREATE_ONCE,
    EVERY,
    HEALTH,
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
    well,
)

ROWS = "SELECT * FROM tasks ORDER BY id"

# What is done to the database, and how it is undone, by a superuser connected to another one.
FAULTS: dict[str, tuple[str, str]] = {
    "the login is refused": ("ALTER ROLE api NOLOGIN", "ALTER ROLE api LOGIN"),
    "the login's connections are used up": (
        "ALTER ROLE api CONNECTION LIMIT 0",
        "ALTER ROLE api CONNECTION LIMIT -1",
    ),
    "the role is not granted": (
        "REVOKE tasks_user FROM api GRANTED BY owner",
        "GRANT tasks_user TO api GRANTED BY owner",
    ),
    "the role does not exist": (
        "ALTER ROLE tasks_user RENAME TO gone",
        "ALTER ROLE gone RENAME TO tasks_user",
    ),
    "the database is gone": (
        "ALTER DATABASE {database} RENAME TO gone",
        "ALTER DATABASE gone RENAME TO {database}",
    ),
    "the database accepts no connections": (
        "ALTER DATABASE {database} ALLOW_CONNECTIONS false",
        "ALTER DATABASE {database} ALLOW_CONNECTIONS true",
    ),
}
# The same, by a superuser connected to it.
INNER_FAULTS: dict[str, tuple[str, str]] = {
    "the schema is missing": (
        "ALTER SCHEMA public RENAME TO gone",
        "ALTER SCHEMA gone RENAME TO public",
    ),
    "the table is missing": (
        "ALTER TABLE tasks RENAME TO gone",
        "ALTER TABLE gone RENAME TO tasks",
    ),
    "a column is missing": (
        "ALTER TABLE tasks RENAME title TO gone",
        "ALTER TABLE tasks RENAME gone TO title",
    ),
}
# A migration that forgot a grant is a defect, not an outage.
NOT_GRANTED = (
    "ALTER TABLE tasks RENAME TO tasks_; CREATE TABLE tasks AS TABLE tasks_",
    "DROP TABLE tasks; ALTER TABLE tasks_ RENAME TO tasks",
)
FAIL = """
    CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        {what};
        RETURN coalesce(new, old);
    END
    $$;
    CREATE {kind} fail {when} INSERT OR UPDATE OR DELETE ON tasks {deferred}
    FOR EACH ROW EXECUTE FUNCTION fail()
"""
SLOW = {"what": "PERFORM pg_sleep(20)", "kind": "TRIGGER", "when": "BEFORE", "deferred": ""}
AT_COMMIT = {
    "what": "RAISE EXCEPTION 'no room' USING errcode = 'disk_full'",
    "kind": "CONSTRAINT TRIGGER",
    "when": "AFTER",
    "deferred": "DEFERRABLE INITIALLY DEFERRED",
}
FORGET = "DROP FUNCTION fail CASCADE"


@pytest.fixture(scope="module")
def database(postgres: Postgres) -> Iterator[str]:
    """One database for all faults."""
    with postgres.database() as name:
        yield name


@pytest.fixture(scope="module")
def company_there(postgres: Postgres, database: str, tokens: Issuer) -> Iterator[Company]:
    """The same environments in all tests: none is ever restarted."""
    with company(tokens, postgres.url(database, "api")) as made:
        yield made


@pytest.fixture
def staff(company_there: Company) -> Company:
    """They are well, and have tasks."""
    company_there.prepare()
    return company_there


def rows(postgres: Postgres, database: str) -> list[tuple[object, ...]]:
    """All of the table."""
    with postgres.admin(database) as admin:
        return admin.execute(ROWS).fetchall()


@contextmanager
def broken(admin: psycopg.Connection, do: str, undo: str, **names: str) -> Iterator[None]:
    """Keep something broken for the length of a block."""
    admin.execute(do.format(**names))
    try:
        yield
    finally:
        admin.execute(undo.format(**names))


def disconnect(postgres: Postgres, database: str) -> None:
    """Let everybody connect anew."""
    with postgres.admin(database) as admin:
        postgres.terminate(admin)


class TestEveryOperation:
    @pytest.mark.parametrize("fault", FAULTS)
    def test_answers_503_and_recovers_when(
        self, postgres: Postgres, database: str, staff: Company, fault: str
    ) -> None:
        before = rows(postgres, database)
        disconnect(postgres, database)
        with (
            postgres.admin() as admin,
            broken(admin, *FAULTS[fault], database=database),
        ):
            refused(staff.ask())
        assert rows(postgres, database) == before
        staff.prepare()
        well(staff.ask())

    @pytest.mark.parametrize("fault", INNER_FAULTS)
    def test_answers_503_and_recovers_without_a_new_connection_when(
        self, postgres: Postgres, database: str, staff: Company, fault: str
    ) -> None:
        before = rows(postgres, database)
        with postgres.admin(database) as admin, broken(admin, *INNER_FAULTS[fault]):
            refused(staff.ask())
        assert rows(postgres, database) == before
        well(staff.ask())

    def test_meets_a_defect_where_the_table_is_not_granted(
        self, postgres: Postgres, database: str, staff: Company
    ) -> None:
        before = rows(postgres, database)
        with postgres.admin(database) as admin, broken(admin, *NOT_GRANTED):
            responses = staff.ask()
        for response in responses.values():
            problem(response, 500)
        assert rows(postgres, database) == before
        well(staff.ask())

    def test_answers_503_and_recovers_when_the_password_is_wrong(
        self, postgres: Postgres, database: str, staff: Company
    ) -> None:
        passwords = (token_urlsafe(24), postgres.passwords["api"])
        before = rows(postgres, database)
        disconnect(postgres, database)
        with (
            postgres.admin() as admin,
            broken(admin, *(f"ALTER ROLE api PASSWORD '{each}'" for each in passwords)),
        ):
            refused(staff.ask())
        assert rows(postgres, database) == before
        staff.prepare()
        well(staff.ask())


class TestReads:
    @pytest.mark.parametrize("when", ["from now on", "for new connections"])
    def test_are_served_by_a_read_only_database(
        self, postgres: Postgres, database: str, staff: Company, when: str
    ) -> None:
        before = rows(postgres, database)
        with postgres.admin() as admin, read_only(postgres, admin, database, when):
            responses = staff.ask()
        well(some(responses, *READS))
        refused(some(responses, *WRITES))
        assert rows(postgres, database) == before
        staff.prepare()
        well(staff.ask())


@contextmanager
def read_only(
    postgres: Postgres, admin: psycopg.Connection, database: str, when: str
) -> Iterator[None]:
    """Refuse writes: by the server's configuration, as Neon does, or by the database's."""
    setting = "default_transaction_read_only"
    if when == "from now on":
        admin.execute(f"ALTER SYSTEM SET {setting} = on")
        admin.execute("SELECT pg_reload_conf()")
    else:
        admin.execute(f"ALTER DATABASE {database} SET {setting} = on")
        disconnect(postgres, database)
    admin.execute(f"SET {setting} = off")
    try:
        yield
    finally:
        admin.execute(f"ALTER SYSTEM RESET {setting}")
        admin.execute("SELECT pg_reload_conf()")
        admin.execute(f"ALTER DATABASE {database} RESET {setting}")
        disconnect_others(admin, database)


def disconnect_others(admin: psycopg.Connection, database: str) -> None:
    admin.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s",
        [database],
    )


class TestWrites:
    def test_answer_503_when_the_statement_takes_too_long(
        self, postgres: Postgres, database: str, staff: Company, note: Note
    ) -> None:
        """A write takes too long; the response is a 503."""
        before = rows(postgres, database)
        with postgres.admin(database) as admin, broken(admin, FAIL, FORGET, **SLOW):
            responses = staff.ask()
        well(some(responses, *READS))
        for response in some(responses, *WRITES_ONCE).values():
            unavailable(response, NOTHING_WRITTEN)
        again = responses[CREATE_ONCE.name]  # the retry may wait for the first try, and be told so
        assert again.status_code in {409, 503}
        assert rows(postgres, database) == before
        well(staff.ask())
        note(f"503 after {longest(some(responses, *WRITES))}")

    def test_answer_503_when_the_commit_fails(
        self, postgres: Postgres, database: str, staff: Company
    ) -> None:
        before = rows(postgres, database)
        with postgres.admin(database) as admin, broken(admin, FAIL, FORGET, **AT_COMMIT):
            responses = staff.ask()
        well(some(responses, *READS))
        for response in some(responses, *WRITES).values():
            unavailable(response)
        assert rows(postgres, database) == before
        well(staff.ask())

    @pytest.mark.parametrize("relation", ["tasks", "idempotency_keys"])
    def test_answer_503_when_the_disk_is_full(
        self, postgres: Postgres, tokens: Issuer, relation: str
    ) -> None:
        served: tuple[Operation, ...] = (LIST, HEALTH)
        hit = (CREATE_ONCE,) if relation == "idempotency_keys" else (CREATE, CREATE_ONCE)
        with (
            postgres.database() as empty,
            company(tokens, postgres.url(empty, "api")) as staff,
        ):
            with full(postgres, empty, relation):
                responses = staff.ask_of_nothing(*served, *hit)
            well(some(responses, *served))
            refused(some(responses, *hit))
            assert rows(postgres, empty) == []
            staff.prepare()
            well(staff.ask(*EVERY))


@contextmanager
def full(postgres: Postgres, database: str, relation: str) -> Iterator[None]:
    """Let an empty relation find no room: its file is the device on which there never is any."""
    with postgres.admin(database) as admin:
        [(name,)] = admin.execute("SELECT pg_relation_filepath(%s)", [relation]).fetchall()
        admin.execute("CHECKPOINT")
    file = postgres.data / str(name)
    aside = file.with_suffix(".aside")
    file.rename(aside)
    file.symlink_to(Path("/dev/full"))
    try:
        yield
    finally:
        file.unlink()
        aside.rename(file)
        disconnect(postgres, database)  # or they would keep the device open
