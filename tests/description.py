"""Whether a response is one that the API's description has."""

import json
import re
from typing import Any

import httpx2

from local.state import ROOT

Operation = dict[str, Any]

DESCRIPTION = json.loads((ROOT / "openapi.json").read_text())
OPERATIONS: dict[tuple[str, str], Operation] = {
    (method.upper(), path): operation
    for path, methods in DESCRIPTION["paths"].items()
    for method, operation in methods.items()
}
PATTERNS = {path: re.compile(re.sub(r"\{\w+\}", "[^/]+", path)) for _, path in OPERATIONS}
PROBLEM = "application/problem+json"


def errors(operation: Operation) -> dict[str, dict[str, Any]]:
    """The errors that an operation describes, by their kind, each as its example."""
    return {
        kind: example["value"]
        for response in operation["responses"].values()
        for kind, example in response.get("content", {})
        .get(PROBLEM, {})
        .get("examples", {})
        .items()
    }


def operation_of(request: httpx2.Request) -> Operation | None:
    """The operation that a request is for, if it is for one."""
    path = request.url.raw_path.decode().partition("?")[0]
    found = [
        operation
        for (method, template), operation in OPERATIONS.items()
        if method == request.method and PATTERNS[template].fullmatch(path)
    ]
    return found[0] if found else None


def check_described(response: httpx2.Response) -> None:
    """Check that an operation describes its response: status, headers, the kind of problem."""
    operation = operation_of(response.request)
    if operation is None:
        return
    told = operation["responses"].get(str(response.status_code))
    assert told, f"{operation['operationId']} does not describe a {response.status_code}"
    for name, header in told["headers"].items():
        assert name in response.headers or not header["required"], name
    if PROBLEM in told.get("content", {}):
        response.read()
        kind = response.json()["type"].removeprefix("/problems/")
        assert kind in errors(operation), f"{operation['operationId']} does not describe {kind}"
