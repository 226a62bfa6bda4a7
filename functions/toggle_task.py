"""PATCH /api/{user_id}/tasks/{id}/complete: flip a task's status, or set it."""

from fastapi import Response

from shared.app import create_app, lambda_handler
from shared.database.tasks import Tasks
from shared.http.preconditions import IfMatch
from shared.http.responses import task_response, with_example
from shared.models import CHANGED, EXAMPLE, TaskId, TaskPublic, TaskToggle

app = create_app()


@app.patch(
    "/api/{user_id}/tasks/{id}/complete",
    response_model=TaskPublic,
    summary="Toggle completion",
    responses=with_example(EXAMPLE | CHANGED),
)
async def toggle_task(
    tasks: Tasks, task_id: TaskId, expected: IfMatch, toggle: TaskToggle | None = None
) -> Response:
    """Flip the status, or set it to what the body says: the form that is safe to repeat.

    With `If-Match` the status changes only if the task is still as you have read it.
    """
    completed = None if toggle is None else toggle.completed
    return task_response(tasks.toggle(task_id, completed, expected))


handler = lambda_handler(app)
