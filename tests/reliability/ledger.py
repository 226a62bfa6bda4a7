"""Writers who remember what they were told, and compare it with the table afterwards.

A 2xx must be in the table, once; a 503 that says that nothing was written must not be; only one
that says that it is not known may be either.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from itertools import count
from threading import Event
from time import monotonic, sleep

import httpx2
import psycopg
from psycopg.rows import class_row

from tests.conftest import User
from tests.functions.support import no_content, problem, task, tasks
from tests.reliability.concurrency import until
from tests.reliability.support import LONGEST, NOT_KNOWN, unavailable

PAUSE = 0.05  # seconds after a 503
TASKS = "SELECT id, title, completed, version FROM tasks WHERE title LIKE %s"


@dataclass(frozen=True)
class Row:
    """What the table says of a task."""

    id: int
    title: str
    completed: bool
    version: int


class Told(Enum):
    """What a response says of a write."""

    DONE = "acknowledged"
    REFUSED = "refused"
    PERHAPS = "not known"


class Writer:
    """One client, who writes to tasks that nobody else touches."""

    def __init__(self, user: User, name: str) -> None:
        self._user, self._name = user, name
        self._numbers = count()
        self._once: dict[str, tuple[str, httpx2.Response]] = {}  # by title: the key, the response
        self._created: dict[str, Told] = {}
        self._deleted: dict[str, Told] = {}
        self._counter = task(user.create(title=f"{name} counter"), 201)["id"]
        self._toggles: Counter[Told] = Counter()
        self._edited = task(user.create(title=f"{name} edited 0"), 201)["id"]
        self._edits = 0
        self._edit_open = False
        self.told: Counter[Told] = Counter()
        self.last_success = 0.0

    def write(self, enough: Event) -> None:
        """Write until told to stop."""
        while not enough.is_set():
            self._create()
            self._create_once(enough)
            self._toggle()
            self._edit(enough)
            self._create_and_delete()
            self._read()

    def check(self, table: psycopg.Connection) -> None:
        """Compare what was told with what is there."""
        with table.cursor(row_factory=class_row(Row)) as cursor:
            rows = cursor.execute(TASKS, (f"{self._name} %",)).fetchall()
        times = Counter(row.title for row in rows)
        by_id = {row.id: row for row in rows}
        for title, told in self._created.items():
            self._check_there(times[title], told)
        for title, told in self._deleted.items():
            self._check_there(1 - times[title], told)
        for title, (_, response) in self._once.items():
            assert times[title] == 1
            assert by_id[response.json()["id"]].title == title
        counter, edited = by_id[self._counter], by_id[self._edited]
        assert 0 <= counter.version - 1 - self._toggles[Told.DONE] <= self._toggles[Told.PERHAPS]
        assert counter.completed == (counter.version % 2 == 0)
        assert edited.version - 1 - self._edits in {0, self._edit_open}
        assert edited.title == f"{self._name} edited {edited.version - 1}"
        expected = {*self._created, *self._deleted, *self._once, counter.title, edited.title}
        assert times.keys() <= expected

    def check_replays(self) -> None:
        """Compare what keys give now with what they gave first."""
        for title, (key, first) in list(self._once.items())[-3:]:
            again = self._user.create({"Idempotency-Key": key}, title=title)
            assert again.headers["idempotency-replayed"] == "true"
            assert again.text == first.text

    @staticmethod
    def _check_there(times: int, told: Told) -> None:
        assert times in {Told.DONE: {1}, Told.REFUSED: {0}, Told.PERHAPS: {0, 1}}[told]

    def _heard(self, response: httpx2.Response, success: int) -> Told:
        if response.status_code == success:
            assert response.elapsed.total_seconds() < LONGEST
            self.last_success = monotonic()
            told = Told.DONE
        else:
            unavailable(response)
            told = Told.PERHAPS if NOT_KNOWN in response.text else Told.REFUSED
            sleep(PAUSE)
        self.told[told] += 1
        return told

    def _title(self) -> str:
        return f"{self._name} {next(self._numbers)}"

    def _create(self) -> None:
        title = self._title()
        self._created[title] = self._heard(self._user.create(title=title), 201)

    def _create_once(self, enough: Event) -> None:
        """Repeat with the same key until it is done: so clients are told to."""
        title = key = self._title()
        while True:
            response = self._user.create({"Idempotency-Key": key}, title=title)
            if response.status_code == 409:  # an attempt that broke is not over yet
                problem(response, 409)
                sleep(PAUSE)
            elif self._heard(response, 201) is Told.DONE:
                self._once[title] = key, response
                return
            elif enough.is_set():
                self._created[title] = Told.PERHAPS
                return

    def _toggle(self) -> None:
        self._toggles[self._heard(self._user.toggle(self._counter), 200)] += 1

    def _edit(self, enough: Event) -> None:
        """Set the next title where the last one is; repeat until that is known to be done."""
        wanted = self._edits + 1
        change = {"title": f"{self._name} edited {wanted}"}
        broken = False
        while not enough.is_set():
            response = self._user.update(self._edited, change, If_Match=f'"{wanted}"')
            if response.status_code == 412:  # it was done when the connection broke
                assert broken
                assert problem(response, 412)
                assert response.headers["etag"] == f'"{wanted + 1}"'
                break
            told = self._heard(response, 200)
            if told is Told.DONE:
                break
            broken = broken or told is Told.PERHAPS
        else:
            self._edit_open = broken
            return
        self._edits = wanted

    def _create_and_delete(self) -> None:
        title = self._title()
        response = self._user.create(title=title)
        told = self._heard(response, 201)
        if told is not Told.DONE:
            self._created[title] = told
            return
        deleted = self._user.delete(response.json()["id"])
        self._deleted[title] = self._heard(deleted, 204)
        if deleted.status_code == 204:
            no_content(deleted)

    def _read(self) -> None:
        response = self._user.list(limit=5)
        if self._heard(response, 200) is Told.DONE:
            assert len(tasks(response)) == 5
        else:
            assert NOT_KNOWN not in response.text


@contextmanager
def writing(writers: Sequence[Writer]) -> Iterator[None]:
    """Let all of them write for the length of a block, and until each has succeeded once more."""
    enough = Event()
    with ThreadPoolExecutor(len(writers)) as threads:
        work = [threads.submit(writer.write, enough) for writer in writers]
        try:
            yield
            healed = monotonic()
            assert until(
                lambda: (
                    any(each.done() for each in work)
                    or all(writer.last_success > healed for writer in writers)
                ),
                3 * LONGEST,
            )
        finally:
            enough.set()
    for each in work:
        each.result()


def check(writers: Sequence[Writer], table: psycopg.Connection) -> str:
    """Compare everything; gives the figures."""
    for writer in writers:
        writer.check(table)
        writer.check_replays()
    told = sum((writer.told for writer in writers), Counter[Told]())
    return ", ".join(f"{told[each]:,} {each.value}" for each in Told) + ": none lost, none twice"
