"""What the operations answer: tasks as JSON, straight from their rows."""

from collections.abc import Sequence
from typing import Any

from fastapi import Response
from pydantic_core import to_json

from shared.database.tasks import TaskRow
from shared.http.preconditions import entity_tag
from shared.models import TaskPublic, rfc3339

MEMBERS = tuple(TaskPublic.model_fields)
TIMES = ("created_at", "updated_at")
JSON = "application/json"


def with_example(example: Any, status: int = 200) -> dict[int | str, dict[str, Any]]:
    """The example of a route's response, where its model's is not the right one.

    To be given to the route as its `responses`.
    """
    return {status: {"content": {JSON: {"example": example}}}}


def task_response(
    row: TaskRow, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """One task, with its entity tag."""
    tag = {"ETag": entity_tag(row.version)}
    return Response(to_json(_task(row)), status, (headers or {}) | tag, JSON)


def not_modified(row: TaskRow) -> Response:
    """304: the client has this version of the task already."""
    return Response(status_code=304, headers={"ETag": entity_tag(row.version)})


def tasks_response(rows: Sequence[TaskRow], headers: dict[str, str]) -> Response:
    """A bare array of tasks."""
    return Response(to_json([_task(row) for row in rows]), headers=headers, media_type=JSON)


def _task(row: TaskRow) -> dict[str, Any]:
    """The members of `TaskPublic`, unvalidated: the table has constraints."""
    task = {name: getattr(row, name) for name in MEMBERS}
    for name in TIMES:
        task[name] = rfc3339(task[name])
    return task
