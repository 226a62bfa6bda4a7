"""POST /api/{user_id}/tasks: create a task."""

from fastapi import Request, Response

from shared.app import create_app, lambda_handler
from shared.database.tasks import Tasks
from shared.http.idempotency import IdempotencyKey
from shared.http.responses import task_response
from shared.models import TaskCreate, TaskPublic

app = create_app()


@app.post(
    "/api/{user_id}/tasks", status_code=201, response_model=TaskPublic, summary="Create a task"
)
async def create_task(
    request: Request, tasks: Tasks, task: TaskCreate, key: IdempotencyKey
) -> Response:
    """Create a task; with an `Idempotency-Key` exactly one, however often it is sent.

    `Location` is the path of the new task, and `ETag` its version, for `If-Match` later.
    """
    row = tasks.create(task, key)
    location = {"Location": f"{request.scope['path']}/{row.id}"}
    replayed = {"Idempotency-Replayed": "true"} if row.replayed else {}
    return task_response(row, 201, location | replayed)


handler = lambda_handler(app)
