"""Every other path and method: 405 where the path exists, 404 where it does not."""

import re
from typing import NoReturn

from starlette.types import Receive, Scope, Send

from shared.app import create_app, lambda_handler
from shared.http.problems import MethodNotAllowed, NotFound

METHODS = {
    "/api/{user_id}/tasks": "GET, POST",
    "/api/{user_id}/tasks/{id}": "DELETE, GET, PUT",
    "/api/{user_id}/tasks/{id}/complete": "PATCH",
    "/health": "GET",
}

app = create_app()


async def refuse(scope: Scope, _receive: Receive, _send: Send) -> NoReturn:
    """Say why the gateway found no operation."""
    for path, methods in METHODS.items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", path), scope["path"]):
            raise MethodNotAllowed(headers={"Allow": methods})
    raise NotFound("There is nothing at this path.")


app.router.default = refuse
handler = lambda_handler(app)
