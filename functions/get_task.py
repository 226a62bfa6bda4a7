"""GET /api/{user_id}/tasks/{id}: one task."""

from fastapi import Response

from shared.app import create_app, lambda_handler
from shared.database.tasks import Tasks
from shared.http.preconditions import IfNoneMatch, matches
from shared.http.responses import not_modified, task_response
from shared.models import TaskId, TaskPublic

app = create_app()


@app.get("/api/{user_id}/tasks/{id}", response_model=TaskPublic, summary="Get a task")
async def get_task(tasks: Tasks, task_id: TaskId, known: IfNoneMatch) -> Response:
    """One of the caller's tasks, or 304 where the client has this version already.

    Keep the `ETag`: sent as `If-None-Match` it saves the body of the next read, and sent as
    `If-Match` it guards a write.
    """
    row = tasks.get(task_id)
    return not_modified(row) if matches(row.version, known) else task_response(row)


handler = lambda_handler(app)
