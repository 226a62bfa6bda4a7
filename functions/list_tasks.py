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
    """The caller's tasks, a page at a time.

    1. Ask without a `cursor`. Choose the order with `sort`, a status with `completed`, and the size
       of a page with `limit`.
    2. If there is more, the response has a header `Link: <…>; rel="next"`. Ask for the path in it,
       as it is. Or take the `cursor` out of it, and keep `sort` and `completed`: a cursor belongs
       to them.
    3. Go on until a response has no `Link`: this is the last page.

    A task that exists all the while comes exactly once, whatever is created and deleted meanwhile.
    """
    rows = tasks.page(page)
    here, more = rows[: page.limit], rows[page.limit :]
    path = request.scope["path"]
    link = {"Link": page.next_link(path, here[-1])} if more else {}
    return tasks_response(here, link)


handler = lambda_handler(app)
