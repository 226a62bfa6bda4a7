"""The floor: psycopg and PyJWT alone, one statement for each operation, nothing else.

It has no row-level security, no log, no metrics and hardly any validation: no service would be
written so. It is what a measurement of anything more is compared with.
"""

import json
import os
from typing import Any

import jwt
import psycopg
from psycopg.rows import dict_row

COLUMNS = "id, user_id, title, description, completed, created_at, updated_at, version"
LIST = f"SELECT {COLUMNS} FROM tasks WHERE user_id = %s ORDER BY created_at DESC, id DESC LIMIT 101"
CREATE = f"""
    INSERT INTO tasks (user_id, title, description, completed) VALUES (%s, %s, %s, %s)
    RETURNING {COLUMNS}
"""
GET = f"SELECT {COLUMNS} FROM tasks WHERE user_id = %s AND id = %s"
UPDATE = f"""
    UPDATE tasks SET title = coalesce(%s, title), description = coalesce(%s, description),
        completed = coalesce(%s, completed), version = version + 1, updated_at = now()
    WHERE user_id = %s AND id = %s RETURNING {COLUMNS}
"""
DELETE = "DELETE FROM tasks WHERE user_id = %s AND id = %s RETURNING id"
TOGGLE = f"""
    UPDATE tasks SET completed = coalesce(%s, NOT completed), version = version + 1,
        updated_at = now()
    WHERE user_id = %s AND id = %s RETURNING {COLUMNS}
"""

keys = jwt.PyJWKClient(os.environ["JWKS_URL"])
connection = psycopg.connect(
    os.environ["DATABASE_URL"], autocommit=True, prepare_threshold=None, row_factory=dict_row
)

Rows = list[dict[str, Any]]


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer an event of an API Gateway HTTP API."""
    token = event["headers"].get("authorization", "").removeprefix("Bearer ")
    try:
        claims = jwt.decode(
            token,
            keys.get_signing_key_from_jwt(token).key,
            ["EdDSA"],
            issuer=os.environ["JWT_ISSUER"],
            audience=os.environ["JWT_AUDIENCE"],
        )
    except jwt.PyJWTError:
        return response(401, {"detail": "no valid token"})
    owner = event["pathParameters"]["user_id"]
    if claims["sub"] != owner:
        return response(403, {"detail": "another user's path"})
    task_id = event["pathParameters"].get("id")
    body = json.loads(event.get("body") or "{}")
    match event["requestContext"]["http"]["method"], task_id:
        case "GET", None:
            return response(200, query(LIST, owner)[:100])
        case "POST", None:
            task = body["title"], body.get("description"), body.get("completed", False)
            return response(201, query(CREATE, owner, *task)[0])
        case "GET", _:
            return found(query(GET, owner, task_id))
        case "PUT", _:
            change = (body.get(name) for name in ("title", "description", "completed"))
            return found(query(UPDATE, *change, owner, task_id))
        case "DELETE", _:
            return found(query(DELETE, owner, task_id), 204)
        case _:
            return found(query(TOGGLE, body.get("completed"), owner, task_id))


def query(statement: str, *parameters: object) -> Rows:
    """Send one statement."""
    return connection.execute(statement, parameters).fetchall()


def found(rows: Rows, status: int = 200) -> dict[str, Any]:
    """Answer with the one row, if there is one."""
    return response(status, rows[0]) if rows else response(404, {"detail": "no such task"})


def response(status: int, content: object) -> dict[str, Any]:
    """The gateway's form of a response."""
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json"},
        "body": "" if status == 204 else json.dumps(content, default=lambda time: time.isoformat()),
        "isBase64Encoded": False,
    }
