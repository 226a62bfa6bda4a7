"""The walk from page to page: nothing twice, nothing missed, the default order never sorted."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import product
from typing import Any, LiteralString
from urllib.parse import parse_qs, urlsplit

import httpx2
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from shared.database import database
from shared.database.connection import PooledConnection
from shared.database.execution import Rows, execute
from shared.database.scope import ROLE
from shared.database.sql import Parameters, Statement
from shared.models import rfc3339
from tests.conftest import User, database_url, fresh_database
from tests.functions.support import admin, another_database, invalid, tasks
from tests.shared.sort_keys import SORTS, boundaries

FILTERS = (None, "true", "false")
PLANS = ("force_custom_plan", "force_generic_plan")
SEED = 42
STABLE, PAGE = 3_000, 211

# Few different times and titles, so that most rows have equals.
INSERT: LiteralString = """
    insert into tasks (user_id, title, completed, created_at, updated_at)
    select %(subject)s, (array['title ', 'TITLE ', 'Title É', 'title é'])[1 + n %% 4] || n %% 7,
           n %% 3 = 0,
           timestamptz '2026-01-01' + make_interval(secs => n %% 5 + 0.000001 * (n %% 2)),
           timestamptz '2026-01-01' + make_interval(secs => n %% 4)
    from generate_series(1, %(rows)s) n
    returning id
"""

each_sort = pytest.mark.parametrize("sort", SORTS)
each_filter = pytest.mark.parametrize("completed", FILTERS, ids=str)


def query_of(sort: str, completed: str | None, **more: Any) -> dict[str, Any]:
    return {"sort": sort, **({"completed": completed} if completed else {}), **more}


def walk(user: User, **query: Any) -> Iterator[list[dict[str, Any]]]:
    """Page after page, as far as the links lead."""
    response = user.list(**query)
    while True:
        yield tasks(response)
        if "link" not in response.headers:
            return
        response = follow(user, response)


def follow(user: User, response: httpx2.Response) -> httpx2.Response:
    headers = {"Authorization": f"Bearer {user.token}"}
    return user.api.get(response.links["next"]["url"], headers=headers)


def cursor_of(response: httpx2.Response) -> str:
    [cursor] = parse_qs(urlsplit(response.links["next"]["url"]).query)["cursor"]
    return cursor


def place(task: dict[str, Any], sort: str) -> tuple[Any, ...]:
    key = sort.removeprefix("-")
    if key == "title":
        return task[key].lower(), task[key], task["id"]
    return datetime.fromisoformat(task[key]) if key.endswith("_at") else task[key], task["id"]


class TestWalk:
    @each_sort
    @each_filter
    def test_meets_each_row_once_while_others_come_and_go(
        self, alice: User, sort: str, completed: str | None
    ) -> None:
        chance = random.Random(SEED)
        seen: list[dict[str, Any]] = []
        with admin() as others:
            insert(others, alice, STABLE)
            stable = {
                task["id"]
                for page in walk(alice, **query_of(sort, completed, limit=500))
                for task in page
            }
            passing = insert(others, alice, 300)
            for page in walk(alice, **query_of(sort, completed, limit=PAGE)):
                seen += page
                passing += insert(others, alice, 30)
                going = [passing.pop(chance.randrange(len(passing))) for _ in range(30)]
                others.execute("delete from tasks where id = any(%s)", [going])
        found = [task["id"] for task in seen]
        assert len(stable) >= STABLE // 3
        assert stable <= set(found)
        assert len(found) == len(set(found))
        assert sorted(seen, key=lambda task: place(task, sort), reverse="-" in sort) == seen
        assert all(str(task["completed"]).lower() == completed for task in seen) or not completed

    @each_sort
    @pytest.mark.parametrize("limit", [1, 2, 3, 6, 7])
    def test_gives_the_same_rows_in_pages_of_any_size(
        self, alice: User, sort: str, limit: int
    ) -> None:
        with admin() as others:
            insert(others, alice, 6)
        whole = tasks(alice.list(sort=sort))
        pages = list(walk(alice, sort=sort, limit=limit))
        assert [task for page in pages for task in page] == whole
        assert all(len(page) == limit for page in pages[:-1])
        assert pages[-1]

    @each_sort
    def test_gives_the_least_and_the_greatest_value_a_place(self, alice: User, sort: str) -> None:
        key, row = sort.removeprefix("-"), {"user_id": alice.subject, "title": "a"}
        values = boundaries(key)
        with admin() as others:
            for value in (*values, *reversed(values)):
                sent = row | {key: value}
                query = sql.SQL("insert into tasks ({}) values ({}) returning id").format(
                    sql.SQL(", ").join(map(sql.Identifier, sent)),
                    sql.SQL(", ").join(map(sql.Placeholder, sent)),
                )
                others.execute(query, sent)
        whole = [task["id"] for task in tasks(alice.list(sort=sort))]
        advice = f"say in shared/http/paging.py what a cursor of {key} holds, a null included"
        try:
            met = [task for page in walk(alice, sort=sort, limit=1) for task in page]
        except AssertionError as error:
            pytest.fail(f"{advice}: {error}")
        assert [task["id"] for task in met] == whole, advice
        shown = [task[key] for task in met if task[key] is not None]
        ordered = [
            rfc3339(value) if isinstance(value, datetime) else value
            for value in values
            for _ in range(2)
            if value is not None
        ]
        assert shown == (ordered[::-1] if sort.startswith("-") else ordered)

    def test_goes_on_although_the_last_row_of_a_page_is_gone(self, alice: User) -> None:
        ids = [alice.create().json()["id"] for _ in range(4)]
        first = alice.list(sort="created_at", limit=2)
        alice.delete(ids[1])
        assert [task["id"] for task in tasks(follow(alice, first))] == ids[2:]

    def test_goes_on_behind_any_title(self, alice: User) -> None:
        titles = sorted(["\x01", "\x7f" * 255, "\U0001f642" * 255, '"\\', "a&b=c#d%+", "\u00e9"])
        for title in titles:
            alice.create(title=title)
        pages = walk(alice, sort="title", limit=1)
        assert [task["title"] for page in pages for task in page] == titles

    def test_ends_without_a_link(self, alice: User) -> None:
        for _ in range(4):
            alice.create()
        last = follow(alice, alice.list(limit=2))
        assert len(tasks(last)) == 2
        assert "link" not in last.headers

    def test_ends_with_an_empty_page_when_all_the_rest_is_gone(self, alice: User) -> None:
        ids = [alice.create().json()["id"] for _ in range(3)]
        first = alice.list(sort="created_at", limit=2)
        alice.delete(ids[2])
        last = follow(alice, first)
        assert tasks(last) == []
        assert "link" not in last.headers


class TestLink:
    def test_keeps_the_query(self, alice: User) -> None:
        for _ in range(3):
            alice.create()
        link = alice.list(sort="-title", completed="false", limit=2).links["next"]
        query = parse_qs(urlsplit(link["url"]).query)
        assert query.pop("cursor")
        assert query == {"sort": ["-title"], "completed": ["false"], "limit": ["2"]}

    def test_may_be_followed_with_another_limit(self, alice: User) -> None:
        ids = [alice.create().json()["id"] for _ in range(4)]
        cursor = cursor_of(alice.list(sort="created_at", limit=1))
        rest = tasks(alice.list(sort="created_at", limit=500, cursor=cursor))
        assert [task["id"] for task in rest] == ids[1:]

    def test_leads_nobody_to_another_users_rows(self, alice: User, bob: User) -> None:
        mine = [alice.create().json()["id"] for _ in range(2)]
        theirs = [bob.create().json()["id"] for _ in range(2)]
        cursor = cursor_of(bob.list(limit=1, sort="-title"))
        found = tasks(alice.list(cursor=cursor, sort="-title"))
        assert {task["id"] for task in found} <= set(mine)
        assert not {task["id"] for task in found} & set(theirs)


MADE_FOR = list(product(SORTS, FILTERS))


class TestCursor:
    @pytest.mark.parametrize("made_for", MADE_FOR, ids=str)
    def test_belongs_to_its_sort_and_filter(
        self, alice: User, made_for: tuple[str, str | None]
    ) -> None:
        for n in range(4):
            alice.create(completed=n % 2 == 0)
        cursor = cursor_of(alice.list(**query_of(*made_for, limit=1)))
        for used_for in MADE_FOR:
            response = alice.list(**query_of(*used_for, cursor=cursor))
            if used_for == made_for:
                assert tasks(response)
            else:
                assert invalid(response) == ["cursor"]

    @given(cursor=st.text(max_size=60) | st.from_regex(r"[A-Za-z0-9_-]{1,60}", fullmatch=True))
    @settings(
        max_examples=150,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    def test_is_refused_where_it_is_not_one_of_ours(self, alice: User, cursor: str) -> None:
        cursor = cursor.encode(errors="replace").decode()
        assert invalid(alice.list(cursor=cursor)) == ["cursor"]

    @pytest.mark.parametrize("sort", ["title", "-created_at"])
    def test_may_be_spoiled_in_any_way(self, alice: User, sort: str) -> None:
        for _ in range(3):
            alice.create()
        cursor = cursor_of(alice.list(sort=sort, limit=1))
        spoilt = {
            *(cursor[:n] for n in range(len(cursor))),
            *(cursor[:n] + "A" + cursor[n + 1 :] for n in range(len(cursor))),
            *(cursor + end for end in ("A", "=", "==", "AAAA", " ", "!", "\0", "\n")),
            *(cursor * times for times in (2, 100, 500)),
        }
        for other in sorted(spoilt):
            response = alice.list(sort=sort, cursor=other)
            if response.status_code != 200:
                assert invalid(response) == ["cursor"]

    @pytest.mark.parametrize("bad", ["limit=0", "sort=nothing", "completed=maybe"])
    def test_is_not_blamed_for_what_else_is_wrong(self, alice: User, bad: str) -> None:
        for _ in range(2):
            alice.create()
        cursor = cursor_of(alice.list(limit=1))
        parameter = bad.partition("=")[0]
        assert invalid(alice.request("GET", f"?{bad}&cursor={cursor}")) == [parameter]


@pytest.fixture(scope="module")
def crowded() -> Iterator[str]:
    """The URL of a database where many users have tasks, one of them a lot."""
    with fresh_database() as name:
        with admin(name) as connection:
            for subject, rows in [("crowd", 10_000), *((f"user-{n}", 1_000) for n in range(100))]:
                connection.execute(INSERT, {"subject": subject, "rows": rows})
            connection.execute("analyze tasks")
        yield database_url(name, "api")


Sent = tuple[Statement, Parameters]


@contextmanager
def statements() -> Iterator[list[Sent]]:
    """What is executed meanwhile, with its parameters."""
    sent: list[Sent] = []

    def note(
        connection: PooledConnection,
        subject: str,
        statement: Statement,
        parameters: Parameters,
        end: float,
    ) -> Rows:
        sent.append((statement, parameters))
        return execute(connection, subject, statement, parameters, end)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "execute", note)
        yield sent


def plan(subject: str, sent: Sent, mode: str) -> list[dict[str, Any]]:
    """The nodes of the plan that a prepared statement gets under row-level security."""
    statement, parameters = sent
    values = statement.values(parameters)
    places = sql.SQL(", ").join([sql.Placeholder()] * len(values))
    explain = sql.SQL("explain (format json) execute page ({})").format(places)
    with admin() as connection, connection.transaction():
        cursor = psycopg.ClientCursor(connection)
        cursor.execute(f"set local role {ROLE}")
        cursor.execute("select set_config('app.user_id', %s, true)", [subject])
        cursor.execute("select set_config('plan_cache_mode', %s, true)", [mode])
        connection.pgconn.exec_(b"prepare page as " + statement.sql)
        row = cursor.execute(explain, values).fetchone()
    assert row
    nodes = [row[0][0]["Plan"]]
    for node in nodes:
        nodes += node.get("Plans", [])
    return nodes


class TestPlan:
    @each_sort
    @each_filter
    @pytest.mark.parametrize("reader", list(product(["crowd", "user-7"], PLANS)), ids="-".join)
    def test_reads_a_page_of_the_default_order_off_an_index_and_others_off_the_owners_rows(
        self, crowded: str, sort: str, completed: str | None, reader: tuple[str, str], sign_in: Any
    ) -> None:
        subject, mode = reader
        user = sign_in(subject)
        with another_database(crowded):
            with statements() as sent:
                first = user.list(**query_of(sort, completed, limit=50))
                follow(user, follow(user, first))
            assert len(sent) == 3
            for number, page in enumerate(sent):
                nodes = plan(subject, page, mode)
                [scan] = [node for node in nodes if "Index Cond" in node]
                assert "user_id" in scan["Index Cond"]  # no row of anybody else is looked at
                assert not {node["Node Type"] for node in nodes} & {"Seq Scan", "Index Only Scan"}
                if "created_at" in sort:
                    assert {node["Node Type"] for node in nodes[:-1]} <= {"Limit", "Result"}
                    assert ("ROW(" in scan["Index Cond"]) == (number > 0)


def insert(connection: psycopg.Connection, user: User, rows: int) -> list[int]:
    parameters = {"subject": user.subject, "rows": rows}
    return [row[0] for row in connection.execute(INSERT, parameters)]
