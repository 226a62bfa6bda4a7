"""GET /api/{user_id}/tasks: a page of the caller's tasks."""

from fastapi import Request, Response

from shared.app import create_app, lambda_handler
from shared.database.tasks import Tasks
from shared.http.paging import PageQuery
from shared.http.responses import tasks_response
from shared.models import TaskPublic

app = create_app()


@app.get("/api/{user_id}/tasks", response_model=list[TaskPublic], summary="List tasks")
async def list_tasks(request: Request, tasks: Tasks, page: PageQuery) -> Response:
    """The caller's tasks, a page at a time; `Link` leads to the next page where there is one."""
    rows = tasks.page(page)
    here, more = rows[: page.limit], rows[page.limit :]
    path = request.scope["path"]
    link = {"Link": page.next_link(path, here[-1])} if more else {}
    return tasks_response(here, link)


handler = lambda_handler(app)
