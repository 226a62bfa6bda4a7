"""Row-level security holds alone, and no statement counts on it."""

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import ColumnElement, Text, insert, select, text, true, update
from sqlmodel import SQLModel

from shared.database import statements
from shared.database.database import Database
from shared.database.scope import ROLE
from shared.database.sql import Statement
from tests.conftest import ROOT, User, database_url
from tests.functions.support import (
    CREATE,
    DELETE,
    admin,
    alembic,
    another_database,
    current_login,
    no_content,
    task,
    tasks,
)
from tests.shared.database.support import KeepsUsersApart

TABLES = tuple(SQLModel.metadata.tables)
each_table = pytest.mark.parametrize("name", TABLES)


def table(name: str) -> Any:
    return SQLModel.metadata.tables[name]


@pytest.fixture(scope="module")
def owner() -> Iterator[str]:
    """The URL of a database that the API enters as the tables' owner, who may bypass policies.

    Such are the logins that Neon makes.
    """
    login = f"owner_{uuid4().hex}"
    name = sql.Identifier(login)
    with admin() as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEROLE BYPASSRLS").format(name))
        connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(ROLE), name))
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, name))
        url = database_url(login, login)
        alembic(url, "upgrade", "head")
        yield url
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))
        connection.execute(sql.SQL("DROP ROLE {}").format(name))


@pytest.fixture(params=["a login without privileges", "an owner who may bypass policies"])
def login(request: pytest.FixtureRequest, owner: str) -> Iterator[None]:
    """Let the functions log in as the one, then as the other."""
    if request.param == "a login without privileges":
        yield
    else:
        with another_database(owner):
            yield


@pytest.fixture
def unscoped(login: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Remove the owner filter from every statement."""

    def owned(*_: object) -> ColumnElement[bool]:
        return true()

    monkeypatch.setattr(statements, "owned", owned)
    forget_statements()
    yield
    monkeypatch.undo()
    forget_statements()


def forget_statements() -> None:
    """Let the statements be built anew."""
    for value in vars(statements).values():
        if hasattr(value, "cache_clear"):
            value.cache_clear()


@pytest.mark.usefixtures("unscoped")
class TestWithoutTheOwnerFilter(KeepsUsersApart):
    def test_there_is_none(self, alice: User) -> None:
        task_id = alice.create().json()["id"]
        assert "user_id = " not in statements.read_task().sql.decode().partition("WHERE")[2]
        assert task(alice.get(task_id))["id"] == task_id

    def test_ones_own_row_is_touched_as_ever(self, alice: User) -> None:
        task_id = alice.create().json()["id"]
        assert task(alice.update(task_id, {"title": "changed"}))["version"] == 2
        assert task(alice.toggle(task_id))["version"] == 3
        no_content(DELETE.ask(alice, task_id))


def row(name: str, owner: str) -> dict[str, Any]:
    """A row of a table, with a value for each column that needs one."""
    values = {str: "new", int: 1, bool: False, datetime: datetime.now(UTC)}
    needed = [
        column
        for column in table(name).columns
        if not column.nullable and column.server_default is None and column.identity is None
    ]
    return {each.name: values[each.type.python_type] for each in needed} | {"user_id": owner}


def changeable(name: str) -> str | None:
    """A column of text that the role may change."""
    with admin() as connection:
        query = "select has_column_privilege(%s, %s, %s, 'UPDATE')"
        for column in table(name).columns:
            allowed = connection.execute(query, [ROLE, name, column.name]).fetchone()
            if isinstance(column.type, Text) and column.name != "user_id" and allowed == (True,):
                return str(column.name)
    return None


class TestPolicy:
    @pytest.fixture(autouse=True)
    def rows(self, login: None, alice: User, bob: User) -> None:
        """Rows of two users in every table."""
        with admin() as connection:
            for user, name in product((alice, bob), TABLES):
                values = row(name, user.subject)
                query = sql.SQL("insert into {} ({}) values ({})").format(
                    sql.Identifier(name),
                    sql.SQL(", ").join(map(sql.Identifier, values)),
                    sql.SQL(", ").join(map(sql.Placeholder, values)),
                )
                connection.execute(query, values)

    @each_table
    def test_shows_a_user_their_rows_alone(self, alice: User, name: str) -> None:
        owners = Database(alice.subject).read(Statement(select(table(name).c.user_id)))
        assert [row.user_id for row in owners] == [alice.subject]

    @each_table
    @pytest.mark.parametrize("nobody", ["", "somebody else"])
    def test_shows_no_rows_to_anybody_else(self, name: str, nobody: str) -> None:
        assert Database(nobody).read(Statement(select(table(name)))) == []

    @each_table
    def test_shows_no_rows_after_a_user_has_been_served(self, alice: User, name: str) -> None:
        assert Database(alice.subject).read(Statement(select(table(name))))
        assert Database().read(Statement(select(table(name)))) == []

    @each_table
    def test_changes_no_foreign_row(self, alice: User, bob: User, name: str) -> None:
        column = changeable(name) or "user_id"
        change = update(table(name)).values({column: "taken over"})
        everybody = Statement(change.returning(table(name).c.user_id))
        if column == "user_id":
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                Database(alice.subject).read(everybody)
            return
        assert [row.user_id for row in Database(alice.subject).read(everybody)] == [alice.subject]
        assert Database().read(everybody) == []
        [value] = Database(bob.subject).read(Statement(select(table(name).c[column])))
        assert value == ("new",)

    @pytest.mark.parametrize("subject", ["alice", ""])
    def test_lets_nobody_write_for_another_user(self, bob: User, subject: str) -> None:
        row = insert(table("tasks")).values(user_id=bob.subject, title="forged", completed=False)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            Database(subject).write(Statement(row.returning(table("tasks").c.id)))
        assert len(tasks(bob.list())) == 1

    def test_lets_nobody_give_a_task_away(self, alice: User, bob: User) -> None:
        gift = update(table("tasks")).values(user_id=bob.subject)
        gift = gift.returning(table("tasks").c.id)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            Database(alice.subject).write(Statement(gift))
        assert len(tasks(alice.list())) == 1

    @pytest.mark.parametrize(
        "statement",
        [
            "truncate tasks",
            "alter table tasks disable row level security",
            "drop policy owner_only on tasks",
            "create table loot as table tasks",
            "select pg_read_file('/etc/passwd')",
        ],
    )
    def test_cannot_be_taken_down(self, alice: User, statement: str) -> None:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            Database(alice.subject).read(Statement(text(statement)))

    @pytest.mark.parametrize("nobody", ["", "somebody else"])
    def test_is_what_holds_a_login_that_sees_every_row(self, alice: User, nobody: str) -> None:
        everything = text("select rolbypassrls from pg_roles where rolname = session_user")
        [(bypasses,)] = Database(nobody).read(Statement(everything))
        with admin(login=current_login()) as connection:
            seen = connection.execute("select user_id from tasks").fetchall()
        assert ((alice.subject,) in seen) == bypasses
        assert Database(nobody).read(Statement(select(table("tasks")))) == []


class TestLogins:
    """Connections of the logins themselves, without the role and the user of a request."""

    @each_table
    @pytest.mark.parametrize("name_of_login", ["api", "owner"])
    def test_see_no_rows(self, alice: User, name_of_login: str, name: str) -> None:
        task(CREATE.ask(alice, headers={"Idempotency-Key": "first"}), 201)
        query = sql.SQL("select * from {}").format(sql.Identifier(name))
        with admin(login=name_of_login) as connection:
            assert connection.execute(query).fetchall() == []

    @pytest.mark.parametrize("name_of_login", ["api", "owner"])
    def test_cannot_insert(self, name_of_login: str) -> None:
        with (
            admin(login=name_of_login) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute("insert into tasks (user_id, title) values ('a', 'b')")

    @each_table
    def test_cannot_switch_it_off_for_a_statement(self, name: str) -> None:
        query = sql.SQL("select * from {}").format(sql.Identifier(name))
        with admin(login="owner") as connection:
            connection.execute("set row_security = off")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(query)


# The walk through the code. A statement begins with one of these; one that names a table of ours
# must be scoped to its owner in the same expression.

VERBS = {"select", "insert", "update", "delete", "exists", "query", "get", "table"}
MODELS = {model.__name__ for model in SQLModel.__subclasses__() if hasattr(model, "__table__")}
RAW = re.compile(
    rf"\b(from|into|update|join|table)\s+(only\s+)?(\w+\.)?\"?({'|'.join(TABLES)})\b",
    re.IGNORECASE,
)

GOOD = """
table, keys = (SQLModel.metadata.tables[name] for name in ("tasks", "idempotency_keys"))
columns = table.columns

def read():
    \"\"\"Like select * from tasks, with one policy more.\"\"\"
    return select(table).order_by(columns.id).where(columns.id == bindparam("id"), owned())

def write():
    row = {"user_id": bindparam("owner"), "title": bindparam("title")}
    return insert(table).values(row).returning(columns.id)

def remember():
    return postgresql.insert(keys).from_select(["user_id"], select(bindparam("owner")))

def other():
    return select(literal(1)).where(exists(select(read().cte())))
"""
BAD = (
    "select(table)",
    "select(columns.id)",
    "select(table).where(columns.id == 1)",
    "select(table).where(or_(owned(), true()))",
    "select(table).where(~owned())",
    "select(table).where(columns.id.in_(select(columns.id).where(owned())))",
    "select(func.count()).select_from(table)",
    "select(keys.c.title)",
    "select(Task).limit(1)",
    "select(SQLModel.metadata.tables['tasks'])",
    "select(statements.table)",
    "update(table).where(columns.id == 1).values(title='x')",
    "delete(table)",
    "insert(table).values(title='x')",
    "insert(table).values(user_id=bindparam('user_id'))",
    "insert(keys).from_select(['user_id'], select(literal('bob')))",
    "exists(select(literal(1)).select_from(table))",
    "session.get(Task, 1)",
    "session.query(Task).filter(Task.id == 1)",
    "sa.table('tasks')",
    "text('SELECT * FROM tasks')",
    "connection.exec_driver_sql('delete from only public.tasks where true')",
    "f'insert into idempotency_keys values ({1})'",
    "alias = table; delete(alias)",
)


def unscoped_statements(source: str) -> list[str]:
    """The statements of a module on tasks, or on keys, that are not scoped to their owner."""
    module = ast.parse(source)
    parents = {child: node for node in ast.walk(module) for child in ast.iter_child_nodes(node)}
    ours = names_of_tables(module)
    found = []
    for node in ast.walk(module):
        match node:
            case ast.Constant(value=str(string)) if RAW.search(string):
                if not isinstance(parents[node], ast.Expr):  # a docstring
                    found.append(string)
            case ast.Call(func=function) if name_of(function) in VERBS:
                statement = whole(node, parents)
                if mentions(statement, ours) and not is_scoped(statement, node, module):
                    found.append(ast.unparse(statement))
    return found


def names_of_tables(module: ast.Module) -> set[str]:
    """The tables, their models, and the variables that are just another name for them."""
    names = set(MODELS)
    for node in ast.walk(module):
        match node:
            case ast.Assign(targets=targets, value=value) if not contains_call(value):
                if mentions(value, names):
                    names |= {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}
    return names


def contains_call(node: ast.AST) -> bool:
    return any(isinstance(part, ast.Call) for part in ast.walk(node))


def mentions(node: ast.AST, names: set[str]) -> bool:
    return any(
        part.value in TABLES if isinstance(part, ast.Constant) else name_of(part) in names
        for part in ast.walk(node)
    )


def name_of(node: ast.AST) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def whole(call: ast.Call, parents: dict[ast.AST, ast.AST]) -> ast.Call:
    """The longest chain of methods that starts with a call."""
    match parents[call]:
        case ast.Attribute() as method:
            match parents[method]:
                case ast.Call(func=function) as longer if function is method:
                    return whole(longer, parents)
    return call


def is_scoped(statement: ast.Call, start: ast.Call, module: ast.Module) -> bool:
    """Whether a chain says `.where(owned(), …)`; of an insert, whether the owner is in its rows."""
    if name_of(start.func) == "insert":
        return any("bindparam('owner')" in ast.unparse(part) for part in made_of(statement, module))
    link: ast.expr = statement
    while isinstance(link, ast.Call) and isinstance(link.func, ast.Attribute):
        if link.func.attr == "where" and any(is_owner_filter(part) for part in link.args):
            return True
        link = link.func.value
    return False


def is_owner_filter(condition: ast.expr) -> bool:
    return isinstance(condition, ast.Call) and name_of(condition.func) == "owned"


def made_of(node: ast.AST, module: ast.Module) -> list[ast.AST]:
    """An expression, and what the module calls by the names in it, and so on."""
    definitions: dict[str, list[ast.AST]] = {}
    for part in ast.walk(module):
        match part:
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.FunctionDef(name=name):
                definitions.setdefault(name, []).append(part)
    parts, seen = [node], set[str]()
    for part in parts:
        names = {name_of(inner) for inner in ast.walk(part) if isinstance(inner, ast.Name)} - seen
        seen |= names
        parts += [definition for name in sorted(names) for definition in definitions.get(name, [])]
    return parts


class TestCode:
    @pytest.mark.parametrize(
        "path",
        [
            path
            for folder in ("shared", "functions")
            for path in sorted((ROOT / folder).rglob("*.py"))
        ],
        ids=lambda path: str(path.relative_to(ROOT)),
    )
    def test_scopes_every_statement_to_its_owner(self, path: Path) -> None:
        assert unscoped_statements(path.read_text()) == []

    def test_knows_the_model_of_every_table(self) -> None:
        assert len(MODELS) == len(TABLES)

    def test_has_statements_that_would_be_found(self) -> None:
        source = (ROOT / "shared" / "database" / "statements.py").read_text()
        unscoped = source.replace("where(owned()", "where(true()").replace('"owner"', '""')
        assert len(unscoped_statements(unscoped)) >= 6

    def test_is_not_found_fault_with_where_it_is_scoped(self) -> None:
        assert unscoped_statements(GOOD) == []

    @pytest.mark.parametrize("bad", BAD)
    def test_is_found_fault_with_where_it_is_not(self, bad: str) -> None:
        assert unscoped_statements(f"{GOOD}\n{bad}\n")
