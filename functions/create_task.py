"""POST /api/{user_id}/tasks: a new task."""

from fastapi import Request, Response

from shared.answers import task_answer
from shared.app import create_app, lambda_handler
from shared.models import TaskCreate, TaskPublic
from shared.tasks import Tasks

app = create_app()


@app.post(
    "/api/{user_id}/tasks", status_code=201, response_model=TaskPublic, summary="Create a task"
)
async def create_task(request: Request, tasks: Tasks, task: TaskCreate) -> Response:
    """Create a task of the caller's."""
    row = tasks.create(task)
    return task_answer(row, 201, {"Location": f"{request.scope['path']}/{row.id}"})


handler = lambda_handler(app)
