"""DELETE /api/{user_id}/tasks/{id}: delete a task."""

from shared.app import create_app, lambda_handler
from shared.database.tasks import Tasks
from shared.http.preconditions import IfMatch
from shared.models import TaskId

app = create_app()


@app.delete("/api/{user_id}/tasks/{id}", status_code=204, summary="Delete a task")
async def delete_task(tasks: Tasks, task_id: TaskId, expected: IfMatch) -> None:
    """Delete one of the caller's tasks; with `If-Match` only if it is still as you have read it."""
    tasks.delete(task_id, expected)


handler = lambda_handler(app)
