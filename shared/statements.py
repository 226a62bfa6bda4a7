"""The statements on tasks: each scoped to its owner, each one network turn.

They decide by themselves between "not there", "not as expected" and "done", and are built once.
Their parameters: `owner`, always; `task_id` and `versions`, where a task is named; what is sent.
"""

from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    CTE,
    BindParameter,
    ColumnElement,
    Executable,
    Integer,
    Select,
    and_,
    bindparam,
    case,
    delete,
    exists,
    false,
    func,
    insert,
    literal,
    or_,
    select,
    true,
    tuple_,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.dml import ReturningInsert
from sqlmodel import SQLModel

from shared.models import TaskCreate

table, keys = (SQLModel.metadata.tables[name] for name in ("tasks", "idempotency_keys"))
columns = table.columns

TICK = timedelta(microseconds=1)  # so that time moves on though the server's clock was set back


def owned() -> ColumnElement[bool]:
    """The first wall: every statement on the table has it."""
    return columns.user_id == bindparam("owner")


@cache
def read_page(key: str, descending: bool, completed: bool | None, onwards: bool) -> Select[Any]:
    """One page of the owner's tasks, in order, from the start or from behind a position."""
    order = (columns[key], columns.id)
    statement = select(table).where(owned()).limit(bindparam("limit"))
    if completed is not None:
        statement = statement.where(columns.completed.is_(completed))
    if onwards:
        place, position = tuple_(*order), tuple_(_bound("value", columns[key]), bindparam("id"))
        statement = statement.where(place < position if descending else place > position)
    return statement.order_by(*(column.desc() if descending else column for column in order))


@cache
def insert_task() -> Executable:
    """A new task."""
    task = {"user_id": bindparam("owner"), **_sent()}
    return insert(table).values(task).returning(*columns, false().label("replayed"))


def _sent() -> dict[str, BindParameter[Any]]:
    return {name: _bound(name, columns[name]) for name in TaskCreate.model_fields}


@cache
def insert_task_once() -> Executable:
    """Claim the key with an id drawn for the task; insert the task if the claim is ours.

    A key that is there already, though it may not have been when the statement began, is locked and
    comes back with its first id, unless it is a day old.
    """
    sent = _sent()
    drawn = select(func.nextval("tasks_id_seq").label("id")).cte("drawn")
    claimed = _claim(drawn, sent).cte("claimed")
    ours = claimed.c.task_id == drawn.c.id
    body = [claimed.c[name] for name in sent]
    new = select(drawn.c.id, claimed.c.user_id, *body).where(ours)
    created = insert(table).from_select(["id", "user_id", *sent], new)
    forgotten = select(func.forget_old_idempotency_keys().label("keys")).cte("forgotten")
    same = and_(*(claimed.c[name].is_not_distinct_from(value) for name, value in sent.items()))
    answer = (
        claimed.c.task_id.label("id"),
        claimed.c.user_id,
        *body,
        claimed.c.created_at,
        claimed.c.created_at.label("updated_at"),
        literal(1).label("version"),
        (~ours).label("replayed"),
        same.label("same_body"),
    )
    everything = claimed.join(drawn, true()).join(forgotten, true())
    return select(*answer).select_from(everything).add_cte(created.cte("created"))


def _claim(drawn: CTE, sent: Mapping[str, BindParameter[Any]]) -> ReturningInsert[Any]:
    new = select(bindparam("owner"), bindparam("key"), drawn.c.id, *sent.values())
    claim = postgresql.insert(keys).from_select(["user_id", "key", "task_id", *sent], new)
    old = keys.c.created_at < func.now() - timedelta(days=1)
    renewed = {
        name: case((old, claim.excluded[name]), else_=keys.c[name])
        for name in ("task_id", "created_at", *sent)
    }
    return claim.on_conflict_do_update(
        index_elements=[keys.c.user_id, keys.c.key], set_=renewed
    ).returning(*keys.c)


@cache
def read_task() -> Select[Any]:
    """The named task."""
    return select(table).where(owned(), columns.id == bindparam("task_id"))


@cache
def update_task(names: frozenset[str]) -> Executable:
    """Set some columns of the named task."""
    return _change(_locked(), {name: _bound(f"new_{name}", columns[name]) for name in names})


@cache
def toggle_task() -> Executable:
    """Set the named task's status, or flip it where none is sent."""
    found = _locked()
    sent = _bound("new_completed", columns.completed)
    return _change(found, {"completed": func.coalesce(sent, ~found.c.completed)})


@cache
def delete_task() -> Executable:
    """Delete the named task."""
    found = _locked()
    deleted = delete(table).where(owned(), columns.id == found.c.id, found.c.expected)
    return select(found).add_cte(deleted.cte("deleted"))


def _bound(name: str, column: ColumnElement[Any]) -> BindParameter[Any]:
    return bindparam(name, type_=column.type)


def _locked() -> CTE:
    """The named task as the last writer left it, held until the statement's end."""
    versions = bindparam("versions", type_=ARRAY(Integer))
    expected = func.coalesce(columns.version == func.any(versions), True).label("expected")
    nothing = false().label("completes")
    return read_task().add_columns(expected, nothing).with_for_update(key_share=True).cte("found")


def _change(found: CTE, new: Mapping[str, ColumnElement[Any]]) -> Executable:
    """Write what is new to the task; answer with it, or with what was found and left alone."""
    completes = columns.completed & ~found.c.completed
    differs = or_(*(found.c[name].is_distinct_from(value) for name, value in new.items()))
    changed = (
        update(table)
        .where(owned(), columns.id == found.c.id, found.c.expected, differs)
        .values(
            **new,
            version=found.c.version + 1,
            updated_at=func.greatest(func.clock_timestamp(), found.c.updated_at + TICK),
        )
        .returning(*columns, true().label("expected"), completes.label("completes"))
        .cte("changed")
    )
    untouched = select(found).where(~exists(select(changed)))
    return union_all(select(changed), untouched)
