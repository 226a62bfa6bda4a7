"""The tasks of one owner: the only way from an operation to the table."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import Depends

from shared.auth.middleware import Bearer
from shared.database import statements
from shared.database.database import Database
from shared.database.execution import Row
from shared.database.sql import Statement
from shared.database.statements import Outcome
from shared.http.paging import TaskQuery
from shared.http.preconditions import Condition, entity_tag
from shared.http.problems import InFlight, KeyReused, Locked, NotFound, PreconditionFailed, Quota
from shared.models import TaskCreate, TaskUpdate
from shared.observability import count
from shared.settings import settings

TaskRow = Row
NO_LIMIT = 2**31 - 1


class TaskRepository:
    """What one owner may do with tasks. Rows have the columns of `TaskPublic`.

    Raises, where a task is named: NotFound when the owner has no such task; PreconditionFailed when
    it is not at a version that is `expected`. Raises, everywhere: what `Database` does.
    """

    def __init__(self, owner: str) -> None:
        self.owner = owner
        self._database = Database(owner)

    def page(self, query: TaskQuery) -> Sequence[TaskRow]:
        """The tasks of a page, and one more where there is a next page."""
        after = query.after
        has_cursor = after is not None
        statement = statements.read_page(query.key, query.descending, query.completed, has_cursor)
        parameters = {"limit": query.limit + 1} | (after._asdict() if after else {})
        return self._database.read(statement, self._own(parameters))

    def create(self, task: TaskCreate, key: str | None = None) -> TaskRow:
        """Insert a task or, where its key was used already, give the first response again.

        Raises:
            Quota: the owner has as many tasks as `MAX_TASKS_PER_USER` allows.
            InFlight: another create with this key is not done yet.
            KeyReused: this key was used for another body.
        """
        if key is None:
            sent = self._own({"most": _most(), **task.model_dump()})
            row = _room(self._database.write(statements.insert_task(), sent))
        else:
            row = self._create_once(task, key)
        if not row.replayed:
            count("TaskCreated")
        return row

    def _create_once(self, task: TaskCreate, key: str) -> TaskRow:
        try:
            sent = self._own({"key": key, "most": _most(), **task.model_dump()})
            row = _room(self._database.write(statements.insert_task_once(), sent, repeatable=True))
        except Locked:
            raise InFlight from None
        if not row.same_body:
            raise KeyReused
        return row

    def get(self, task_id: int) -> TaskRow:
        """Read a task."""
        return _found(self._database.read(statements.read_task(), self._own({"task_id": task_id})))

    def update(self, task_id: int, change: TaskUpdate, expected: Condition) -> TaskRow:
        """Set what the change sets. Nothing moves where that is so already."""
        values = change.values()
        statement = statements.update_task(frozenset(values))
        return self._write(statement, task_id, expected, values)

    def toggle(self, task_id: int, completed: bool | None, expected: Condition) -> TaskRow:
        """Set the status, or flip it where none is given."""
        return self._write(statements.toggle_task(), task_id, expected, {"completed": completed})

    def delete(self, task_id: int, expected: Condition) -> None:
        """Delete a task."""
        self._write(statements.delete_task(), task_id, expected, {})

    def _write(
        self, statement: Statement, task_id: int, expected: Condition, new: Mapping[str, Any]
    ) -> TaskRow:
        versions = None if expected is None else sorted(expected.strong)
        values = {f"new_{name}": value for name, value in new.items()}
        named_task = {"task_id": task_id, "versions": versions}
        sent = self._own(named_task | values)
        row = _found(self._database.write(statement, sent))
        while row.outcome == Outcome.RACED:  # looks again, while the request has time
            row = _found(self._database.write(statement, sent))
        if row.outcome == Outcome.PRECONDITION_FAILED:
            weak = expected is not None and row.version in expected.weak
            raise PreconditionFailed(entity_tag(row.version), weak=weak)
        if row.outcome == Outcome.COMPLETED:
            count("TaskCompleted")
        return row

    def _own(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        return {"owner": self.owner, **parameters}


Tasks = Annotated[TaskRepository, Depends(Bearer(TaskRepository))]
"""The tasks of the user who is asking."""


def _found(rows: Sequence[TaskRow]) -> TaskRow:
    if not rows:
        raise NotFound
    return rows[0]


def _most() -> int:
    return settings().max_tasks_per_user or NO_LIMIT


def _room(rows: Sequence[TaskRow]) -> TaskRow:
    if not rows:
        raise Quota
    return rows[0]
