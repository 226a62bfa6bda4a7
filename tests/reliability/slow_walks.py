"""Walks along the cursor of ten thousand tasks, while others insert and delete."""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event
from typing import Any, get_args

import pytest

from local.issuer import Issuer
from shared.http.paging import Sort
from tests.conftest import User
from tests.functions.support import no_content, task, tasks
from tests.reliability.concurrency import together
from tests.reliability.conftest import Note
from tests.reliability.postgres import Postgres
from tests.reliability.support import users

ROWS = 10_000
WALKERS, DISTURBERS = 4, 3
MOST_PAGES = 100
ORDERS: tuple[str, ...] = get_args(Sort)
FILTERS = (None, "true", "false")
# All of one moment and one title; others go in the middle of them, on either side, and away.
FILL = """
    INSERT INTO tasks (user_id, title, completed, created_at, updated_at)
    SELECT %(user_id)s, 'm', n %% 2 = 0, moment, moment
    FROM generate_series(1, %(rows)s) AS n, (SELECT now() - interval '1 h') AS at (moment)
    RETURNING id, completed
"""


@dataclass(frozen=True)
class Walk:
    """One walk from the first page to the last."""

    walker: User
    order: str
    completed: str | None
    limit: int

    def pages(self) -> Iterator[list[dict[str, Any]]]:
        """The pages, each behind the link of the one before."""
        query = {"sort": self.order, "limit": self.limit}
        response = self.walker.list(
            **query | ({"completed": self.completed} if self.completed else {})
        )
        yield tasks(response)
        for _ in range(MOST_PAGES):
            following = response.links.get("next")
            if following is None:
                return
            headers = {"Authorization": f"Bearer {self.walker.token}"}
            response = self.walker.api.get(following["url"], headers=headers)
            yield tasks(response)
        raise AssertionError("the walk has no end")

    def go(self) -> list[dict[str, Any]]:
        """All tasks that are met, checked to be in order, to pass the filter, and new each time."""
        met = [item for page in self.pages() for item in page]
        key = self.order.removeprefix("-")
        places = [(item[key], item["id"]) for item in met]
        assert places == sorted(set(places), reverse=self.order.startswith("-"))
        assert {item["completed"] for item in met} <= {
            completed
            for completed in (True, False)
            if self.completed in {None, str(completed).lower()}
        }
        return met


class Disturber:
    """Creates and deletes tasks of any place in the order, until told to stop."""

    def __init__(self, user: User, victims: Sequence[int], number: int) -> None:
        self._user, self._victims = user, list(victims)
        self._random = random.Random(number)
        self.changes = 0

    def disturb(self, enough: Event) -> None:
        while not enough.is_set():
            title = self._random.choice("amz")
            created = task(
                self._user.create(title=title, completed=self._random.random() < 0.5), 201
            )
            self._victims.append(created["id"])
            victim = self._victims.pop(self._random.randrange(len(self._victims)))
            no_content(self._user.delete(victim))
            self.changes += 2


@contextmanager
def disturbed(disturbers: Sequence[Disturber]) -> Iterator[None]:
    """Let them disturb for the length of a block."""
    enough = Event()
    with ThreadPoolExecutor(len(disturbers)) as threads:
        work = [threads.submit(each.disturb, enough) for each in disturbers]
        try:
            yield
        finally:
            enough.set()
    for each in work:
        each.result()


@pytest.fixture
def team(postgres: Postgres, database: str, tokens: Issuer) -> Iterator[list[User]]:
    """Those who walk and those who disturb."""
    url = postgres.url(database, "api")
    with users(tokens, WALKERS + DISTURBERS, url, MAX_TASKS_PER_USER="0") as members:
        yield members


def fill(postgres: Postgres, database: str, subject: str, rows: int) -> dict[int, bool]:
    """Insert equal rows; their ids, and whether they are completed."""
    with postgres.admin(database) as admin:
        return dict(admin.execute(FILL, {"user_id": subject, "rows": rows}).fetchall())


class TestWalk:
    def test_meets_every_lasting_task_once_in_every_order_whatever_comes_and_goes(
        self, postgres: Postgres, database: str, team: list[User], note: Note
    ) -> None:
        """Paging through 10,000 tasks while others insert and delete; each is seen once."""
        walkers, others = team[:WALKERS], team[WALKERS:]
        subject = walkers[0].subject
        lasting, victims = (fill(postgres, database, subject, rows) for rows in (ROWS, 1000))
        disturbers = [
            Disturber(user, list(victims)[number::DISTURBERS], number)
            for number, user in enumerate(others)
        ]
        walks = [(order, completed) for order in ORDERS for completed in FILTERS]

        def walk(number: int) -> int:
            met = 0
            for order, completed in walks[number::WALKERS]:
                counted = Counter(
                    item["id"]
                    for item in Walk(walkers[number], order, completed, 500 - met % 7).go()
                )
                expected = {
                    task_id
                    for task_id, is_completed in lasting.items()
                    if completed in {None, str(is_completed).lower()}
                }
                assert expected <= counted.keys()
                met += counted.total()
            return met

        with disturbed(disturbers):
            met = sum(together(walk, range(WALKERS)))
        changes = sum(each.changes for each in disturbers)
        assert changes
        note(
            f"{len(walks)} walks met {met:,} tasks, each once, none of {ROWS:,} missed, "
            f"during {changes:,} inserts and deletes"
        )
