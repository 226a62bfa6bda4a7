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
    return document


def _complete(operation: Document) -> None:
    for parameter in operation.get("parameters", []):
        _header_parameter(parameter)
    answers = operation["responses"]
    answers.pop("422", None)
    for status, answer in answers.items():
        answer["headers"] = dict(_headers(operation, status))
    if operation["operationId"] == "get_task":
        answers["304"] = {"description": "Not modified.", "headers": {"ETag": _header("The tag.")}}
    for problem in _possible(operation):
        _add(answers, problem)
    for answer in answers.values():
        answer.setdefault("headers", {})["X-Request-Id"] = _header("The gateway's own id.")


def _header_parameter(parameter: Document) -> None:
    """Header names as they are written, and no null, which no header can be."""
    if parameter["in"] == "header":
        parameter["name"] = parameter["schema"].pop("title")
        parameter["schema"] = {"type": "string"}


def _headers(operation: Document, status: str) -> Iterator[tuple[str, Document]]:
    schema = operation["responses"][status].get("content", {}).get("application/json", {})
    if schema.get("schema", {}).get("$ref", "").endswith("/TaskPublic"):
        yield "ETag", _header("The strong tag of the task's version.")
    if status == "201":
        yield "Location", _header("The path of the new task.")
        yield "Idempotency-Replayed", _header("true, where this is the first answer again.")
    if schema.get("schema", {}).get("type") == "array":
        yield "Link", _header('The next page, with rel="next"; absent on the last one.')


def _header(description: str) -> Document:
    return {"description": description, "schema": {"type": "string"}}


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
