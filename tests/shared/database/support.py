"""What the tests of the database share."""

from typing import Any, get_args

import pytest
from sqlalchemy import text

from shared.database import execution, sql
from shared.database.sql import Statement
from shared.http.paging import Sort
from tests.conftest import User
from tests.functions.support import CREATE, Operation, each_on_one_task, problem, task, tasks


def statement(source: str) -> Statement:
    """A statement of SQL."""
    return Statement(text(source))


def change_scope(patch: pytest.MonkeyPatch, old: str, new: str) -> None:
    """Let what comes before each statement say something else."""
    assert old in sql.SCOPE_SQL
    scope = statement(sql.SCOPE_SQL.replace(old, new))
    patch.setattr(execution, "SCOPE", scope)


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
