"""The app factory: one strict app for each operation, and a Lambda function that always answers."""

import json
from typing import Any

import pytest
from fastapi import Request
from sqlmodel import SQLModel

from local.gateway import Context
from local.issuer import NAME
from shared.app import create_app, lambda_handler
from shared.auth.key_set import KeySet
from shared.auth.middleware import bearer_token
from shared.auth.tokens import Verifier
from shared.database.connection import pool
from shared.http.problems import Unauthorized
from shared.settings import ConfigurationError
from tests.conftest import User
from tests.functions.support import (
    MARKER,
    MAX_BODY,
    Operation,
    another_database,
    each_operation,
    forget_database,
    problem,
)


class Thing(SQLModel):
    """A body."""

    name: str


def invoke(handler: Any, method: str = "POST", body: str = "", **headers: str) -> dict[str, Any]:
    event = {
        "version": "2.0",
        "routeKey": f"{method} /things",
        "headers": {name.replace("_", "-"): value for name, value in headers.items()},
        "requestContext": {"requestId": "r-1", "http": {"method": method, "path": "/things"}},
        "body": body,
    }
    result: dict[str, Any] = handler(event, Context("function", "r-1"))
    assert result["headers"]["x-request-id"] == "r-1"
    return result


def things() -> Any:
    """The handler of a public app that takes a thing, and gives it back."""
    app = create_app(public=True)

    @app.post("/things")
    async def post(thing: Thing) -> Thing:
        return thing

    return lambda_handler(app)


class TestPublicApp:
    def test_needs_no_token(self) -> None:
        result = invoke(things(), body='{"name": "\u00e9"}', content_type="application/json")
        assert result["statusCode"] == 200
        assert json.loads(result["body"]) == {"name": "\u00e9"}

    @pytest.mark.parametrize(
        ("body", "content_type", "status"),
        [
            (" " * (MAX_BODY + 1), "text/plain", 413),
            ("\u00e9" * (MAX_BODY // 2 + 1), "application/json", 413),
            ("{}", "text/plain", 415),
            ("{", "application/json", 400),
            ("[]", "application/json", 422),
            ("{}", "application/json", 422),
            ("", "application/json", 422),
        ],
    )
    def test_is_strict_with_bodies(self, body: str, content_type: str, status: int) -> None:
        result = invoke(things(), body=body, content_type=content_type)
        assert result["statusCode"] == status
        assert json.loads(result["body"])["status"] == status

    def test_answers_405_to_another_method(self) -> None:
        result = invoke(things(), "GET")
        assert result["statusCode"] == 405
        assert result["headers"]["allow"] == "POST"


class TestPrivateApp:
    @pytest.mark.parametrize("method", ["GET", "POST", "odd"])
    def test_answers_401_before_all_else(self, method: str) -> None:
        handler = lambda_handler(create_app())
        assert invoke(handler, method, body="{")["statusCode"] == 401

    def test_takes_exactly_one_authorization_header(self) -> None:
        credentials = (b"authorization", b"Bearer token")
        scope: dict[str, Any] = {"type": "http", "headers": [credentials]}
        assert bearer_token(Request(scope)) == "token"
        with pytest.raises(Unauthorized):
            bearer_token(Request(scope | {"headers": [credentials, credentials]}))


class TestLambdaFunction:
    def test_has_a_connection_before_its_first_request(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "things")
        forget_database()
        lambda_handler(create_app(public=True))
        assert pool.held
        assert not pool.held.opened.closed

    def test_does_not_start_where_the_configuration_is_wrong(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "things")
        with (
            another_database("mysql://nothing"),
            pytest.raises(ConfigurationError, match=r"^DATABASE_URL must start with"),
        ):
            lambda_handler(create_app(public=True))


class TestKeySet:
    @each_operation
    def test_that_cannot_be_reached_is_a_503(
        self, alice: User, operation: Operation, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        verifier = Verifier(KeySet("http://127.0.0.1:1/jwks"), issuer=NAME, audience=NAME)
        monkeypatch.setattr("shared.auth.middleware.verifier", lambda: verifier)
        response = operation.ask(alice)
        assert "Nothing was written" in problem(response, 503)["detail"]
        assert int(response.headers["retry-after"]) >= 1
        assert alice.api.get("/health").status_code == 200
        monkeypatch.undo()
        assert alice.list().json() == []

    def test_that_cannot_be_reached_is_no_matter_to_who_has_no_token(
        self, alice: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        verifier = Verifier(KeySet("http://127.0.0.1:1/jwks"), issuer=NAME, audience=NAME)
        monkeypatch.setattr("shared.auth.middleware.verifier", lambda: verifier)
        problem(alice.api.get(alice.path), 401)


class TestDefect:
    @pytest.mark.parametrize("public", [True, False])
    def test_is_a_500_that_says_nothing(self, public: bool, alice: User) -> None:
        app = create_app(public=public)

        @app.get("/things")
        async def defect(_request: Request) -> None:
            raise RuntimeError(MARKER)

        headers = {"authorization": f"Bearer {alice.token}"}
        result = invoke(lambda_handler(app), "GET", **headers)
        assert result["statusCode"] == 500
        assert result["headers"]["content-type"] == "application/problem+json"
        assert MARKER not in result["body"]


class TestDocumentation:
    @pytest.mark.parametrize("public", [True, False])
    def test_is_not_served_by_a_function(self, public: bool) -> None:
        app = create_app(public=public)
        assert app.routes == []
