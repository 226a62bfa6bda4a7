"""Powertools' own router for API Gateway, and psycopg: no web framework, one statement each."""

import os
from typing import Any

import jwt
import psycopg
from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import (
    NotFoundError,
    ServiceError,
    UnauthorizedError,
)
from psycopg.rows import dict_row

COLUMNS = "id, user_id, title, description, completed, created_at, updated_at, version"
ONE = "WHERE user_id = %s AND id = %s"
LIST = f"SELECT {COLUMNS} FROM tasks WHERE user_id = %s ORDER BY created_at DESC, id DESC LIMIT 100"
CREATE = f"""
    INSERT INTO tasks (user_id, title, description, completed) VALUES (%s, %s, %s, %s)
    RETURNING {COLUMNS}
"""
GET = f"SELECT {COLUMNS} FROM tasks {ONE}"
UPDATE = f"""
    UPDATE tasks SET title = coalesce(%s, title), description = coalesce(%s, description),
        completed = coalesce(%s, completed), version = version + 1, updated_at = now()
    {ONE} RETURNING {COLUMNS}
"""
DELETE = f"DELETE FROM tasks {ONE} RETURNING id"
TOGGLE = f"""
    UPDATE tasks SET completed = coalesce(%s, NOT completed), version = version + 1,
        updated_at = now()
    {ONE} RETURNING {COLUMNS}
"""

app = APIGatewayHttpResolver()
logger = Logger(service="tasks")
keys = jwt.PyJWKClient(os.environ["JWKS_URL"])
connection = psycopg.connect(
    os.environ["DATABASE_URL"], autocommit=True, prepare_threshold=None, row_factory=dict_row
)

Task = dict[str, Any]


def run(statement: str, *parameters: object) -> list[Task]:
    """Send one statement; times become text, as JSON wants them."""
    rows = connection.execute(statement, parameters).fetchall()
    for row in rows:
        for name in row.keys() & {"created_at", "updated_at"}:
            row[name] = row[name].isoformat()
    return rows


def found(rows: list[Task]) -> Task:
    """The one row."""
    if not rows:
        raise NotFoundError("no such task")
    return rows[0]


def authenticate(owner: str) -> None:
    """Check that the token is the owner's."""
    token = (app.current_event.headers.get("authorization") or "").removeprefix("Bearer ")
    try:
        claims = jwt.decode(
            token,
            keys.get_signing_key_from_jwt(token).key,
            ["EdDSA"],
            issuer=os.environ["JWT_ISSUER"],
            audience=os.environ["JWT_AUDIENCE"],
        )
    except jwt.PyJWTError:
        raise UnauthorizedError("no valid token") from None
    if claims["sub"] != owner:
        raise ServiceError(403, "another user's path")


def body() -> Task:
    """What was sent."""
    sent = app.current_event.json_body if app.current_event.body else {}
    assert isinstance(sent, dict)
    return sent


@app.get("/api/<user_id>/tasks")
def list_tasks(user_id: str) -> list[Task]:
    """The first hundred."""
    authenticate(user_id)
    return run(LIST, user_id)


@app.post("/api/<user_id>/tasks")
def create_task(user_id: str) -> tuple[Task, int]:
    """A new one."""
    authenticate(user_id)
    task = body()
    given = task["title"], task.get("description"), task.get("completed", False)
    return run(CREATE, user_id, *given)[0], 201


@app.get("/api/<user_id>/tasks/<task_id>")
def get_task(user_id: str, task_id: str) -> Task:
    """One."""
    authenticate(user_id)
    return found(run(GET, user_id, task_id))


@app.put("/api/<user_id>/tasks/<task_id>")
def update_task(user_id: str, task_id: str) -> Task:
    """Change what is sent."""
    authenticate(user_id)
    change = body()
    given = (change.get(name) for name in ("title", "description", "completed"))
    return found(run(UPDATE, *given, user_id, task_id))


@app.patch("/api/<user_id>/tasks/<task_id>/complete")
def toggle_task(user_id: str, task_id: str) -> Task:
    """Flip the status, or set it."""
    authenticate(user_id)
    return found(run(TOGGLE, body().get("completed"), user_id, task_id))


@app.delete("/api/<user_id>/tasks/<task_id>")
def delete_task(user_id: str, task_id: str) -> Response[None]:
    """One less."""
    authenticate(user_id)
    found(run(DELETE, user_id, task_id))
    return Response(204)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an event, and log it."""
    response = app.resolve(event, context)
    logger.info("request", extra={"route": event["routeKey"], "status": response["statusCode"]})
    return response
