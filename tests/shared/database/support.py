"""What the tests of the database share."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, get_args

import pytest
from sqlalchemy import text

from shared.database import execution, scope
from shared.database.sql import Statement
from shared.http.paging import Sort
from tests.conftest import User
from tests.functions.support import (
    CREATE,
    Operation,
    admin,
    each_on_one_task,
    problem,
    task,
    tasks,
)


def statement(source: str) -> Statement:
    """A statement of SQL."""
    return Statement(text(source))


def change_scope(patch: pytest.MonkeyPatch, old: str, new: str) -> None:
    """Let what comes before each statement say something else."""
    assert old in scope.SCOPE_SQL
    changed = statement(scope.SCOPE_SQL.replace(old, new))
    patch.setattr(execution, "SCOPE", changed)


@contextmanager
def key_in_flight(user: User, key: str, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Another create with this key is not done yet. No statement waits for it long."""
    change_scope(patch, "'2s'", "'50ms'")
    with admin() as connection, connection.transaction(force_rollback=True):
        connection.execute(
            "insert into idempotency_keys (user_id, key, task_id, title, completed)"
            " values (%s, %s, 1, 'a task', false)",
            [user.subject, key],
        )
        yield


def message(kind: bytes, body: bytes = b"") -> bytes:
    """A message of Postgres' protocol."""
    return kind + struct.pack("!I", len(body) + 4) + body


AUTHENTICATED = message(b"R", bytes(4))
READY = message(b"Z", b"I")


@contextmanager
def odd_server(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that lets one client in, and then talks as is said here; yields its URL."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            client, _ = server.accept()
            with client:
                client.recv(65536)
                client.sendall(AUTHENTICATED + READY)
                talk(client)

        serving = threading.Thread(target=serve)
        serving.start()
        yield f"postgresql://api@127.0.0.1:{server.getsockname()[1]}/tasks?sslmode=disable"
        serving.join()


class KeepsUsersApart:
    """What holds with one of the two layers removed: of each, there is a test class."""

    @each_on_one_task
    @pytest.mark.parametrize("headers", [{}, {"If-Match": '"1"'}, {"If-Match": '"2"'}], ids=str)
    def test_no_operation_touches_a_foreign_row(
        self, alice: User, bob: User, operation: Operation, headers: dict[str, str]
    ) -> None:
        created = task(alice.create(), 201)
        problem(operation.ask(bob, created["id"], headers=headers), 404)
        assert task(alice.get(created["id"])) == created

    @pytest.mark.parametrize(
        "query",
        [{}, {"completed": "false", "limit": 500}, *({"sort": sort} for sort in get_args(Sort))],
        ids=str,
    )
    def test_no_list_shows_a_foreign_row(
        self, alice: User, bob: User, query: dict[str, Any]
    ) -> None:
        mine, theirs = task(alice.create(), 201), task(bob.create(), 201)
        assert tasks(alice.list(**query)) == [mine]
        assert tasks(bob.list(**query)) == [theirs]

    def test_a_key_finds_no_foreign_response(self, alice: User, bob: User) -> None:
        headers = {"Idempotency-Key": "the same"}
        mine, theirs = (task(CREATE.ask(user, headers=headers), 201) for user in (alice, bob))
        assert mine["id"] != theirs["id"]
