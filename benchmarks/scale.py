"""`make scale`: fill tables and measure how they grow; writes the figures of docs/scale.md.

`ROWS=200000 make scale` fills a smaller table than the usual one of 2,000,000 rows.
"""

import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from itertools import count
from statistics import median
from time import monotonic, perf_counter
from typing import Any, get_args

import psycopg
from psycopg import sql
from sqlalchemy import ColumnElement, bindparam, func, insert, literal, text, update
from sqlmodel import SQLModel

from benchmarks import scale_report
from benchmarks.__main__ import machine
from benchmarks.events import User
from benchmarks.load import users
from benchmarks.measure import Figures, interleaved, medians, say
from benchmarks.peer import TASKS, environment
from benchmarks.sizes import FILL, SMALL, run
from benchmarks.stage import API, Stage, prepare, stage
from benchmarks.warm import UNTIL_WARM, each_operation
from functions.clean_idempotency_keys import BATCH
from local.partitions import partition
from shared.database import statements
from shared.database.connection import PooledConnection
from shared.database.execution import Rows, execute
from shared.database.scope import ROLE
from shared.database.sql import Statement
from shared.http.paging import Sort
from shared.models import TaskCreate

ROWS = int(os.environ.get("ROWS", "2000000"))
USERS, EACH = 1_000, 100  # of the tables whose bytes are counted, and which are partitioned
WRITES = 3_000
OWNERS = (100, 1_000, 10_000)  # tasks of those who list
PARTITIONS = (1, 16, 64)
PLANS = ("force_custom_plan", "force_generic_plan")
ROUNDS = 100
ROW = 100  # creates, of which one counts the owner's tasks
ENOUGH = 10_000  # the usual limit of tasks

# Tasks of many users as they come in: each user's are spread over the table.
SPREAD = """
    INSERT INTO tasks (user_id, title, description, ordinal, created_at, updated_at)
    SELECT 'user-' || number %% %s, 'Task ' || number, 'Something to do', 1 + number / %s, at, at
    FROM generate_series(0, %s - 1) AS number,
        LATERAL (SELECT now() - make_interval(secs => %s - number)) AS made (at)
"""
OLD_KEYS = """
    INSERT INTO idempotency_keys (user_id, key, task_id, title, completed, created_at)
    SELECT 'user-' || number %% 1000, number, number, 'Task', false,
        now() - make_interval(hours => 30, secs => number / 1000.0)
    FROM generate_series(1, %s) AS number
"""
SIZES = """
    SELECT pg_table_size('tasks'), pg_relation_size('tasks_pkey'),
        pg_relation_size('tasks_by_created_at')
"""
SOME = "SELECT user_id, id FROM tasks ORDER BY random() LIMIT %s"
HOT = "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'tasks'"
LOCKS = """
    SELECT count(*) FROM pg_locks
    WHERE pid = pg_backend_pid() AND relation::regclass::text LIKE '%tasks%'
"""
CHOICE = Statement(
    text("SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE name = :name")
)


def main() -> None:
    """Measure, and write the figures."""
    say("building the artifact")
    prepare()
    results: dict[str, Any] = {"when": f"{datetime.now(UTC).date()}", "machine": machine()}
    with stage() as made:
        [user] = users(made, "user", 1)
        say("bytes of a task, write-ahead log of a write")
        results["storage"] = storage(made)
        say("old idempotency keys")
        results["cleaning"] = cleaning(made)
        say("the limit of tasks")
        results["limit"] = limit(made)
        say(f"partitions: {PARTITIONS}")
        results["partitions"] = partitions(made, user)
        say(f"tables of {SMALL:,} and of {ROWS:,} rows")
        results["rows"], results["sizes"] = ROWS, run(made, user, ROWS, ROUNDS)
        say("lists in every order")
        results["lists"] = lists(made)
    scale_report.write(results)
    say("done")


@contextmanager
def connected(made: Stage, database: str) -> Iterator[PooledConnection]:
    """A connection that executes as the functions' does."""
    with psycopg.connect(made.url(database, API), autocommit=True) as opened:
        opened.pgconn.enter_pipeline_mode()
        yield PooledConnection(opened)


def send(connection: PooledConnection, owner: str, statement: Statement, **parameters: Any) -> Rows:
    """Execute a statement for an owner."""
    sent = {"owner": owner, **parameters}
    return execute(connection, owner, statement, sent, monotonic() + 60)


def new_task() -> dict[str, Any]:
    """What is sent to make a task."""
    task = TaskCreate.model_validate({"title": "Buy milk", "description": "Two litres"})
    return {"most": ENOUGH, **task.model_dump()}


def spread(made: Stage, name: str, owners: int, each: int) -> None:
    """Make a database in which so many users have so many tasks each."""
    made.make_database(name)
    made.execute(SPREAD, owners, owners, owners * each, owners * each, database=name)
    made.vacuum(name)


def storage(made: Stage) -> dict[str, Any]:
    """Bytes of a task, and of the write-ahead log of each write; how many updates are HOT.

    Without the images of whole pages, which the first write to each after a checkpoint brings.
    """
    spread(made, "storage", USERS, EACH)
    made.execute("ALTER SYSTEM SET full_page_writes = off")
    made.execute("SELECT pg_reload_conf()")
    found: dict[str, Any] = {"log": {}, "microseconds": {}}
    with (
        made.admin("storage") as admin,
        connected(made, "storage") as api,
    ):
        [sizes] = admin.execute(SIZES).fetchall()
        names = ("table", "primary key", "index of the default order")
        found["bytes"] = {
            name: size / USERS / EACH for name, size in zip(names, sizes, strict=True)
        }
        some = admin.execute(SOME, [WRITES]).fetchall()
        for name, write in writes(api).items():
            before, (updated, stayed), began = position(admin), updates(admin), perf_counter()
            for owner, task_id in some:
                assert write(owner, task_id)
            found["microseconds"][name] = (perf_counter() - began) / WRITES * 1e6
            found["log"][name] = (position(admin) - before) / WRITES
            if name == "toggle":
                now_updated, now_stayed = updates(admin)
                found["hot"] = (now_stayed - stayed) / (now_updated - updated)
    made.execute("ALTER SYSTEM RESET full_page_writes")
    made.execute("SELECT pg_reload_conf()")
    return found


def writes(api: PooledConnection) -> dict[str, Callable[[str, int], Rows]]:
    """The writes, each to be sent for an owner and a task."""
    title = statements.update_task(frozenset({"title"}))

    def change(statement: Statement, **new: Any) -> Callable[[str, int], Rows]:
        return lambda owner, task_id: send(
            api, owner, statement, task_id=task_id, versions=None, **new
        )

    return {
        "create": lambda owner, _: send(api, owner, statements.insert_task(), **new_task()),
        "toggle": change(statements.toggle_task(), new_completed=None),
        "toggle, plain": change(plain(completed=~statements.columns.completed)),
        "update": change(title, new_title="Buy bread"),
        "update, plain": change(plain(title=bindparam("new_title")), new_title="Buy butter"),
        "delete": change(statements.delete_task()),
    }


def plain(**new: ColumnElement[Any]) -> Statement:
    """A change of a column that does not say why nothing was changed, where nothing was."""
    columns = statements.columns
    moved = {"version": columns.version + 1, "updated_at": func.clock_timestamp()}
    named = statements.owned(), columns.id == bindparam("task_id")
    change = update(statements.table).where(*named).values(**new, **moved)
    return Statement(change.returning(*statements.public_columns))


def cleaning(made: Stage) -> float:
    """Milliseconds of a batch of old idempotency keys that the cleaning function deletes."""
    made.make_database("cleaning")
    made.execute(OLD_KEYS, BATCH * ROUNDS, database="cleaning")
    found = []
    with connected(made, "cleaning") as api:
        for _ in range(ROUNDS):
            began = perf_counter()
            [(forgotten,)] = send(api, "", statements.forget_old_keys(), batch=BATCH)
            found.append((perf_counter() - began) * 1000)
            assert forgotten == BATCH
    return median(found)


def position(admin: psycopg.Connection) -> int:
    """Where the write-ahead log ends, in bytes."""
    [(end,)] = admin.execute("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn").fetchall()
    return int(end)


def updates(admin: psycopg.Connection) -> tuple[int, int]:
    """How many updates there were, and how many of them touched no index."""
    admin.execute("SELECT pg_sleep(1.5)")  # a server process tells its figures once a second
    [(updated, stayed)] = admin.execute(HOT).fetchall()
    return int(updated), int(stayed)


def limit(made: Stage) -> Figures:
    """Microseconds of a create with the limit of tasks and of one without, at 1,000 tasks.

    Of a hundred creates in a row, since each hundredth counts the owner's tasks.
    """
    spread(made, "limit", 2 * (ROUNDS + 1), SMALL - ROW // 2)
    row: dict[str, Any] = {"user_id": bindparam("owner"), "ordinal": literal(1)}
    sent: dict[str, Any] = {name: bindparam(name) for name in TaskCreate.model_fields}
    unlimited = insert(statements.table).values(row | sent).returning(*statements.public_columns)
    owners = (f"user-{number}" for number in count())

    def creates(api: PooledConnection, statement: Statement) -> Callable[[], float]:
        def job() -> float:
            owner, began = next(owners), perf_counter()
            for _ in range(ROW):
                assert send(api, owner, statement, **new_task())
            return (perf_counter() - began) / ROW * 1e6

        return job

    with connected(made, "limit") as api:
        jobs = {
            "with": creates(api, statements.insert_task()),
            "without": creates(api, Statement(unlimited)),
        }
        return medians(interleaved(jobs, ROUNDS))


def partitions(made: Stage, user: User) -> dict[str, dict[str, Any]]:
    """The operations on tables in so many partitions: milliseconds, planning, locks."""
    found: dict[str, dict[str, Any]] = {}
    with ExitStack() as held:
        asked = {}
        for number in PARTITIONS:
            name = f"{number} partitions" if number > 1 else "not partitioned"
            database = f"partitions_{number}"
            spread(made, database, USERS, EACH)
            if number > 1:
                with made.admin(database) as admin:
                    partition(admin, list(SQLModel.metadata.tables), number)
                made.vacuum(database)
            found[name] = {"plans": plans(made, database)}
            url = {"DATABASE_URL": made.url(database, API)}
            asked[name] = held.enter_context(environment(TASKS, made.environment | url))
        times: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        for number in range(UNTIL_WARM + ROUNDS):
            for name, each in asked.items():
                for operation, reply in each_operation(each, user).items():
                    if number >= UNTIL_WARM:
                        times[name][operation].append(reply.milliseconds)
        for name, figures in times.items():
            found[name]["milliseconds"] = medians(figures)
    return found


def plans(made: Stage, database: str) -> dict[str, Any]:
    """The plan of a get and of a toggle: which Postgres chooses, and what each kind of it takes."""
    named = {"task_id": 1}
    toggle = named | {"versions": None, "new_completed": None}
    found: dict[str, Any] = {}
    with connected(made, database) as api:
        for name, statement, parameters in (
            ("get", statements.read_task(), named),
            ("toggle", statements.toggle_task(), toggle),
        ):
            for _ in range(UNTIL_WARM):
                send(api, "user-1", statement, **parameters)
            [(generic, custom)] = send(api, "", CHOICE, name=statement.name.decode())
            found[name] = {"chosen": "generic" if generic > custom else "custom"}
            for mode in PLANS:
                found[name][mode] = plan(made, database, statement, parameters, mode)
    return found


def plan(
    made: Stage, database: str, statement: Statement, parameters: dict[str, Any], mode: str
) -> Figures:
    """Milliseconds of planning once it is prepared, and the locks on tables and indexes."""
    values = statement.values({"owner": "user-1", **parameters})
    places = sql.SQL(", ").join([sql.Placeholder()] * len(values))
    explain = sql.SQL("EXPLAIN (SUMMARY, FORMAT JSON) EXECUTE prepared ({})").format(places)
    run_it = sql.SQL("EXECUTE prepared ({})").format(places)
    scope = sql.SQL(
        "SELECT set_config('role', {}, true), set_config('app.user_id', {}, true),"
        " set_config('plan_cache_mode', {}, true)"
    ).format(ROLE, "user-1", mode)
    with psycopg.connect(made.server.database_url(database)) as admin:
        cursor = psycopg.ClientCursor(admin)
        cursor.execute(scope)
        admin.pgconn.exec_(b"PREPARE prepared AS " + statement.sql)
        explained = [cursor.execute(explain, values).fetchall() for _ in range(UNTIL_WARM)]
        admin.commit()
        cursor.execute(scope)
        cursor.execute(run_it, values)
        [(locks,)] = cursor.execute(LOCKS).fetchall()
    planning = [document[0]["Planning Time"] for [(document,)] in explained]
    return {"milliseconds": median(planning), "locks": locks}


def lists(made: Stage) -> dict[str, Figures]:
    """Milliseconds of a list in each order, by how many tasks the user has, in the large table."""
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    everybody = dict(zip(OWNERS, users(made, "owner", len(OWNERS)), strict=True))
    for own, user in everybody.items():
        made.execute(FILL, user.subject, 1, 1, own, own, database="large")
    made.vacuum("large")
    url = {"DATABASE_URL": made.url("large", API)}
    with environment(TASKS, made.environment | url) as asked:
        for _ in range(ROUNDS):
            for own, user in everybody.items():
                for order in get_args(Sort):
                    reply = asked.ask(user.ask("list", query=f"sort={order}"))
                    assert reply.status == 200, reply
                    found[f"{own:,}"][order].append(reply.milliseconds)
    return {own: medians(figures) for own, figures in found.items()}


if __name__ == "__main__":
    main()
