"""The OpenAPI document of the whole API, made from the functions' own routes.

What problems there are is said once, in `shared.http.problems`; which of them an operation can
answer follows from what it takes. `python -m scripts.openapi` prints it, as `openapi.json` has it.
"""

import json
import sys
from collections.abc import Iterator
from http import HTTPStatus
from importlib import import_module
from typing import Any

from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from local.gateway import read_routes
from shared.http import problems
from shared.http.problems import Problem, ProblemDetails
from shared.models import EXAMPLE, TITLE_LENGTH

# A change that breaks clients needs the next major number; `scripts.compatibility` sees to it.
VERSION = "1.0.0"
DESCRIPTION = "Tasks, each for its owner's eyes only. Errors are problems (RFC 9457)."
SERVERS = [{"url": "/", "description": "Where this document is, or any other deployment."}]
GROUPS = [
    {"name": "Tasks", "description": "The caller's own tasks; they need a token."},
    {"name": "Health", "description": "Whether the API is up; for anybody."},
]
Document = dict[str, Any]

JSON_SCHEMA = {"$ref": "#/components/schemas/ProblemDetails"}
GENERATED_ERRORS = ("HTTPValidationError", "ValidationError")

# What JSON Schema can say of the values that are accepted. White space is Unicode's; HTTP takes it
# away around a header, so that none begins or ends with it.
WHITE_SPACE = r"\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
TEXT = r"^[^\x00]*$"
INK = rf"[^\x00{WHITE_SPACE}]"
TITLE = rf"^[{WHITE_SPACE}]*{INK}([^\x00]{{0,{TITLE_LENGTH - 2}}}{INK})?[{WHITE_SPACE}]*$"
TAG = r'(W/)?"[!#-~]*"'
TAGS = rf"^(\*|{TAG}([ \t]*,[ \t]*{TAG})*)$"
PATTERNS = {
    "If-Match": TAGS,
    "If-None-Match": TAGS,
    "Idempotency-Key": "^[!-~]([ -~]{0,253}[!-~])?$",
    "cursor": "^[A-Za-z0-9_-]+$",
}

# Examples. A parameter's stands in its schema, from where Swagger UI does not fill it in.
CURSOR = "WyItY3JlYXRlZF9hdCIsbnVsbCwiMjAyNi0xMS0yMFQwODozMDowMC4xMjM0NTZaIiw0Ml0"
TASKS_PATH = f"/api/{EXAMPLE['user_id']}/tasks"
PARAMETERS: Document = {
    "user_id": EXAMPLE["user_id"],
    "id": EXAMPLE["id"],
    "completed": False,
    "sort": "title",
    "limit": 20,
    "cursor": CURSOR,
    "If-Match": '"1"',
    "If-None-Match": '"1"',
    "Idempotency-Key": "5f1a9b0e-7c1d-4a53-9f0e-2f6f3c1f8f1b",
}
HEADERS = {
    "ETag": '"1"',
    "Idempotency-Replayed": "true",
    "Link": f'<{TASKS_PATH}?cursor={CURSOR}>; rel="next"',
    "Location": f"{TASKS_PATH}/{EXAMPLE['id']}",
    "Retry-After": "1",
    "WWW-Authenticate": 'Bearer error="invalid_token"',
    "X-Request-Id": "Jx1MhhbpIAMEMBg=",
}
CHANGED = {"completed": True, "updated_at": "2026-11-20T09:15:00.654321Z", "version": 2}
ANSWERS = {
    "list_tasks": [EXAMPLE],
    "create_task": EXAMPLE,
    "get_task": EXAMPLE,
    "update_task": EXAMPLE | CHANGED | {"description": None},
    "toggle_task": EXAMPLE | CHANGED,
    "health": {"status": "ok"},
}

# What can be done with a task that an operation answers with; a task that was read may be changed
# on condition that it is still the same.
CHANGES = ("update_task", "toggle_task", "delete_task")
LINKS = {
    ("create_task", "201"): ("get_task", *CHANGES),
    ("get_task", "200"): CHANGES,
}


def operations() -> list[APIRoute]:
    """The routes of all functions."""
    modules = dict.fromkeys(route.handler.rpartition(".")[0] for route in read_routes())
    routes = [route for name in modules for route in import_module(name).app.routes]
    return [route for route in routes if isinstance(route, APIRoute)]


def openapi() -> Document:
    """The document (OpenAPI 3.1)."""
    document = get_openapi(
        title="Task API",
        version=VERSION,
        description=DESCRIPTION,
        servers=SERVERS,
        tags=GROUPS,
        routes=operations(),
    )
    schemas = document["components"]["schemas"]
    details = ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(details.pop("$defs"), ProblemDetails=details)
    for name in GENERATED_ERRORS:
        schemas.pop(name)
    for path, methods in document["paths"].items():
        for operation in methods.values():
            _complete(operation, path.format_map(PARAMETERS), schemas)
    for name in ("TaskCreate", "TaskUpdate", "TaskPublic"):
        _task_schema(schemas[name]["properties"])
    for name in ("TaskPublic", "Health"):
        _answered(schemas[name])
    for name in ("ProblemDetails", "InvalidInput"):
        _without_nulls(schemas[name]["properties"])
    return document


def _task_schema(members: Document) -> None:
    """What no keyword of the models says of texts: a title's length is counted when stripped."""
    members["title"].pop("maxLength", None)
    members["title"]["pattern"] = TITLE
    members["description"]["anyOf"][0]["pattern"] = TEXT


def _answered(schema: Document) -> None:
    """An answer has all members, also those that a request may leave out."""
    schema["required"] = list(schema["properties"])
    for member in schema["properties"].values():
        member.pop("default", None)


def _without_nulls(members: Document) -> None:
    """What is null in the model is left out of a problem."""
    for name, member in members.items():
        members[name] = _without_null(member)
        members[name].pop("default", None)


def _complete(operation: Document, path: str, schemas: Document) -> None:
    operation.setdefault("security", [])
    operation["tags"] = ["Tasks" if operation["security"] else "Health"]
    for parameter in operation.get("parameters", []):
        _parameter(parameter)
    for media_type in operation.get("requestBody", {}).get("content", {}).values():
        _body(media_type, schemas)
    answers = operation["responses"]
    answers.pop("422", None)
    for status, answer in answers.items():
        _success(answer, status, operation)
    if operation["operationId"] == "get_task":
        tag = _header("ETag", "The tag.")
        answers["304"] = {"description": "Not Modified", "headers": dict([tag])}
    for problem in _possible(operation):
        _add(answers, problem, path)
    for answer in answers.values():
        answer["headers"] |= [_header("X-Request-Id", "The gateway's own id.")]
    operation["responses"] = dict(sorted(answers.items()))


def _body(media_type: Document, schemas: Document) -> None:
    media_type["schema"] = _without_null(media_type["schema"])
    name = media_type["schema"]["$ref"].rpartition("/")[2]
    media_type["example"] = schemas[name]["examples"][0]


def _success(answer: Document, status: str, operation: Document) -> None:
    answer["description"] = HTTPStatus(int(status)).phrase
    answer["headers"] = dict(_headers(operation, status))
    for media_type in answer.get("content", {}).values():
        media_type["example"] = ANSWERS[operation["operationId"]]
    if links := dict(_links(operation["operationId"], status)):
        answer["links"] = links


def _parameter(parameter: Document) -> None:
    """Header names as they are written, an example, and no null, which no parameter can be."""
    schema = _without_null(parameter["schema"])
    if parameter["in"] == "header":
        parameter["name"] = schema.pop("title")
    if parameter["name"] in PATTERNS:
        schema["pattern"] = PATTERNS[parameter["name"]]
    schema["examples"] = [PARAMETERS[parameter["name"]]]
    parameter["schema"] = schema


def _without_null(schema: Document) -> Document:
    """A schema of what may be left out, but not be null."""
    rest = {name: value for name, value in schema.items() if name != "anyOf"}
    first, *_ = schema.get("anyOf", [{}])
    return first if "$ref" in first else {**first, **rest}


def _links(name: str, status: str) -> Iterator[tuple[str, Document]]:
    for target in LINKS.get((name, status), ()):
        task = {"user_id": "$response.body#/user_id", "id": "$response.body#/id"}
        condition = {"If-Match": "$response.header.ETag"} if name == "get_task" else {}
        yield target, {"operationId": target, "parameters": task | condition}


def _headers(operation: Document, status: str) -> Iterator[tuple[str, Document]]:
    schema = operation["responses"][status].get("content", {}).get("application/json", {})
    if schema.get("schema", {}).get("$ref", "").endswith("/TaskPublic"):
        yield _header("ETag", "The strong tag of the task's version.")
    if status == "201":
        yield _header("Location", "The path of the new task.")
        yield _header(
            "Idempotency-Replayed", "true, where this is the first answer again.", required=False
        )
    if schema.get("schema", {}).get("type") == "array":
        yield _header(
            "Link", 'The next page, with rel="next"; absent on the last one.', required=False
        )


def _header(name: str, description: str, *, required: bool = True) -> tuple[str, Document]:
    schema = {"type": "string", "examples": [HEADERS[name]]}
    return name, {"description": description, "required": required, "schema": schema}


def _possible(operation: Document) -> Iterator[type[Problem]]:
    parameters = {parameter["name"] for parameter in operation.get("parameters", [])}
    conditional = parameters & {"If-Match", "If-None-Match", "Idempotency-Key"}
    if operation["security"]:
        yield from (problems.Unauthorized, problems.Forbidden)
    if "requestBody" in operation:
        yield from (problems.TooLarge, problems.NotJson)
    if "requestBody" in operation or conditional:
        yield problems.Malformed
    if "requestBody" in operation or parameters - {"user_id"} - conditional:
        yield problems.Invalid
    if "id" in parameters:
        yield problems.NotFound
    if "If-Match" in parameters:
        yield problems.PreconditionFailed
    if operation["operationId"] == "create_task":
        yield from (problems.UnknownUser, problems.InFlight, problems.KeyReused)
    yield from (problems.Problem, problems.Unavailable)


def _add(answers: Document, problem: type[Problem], path: str) -> None:
    """Describe a problem; several may share a status."""
    answer = answers.setdefault(
        str(problem.status),
        {
            "description": problem.title,
            "content": {problems.MEDIA_TYPE: {"schema": JSON_SCHEMA, "examples": {}}},
        },
    )
    examples = answer["content"][problems.MEDIA_TYPE]["examples"]
    examples[problem.kind] = {"summary": problem.title, "value": _example(problem, path)}
    answer["headers"] = dict(_problem_headers(problem))


def _example(problem: type[Problem], path: str) -> Document:
    details = ProblemDetails(
        type=f"/problems/{problem.kind}",
        title=problem.title,
        status=problem.status,
        detail=problem.default,
        instance=path,
        request_id=HEADERS["X-Request-Id"],
        errors=[_invalid_example()] if problem is problems.Invalid else None,
    )
    return details.model_dump(exclude_none=True)


def _invalid_example() -> problems.InvalidInput:
    return problems.InvalidInput(pointer="/title", detail="at most 255 characters")


def _problem_headers(problem: type[Problem]) -> Iterator[tuple[str, Document]]:
    if problem is problems.Unauthorized:
        yield _header("WWW-Authenticate", "Bearer, with RFC 6750's error when a token was sent.")
    if problem is problems.Unavailable:
        yield _header("Retry-After", "Seconds.")
    if problem is problems.PreconditionFailed:
        yield _header("ETag", "The current tag.")


def text() -> str:
    """The document as the file `openapi.json` has it."""
    return json.dumps(openapi(), ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
