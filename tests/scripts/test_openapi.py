"""The document that the interactive documentation shows."""

import json
import re
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest

from local.state import ROOT
from scripts.openapi import openapi, text
from shared.http.paging import TaskQuery
from shared.models import EXAMPLE, TaskPublic

DOCUMENT = openapi()
OPERATIONS = {
    operation["operationId"]: operation
    for path in DOCUMENT["paths"].values()
    for operation in path.values()
}
PUBLIC = {"health"}
SECURED = sorted(OPERATIONS.keys() - PUBLIC)


@pytest.mark.parametrize("name", SECURED)
def test_an_operation_needs_a_bearer_token(name: str) -> None:
    assert OPERATIONS[name]["security"] == [{"bearer": []}], (
        f"let {name} take Tasks, or say in PUBLIC that it is for anybody"
    )
    scheme = DOCUMENT["components"]["securitySchemes"]["bearer"]
    assert (scheme["type"], scheme["scheme"], scheme["bearerFormat"]) == ("http", "bearer", "JWT")


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_error_is_a_problem_with_an_example_of_each_kind(name: str) -> None:
    for status, response in OPERATIONS[name]["responses"].items():
        if int(status) >= 400:
            content = response["content"]["application/problem+json"]
            assert content["schema"] == {"$ref": "#/components/schemas/ProblemDetails"}
            for kind, example in content["examples"].items():
                assert example["value"]["type"] == f"/problems/{kind}"
                assert example["value"]["status"] == int(status)


@pytest.mark.parametrize("name", ["create_task", "update_task", "toggle_task"])
def test_a_body_has_an_example(name: str) -> None:
    assert schema_of(OPERATIONS[name]["requestBody"])["examples"]


@pytest.mark.parametrize(
    ("name", "status", "header"),
    [
        ("list_tasks", "200", "Link"),
        ("create_task", "201", "Location"),
        ("create_task", "201", "ETag"),
        ("create_task", "201", "Idempotency-Replayed"),
        ("get_task", "304", "ETag"),
        ("update_task", "412", "ETag"),
        ("toggle_task", "401", "WWW-Authenticate"),
        ("delete_task", "503", "Retry-After"),
        ("health", "200", "X-Request-Id"),
    ],
)
def test_a_response_tells_its_headers(name: str, status: str, header: str) -> None:
    assert header in OPERATIONS[name]["responses"][status]["headers"]


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("create_task", "Idempotency-Key"),
        ("get_task", "If-None-Match"),
        ("update_task", "If-Match"),
        ("delete_task", "If-Match"),
        ("toggle_task", "If-Match"),
    ],
)
def test_an_operation_tells_its_headers(name: str, header: str) -> None:
    assert header in {each["name"] for each in OPERATIONS[name]["parameters"]}


@pytest.mark.parametrize("name", SECURED)
def test_a_header_is_described_wherever_it_is_taken(name: str) -> None:
    facts = {
        "If-Match": ("`ETag`", "412", "`*`", "weak", "the last write wins"),
        "If-None-Match": ("`ETag`", "304", "`*`", "weak"),
        "Idempotency-Key": ("255", "24 hours", "`Idempotency-Replayed: true`", "409", "422"),
    }
    described = {each["name"]: each["description"] for each in OPERATIONS[name]["parameters"]}
    for header in facts.keys() & described.keys():
        assert [fact for fact in facts[header] if fact not in described[header]] == []


def test_paging_is_described_step_by_step() -> None:
    first, then, last = re.findall(
        r"^\d\. (.*)$", OPERATIONS["list_tasks"]["description"], re.MULTILINE
    )
    for name in TaskQuery.model_fields:
        assert f"`{name}`" in first
    assert 'rel="next"' in then
    assert "no `Link`" in last


@pytest.mark.parametrize("name", OPERATIONS)
def test_each_line_of_a_description_is_a_paragraph_or_a_step(name: str) -> None:
    parameters = OPERATIONS[name].get("parameters", [])
    for described in (OPERATIONS[name], *parameters):
        lines = described["description"].split("\n")
        following = [line for before, line in pairwise(lines) if before and line]
        assert all(re.match(r"\d\. ", line) for line in following)


def schema_of(body: dict[str, Any]) -> dict[str, Any]:
    """The schema of a request body, which may also be absent."""
    schema = body["content"]["application/json"]["schema"]
    reference = next(part["$ref"] for part in schema.get("anyOf", [schema]) if "$ref" in part)
    found: dict[str, Any] = DOCUMENT["components"]["schemas"][reference.rpartition("/")[2]]
    return found


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_has_a_summary_and_a_description(name: str) -> None:
    assert OPERATIONS[name]["summary"]
    assert OPERATIONS[name]["description"]


@pytest.mark.parametrize("name", OPERATIONS)
def test_whatever_is_sent_and_answered_has_an_example(name: str) -> None:
    operation = OPERATIONS[name]
    assert all(parameter["schema"]["examples"] for parameter in operation.get("parameters", []))
    bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
    for content in [content for body in bodies for content in body.get("content", {}).values()]:
        assert "example" in content or content["examples"]
    for response in operation["responses"].values():
        assert all(header["schema"]["examples"] for header in response["headers"].values())


@pytest.mark.parametrize("name", ["create_task", "get_task", "update_task", "toggle_task"])
def test_an_example_of_a_task_is_one(name: str) -> None:
    for status, response in OPERATIONS[name]["responses"].items():
        if status in {"200", "201"}:
            TaskPublic.model_validate(response["content"]["application/json"]["example"])


@pytest.mark.parametrize("name", ["TaskPublic", "Health"])
def test_what_is_answered_has_all_members(name: str) -> None:
    schema = DOCUMENT["components"]["schemas"][name]
    assert schema["required"] == list(schema["properties"])


@pytest.mark.parametrize("name", ["ProblemDetails", "InvalidInput"])
def test_no_member_of_a_problem_is_null(name: str) -> None:
    assert "null" not in str(DOCUMENT["components"]["schemas"][name])


def test_the_example_of_a_cursor_is_one() -> None:
    parameters = OPERATIONS["list_tasks"]["parameters"]
    schema = next(each["schema"] for each in parameters if each["name"] == "cursor")
    position = TaskQuery(cursor=schema["examples"][0]).after
    assert position == (datetime.fromisoformat(str(EXAMPLE["created_at"])), EXAMPLE["id"])


def test_a_problem_is_of_the_path_that_it_answers() -> None:
    response = OPERATIONS["health"]["responses"]["503"]["content"]["application/problem+json"]
    assert response["examples"]["unavailable"]["value"]["instance"] == "/health"


@pytest.mark.parametrize("status", [308, 405, 429])
def test_it_tells_what_comes_beside_the_operations(status: int) -> None:
    assert str(status) in DOCUMENT["info"]["description"]


def test_it_is_the_same_each_time() -> None:
    assert text() == text()
    assert json.loads(text()) == DOCUMENT


def test_the_file_is_up_to_date() -> None:
    assert (ROOT / "openapi.json").read_text() == text(), "make openapi brings it up to date"


@pytest.mark.parametrize(
    ("title", "fits"),
    [
        ("x", True),
        (" \u3000x\t", True),
        ("x" * 255, True),
        ("  " + "x" * 255 + "\n", True),
        ("x" + " " * 253 + "x", True),
        ("x" * 256, False),
        ("x" + " " * 254 + "x", False),
        ("", False),
        (" \x85\xa0", False),
        ("a\0b", False),
    ],
)
@pytest.mark.parametrize("body", ["TaskCreate", "TaskUpdate"])
def test_a_title_is_measured_without_the_white_space_around_it(
    body: str, title: str, fits: bool
) -> None:
    schema = DOCUMENT["components"]["schemas"][body]["properties"]["title"]
    assert bool(re.search(schema["pattern"].replace("$", r"\Z"), title)) is fits
    assert "maxLength" not in schema
