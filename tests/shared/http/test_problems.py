"""Problems (RFC 9457): every error ends as one, and says what it may."""

import json
from typing import Any

import pytest
from fastapi import HTTPException, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException as StarletteHTTPException

from shared.http import problems
from shared.http.exception_handlers import as_problem, problem_response
from shared.http.problems import (
    Invalid,
    InvalidInput,
    MethodNotAllowed,
    NotFound,
    Problem,
    Unauthorized,
    Unavailable,
)
from tests.functions.support import MARKER, PROBLEM

KINDS = [
    kind for kind in vars(problems).values() if isinstance(kind, type) and issubclass(kind, Problem)
]


def render(error: Exception) -> tuple[int, dict[str, str], dict[str, Any]]:
    scope: dict[str, Any] = {
        "type": "http",
        "path": "/api/a%2Fb/tasks",
        "headers": [],
        "request_id": "r-1",
    }
    response = problem_response(Request(scope), error)
    assert scope["error"] is error
    return response.status_code, dict(response.headers), json.loads(bytes(response.body))


class TestKinds:
    def test_have_each_a_type_of_their_own(self) -> None:
        types = [(kind.status, kind.kind) for kind in KINDS if kind.kind != Unavailable.kind]
        assert len(types) == len(set(types)) >= 12

    @pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
    def test_say_something_to_a_person(self, kind: type[Problem]) -> None:
        assert kind.title
        assert kind.default.endswith(".") or kind is Invalid  # which says its first error
        assert 400 <= kind.status < 600
        assert kind.__doc__


class TestResponse:
    def test_has_the_members_of_the_contract(self) -> None:
        status, headers, body = render(NotFound())
        assert status == body["status"] == 404
        assert headers["content-type"] == "application/problem+json"
        assert body.keys() == PROBLEM
        assert body["type"] == "/problems/not-found"
        assert body["instance"] == "/api/a%2Fb/tasks"
        assert body["request_id"] == "r-1"
        assert body["detail"] == NotFound.default

    def test_has_a_detail_for_what_happened(self) -> None:
        assert render(NotFound("There is nothing."))[2]["detail"] == "There is nothing."

    def test_names_what_is_invalid(self) -> None:
        errors = [
            InvalidInput(pointer="/title", detail="too long"),
            InvalidInput(parameter="limit", detail="too large"),
        ]
        assert render(Invalid(errors=errors))[2]["detail"] == "title: too long"
        assert render(Invalid(errors=errors))[2]["errors"] == [
            {"pointer": "/title", "detail": "too long"},
            {"parameter": "limit", "detail": "too large"},
        ]

    @pytest.mark.parametrize(
        ("error", "challenge"),
        [("invalid_token", 'Bearer error="invalid_token"'), (None, "Bearer")],
    )
    def test_challenges_who_has_no_valid_token(self, error: str | None, challenge: str) -> None:
        status, headers, body = render(Unauthorized("No.", reason="some_reason", error=error))
        assert status == 401
        assert headers["www-authenticate"] == challenge
        assert "some_reason" not in str(body)

    def test_says_when_to_try_again(self) -> None:
        status, headers, _ = render(Unavailable(retry_after=7))
        assert status == 503
        assert headers["retry-after"] == "7"
        assert render(Unavailable())[1]["retry-after"] == "1"


class TestOtherErrors:
    def test_of_ours_are_what_they_are(self) -> None:
        error = NotFound()
        assert as_problem(error) is error

    @pytest.mark.parametrize("error", [StarletteHTTPException(404), HTTPException(404, MARKER)])
    def test_404_is_about_the_path(self, error: Exception) -> None:
        status, _, body = render(error)
        assert status == 404
        assert "path" in body["detail"]
        assert MARKER not in str(body)

    def test_405_names_the_methods(self) -> None:
        status, headers, body = render(StarletteHTTPException(405, headers={"Allow": "GET, POST"}))
        assert status == 405
        assert headers["allow"] == "GET, POST"
        assert body["type"] == f"/problems/{MethodNotAllowed.kind}"
        assert render(StarletteHTTPException(405))[0] == 405

    @pytest.mark.parametrize(
        "error",
        [
            RuntimeError(MARKER),
            KeyError(MARKER),
            StarletteHTTPException(418, MARKER),
            OSError(MARKER),
        ],
        ids=lambda error: type(error).__name__,
    )
    def test_are_defects_that_say_nothing(self, error: Exception) -> None:
        status, _, body = render(error)
        assert status == 500
        assert body["type"] == "/problems/internal-error"
        assert MARKER not in str(body)
        assert type(error).__name__ not in str(body)


class TestInvalidInput:
    def errors(self, *errors: dict[str, Any]) -> list[dict[str, str]]:
        body = render(RequestValidationError(list(errors)))[2]
        result: list[dict[str, str]] = body["errors"]
        assert MARKER not in str(body)
        assert body["detail"].endswith(result[0]["detail"])
        return result

    def test_in_the_body_is_found_by_a_pointer(self) -> None:
        error = {"type": "string_type", "loc": ("body", "title"), "msg": MARKER, "input": MARKER}
        assert self.errors(error) == [{"pointer": "/title", "detail": "must be text"}]

    def test_that_is_the_whole_body_has_an_empty_pointer(self) -> None:
        error = {"type": "missing", "loc": ("body",), "msg": MARKER, "input": None}
        assert self.errors(error) == [{"pointer": "", "detail": "a JSON body is required"}]

    @pytest.mark.parametrize("place", ["query", "path", "header"])
    def test_elsewhere_is_found_by_its_parameter(self, place: str) -> None:
        error = {"type": "bool_type", "loc": (place, "limit"), "msg": MARKER, "input": MARKER}
        assert self.errors(error) == [{"parameter": "limit", "detail": "must be true or false"}]

    def test_of_a_type_without_words_says_that_it_is_not_valid(self) -> None:
        error = {"type": "url_type", "loc": ("body", "a"), "msg": MARKER, "input": MARKER}
        assert self.errors(error) == [{"pointer": "/a", "detail": "is not valid"}]

    def test_is_explained_by_the_validators_own_words(self) -> None:
        error = {
            "type": "value_error",
            "loc": ("body", "title"),
            "msg": MARKER,
            "ctx": {"error": ValueError("cannot hold NUL")},
            "input": MARKER,
        }
        assert self.errors(error) == [{"pointer": "/title", "detail": "cannot hold NUL"}]
