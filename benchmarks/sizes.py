"""Whether an operation is as fast in a large table, and deep in a long list, as in a small one."""

from collections import defaultdict
from contextlib import ExitStack
from statistics import median
from urllib.parse import urlsplit

from benchmarks.events import OPERATIONS, User
from benchmarks.measure import Figures
from benchmarks.peer import TASKS, Environment, environment
from benchmarks.stage import Stage
from benchmarks.warm import UNTIL_WARM, each_operation

SMALL = 1_000
OWN = 10_000  # tasks of the user in the large table
DEEP = 0.9  # of the way through the list
FILL = """
    INSERT INTO tasks (user_id, title, description, completed, ordinal, created_at, updated_at)
    SELECT %s || CASE WHEN %s = 1 THEN '' ELSE (number %% %s)::text END, 'Task ' || number,
        'Something to do', number %% 3 = 0, %s, at, at
    FROM generate_series(1, %s) AS number,
        LATERAL (SELECT now() - number * interval '1 second') AS made (at)
"""
INDEXES = "SELECT indexdef, indexname FROM pg_indexes WHERE indexname LIKE 'tasks_by_%'"


def fill(stage: Stage, name: str, subject: str, own: int, rows: int) -> None:
    """Make a database with so many rows; so many of them are the user's, 1,000 each others'."""
    stage.make_database(name)
    with stage.admin(name) as owner:
        indexes = owner.execute(INDEXES).fetchall()
        for _, index in indexes:
            owner.execute(f"DROP INDEX {index}".encode())
        owner.execute(FILL.encode(), (subject, 1, 1, own, own))
        if rows > own:
            others = (rows - own) // 1_000
            owner.execute(FILL.encode(), ("other-", 2, others, 1_000, rows - own))
        for definition, _ in indexes:
            owner.execute(definition.encode())
    stage.vacuum(name)


def deep_query(asked: Environment, user: User, own: int) -> str:
    """The query of a page far down in the user's list."""
    query = "limit=500"
    for _ in range(int(own * DEEP) // 500):
        link = asked.ask(user.ask("list", query=query)).response["headers"]["link"]
        query = urlsplit(link.partition(">")[0].removeprefix("<")).query
    return query.replace("limit=500", "limit=100")


def run(stage: Stage, user: User, rows: int, rounds: int) -> dict[str, Figures]:
    """Milliseconds of each operation in a small table and in a large one."""
    sizes = {"small": (SMALL, SMALL), "large": (OWN, rows)}
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    with ExitStack() as held:
        environments, queries = {}, {}
        for name, (own, size) in sizes.items():
            fill(stage, name, user.subject, own, size)
            variables = stage.environment | {"DATABASE_URL": stage.url(name, TASKS.login)}
            variables |= {"MAX_TASKS_PER_USER": f"{2 * OWN}"}
            environments[name] = held.enter_context(environment(TASKS, variables))
            queries[name] = deep_query(environments[name], user, own)
        for number in range(rounds + UNTIL_WARM):
            for name, asked in environments.items():
                replies = each_operation(asked, user)
                replies["deep page"] = asked.ask(user.ask("list", query=queries[name]))
                if number >= UNTIL_WARM:
                    for operation, reply in replies.items():
                        assert reply.status < 300, reply
                        found[name][operation].append(reply.milliseconds)
    return {
        name: {operation: median(figures[operation]) for operation in (*OPERATIONS, "deep page")}
        for name, figures in found.items()
    }
