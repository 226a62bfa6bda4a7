"""A hundred environments at once on one row: nothing lost, nothing twice."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import sleep
from uuid import uuid4

import httpx2
import psycopg
import pytest

from local.issuer import Issuer
from tests.conftest import User
from tests.functions.support import no_content, problem, task, tasks
from tests.reliability.concurrency import together, until
from tests.reliability.conftest import Note
from tests.reliability.postgres import Postgres
from tests.reliability.support import NOTHING_WRITTEN, unavailable, users

CROWD = 100
GATHERED_WITHIN = 1  # seconds; a lock is waited for twice as long
WAITING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'
"""
TASK = "SELECT FROM tasks WHERE id = {id} FOR UPDATE"
KEY = """
    INSERT INTO idempotency_keys (user_id, key, task_id, title, completed)
    VALUES ('{subject}', '{key}', 0, '', false)
"""

Work = Callable[[User], httpx2.Response]


class Crowd:
    """The same user in a hundred environments."""

    def __init__(self, postgres: Postgres, database: str, members: Sequence[User]) -> None:
        self._postgres, self._database = postgres, database
        self.members = members
        self.one = members[0]

    def warm_up(self) -> None:
        """Let everybody have a connection and compiled statements, so that they are quick."""
        scratch = self.one.create().json()["id"]
        for work in (User.get, User.toggle, lambda user, _: create_once(user, "first")):
            together(lambda user, work=work: work(user, scratch), self.members)  # type: ignore[misc]
        self.one.delete(scratch)

    def collide(self, work: Work, hold: str, members: Sequence[User] = ()) -> list[httpx2.Response]:
        """Everybody does it at once: they wait in Postgres for a lock until all of them are there.

        A client that is told that nothing was written, because it took too long, asks again.
        """
        everybody = members or self.members
        with self.admin() as holder, self.admin() as watcher, ThreadPoolExecutor(1) as thread:

            def all_wait() -> bool:
                return watcher.execute(WAITING).fetchone() == (len(everybody),)

            with holder.transaction(force_rollback=True):
                holder.execute(hold)
                responses = thread.submit(together, self._persistent(work), everybody)
                until(all_wait, GATHERED_WITHIN)
            return responses.result()

    def _persistent(self, work: Work) -> Work:
        def ask(user: User) -> httpx2.Response:
            while (response := work(user)).status_code == 503:
                unavailable(response, NOTHING_WRITTEN)
                sleep(0.1)
            return response

        return ask

    def admin(self) -> psycopg.Connection:
        """The superuser in their database."""
        return self._postgres.admin(self._database)


@pytest.fixture(scope="module")
def crowd(postgres: Postgres, tokens: Issuer) -> Iterator[Crowd]:
    """They are warm, and stay for all races."""
    with postgres.database() as name, users(tokens, CROWD, postgres.url(name, "api")) as members:
        made = Crowd(postgres, name, members)
        made.warm_up()
        yield made


@pytest.fixture
def task_id(crowd: Crowd) -> int:
    """A task that is new in each race."""
    return int(task(crowd.one.create(), 201)["id"])


def create_once(user: User, key: str, title: str = "once") -> httpx2.Response:
    return user.create({"Idempotency-Key": key}, title=title)


def statuses(responses: Sequence[httpx2.Response]) -> Counter[int]:
    return Counter(response.status_code for response in responses)


def counted(responses: Sequence[httpx2.Response]) -> str:
    return ", ".join(f"{status}: {times}" for status, times in sorted(statuses(responses).items()))


def titled(user: User, title: str) -> int:
    """How many tasks have this title."""
    return sum(item["title"] == title for item in tasks(user.list(limit=500)))


class TestParallelToggles:
    def test_end_with_exact_parity(self, crowd: Crowd, task_id: int, note: Note) -> None:
        """100 toggles of one task at once; each counts."""
        responses = crowd.collide(lambda user: user.toggle(task_id), TASK.format(id=task_id))
        seen = sorted(task(response)["version"] for response in responses)
        assert seen == list(range(2, CROWD + 2))
        assert all(item["completed"] == (item["version"] % 2 == 0) for item in map(task, responses))
        after = task(crowd.one.get(task_id))
        assert (after["completed"], after["version"]) == (False, CROWD + 1)
        note(f"{CROWD} toggles: version {after['version']}, not completed")

    def test_to_one_status_change_the_task_once(self, crowd: Crowd, task_id: int) -> None:
        hold = TASK.format(id=task_id)
        responses = crowd.collide(lambda user: user.toggle(task_id, {"completed": True}), hold)
        assert {response.text for response in responses} == {crowd.one.get(task_id).text}
        assert task(responses[0])["version"] == 2


class TestParallelWritersWithOneEntityTag:
    def test_win_once_and_fail_99_times(self, crowd: Crowd, task_id: int, note: Note) -> None:
        """100 updates with one entity tag at once; one succeeds."""

        def write(user: User) -> httpx2.Response:
            return user.update(task_id, {"title": uuid4().hex}, If_Match='"1"')

        responses = crowd.collide(write, TASK.format(id=task_id))
        [winner] = [response for response in responses if response.status_code == 200]
        losers = [response for response in responses if response is not winner]
        assert len(losers) == CROWD - 1
        for response in losers:
            problem(response, 412)
            assert response.headers["etag"] == '"2"'
        assert task(crowd.one.get(task_id)) == task(winner)
        note(counted(responses))

    def test_win_once_whatever_they_do(self, crowd: Crowd, task_id: int) -> None:
        def write(user: User) -> httpx2.Response:
            number = crowd.members.index(user) % 3
            if number == 0:
                return user.update(task_id, {"title": "changed"}, If_Match='"1"')
            if number == 1:
                return user.toggle(task_id, If_Match='"1"')
            return user.delete(task_id, If_Match='"1"')

        responses = crowd.collide(write, TASK.format(id=task_id))
        times = statuses(responses)
        assert times[200] + times[204] == 1
        assert times[412 if times[200] else 404] == CROWD - 1

    def test_lose_no_change_when_they_read_again_and_repeat(
        self, crowd: Crowd, task_id: int, note: Note
    ) -> None:
        """Clients read again and repeat after a 412; no change is lost."""
        team, steps = crowd.members[:10], 5
        crowd.one.update(task_id, {"title": "0"})

        def count_up(user: User) -> int:
            failed = 0
            for _ in range(steps):
                while True:
                    found = user.get(task_id)
                    change = {"title": str(int(found.json()["title"]) + 1)}
                    response = user.update(task_id, change, If_Match=found.headers["etag"])
                    if response.status_code == 200:
                        break
                    problem(response, 412)
                    failed += 1
            return failed

        failed = sum(together(count_up, team))
        assert task(crowd.one.get(task_id))["title"] == str(len(team) * steps)
        note(f"{len(team) * steps} increments, {failed} repeated after a 412, none lost")


class TestParallelCreatesWithOneKey:
    def test_make_one_row_and_get_one_response(self, crowd: Crowd, note: Note) -> None:
        """100 creates with one idempotency key at once; there is one task."""
        key = uuid4().hex
        hold = KEY.format(subject=crowd.one.subject, key=key)
        responses = crowd.collide(lambda user: create_once(user, key, key), hold)
        assert statuses(responses).keys() <= {201, 409}
        created = [response for response in responses if response.status_code == 201]
        assert len({response.text for response in created}) == 1
        assert len({response.headers["location"] for response in created}) == 1
        first = [response for response in created if "idempotency-replayed" not in response.headers]
        assert len(first) == 1
        assert titled(crowd.one, key) == 1
        note(f"{counted(responses)}; 1 row, 1 body")

    def test_and_two_bodies_make_the_task_of_one_of_them(self, crowd: Crowd) -> None:
        key = uuid4().hex
        hold = KEY.format(subject=crowd.one.subject, key=key)

        def create(user: User) -> httpx2.Response:
            return create_once(user, key, f"{key} {crowd.members.index(user) % 2}")

        responses = crowd.collide(create, hold)
        assert statuses(responses).keys() <= {201, 409, 422}
        created = {response.text for response in responses if response.status_code == 201}
        assert len(created) == 1
        assert sum(titled(crowd.one, f"{key} {body}") for body in range(2)) == 1
        winner = next(response for response in responses if response.status_code == 201).json()[
            "title"
        ]
        for user, response in zip(crowd.members, responses, strict=True):
            same = winner == f"{key} {crowd.members.index(user) % 2}"
            assert response.status_code in ({201, 409} if same else {422, 409})

    def test_that_were_told_to_wait_get_the_response_later(self, crowd: Crowd) -> None:
        key, team = uuid4().hex, crowd.members[:4]
        hold = KEY.format(subject=crowd.one.subject, key=key)
        with crowd.admin() as holder:
            with holder.transaction(force_rollback=True):
                holder.execute(hold)
                waiting = together(lambda user: create_once(user, key), team)
            assert statuses(waiting) == {409: 4}
            for response in waiting:
                assert problem(response, 409)["type"] == "/problems/in-flight"
        assert task(create_once(crowd.one, key), 201)


class TestUpdatesAgainstDeletes:
    def test_leave_no_task_and_tell_who_came_too_late(
        self, crowd: Crowd, task_id: int, note: Note
    ) -> None:
        """Updates and deletes of one task at once; it is gone."""

        def write(user: User) -> httpx2.Response:
            if crowd.members.index(user) % 20:
                return user.update(task_id, {"title": uuid4().hex})
            return user.delete(task_id)

        responses = crowd.collide(write, TASK.format(id=task_id))
        deletes = [response for response in responses if response.request.method == "DELETE"]
        updates = [response for response in responses if response.request.method == "PUT"]
        assert statuses(deletes) == {204: 1, 404: len(deletes) - 1}
        assert statuses(updates).keys() <= {200, 404}
        done = [task(response)["version"] for response in updates if response.status_code == 200]
        assert sorted(done) == list(range(2, len(done) + 2))
        problem(crowd.one.get(task_id), 404)
        note(f"deletes {counted(deletes)}; updates {counted(updates)}")

    def test_that_nobody_sees_twice(self, crowd: Crowd, task_id: int) -> None:
        responses = crowd.collide(lambda user: user.delete(task_id), TASK.format(id=task_id))
        assert statuses(responses) == {204: 1, 404: CROWD - 1}
        no_content(next(response for response in responses if response.status_code == 204))
