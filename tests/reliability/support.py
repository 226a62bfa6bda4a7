"""What the tests of reliability share: users of real environments, and what they may be told."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from time import monotonic
from typing import Any, cast
from uuid import uuid4

import httpx2

from local.gateway import Gateway, GatewayTransport
from local.issuer import Issuer
from tests.conftest import User
from tests.functions.support import (
    CREATE,
    DELETE,
    GET,
    LIST,
    TOGGLE,
    UPDATE,
    Asks,
    Operation,
    problem,
)
from tests.reliability.concurrency import together, until
from tests.reliability.environments import Environment, environments

LONGEST = 10  # seconds to a 503, by the contract
NOTHING_WRITTEN = "Nothing was written."
NOT_KNOWN = "It is not known"


@dataclass(frozen=True)
class CreateOnce(Operation):
    """A create with a key that is new each time."""

    def ask(self, user: Asks, task_id: object = 1, **options: Any) -> httpx2.Response:
        return super().ask(user, task_id, headers={"Idempotency-Key": uuid4().hex}, **options)


@dataclass(frozen=True)
class Health(Operation):
    """The operation that is below no user's path."""

    def ask(self, user: Asks, task_id: object = 1, **options: Any) -> httpx2.Response:
        assert isinstance(user, User)
        return user.api.get(self.path)


FLIP = Operation("flip", "PATCH", "/{id}/complete")
CREATE_ONCE = CreateOnce("keyed create", "POST", "", {"title": "new"}, 201)
HEALTH = Health("health", "GET", "/health")

READS = (LIST, GET, HEALTH)
WRITES_ONCE = (CREATE, UPDATE, TOGGLE, FLIP, DELETE)
WRITES = (*WRITES_ONCE, CREATE_ONCE)
EVERY = (*READS, *WRITES)
SUCCESS = {operation.name: operation.success for operation in EVERY}

Responses = dict[str, httpx2.Response]
"""What operations answered, by their names."""


class Timed(GatewayTransport):
    """Measures how long a response of an environment takes."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(cast("Gateway", environment))

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        started = monotonic()
        response = super().handle_request(request)
        response.elapsed = timedelta(seconds=monotonic() - started)
        return response


def client(environment: Environment) -> httpx2.Client:
    """A client whose requests are served by one environment."""
    return httpx2.Client(transport=Timed(environment), base_url="https://api.test")


@contextmanager
def users(tokens: Issuer, count: int, url: str, **variables: str) -> Iterator[list[User]]:
    """The same user so many times, each served by an environment of their own."""
    subject = f"user-{uuid4().hex}"
    with environments(count, {"DATABASE_URL": url} | variables) as served:
        yield [User(subject, tokens.token(subject), client(each)) for each in served]


class Company:
    """A user for each operation, so that all can be asked at once, on a task of their own."""

    def __init__(self, members: Sequence[User]) -> None:
        names = (operation.name for operation in EVERY)
        self._members = dict(zip(names, members, strict=True))
        self._tasks: dict[str, int] = {}

    @property
    def anyone(self) -> User:
        return self._members[LIST.name]

    def prepare(self) -> None:
        """Make the tasks, over connections that live."""
        for name, user in self._members.items():
            assert until(partial(self._is_well, user), LONGEST)
            self._tasks[name] = user.create().json()["id"]

    @staticmethod
    def _is_well(user: User) -> bool:
        return HEALTH.ask(user).status_code == HEALTH.success

    def ask(self, *operations: Operation) -> Responses:
        """What some operations answer, or all of them."""
        asked = operations or EVERY

        def ask(operation: Operation) -> httpx2.Response:
            return operation.ask(self._members[operation.name], self._tasks[operation.name])

        names = (operation.name for operation in asked)
        return dict(zip(names, together(ask, asked), strict=True))

    def ask_of_nothing(self, *operations: Operation) -> Responses:
        """What operations answer where there is no task."""
        self._tasks = dict.fromkeys(self._members, 1)
        return self.ask(*operations)


@contextmanager
def company(tokens: Issuer, url: str) -> Iterator[Company]:
    """A company on one database."""
    with users(tokens, len(EVERY), url) as members:
        yield Company(members)


def unavailable(response: httpx2.Response, said: str = "") -> None:
    """Check that a response is the 503 of the contract."""
    details = problem(response, 503)
    assert details["type"] == "/problems/unavailable"
    assert int(response.headers["retry-after"]) >= 1
    assert response.elapsed.total_seconds() < LONGEST
    assert said in details["detail"]
    assert (NOTHING_WRITTEN in details["detail"]) != (NOT_KNOWN in details["detail"])


def well(responses: Responses) -> None:
    """Check that operations succeeded."""
    for name, response in responses.items():
        assert response.status_code == SUCCESS[name], (name, response.text)


def some(responses: Responses, *operations: Operation) -> Responses:
    """The responses of these operations only."""
    return {operation.name: responses[operation.name] for operation in operations}


def refused(responses: Responses) -> None:
    """Check that operations answered 503 and that nothing was written."""
    for response in responses.values():
        unavailable(response, NOTHING_WRITTEN)


def longest(responses: Responses) -> str:
    """The time that the slowest response took."""
    seconds = max(response.elapsed.total_seconds() for response in responses.values())
    return f"{seconds:.1f} s"
