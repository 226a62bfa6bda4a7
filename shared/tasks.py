"""The tasks of one owner: the only way from an operation to the table.

Every statement is scoped to its owner and decides by itself, in one network turn, between "not
there", "not as expected" and "done". Row-level security stands behind them as the second wall.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Annotated, Any

from fastapi import Depends
from sqlalchemy import (
    ARRAY,
    CTE,
    BindParameter,
    ColumnElement,
    Executable,
    Integer,
    Row,
    Select,
    bindparam,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    true,
    tuple_,
    union_all,
    update,
)
from sqlmodel import SQLModel

from shared.auth import Subject
from shared.database import Session
from shared.models import TaskCreate, TaskUpdate
from shared.paging import TaskQuery
from shared.preconditions import Versions, entity_tag
from shared.problems import NotFound, PreconditionFailed

table = SQLModel.metadata.tables["tasks"]
columns = table.columns

TaskRow = Row[Any]


class TaskRepository:
    """What one owner may do with tasks. Rows have the columns of `TaskPublic`.

    Raises, where a task is named: NotFound when the owner has no such task; PreconditionFailed when
    it is not at one of the `versions`. Raises, everywhere: what `Session.execute` does.
    """

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self._session = Session(owner)

    def page(self, query: TaskQuery) -> Sequence[TaskRow]:
        """The tasks of a page, and one more where there is a next page."""
        after = query.after
        statement = _page(query.key, query.descending, query.completed, after is not None)
        parameters = {"limit": query.limit + 1} | (after._asdict() if after else {})
        return self._execute(statement, parameters, repeatable=True)

    def create(self, task: TaskCreate) -> TaskRow:
        """Insert a task."""
        [row] = self._execute(_insert(), task.model_dump())
        return row

    def get(self, task_id: int) -> TaskRow:
        """Read a task."""
        return _found(self._execute(_get(), {"task_id": task_id}, repeatable=True))

    def update(self, task_id: int, change: TaskUpdate, versions: Versions) -> TaskRow:
        """Set what the change sets. Nothing moves where that is so already."""
        values = change.model_dump(exclude_unset=True)
        return self._write(_update(frozenset(values)), task_id, versions, _new(values))

    def toggle(self, task_id: int, completed: bool | None, versions: Versions) -> TaskRow:
        """Set the status, or flip it where none is given."""
        return self._write(_toggle(), task_id, versions, _new({"completed": completed}))

    def delete(self, task_id: int, versions: Versions) -> None:
        """Delete a task."""
        self._write(_delete(), task_id, versions, {})

    def _write(
        self, statement: Executable, task_id: int, versions: Versions, values: Mapping[str, Any]
    ) -> TaskRow:
        named = None if versions is None else sorted(versions)
        row = _found(self._execute(statement, {"task_id": task_id, "versions": named, **values}))
        if not row.expected:
            raise PreconditionFailed(headers={"ETag": entity_tag(row.version)})
        return row

    def _execute(
        self, statement: Executable, parameters: Mapping[str, Any], *, repeatable: bool = False
    ) -> Sequence[TaskRow]:
        scoped = {"owner": self._owner, **parameters}
        return self._session.execute(statement, scoped, repeatable=repeatable)


async def _tasks(subject: Subject) -> TaskRepository:
    return TaskRepository(subject)


Tasks = Annotated[TaskRepository, Depends(_tasks)]
"""The tasks of the user who is asking."""


def _found(rows: Sequence[TaskRow]) -> TaskRow:
    if not rows:
        raise NotFound
    return rows[0]


def _new(values: Mapping[str, Any]) -> dict[str, Any]:
    return {f"new_{name}": value for name, value in values.items()}


def owned() -> ColumnElement[bool]:
    """The first wall: every statement on the table has it."""
    return columns.user_id == bindparam("owner")


@cache
def _page(key: str, descending: bool, completed: bool | None, onwards: bool) -> Select[Any]:
    order = (columns[key], columns.id)
    statement = select(table).where(owned()).limit(bindparam("limit"))
    if completed is not None:
        statement = statement.where(columns.completed.is_(completed))
    if onwards:
        place, position = tuple_(*order), tuple_(_bound("value", columns[key]), bindparam("id"))
        statement = statement.where(place < position if descending else place > position)
    return statement.order_by(*(column.desc() if descending else column for column in order))


@cache
def _insert() -> Executable:
    sent = {name: bindparam(name) for name in TaskCreate.model_fields}
    return insert(table).values(user_id=bindparam("owner"), **sent).returning(*columns)


@cache
def _get() -> Select[Any]:
    return select(table).where(owned(), columns.id == bindparam("task_id"))


@cache
def _update(names: frozenset[str]) -> Executable:
    return _change(_locked(), {name: _bound(f"new_{name}", columns[name]) for name in names})


@cache
def _toggle() -> Executable:
    found = _locked()
    sent = _bound("new_completed", columns.completed)
    return _change(found, {"completed": func.coalesce(sent, ~found.c.completed)})


@cache
def _delete() -> Executable:
    found = _locked()
    deleted = delete(table).where(owned(), columns.id == found.c.id, found.c.expected)
    return select(found).add_cte(deleted.cte("deleted"))


def _bound(name: str, column: ColumnElement[Any]) -> BindParameter[Any]:
    return bindparam(name, type_=column.type)


def _locked() -> CTE:
    """The named task as the last writer left it, held until the statement's end."""
    versions = bindparam("versions", type_=ARRAY(Integer))
    expected = func.coalesce(columns.version == func.any(versions), True).label("expected")
    return _get().add_columns(expected).with_for_update(key_share=True).cte("found")


def _change(found: CTE, new: Mapping[str, ColumnElement[Any]]) -> Executable:
    """Write what is new to the task; answer with it, or with what was found and left alone."""
    differs = or_(*(found.c[name].is_distinct_from(value) for name, value in new.items()))
    changed = (
        update(table)
        .where(owned(), columns.id == found.c.id, found.c.expected, differs)
        .values(
            **new,
            version=found.c.version + 1,
            updated_at=func.greatest(func.clock_timestamp(), found.c.updated_at),
        )
        .returning(*columns, true().label("expected"))
        .cte("changed")
    )
    untouched = select(found).where(~exists(select(changed)))
    return union_all(select(changed), untouched)
