"""The OpenAPI document of the whole API, made from the functions' own routes.

What problems there are is said once, in `shared.problems`; which of them an operation can answer
follows from what it takes.
"""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from local.gateway import read_routes
from shared import problems
from shared.problems import Problem, ProblemDetails

VERSION = "1.0.0"
DESCRIPTION = "Tasks, each for its owner's eyes only. Errors are problems (RFC 9457)."
JSON_SCHEMA = {"$ref": "#/components/schemas/ProblemDetails"}
GENERATED_ERRORS = ("HTTPValidationError", "ValidationError")

# What JSON Schema can say of the values that are accepted. White space is Unicode's; HTTP takes it
# away around a header, so that none begins or ends with it.
WHITE_SPACE = r"\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
TEXT = r"^[^\x00]*$"
TITLE = rf"^[^\x00]*[^\x00{WHITE_SPACE}][^\x00]*$"
TAG = r'(W/)?"[!#-~]*"'
TAGS = rf"^(\*|{TAG}([ \t]*,[ \t]*{TAG})*)$"
PATTERNS = {
    "If-Match": TAGS,
    "If-None-Match": TAGS,
    "Idempotency-Key": "^[!-~]([ -~]{0,253}[!-~])?$",
    "cursor": "^[A-Za-z0-9_-]+$",
}

# What can be done with a task that an operation answers with; a task that was read may be changed
# on condition that it is still the same.
CHANGES = ("update_task", "toggle_task", "delete_task")
LINKS = {
    ("create_task", "201"): ("get_task", *CHANGES),
    ("get_task", "200"): CHANGES,
}

Document = dict[str, Any]


def operations() -> list[APIRoute]:
    """The routes of all functions."""
    modules = dict.fromkeys(route.handler.rpartition(".")[0] for route in read_routes())
    routes = [route for name in modules for route in import_module(name).app.routes]
    return [route for route in routes if isinstance(route, APIRoute)]


def openapi() -> Document:
    """The document (OpenAPI 3.1)."""
    document = get_openapi(
        title="Task API", version=VERSION, description=DESCRIPTION, routes=operations()
    )
    schemas = document["components"]["schemas"]
    details = ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(details.pop("$defs"), ProblemDetails=details)
    for name in GENERATED_ERRORS:
        schemas.pop(name)
    for path in document["paths"].values():
        for operation in path.values():
            _complete(operation)
    for name in ("TaskCreate", "TaskUpdate", "TaskPublic"):
        _task_schema(schemas[name]["properties"])
    return document


def _task_schema(members: Document) -> None:
    """What no keyword of the models says of texts."""
    members["title"]["pattern"] = TITLE
    members["description"]["anyOf"][0]["pattern"] = TEXT


def _complete(operation: Document) -> None:
    for parameter in operation.get("parameters", []):
        _parameter(parameter)
    for media_type in operation.get("requestBody", {}).get("content", {}).values():
        media_type["schema"] = _without_null(media_type["schema"])
    answers = operation["responses"]
    answers.pop("422", None)
    for status, answer in answers.items():
        answer["headers"] = dict(_headers(operation, status))
        if links := dict(_links(operation["operationId"], status)):
            answer["links"] = links
    if operation["operationId"] == "get_task":
        answers["304"] = {"description": "Not modified.", "headers": {"ETag": _header("The tag.")}}
    for problem in _possible(operation):
        _add(answers, problem)
    for answer in answers.values():
        answer.setdefault("headers", {})["X-Request-Id"] = _header("The gateway's own id.")


def _parameter(parameter: Document) -> None:
    """Header names as they are written, and no null, which no parameter can be."""
    schema = _without_null(parameter["schema"])
    if parameter["in"] == "header":
        parameter["name"] = schema.pop("title")
    if parameter["name"] in PATTERNS:
        schema["pattern"] = PATTERNS[parameter["name"]]
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
        yield "ETag", _header("The strong tag of the task's version.")
    if status == "201":
        yield "Location", _header("The path of the new task.")
        yield (
            "Idempotency-Replayed",
            _header("true, where this is the first answer again.", required=False),
        )
    if schema.get("schema", {}).get("type") == "array":
        yield (
            "Link",
            _header('The next page, with rel="next"; absent on the last one.', required=False),
        )


def _header(description: str, *, required: bool = True) -> Document:
    return {"description": description, "required": required, "schema": {"type": "string"}}


def _possible(operation: Document) -> Iterator[type[Problem]]:
    parameters = {parameter["name"] for parameter in operation.get("parameters", [])}
    conditional = parameters & {"If-Match", "If-None-Match", "Idempotency-Key"}
    if "security" in operation:
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


def _add(answers: Document, problem: type[Problem]) -> None:
    """Describe a problem; several may share a status."""
    answer = answers.setdefault(
        str(problem.status),
        {
            "description": problem.title,
            "content": {problems.MEDIA_TYPE: {"schema": JSON_SCHEMA, "examples": {}}},
        },
    )
    answer["content"][problems.MEDIA_TYPE]["examples"][problem.kind] = {"value": _example(problem)}
    answer["headers"] = dict(_problem_headers(problem))


def _example(problem: type[Problem]) -> Document:
    details = ProblemDetails(
        type=f"/problems/{problem.kind}",
        title=problem.title,
        status=problem.status,
        detail=problem.default,
        instance="/api/alice/tasks",
        request_id="Jx1MhhbpIAMEMBg=",
        errors=[_invalid_example()] if problem is problems.Invalid else None,
    )
    return details.model_dump(exclude_none=True)


def _invalid_example() -> problems.InvalidInput:
    return problems.InvalidInput(
        pointer="/title", detail="String should have at most 255 characters"
    )


def _problem_headers(problem: type[Problem]) -> Iterator[tuple[str, Document]]:
    if problem is problems.Unauthorized:
        yield "WWW-Authenticate", _header("Bearer, with RFC 6750's error when a token was sent.")
    if problem is problems.Unavailable:
        yield "Retry-After", _header("Seconds.")
    if problem is problems.PreconditionFailed:
        yield "ETag", _header("The current tag.")
