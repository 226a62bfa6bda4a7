"""What the tests of reliability share: users of real environments, and what they may be told."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from time import monotonic, sleep
from uuid import uuid4

import httpx2

from local.gateway import GatewayTransport
from local.issuer import Issuer
from tests.conftest import User
from tests.functions.support import CREATE, DELETE, GET, LIST, TOGGLE, UPDATE, Operation, problem
from tests.reliability.environments import Environment, environments

LONGEST = 10  # seconds to a 503, by the contract
NOTHING_WRITTEN = "Nothing was written."
NOT_KNOWN = "It is not known"

READS = (LIST, GET)
WRITES = (CREATE, UPDATE, TOGGLE, DELETE)
HEALTH = Operation("health", "GET", "/health")


class Timed(GatewayTransport):
    """Measures how long an answer takes."""

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        started = monotonic()
        answer = super().handle_request(request)
        answer.elapsed = timedelta(seconds=monotonic() - started)
        return answer


def client(environment: Environment) -> httpx2.Client:
    """A client whose requests are served by one environment."""
    return httpx2.Client(transport=Timed(environment), base_url="https://api.test")


@contextmanager
def users(tokens: Issuer, count: int, url: str, subject: str | None = None) -> Iterator[list[User]]:
    """The same user so many times, each served by an environment of their own."""
    subject = subject or f"user-{uuid4().hex}"
    with environments(count, {"DATABASE_URL": url}) as served:
        yield [User(subject, tokens.token(subject), client(each)) for each in served]


def unavailable(answer: httpx2.Response, said: str = "") -> None:
    """Check that an answer is the 503 of the contract."""
    details = problem(answer, 503)
    assert details["type"] == "/problems/unavailable"
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.elapsed.total_seconds() < LONGEST
    assert said in details["detail"]
    assert (NOTHING_WRITTEN in details["detail"]) != (NOT_KNOWN in details["detail"])


def well(answer: httpx2.Response, operation: Operation) -> None:
    """Check that an operation succeeded."""
    assert answer.status_code == operation.success, answer.text


def until(condition: object, seconds: float = 5) -> bool:
    """Wait until something is so; whether it came to be."""
    assert callable(condition)
    deadline = monotonic() + seconds
    while not (true := condition()) and monotonic() < deadline:
        sleep(0.01)
    return bool(true)
