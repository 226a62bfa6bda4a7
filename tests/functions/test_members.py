"""Each member of a task that a client sets; a new one is found in the model."""

from typing import Any
from uuid import uuid4

import pytest
from sqlmodel import SQLModel

from shared.database.scope import ROLE
from shared.models import EXAMPLE, Task, TaskCreate, TaskPublic, UsedIdempotencyKey
from tests.conftest import User
from tests.functions.support import admin, problem, task, tasks

VALUES: dict[str, tuple[object, object]] = {
    "string": ("one", "two"),
    "boolean": (True, False),
    "integer": (1, 2),
}
"""Two values of each type that a member can have."""


def values(member: str) -> tuple[Any, Any]:
    """Two values of a member."""
    schema = TaskCreate.model_json_schema()["properties"][member]
    kind = schema.get("anyOf", [schema])[0]["type"]
    assert kind in VALUES, f"say in VALUES of {__name__} what {member} can be: a {kind}"
    return VALUES[kind]


@pytest.mark.parametrize("member", TaskCreate.model_fields)
class TestMember:
    @pytest.mark.parametrize("table", [Task, UsedIdempotencyKey])
    def test_has_a_column(self, member: str, table: type[SQLModel]) -> None:
        assert member in table.model_fields, f"give {table.__name__} a column {member}"

    @pytest.mark.parametrize(
        ("table", "privilege"),
        [("tasks", "INSERT"), ("tasks", "UPDATE"), ("idempotency_keys", "INSERT")],
    )
    def test_is_granted_to_the_role(self, member: str, table: str, privilege: str) -> None:
        with admin() as connection:
            query = "select has_column_privilege(%s, %s, %s, %s)"
            granted = connection.execute(query, [ROLE, table, member, privilege]).fetchone()
        assert granted == (True,), (
            f"say in the member's migration: GRANT {privilege} ({member}) ON {table} TO {ROLE}"
        )

    def test_is_kept_by_a_create(self, alice: User, member: str) -> None:
        value, _ = values(member)
        created = task(alice.create(**{member: value}), 201)
        assert created[member] == value
        assert tasks(alice.list()) == [created] == [task(alice.get(created["id"]))]

    def test_alone_is_changed_by_an_update(self, alice: User, member: str) -> None:
        value, other = values(member)
        created = task(alice.create(**{member: value}), 201)
        updated = task(alice.update(created["id"], {member: other}))
        moved = {name: updated[name] for name in ("version", "updated_at")}
        assert updated == created | moved | {member: other}
        assert updated["version"] == 2

    def test_is_part_of_what_an_idempotency_key_stands_for(self, alice: User, member: str) -> None:
        key = {"Idempotency-Key": uuid4().hex}
        value, other = values(member)
        created = task(alice.create(key, **{member: value}), 201)
        again = task(alice.create(key, **{member: value}), 201)
        assert again == created
        problem(alice.create(key, **{member: other}), 422)


def test_the_example_of_a_task_has_every_member() -> None:
    assert EXAMPLE.keys() == TaskPublic.model_fields.keys(), "say in EXAMPLE what it looks like"
