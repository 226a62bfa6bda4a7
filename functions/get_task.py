"""GET /api/{user_id}/tasks/{id}: one task."""

from fastapi import Response

from shared.answers import task_answer, unchanged
from shared.app import create_app, lambda_handler
from shared.models import TaskId, TaskPublic
from shared.preconditions import IfNoneMatch, matches
from shared.tasks import Tasks

app = create_app()


@app.get("/api/{user_id}/tasks/{id}", response_model=TaskPublic, summary="Get a task")
async def get_task(tasks: Tasks, task_id: TaskId, known: IfNoneMatch) -> Response:
    """One of the caller's tasks; 304 where the client has this version already."""
    row = tasks.get(task_id)
    return unchanged(row) if matches(row.version, known) else task_answer(row)


handler = lambda_handler(app)
