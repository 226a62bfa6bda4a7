"""PUT /api/{user_id}/tasks/{id}: set what is sent, leave the rest of the task."""

from fastapi import Response

from shared.app import create_app, lambda_handler
from shared.database.tasks import Tasks
from shared.http.preconditions import IfMatch
from shared.http.responses import task_response, with_example
from shared.models import CHANGED, EXAMPLE, TaskId, TaskPublic, TaskUpdate

app = create_app()


@app.put(
    "/api/{user_id}/tasks/{id}",
    response_model=TaskPublic,
    summary="Update a task",
    responses=with_example(EXAMPLE | CHANGED),
)
async def update_task(
    tasks: Tasks, task_id: TaskId, change: TaskUpdate, expected: IfMatch
) -> Response:
    """Set the members that are sent; what is absent stays as it is.

    Send the `ETag` of what you have read as `If-Match`, and no change of somebody else is lost.
    """
    change.check_identity(id=task_id, user_id=tasks.owner)
    return task_response(tasks.update(task_id, change, expected))


handler = lambda_handler(app)
