"""Each operation gives each error that the API's description shows of it, as it is shown there.

For each kind there is a fixture that makes the circumstances, and yields what to send.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from local import issuer
from shared.database.database import Database
from tests.conftest import Configure, User, database_url, fresh_database
from tests.description import OPERATIONS as DESCRIBED
from tests.description import errors
from tests.functions.support import (
    CREATE,
    JSON,
    MAX_BODY,
    OPERATIONS,
    TASKS,
    Operation,
    admin,
    alembic,
    another_database,
    padded,
    problem,
    task,
)
from tests.shared.database.support import key_in_flight

Options = dict[str, Any]

HEALTH = ("GET", "/health")
BY_ROUTE = {(each.method, f"{TASKS}{each.path}"): each for each in OPERATIONS}
SHOWN = [
    pytest.param(BY_ROUTE.get(route), example, id=f"{described['operationId']}-{kind}")
    for route, described in DESCRIBED.items()
    if route in {*BY_ROUTE, HEALTH}
    for kind, example in errors(described).items()
]
KEY = {"Idempotency-Key": "the same"}
EACH_TIME_ANOTHER = ("instance", "request_id")


@pytest.fixture
def unauthorized(alice: User, tokens: issuer.Issuer) -> Options:
    expired = tokens.token(alice.subject, timedelta(minutes=-1))
    return {"headers": {"Authorization": f"Bearer {expired}"}}


@pytest.fixture
def forbidden(bob: User) -> Options:
    return {"headers": {"Authorization": f"Bearer {bob.token}"}}


@pytest.fixture
def content_too_large() -> Options:
    return {"content": padded(MAX_BODY + 1), "headers": JSON}


@pytest.fixture
def unsupported_media_type() -> Options:
    return {"content": b"{}", "headers": {"Content-Type": "text/plain"}}


@pytest.fixture
def malformed_request(operation: Operation) -> Options:
    if operation.body is None:
        return {"headers": {"If-Match": "1", "If-None-Match": "1"}}
    return {"content": b"{", "headers": JSON}


@pytest.fixture
def invalid_input(operation: Operation, shown: dict[str, Any]) -> Options:
    if operation.body is None:
        return {"task_id": 0, "params": {"limit": 0}}
    [error] = shown["errors"]
    return {"json": operation.body | {error["pointer"].removeprefix("/"): "x" * 256}}


@pytest.fixture
def not_found() -> Options:
    return {"task_id": 1}


@pytest.fixture
def precondition_failed(alice: User) -> Options:
    created = task(alice.create(), 201)
    return {"task_id": created["id"], "headers": {"If-Match": '"2"'}}


@pytest.fixture
def unknown_user() -> Iterator[Options]:
    with fresh_database() as name:
        with admin(name, "owner") as connection:
            connection.execute('create table "user" (id text primary key)')
        alembic(database_url(name, "owner"), "upgrade", "head", section="link_users")
        with another_database(database_url(name, "api")):
            yield {}


@pytest.fixture
def quota(alice: User, configure: Configure) -> Options:
    configure(MAX_TASKS_PER_USER="1")
    task(alice.create(), 201)
    return {}


@pytest.fixture
def in_flight(alice: User, monkeypatch: pytest.MonkeyPatch) -> Iterator[Options]:
    with key_in_flight(alice, KEY["Idempotency-Key"], monkeypatch):
        yield {"headers": KEY}


@pytest.fixture
def idempotency_key_reused(alice: User) -> Options:
    task(CREATE.ask(alice, json={"title": "another"}, headers=KEY), 201)
    return {"headers": KEY}


@pytest.fixture
def unavailable() -> Iterator[Options]:
    with another_database("postgresql://nobody@127.0.0.1:1/nothing"):
        yield {}


@pytest.fixture
def internal_error(monkeypatch: pytest.MonkeyPatch) -> Options:
    def defect(*_: object, **__: object) -> None:
        raise RuntimeError

    for method in ("read", "write"):
        monkeypatch.setattr(Database, method, defect)
    return {}


@pytest.mark.parametrize("route", sorted(DESCRIBED.keys() - {HEALTH}), ids=" ".join)
def test_an_operation_is_asked_as_the_others_are(route: tuple[str, str]) -> None:
    assert route in BY_ROUTE, (
        f"say in tests/functions/support.py how {' '.join(route)} is asked: what is there is tested"
        " for isolation, the order of checks, and each error"
    )


@pytest.mark.parametrize(("operation", "shown"), SHOWN)
def test_an_error_is_as_it_is_shown(
    alice: User,
    operation: Operation | None,
    shown: dict[str, Any],
    request: pytest.FixtureRequest,
) -> None:
    kind = shown["type"].removeprefix("/problems/").replace("-", "_")
    options = request.getfixturevalue(kind)
    response = operation.ask(alice, **options) if operation else alice.api.get("/health")
    details = problem(response, shown["status"])
    assert details == shown | {member: details[member] for member in EACH_TIME_ANOTHER}
