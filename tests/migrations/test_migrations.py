"""The schema: made and unmade by a login that is no superuser, and never in the way of requests."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from uuid import uuid4

import psycopg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg import errors, sql
from sqlmodel import SQLModel

from local.postgres import running
from shared.database.scope import ROLE
from tests.conftest import ROOT, User, database_url, fresh_database
from tests.functions.support import (
    AlembicError,
    admin,
    alembic,
    another_database,
    problem,
    task,
)

# All that a database has beyond an empty one, as text.
SCHEMA = """
    select 'column', c.relname || '.' || a.attname, format_type(a.atttypid, a.atttypmod),
           concat(a.attnotnull, a.attidentity, pg_get_expr(d.adbin, d.adrelid), a.attacl)
    from pg_attribute a join pg_class c on c.oid = a.attrelid
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where c.relnamespace = 'public'::regnamespace and a.attnum > 0 and not a.attisdropped
    union all
    select 'relation', relname, relkind::text, concat(relrowsecurity, relforcerowsecurity, relacl)
    from pg_class where relnamespace = 'public'::regnamespace
    union all
    select 'index', indexname, indexdef, '' from pg_indexes where schemaname = 'public'
    union all
    select 'constraint', conname, pg_get_constraintdef(oid), convalidated::text
    from pg_constraint where connamespace = 'public'::regnamespace
    union all
    select 'policy', policyname, concat(roles, cmd, permissive), concat(qual, with_check)
    from pg_policies
    union all
    select 'function', proname, pg_get_functiondef(oid), proacl::text
    from pg_proc where pronamespace = 'public'::regnamespace
"""
INVALID = "select indexrelid::regclass::text from pg_index where not indisvalid"
# What the first version of each table was sent. The tables' own defaults do the rest.
OLDEST = {
    "tasks": "insert into tasks (user_id, title) values ('a', 'b')",
    "idempotency_keys": "insert into idempotency_keys (user_id, key, task_id, title, completed)"
    " values ('a', gen_random_uuid()::text, 1, 'b', false)",
}
# Notes which tables are altered, in which order.
WATCH = """
    create schema watch;
    grant usage on schema watch to public;
    create table watch.altered (name text);
    grant insert on watch.altered to public;
    create function watch.note() returns event_trigger language plpgsql as $$
    begin
        insert into watch.altered
        select relname from pg_event_trigger_ddl_commands() join pg_class on oid = objid
        where relnamespace = 'public'::regnamespace;
    end $$;
    create event trigger note on ddl_command_end when tag in ('ALTER TABLE')
    execute function watch.note();
"""
USERS = 'create table "user" (id text primary key)'
LINK = "link_users"
OWN = "{owner=rwU/owner}"  # what a sequence's owner may do, said or not


def owner_of(name: str) -> str:
    return database_url(name, "owner")


def schema(name: str) -> set[tuple[str, ...]]:
    with admin(name) as connection:
        rows = connection.execute(SCHEMA).fetchall()
    ours = (row for row in rows if "alembic_version" not in row[1])
    return {tuple(text.replace(OWN, "") for text in row) for row in ours}


def secured(name: str) -> set[str]:
    """The tables whose row-level security is enabled, and forced."""
    with admin(name) as connection:
        rows = connection.execute(
            "select relname from pg_class where relrowsecurity and relforcerowsecurity"
        ).fetchall()
    return {row[0] for row in rows}


def migrating(name: str) -> Iterator[tuple[str, set[str]]]:
    """Migrate a database one step after the other; each revision, and the tables that there are."""
    script = ScriptDirectory.from_config(Config(ROOT / "alembic.ini"))
    for revision in reversed([each.revision for each in script.walk_revisions()]):
        alembic(owner_of(name), "upgrade", revision)
        with admin(name) as connection:
            tables = connection.execute(
                "select relname from pg_class where relnamespace = 'public'::regnamespace"
            ).fetchall()
        yield revision, {table for (table,) in tables}


@contextmanager
def scoped(connection: psycopg.Connection) -> Iterator[None]:
    """Let a connection be what a statement of the API's is: of the role, for the user `a`."""
    with connection.transaction():
        connection.execute(f"set local role {ROLE}")
        connection.execute("set local app.user_id to 'a'")
        yield


@contextmanager
def login(attributes: str = "") -> Iterator[str]:
    """A login of one's own."""
    name = f"login_{uuid4().hex}"
    with admin() as connection:
        create = sql.SQL("create role {} login ").format(sql.Identifier(name))
        connection.execute(create + sql.SQL(attributes))
        yield name
        connection.execute(sql.SQL("drop role {}").format(sql.Identifier(name)))


@contextmanager
def database_of(owner: str) -> Iterator[str]:
    """An empty database that belongs to a login."""
    with fresh_database("template1") as name:
        with admin() as connection:
            change = sql.SQL("alter database {} owner to {}")
            connection.execute(change.format(sql.Identifier(name), sql.Identifier(owner)))
        yield name


@pytest.fixture
def empty() -> Iterator[str]:
    """A database without tables, of a login that is no superuser."""
    with database_of("owner") as name:
        yield name


@pytest.fixture
def migrated() -> Iterator[str]:
    """A database with the tables."""
    with fresh_database() as name:
        yield name


class TestSchema:
    def test_goes_up_and_down_and_up_again(self, empty: str) -> None:
        before = schema(empty)
        alembic(owner_of(empty), "upgrade", "head")
        made = schema(empty)
        assert {(table, "r") for table in SQLModel.metadata.tables} <= {row[1:3] for row in made}
        alembic(owner_of(empty), "downgrade", "base")
        assert schema(empty) == before
        alembic(owner_of(empty), "upgrade", "head")
        assert schema(empty) == made

    def test_goes_down_and_up_step_by_step(self, migrated: str) -> None:
        made = schema(migrated)
        steps = [made]
        while steps[-1]:
            alembic(owner_of(migrated), "downgrade", "-1")
            steps.append(schema(migrated))
        for step in steps[-2::-1]:
            alembic(owner_of(migrated), "upgrade", "+1")
            assert schema(migrated) == step

    def test_lets_the_code_go_on_that_is_deployed_meanwhile(self, empty: str) -> None:
        """Migrations come before the code that needs them, and find rows."""
        try:
            for _, tables in migrating(empty):
                with admin(empty, "owner") as connection, scoped(connection):
                    for name in tables & OLDEST.keys():
                        connection.execute(OLDEST[name].encode())
        except (errors.NotNullViolation, AlembicError) as error:
            pytest.fail(f"give a new column a server_default, or let it be null: {error}")

    @pytest.mark.parametrize(
        "change",
        [
            "drop index tasks_by_created_at",
            "alter table tasks add column colour text",
            "alter table tasks alter column description set not null",
        ],
    )
    def test_is_compared_with_the_models(self, migrated: str, change: str) -> None:
        with admin(migrated) as connection:
            connection.execute(change.encode())
        with pytest.raises(AlembicError, match="New upgrade operations detected"):
            alembic(owner_of(migrated), "check")

    def test_belongs_to_the_login_that_migrates(self, migrated: str) -> None:
        with admin(migrated) as connection:
            owners = connection.execute(
                "select distinct tableowner, rolsuper from pg_tables join pg_roles"
                " on rolname = tableowner where schemaname = 'public'"
            ).fetchall()
        assert owners == [("owner", False)]

    def test_has_row_level_security_in_every_table(self, migrated: str) -> None:
        assert secured(migrated) == set(SQLModel.metadata.tables)

    @pytest.mark.parametrize(
        ("columns", "values"),
        [
            ("user_id, title", "'', 'x'"),
            ("user_id, title", "repeat('x', 256), 'x'"),
            ("user_id, title", "'x', ''"),
            ("user_id, title", "'x', repeat('x', 256)"),
            ("user_id, title, description", "'x', 'x', repeat('x', 1001)"),
            ("user_id, title, version", "'x', 'x', 0"),
        ],
    )
    def test_refuses_what_the_contract_refuses(
        self, migrated: str, columns: str, values: str
    ) -> None:
        with admin(migrated) as connection, pytest.raises(errors.CheckViolation):
            connection.execute(f"insert into tasks ({columns}) values ({values})".encode())

    def test_takes_what_the_contract_takes(self, migrated: str) -> None:
        with admin(migrated) as connection:
            connection.execute(
                "insert into tasks (user_id, title, description)"
                " values (repeat(%(c)s, 255), repeat(%(c)s, 255), repeat(%(c)s, 1000))",
                {"c": "\U0001f642"},
            )


class TestRole:
    def test_may_do_nothing_but_what_the_operations_do(self, migrated: str) -> None:
        with admin(migrated) as connection:
            attributes = connection.execute(
                "select rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin,"
                " rolreplication, rolbypassrls from pg_roles where rolname = %s",
                [ROLE],
            ).fetchone()
            granted = connection.execute(
                "select table_name, privilege_type from information_schema.role_table_grants"
                " where grantee = %s",
                [ROLE],
            ).fetchall()
            columns = connection.execute(
                "select column_name from information_schema.column_privileges"
                " where grantee = %s and table_name = 'tasks' and privilege_type = 'UPDATE'",
                [ROLE],
            ).fetchall()
        assert attributes == (False, True, False, False, False, False, False)
        assert {privilege for _, privilege in granted} <= {"SELECT", "INSERT", "UPDATE", "DELETE"}
        assert ("tasks", "UPDATE") not in granted
        assert ("id",) not in columns
        assert ("user_id",) not in columns
        assert ("created_at",) not in columns

    def test_is_what_the_login_of_the_api_may_act_as(self, empty: str) -> None:
        with login() as api:
            url = database_url(empty, api)
            alembic(owner_of(empty), "upgrade", "head", DATABASE_URL=url)
            with psycopg.connect(url) as connection:
                connection.execute(f"set role {ROLE}")
                assert connection.execute("select * from tasks").fetchall() == []

    def test_is_shared_by_the_databases_of_a_server(self, empty: str, alice: User) -> None:
        with database_of("owner") as second:
            for name in (empty, second):
                api = database_url(name, "api")
                alembic(owner_of(name), "upgrade", "head", DATABASE_URL=api)
            alembic(owner_of(empty), "downgrade", "base")
            with another_database(database_url(second, "api")):
                task(alice.create(), 201)

    def test_is_asked_for_in_one_sentence_where_the_login_may_not_make_it(
        self, tmp_path: Path
    ) -> None:
        with running(tmp_path / "data", durable=False) as server:  # where there is no such role
            url = server.database_url("postgres")
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("create role humble login")
                connection.execute("create role api login")
                connection.execute("alter database postgres owner to humble")
                humble, api = (url.replace("postgres@", f"{name}@") for name in ("humble", "api"))
                with pytest.raises(AlembicError, match=f"may run: CREATE ROLE {ROLE}") as error:
                    alembic(humble, "upgrade", "head")
                assert isinstance(error.value.__cause__, SystemExit)
                advice = str(error.value).partition("may run: ")[2].partition("; then")[0]
                connection.execute(advice.encode())
            alembic(humble, "upgrade", "head", DATABASE_URL=api)
            with psycopg.connect(api) as connection:
                connection.execute(f"set role {ROLE}")
                assert connection.execute("select * from tasks").fetchall() == []

    def test_is_a_sentence_where_the_login_may_not_pass_it_on(self) -> None:
        with login() as owner, login() as api, admin() as connection:
            grant = sql.SQL("grant {} to {}").format(sql.Identifier(ROLE), sql.Identifier(owner))
            connection.execute(grant)
            with database_of(owner) as name:
                urls = database_url(name, owner), database_url(name, api)
                with pytest.raises(AlembicError, match=r"denied to grant role .*ADMIN") as error:
                    alembic(urls[0], "upgrade", "head", DATABASE_URL=urls[1])
                alembic(urls[0], "downgrade", "base")
        assert isinstance(error.value.__cause__, SystemExit)

    def test_may_have_been_made_for_a_login_without_createrole(self, alice: User) -> None:
        with login() as owner:
            with admin() as connection:
                grant = sql.SQL("grant {} to {}")
                connection.execute(grant.format(sql.Identifier(ROLE), sql.Identifier(owner)))
            with database_of(owner) as name:
                url = database_url(name, owner)
                alembic(url, "upgrade", "head")
                with another_database(url):
                    task(alice.create({"Idempotency-Key": "first"}), 201)
                alembic(url, "downgrade", "base")


class TestUrl:
    @pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
    def test_has_any_spelling(self, migrated: str, scheme: str) -> None:
        url = f"{scheme}://{owner_of(migrated).partition('://')[2]}"
        assert "(head)" in alembic(url, "current")

    def test_is_that_of_the_api_where_there_is_no_other(self, migrated: str) -> None:
        url = owner_of(migrated)
        assert "(head)" in alembic("", "current", DATABASE_URL=url)

    def test_is_needed(self) -> None:
        with pytest.raises(
            AlembicError, match="MIGRATION_DATABASE_URL or DATABASE_URL must be set"
        ):
            alembic("", "current")

    def test_is_named_but_not_told_where_it_is_wrong(self) -> None:
        with pytest.raises(AlembicError, match="MIGRATION_DATABASE_URL must start with") as error:
            alembic("mysql://me:secret@host/db", "current")
        assert "secret" not in str(error.value)
        assert isinstance(error.value.__cause__, SystemExit)

    @pytest.mark.parametrize(
        "url",
        [
            "postgresql://me:sec/ret@host/db",
            "postgresql://me:se cret%zz@host/db",
            "postgresql://me:sec@ret:x@host/db",
            "postgresql://me:sec@ret@host/db",
            "postgresql://me:12/ret@host/db",
            "postgresql://me:sec%00ret@host/db",
            "postgresql://me:secret@[host/db",
        ],
    )
    def test_is_not_told_where_it_is_malformed(self, url: str) -> None:
        with pytest.raises(AlembicError, match="MIGRATION_DATABASE_URL is not a valid") as error:
            alembic(url, "current")
        told = str(error.value)
        assert not {"sec", "ret", "cret", "host"} & set(re.findall(r"[a-z]+", told))

    def test_is_not_for_offline_mode(self, migrated: str) -> None:
        with pytest.raises(AlembicError, match="offline"):
            alembic(owner_of(migrated), "upgrade", "head", True)


WRITE_TASK = "insert into tasks (user_id, title) values ('a', 'b')"
WRITE_KEY = (
    "insert into idempotency_keys (user_id, key, task_id, title, completed)"
    " values ('a', 'b', 1, 'c', false)"
)


class TestLock:
    def test_is_taken_in_the_order_in_which_a_keyed_create_takes_it(self, empty: str) -> None:
        with admin(empty) as connection:
            connection.execute(WATCH)
        for revision, _ in migrating(empty):
            with admin(empty) as connection:
                query = "delete from watch.altered returning name"
                altered = [name for (name,) in connection.execute(query)]
            if "idempotency_keys" in altered:
                before = altered[: altered.index("idempotency_keys")]
                assert "tasks" not in before, f"{revision}: alter idempotency_keys before tasks"

    def test_is_not_waited_for_while_every_request_queues_behind_it(self, migrated: str) -> None:
        alembic(owner_of(migrated), "downgrade", "0004")
        made, started = schema(migrated), monotonic()
        with admin(migrated) as other, other.transaction():
            other.execute("lock table tasks in access share mode")
            with pytest.raises(AlembicError, match="lock timeout"):
                alembic(owner_of(migrated), "upgrade", "0005")
        assert monotonic() - started < 30
        assert schema(migrated) == made

    @pytest.mark.parametrize(
        ("before", "revision", "write"),
        [
            ("0003", "0004", WRITE_TASK),
            ("0005", "0006", WRITE_TASK),
            ("0007", "0008", WRITE_KEY),
        ],
    )
    def test_in_the_way_of_an_index_is_met_by_running_the_migration_again(
        self, migrated: str, before: str, revision: str, write: str
    ) -> None:
        alembic(owner_of(migrated), "downgrade", before)
        alembic(owner_of(migrated), "upgrade", revision)
        made = schema(migrated)
        alembic(owner_of(migrated), "downgrade", before)
        with admin(migrated) as other, other.transaction():
            other.execute(write.encode())
            with pytest.raises(AlembicError, match="lock timeout"):
                alembic(owner_of(migrated), "upgrade", revision)
        assert invalid_indexes(migrated)
        alembic(owner_of(migrated), "upgrade", revision)
        assert schema(migrated) == made
        assert not invalid_indexes(migrated)


def invalid_indexes(name: str) -> list[str]:
    with admin(name) as connection:
        return [row[0] for row in connection.execute(INVALID)]


class TestLink:
    @pytest.fixture
    def linked(self, migrated: str) -> str:
        """A database whose tasks go with their users."""
        with admin(migrated, "owner") as connection:
            connection.execute(USERS)
        alembic(owner_of(migrated), "upgrade", "head", section=LINK)
        return migrated

    def test_goes_up_and_down_and_up_again(self, linked: str) -> None:
        made = schema(linked)
        assert [row[3] for row in made if row[1] == "tasks_user_id_fkey"] == ["true"]
        alembic(owner_of(linked), "downgrade", "base", section=LINK)
        assert "tasks_user_id_fkey" not in {row[1] for row in schema(linked)}
        alembic(owner_of(linked), "upgrade", "head", section=LINK)
        assert schema(linked) == made

    @pytest.mark.parametrize("table", SQLModel.metadata.tables)
    def test_lets_the_rows_of_every_table_go_with_their_user(self, linked: str, table: str) -> None:
        assert f"{table}_user_id_fkey" in {row[1] for row in schema(linked)}, (
            f'write a migration in migrations/link_users/, as 0002_link_keys.py, of link("{table}")'
        )

    def test_is_no_difference_to_the_models(self, linked: str) -> None:
        assert "No new upgrade operations" in alembic(owner_of(linked), "check")

    def test_goes_with_the_tasks(self, linked: str) -> None:
        made = schema(linked)
        alembic(owner_of(linked), "downgrade", "base")
        alembic(owner_of(linked), "upgrade", "head")
        alembic(owner_of(linked), "upgrade", "head", section=LINK)
        assert schema(linked) == made

    def test_lets_users_take_their_tasks_with_them(self, linked: str, alice: User) -> None:
        with admin(linked, "owner") as connection, another_database(database_url(linked, "api")):
            connection.execute('insert into "user" values (%s)', [alice.subject])
            created = task(alice.create(), 201)
            connection.execute('delete from "user"')
            problem(alice.get(created["id"]), 404)

    def test_is_made_at_the_second_attempt_where_users_are_missing(
        self, migrated: str, alice: User
    ) -> None:
        with another_database(database_url(migrated, "api")):
            task(alice.create(), 201)
        with admin(migrated, "owner") as connection:
            connection.execute(USERS)
            with pytest.raises(AlembicError, match="tasks_user_id_fkey"):
                alembic(owner_of(migrated), "upgrade", "head", section=LINK)
            assert "tasks" in secured(migrated)
            connection.execute('insert into "user" values (%s)', [alice.subject])
            alembic(owner_of(migrated), "upgrade", "head", section=LINK)
        assert [row[3] for row in schema(migrated) if row[1] == "tasks_user_id_fkey"] == ["true"]

    def test_keeps_row_level_security_in_force_while_it_is_made(
        self, migrated: str, alice: User
    ) -> None:
        with admin(migrated, "owner") as connection:
            connection.execute(USERS)
        with admin(migrated) as reader, reader.transaction():
            reader.execute("lock table tasks in share update exclusive mode")
            with pytest.raises(AlembicError, match="lock timeout"):
                alembic(owner_of(migrated), "upgrade", "head", section=LINK)
            assert secured(migrated) == set(SQLModel.metadata.tables)

    def test_that_was_killed_is_noticed_and_helps_when_it_is_run_again(self, migrated: str) -> None:
        with admin(migrated, "owner") as connection:
            connection.execute(USERS)
            connection.execute("create policy validation on tasks to owner using (true)")
        with pytest.raises(AlembicError, match="not in force on tasks: run `make link-users`"):
            alembic(owner_of(migrated), "upgrade", "head")
        alembic(owner_of(migrated), "upgrade", "head", section=LINK)
        alembic(owner_of(migrated), "upgrade", "head")

    @pytest.mark.parametrize("left", ["no force", "disable"])
    def test_that_left_row_level_security_off_is_noticed_with_the_statement_that_helps(
        self, migrated: str, left: str
    ) -> None:
        with admin(migrated, "owner") as connection:
            connection.execute(f"alter table idempotency_keys {left} row level security".encode())
            with pytest.raises(AlembicError, match="row-level security is not in force") as error:
                alembic(owner_of(migrated), "upgrade", "head")
            connection.execute(str(error.value).partition(": run ")[2].encode())
        alembic(owner_of(migrated), "upgrade", "head")

    def test_lets_users_take_their_keys_with_them(self, linked: str, alice: User) -> None:
        with admin(linked, "owner") as connection, another_database(database_url(linked, "api")):
            connection.execute('insert into "user" values (%s)', [alice.subject])
            task(alice.create({"Idempotency-Key": "first"}), 201)
            connection.execute('delete from "user"')
        with admin(linked) as everything:
            assert everything.execute("select from idempotency_keys").fetchall() == []

    def test_needs_a_user_table(self, migrated: str) -> None:
        with pytest.raises(AlembicError, match='relation "user" does not exist'):
            alembic(owner_of(migrated), "upgrade", "head", section=LINK)
