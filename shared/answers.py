"""What the operations answer: tasks as JSON, straight from their rows."""

from collections.abc import Sequence

from fastapi import Response

from shared.models import TaskPublic
from shared.preconditions import entity_tag
from shared.tasks import TaskRow

JSON = "application/json"


def task_answer(row: TaskRow, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """One task, with its entity tag."""
    tag = {"ETag": entity_tag(row.version)}
    return Response(_task(row).model_dump_json(), status, (headers or {}) | tag, JSON)


def unchanged(row: TaskRow) -> Response:
    """304: the client has this version of the task already."""
    return Response(status_code=304, headers={"ETag": entity_tag(row.version)})


def tasks_answer(rows: Sequence[TaskRow], headers: dict[str, str]) -> Response:
    """A bare array of tasks."""
    tasks = ",".join(_task(row).model_dump_json() for row in rows)
    return Response(f"[{tasks}]", headers=headers, media_type=JSON)


def _task(row: TaskRow) -> TaskPublic:
    """Unvalidated: the table's constraints have seen to it."""
    return TaskPublic.model_construct(None, **row._asdict())
