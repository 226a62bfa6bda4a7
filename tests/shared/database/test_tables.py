"""What every table and every statement needs; a new one is found in the code and the database."""

import inspect
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import ClauseElement, Delete, Insert, Select, Table, Update, bindparam, select, true
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import BooleanClauseList
from sqlalchemy.sql.selectable import AliasedReturnsRows, Join
from sqlmodel import SQLModel

from shared.database.scope import ROLE
from shared.database.sql import Statement
from shared.database.statements import insert_task_once
from tests.conftest import User, database_url, fresh_database
from tests.functions.support import (
    CREATE,
    admin,
    another_database,
    problem,
)
from tests.shared.database.statements import statements
from tests.shared.database.support import KeepsUsersApart

OWN_ROWS = "(user_id = NULLIF(current_setting('app.user_id'::text, true), ''::text))"
POLICY = "user_id = nullif(current_setting('app.user_id', true), '')"


TABLES = sorted(SQLModel.metadata.tables)
TOUCHED = {
    part.name
    for part in visitors.iterate(inspect.unwrap(insert_task_once)())
    if isinstance(part, Table)
}
"""The tables of a create that has a key."""

each_table = pytest.mark.parametrize("name", TABLES)


def rows(query: str, *parameters: object) -> list[tuple[Any, ...]]:
    with admin() as connection:
        return connection.execute(query.encode(), parameters).fetchall()


class TestTable:
    def test_has_a_model_and_a_migration(self) -> None:
        found = rows(
            "select relname from pg_class where relnamespace = 'public'::regnamespace"
            " and relkind in ('r', 'p') and not relispartition"
            " and not starts_with(relname, 'alembic_version')"
        )
        names = sorted(name for (name,) in found)
        assert names == TABLES, "a table needs a model in shared/ and a migration"

    @each_table
    def test_is_behind_row_level_security(self, name: str) -> None:
        [security] = rows(
            "select relrowsecurity, relforcerowsecurity from pg_class where oid = %s::regclass",
            f"public.{name}",
        )
        assert security == (True, True), (
            f"say in the table's migration: ALTER TABLE {name} ENABLE ROW LEVEL SECURITY;"
            f" ALTER TABLE {name} FORCE ROW LEVEL SECURITY;"
        )

    @each_table
    def test_shows_the_role_its_users_rows_alone(self, name: str) -> None:
        policies = rows(
            "select permissive, cmd, qual, with_check from pg_policies where tablename = %s"
            " and roles && array['public', %s]::name[]",
            name,
            ROLE,
        )
        assert policies == [("PERMISSIVE", "ALL", OWN_ROWS, OWN_ROWS)], (
            f"say in the table's migration, and nothing besides: CREATE POLICY owner_only ON {name}"
            f" USING ({POLICY}) WITH CHECK ({POLICY});"
        )

    @each_table
    def test_has_a_key_that_begins_with_the_owner(self, name: str) -> None:
        first, *_ = SQLModel.metadata.tables[name].primary_key.columns
        assert first.name == "user_id", f"let the primary key of {name} begin with user_id"

    @pytest.mark.parametrize("name", sorted(TOUCHED))
    @pytest.mark.parametrize("privilege", ["select", "insert"])
    def test_that_the_role_may_not_touch_is_a_defect_and_no_outage(
        self, alice: User, name: str, privilege: str
    ) -> None:
        with fresh_database() as database:
            with admin(database) as connection:
                revoke = f"revoke {privilege} on {name} from {ROLE}"
                connection.execute(revoke.encode())
                columns = ", ".join(SQLModel.metadata.tables[name].columns.keys())
                connection.execute(f"revoke {privilege} ({columns}) on {name} from {ROLE}".encode())
            with another_database(database_url(database, "api")):
                response = CREATE.ask(alice, headers={"Idempotency-Key": "first"})
        assert problem(response, 500)["type"] == "/problems/internal-error"


each_statement = pytest.mark.parametrize("name", statements())


def tables_in(source: Any) -> Iterator[tuple[Any, str]]:
    """The tables that stand in a FROM, also under another name."""
    match source:
        case Join():
            yield from tables_in(source.left)
            yield from tables_in(source.right)
        case Table():
            yield source, source.name
        case AliasedReturnsRows(element=Table() as table):
            yield source, table.name


def conditions(clause: Any) -> list[Any]:
    """The parts of a WHERE all of which must hold."""
    if isinstance(clause, BooleanClauseList) and clause.operator.__name__ == "and_":
        return list(clause.clauses)
    return [clause]


def without_owner_filter(statement: ClauseElement) -> list[str]:
    """The tables that a statement touches without the owner filter."""
    missing = []
    for part in visitors.iterate(statement):
        match part:
            case Select():
                sources = [each for source in part.get_final_froms() for each in tables_in(source)]
            case Update() | Delete():
                sources = list(tables_in(part.table))
            case Insert():
                sent = {bound.key for bound in visitors.iterate(part) if hasattr(bound, "key")}
                missing += [] if "owner" in sent else [part.table.name]
                continue
            case _:
                continue
        for source, name in sources:
            own = source.c.user_id == bindparam("owner")
            if not any(own.compare(each) for each in conditions(part.whereclause)):
                missing.append(name)
    return missing


class TestStatement:
    @each_statement
    def test_has_the_owner_filter_on_each_table(self, name: str) -> None:
        missing = without_owner_filter(statements()[name])
        assert not missing, f"{name}: add .where(owned({missing[0]})), or the owner to the insert"

    @each_table
    def test_without_the_owner_filter_is_noticed(self, name: str) -> None:
        table = SQLModel.metadata.tables[name]
        own = table.c.user_id == bindparam("owner")
        assert without_owner_filter(select(table)) == [name]
        assert without_owner_filter(select(table).where(own | true())) == [name]
        assert without_owner_filter(table.delete().where(table.c.user_id == bindparam("id")))
        assert without_owner_filter(select(select(table).cte()))
        assert not without_owner_filter(select(table).where(own, true()))

    @each_statement
    def test_is_granted_to_the_role(self, name: str) -> None:
        explain = b"explain (generic_plan) " + Statement(statements()[name]).sql
        with admin() as connection, connection.transaction():
            connection.execute(f"set local role {ROLE}".encode())
            try:
                connection.execute(explain)
            except psycopg.errors.InsufficientPrivilege as error:
                pytest.fail(f"{name}: {error}: grant the columns in the migration, to {ROLE}")


@pytest.fixture(scope="module")
def unprotected() -> Iterator[str]:
    """The URL of a database where row-level security is off."""
    with fresh_database() as database:
        with admin(database) as connection:
            for name in TABLES:
                off = sql.SQL("alter table {} disable row level security")
                connection.execute(off.format(sql.Identifier(name)))
        yield database_url(database, "api")


class TestWithoutRowLevelSecurity(KeepsUsersApart):
    """The owner filter alone keeps users apart."""

    @pytest.fixture(autouse=True)
    def off(self, unprotected: str) -> Iterator[None]:
        """Let the functions work there."""
        with another_database(unprotected):
            yield
