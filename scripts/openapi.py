"""The OpenAPI document of the whole API, made from the functions' own routes.

What problems there are is said once, in `shared.http.problems`; which of them an operation can
answer follows from what it takes. What an operation answers is shown by the example of its model,
or by the one that stands beside its route. `python -m scripts.openapi` writes `openapi.json`; with
`--check` it compares.
"""

import json
import re
import sys
from collections.abc import Iterator
from http import HTTPStatus
from importlib import import_module
from typing import Any

from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from local.gateway import read_routes
from local.state import ROOT
from shared.http import problems
from shared.http.paging import MAX_LIMIT
from shared.http.problem_pages import PAGES, example
from shared.http.problems import InvalidInput, Problem, ProblemDetails
from shared.models import EXAMPLE, MAX_ID, TITLE_LENGTH

# A change that breaks clients needs the next major number; `scripts.compatibility` sees to it.
VERSION = "1.0.0"
DESCRIPTION = """\
Tasks, each for its owner's eyes only.

Errors are problems (RFC 9457): `detail` is a sentence to show to people, and `type` leads to a page
about that kind. Besides those of each operation, another method at its path is a 405, and a slash
too many at the end of its path is a 308 to the path without it. The gateway in front limits how
often it is asked: its 429 has a `message` instead, and the request may be repeated in a moment.
"""
SERVERS = [{"url": "/", "description": "Where this document is, or any other deployment."}]
GROUPS = {
    "Tasks": "The caller's own tasks; they need a token.",
    "Health": "Whether the API is up; for anybody.",
}
OWNED = "/api/{user_id}"
Document = dict[str, Any]

JSON_SCHEMA = {"$ref": "#/components/schemas/ProblemDetails"}
GENERATED_ERRORS = ("HTTPValidationError", "ValidationError")
LINE_BREAK = re.compile(r"(?<!\n)\n(?!\n|\d+\. ) *")  # which begins no paragraph and no item

# What JSON Schema can say of the values that are accepted. HTTP takes white space away around a
# header, so that none begins or ends with it.
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
# What is wrong in the example of an operation's invalid input: the first of these that it takes.
WRONG = (
    InvalidInput(pointer="/title", detail=f"at most {TITLE_LENGTH} characters"),
    InvalidInput(pointer="/completed", detail="must be true or false"),
    InvalidInput(parameter="limit", detail=f"from 1 to {MAX_LIMIT}"),
    InvalidInput(parameter="id", detail=f"from 1 to {MAX_ID}"),
)


class IncompleteError(Exception):
    """The document cannot be made; the message says what is missing, and of which operation."""


def operations() -> list[APIRoute]:
    """The routes of all functions; the fallback, which reads this document, has none."""
    modules = dict.fromkeys(route.handler.rpartition(".")[0] for route in read_routes())
    modules.pop("functions.fallback")
    routes = [route for name in modules for route in import_module(name).app.routes]
    return [route for route in routes if isinstance(route, APIRoute)]


def openapi() -> Document:
    """The document (OpenAPI 3.1)."""
    document = get_openapi(
        title="Task API",
        version=VERSION,
        description=DESCRIPTION,
        servers=SERVERS,
        tags=[{"name": name, "description": text} for name, text in GROUPS.items()],
        routes=operations(),
    )
    schemas = document["components"]["schemas"]
    details = ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}")
    details["properties"]["type"]["examples"] = sorted(PAGES)
    schemas.update(details.pop("$defs"), ProblemDetails=details)
    for name in GENERATED_ERRORS:
        schemas.pop(name, None)
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            _complete(operation, path, schemas)
            for status, response in operation["responses"].items():
                if links := dict(_links(document["paths"], (path, method, status))):
                    response["links"] = links
    for name in ("ProblemDetails", "InvalidInput"):
        _without_nulls(schemas[name]["properties"])
    _unwrap(document)
    return document


def _unwrap(part: Any) -> None:
    """Join the lines of each paragraph of a description: Swagger UI would break them there."""
    for name, value in part.items() if isinstance(part, dict) else enumerate(part):
        if name == "description" and isinstance(value, str):
            part[name] = LINE_BREAK.sub(" ", value.strip())
        elif isinstance(value, (dict, list)):
            _unwrap(value)


def _returned(schema: Document) -> None:
    """A response has all members, also those that a request may leave out."""
    schema["required"] = list(schema["properties"])
    for member in schema["properties"].values():
        member.pop("default", None)


def _without_nulls(members: Document) -> None:
    """What is null in the model is left out of a problem."""
    for name, member in members.items():
        members[name] = _without_null(member)
        members[name].pop("default", None)


def _complete(operation: Document, path: str, schemas: Document) -> None:
    name, responses = operation["operationId"], operation["responses"]
    operation.setdefault("security", [])
    operation["tags"] = [_group(name, path)]
    for parameter in operation.get("parameters", []):
        _parameter(name, parameter)
    for media_type in operation.get("requestBody", {}).get("content", {}).values():
        media_type["schema"] = _without_null(media_type["schema"])
        media_type["example"] = _example_of(name, media_type["schema"], schemas)
    responses.pop("422", None)
    for status, response in responses.items():
        _success(response, status, operation, schemas)
    if "If-None-Match" in _names(operation):
        tag = _header("ETag", "The tag.")
        responses["304"] = {"description": "Not Modified", "headers": dict([tag])}
    for problem in _possible(operation):
        shown = _problem_example(problem, operation, schemas, path.format_map(PARAMETERS))
        _add(responses, problem, shown)
    for response in responses.values():
        response["headers"] |= [_header("X-Request-Id", "The gateway's own id.")]
    operation["responses"] = dict(sorted(responses.items()))


def _group(name: str, path: str) -> str:
    """The group of an operation, after the first part of its path that is not the user."""
    group = path.removeprefix(OWNED).split("/")[1].title()
    if group not in GROUPS:
        raise IncompleteError(
            f"{name}: say in GROUPS of scripts/openapi.py what the operations on {group} are about."
        )
    return group


def _names(operation: Document) -> set[str]:
    """The names of the parameters of an operation."""
    return {parameter["name"] for parameter in operation.get("parameters", [])}


def _success(response: Document, status: str, operation: Document, schemas: Document) -> None:
    response["description"] = HTTPStatus(int(status)).phrase
    response["headers"] = dict(_headers(operation, status))
    for media_type in response.get("content", {}).values():
        name, schema = operation["operationId"], media_type["schema"]
        if "example" not in media_type:
            media_type["example"] = _example_of(name, schema, schemas)
        _returned(schemas[_model(schema.get("items", schema))])


def _example_of(name: str, schema: Document, schemas: Document) -> Any:
    """The example of a model, or a list of it."""
    if schema.get("type") == "array":
        return [_example_of(name, schema["items"], schemas)]
    model = _model(schema)
    if "examples" not in schemas[model]:
        raise IncompleteError(
            f"{name}: there is no example. Give one to the model {model}, as "
            'ConfigDict(json_schema_extra={"examples": [...]}), or to the route, as '
            "responses=with_example(...)."
        )
    return schemas[model]["examples"][0]


def _model(schema: Document) -> str:
    return str(schema["$ref"].rpartition("/")[2])


def _parameter(name: str, parameter: Document) -> None:
    """Header names as they are written, an example, and no null, which no parameter can be."""
    schema = _without_null(parameter["schema"])
    schema.pop("description", None)  # is the parameter's
    if parameter["in"] == "header":
        parameter["name"] = schema.pop("title")
    if parameter["name"] in PATTERNS:
        schema["pattern"] = PATTERNS[parameter["name"]]
    if "examples" not in schema:
        if parameter["name"] not in PARAMETERS:
            raise IncompleteError(
                f"{name}: the parameter {parameter['name']} has no example. Give it one where it "
                "is declared, as examples=[...]."
            )
        schema["examples"] = [PARAMETERS[parameter["name"]]]
    parameter["schema"] = schema


def _without_null(schema: Document) -> Document:
    """A schema of what may be left out, but not be null."""
    rest = {name: value for name, value in schema.items() if name != "anyOf"}
    first, *_ = schema.get("anyOf", [{}])
    return first if "$ref" in first else {**first, **rest}


def _links(paths: Document, source: tuple[str, str, str]) -> Iterator[tuple[str, Document]]:
    """What can be done with something that was created or read.

    What was read may be changed on condition that it is still the same.
    """
    path, method, status = source
    was_read = method == "get" and path.endswith("/{id}") and status == "200"
    if status != "201" and not was_read:
        return
    one = path if was_read else f"{path}/{{id}}"
    found = {"user_id": "$response.body#/user_id", "id": "$response.body#/id"}
    condition = {"If-Match": "$response.header.ETag"} if was_read else {}
    for other, methods in paths.items():
        for verb, operation in methods.items():
            if f"{other}/".startswith(f"{one}/") and (other, verb) != (path, method):
                name = operation["operationId"]
                yield name, {"operationId": name, "parameters": found | condition}


def _headers(operation: Document, status: str) -> Iterator[tuple[str, Document]]:
    schema = operation["responses"][status].get("content", {}).get("application/json", {})
    if schema.get("schema", {}).get("$ref", "").endswith("/TaskPublic"):
        yield _header("ETag", "The strong tag of the task's version.")
    if status == "201":
        yield _header("Location", "The path of the new task.")
        yield _header(
            "Idempotency-Replayed", "true, where this is the first response again.", required=False
        )
    if schema.get("schema", {}).get("type") == "array":
        yield _header(
            "Link", 'The next page, with rel="next"; absent on the last one.', required=False
        )


def _header(name: str, description: str, *, required: bool = True) -> tuple[str, Document]:
    schema = {"type": "string", "examples": [HEADERS[name]]}
    return name, {"description": description, "required": required, "schema": schema}


def _possible(operation: Document) -> Iterator[type[Problem]]:
    parameters = _names(operation)
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
    if "201" in operation["responses"]:
        yield from (problems.UnknownUser, problems.Quota)
    if "Idempotency-Key" in parameters:
        yield from (problems.InFlight, problems.KeyReused)
    yield from (problems.Problem, problems.Unavailable)


def _problem_example(
    problem: type[Problem], operation: Document, schemas: Document, path: str
) -> Document:
    """A problem as this operation answers it."""
    if problem is problems.Invalid:
        sent = {f"/{name}" for name in _members(operation, schemas)} | _names(operation)
        error = next((each for each in WRONG if {each.pointer, each.parameter} & sent), None)
        if error is None:
            raise IncompleteError(
                f"{operation['operationId']}: say in WRONG of scripts/openapi.py what can be"
                " invalid in a request."
            )
        return example(problem, path, error.sentence, [error])
    if problem is problems.Malformed and "requestBody" not in operation:
        [header] = _names(operation) & {"If-Match", "If-None-Match"}
        detail = f"{header} must be * or a list of entity tags in double quotes."
        return example(problem, path, detail)
    return example(problem, path)


def _members(operation: Document, schemas: Document) -> Iterator[str]:
    """The members of the body that an operation takes."""
    for media_type in operation.get("requestBody", {}).get("content", {}).values():
        yield from schemas[_model(media_type["schema"])]["properties"]


def _add(responses: Document, problem: type[Problem], shown: Document) -> None:
    """Describe a problem; several may share a status."""
    response = responses.setdefault(
        str(problem.status),
        {
            "description": problem.title,
            "content": {problems.MEDIA_TYPE: {"schema": JSON_SCHEMA, "examples": {}}},
        },
    )
    examples = response["content"][problems.MEDIA_TYPE]["examples"]
    examples[problem.kind] = {"summary": problem.title, "value": shown}
    response["headers"] = dict(_problem_headers(problem))


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


def main(*arguments: str) -> None:
    """Write the file, or nothing where the document cannot be made; with --check only compare."""
    try:
        made = text()
    except IncompleteError as error:
        sys.exit(str(error))
    file = ROOT / "openapi.json"
    if "--check" not in arguments:
        file.write_text(made)
    elif file.read_text() != made:
        sys.exit("openapi.json is not what the code says: make openapi brings it up to date.")


if __name__ == "__main__":
    main(*sys.argv[1:])
