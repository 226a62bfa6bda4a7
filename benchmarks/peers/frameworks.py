"""The floor behind Mangum, FastAPI, and Powertools' log line: what these cost by themselves.

Nothing of a task API is in it: FastAPI matches the route and hands the event on.
"""

from typing import Any

import floor  # type: ignore[import-not-found]  # they are copied into one folder
from aws_lambda_powertools import Logger
from fastapi import FastAPI, Request, Response
from mangum import Mangum

logger = Logger(service="tasks")
app = FastAPI(openapi_url=None)


@app.get("/api/{user_id}/tasks")
@app.post("/api/{user_id}/tasks")
@app.get("/api/{user_id}/tasks/{id}")
@app.put("/api/{user_id}/tasks/{id}")
@app.delete("/api/{user_id}/tasks/{id}")
@app.patch("/api/{user_id}/tasks/{id}/complete")
async def response(request: Request, user_id: str, id: int = 0) -> Response:  # noqa: A002 (the path's name)
    """Let the floor answer, and leave a line in the log."""
    answered: dict[str, Any] = floor.handler(request.scope["aws.event"], None)
    logger.info("request", extra={"status": answered["statusCode"]})
    return Response(
        answered["body"], answered["statusCode"], answered["headers"], "application/json"
    )


handler = Mangum(app, lifespan="off")
