"""The middleware: which header carries a token, and whose paths a subject may ask for."""

from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import Request

from shared.auth.middleware import AuthenticationMiddleware, authenticate, bearer_token
from shared.http.problems import Forbidden, Unauthorized


def asking(*authorization: str, path: str = "/") -> Request:
    headers = [(b"authorization", value.encode()) for value in authorization]
    return Request({"type": "http", "path": path, "headers": headers})


@pytest.mark.parametrize(
    ("authorization", "detail", "reason", "challenge"),
    [
        ([], "A bearer token is needed.", "no_token", "Bearer"),
        *(
            (
                authorization,
                "The Authorization header must be: Bearer, one space, one token.",
                "not_bearer",
                'Bearer error="invalid_request"',
            )
            for authorization in ([""], ["Basic x"], ["Bearer x y"], ["Bearer x", "Bearer x"])
        ),
    ],
)
def test_a_request_without_exactly_one_bearer_token_is_told_what_is_needed(
    authorization: list[str], detail: str, reason: str, challenge: str
) -> None:
    with pytest.raises(Unauthorized) as unauthorized:
        bearer_token(asking(*authorization))
    assert (unauthorized.value.detail, unauthorized.value.reason) == (detail, reason)
    assert unauthorized.value.headers == {"WWW-Authenticate": challenge}


@pytest.fixture
def subject(monkeypatch: pytest.MonkeyPatch) -> str:
    """The subject of every token: the character that often stands for bytes that are no text."""
    subject = "\ufffd"
    verifier = SimpleNamespace(verify=lambda _: subject)
    monkeypatch.setattr("shared.auth.middleware.verifier", lambda: verifier)
    return subject


@pytest.mark.parametrize("path", ["/health", "/api/%EF%BF%BD", "/api/%ef%bf%bd/tasks"])
def test_a_subject_may_ask_for_its_own_paths(subject: str, path: str) -> None:
    assert authenticate(asking("Bearer x", path=path)) == subject


@pytest.mark.parametrize("path", ["/api/bob", "/api/bob/tasks", "/api/%FF/tasks"])
def test_user_ids_that_differ_in_one_byte_are_two_users(subject: str, path: str) -> None:
    with pytest.raises(Forbidden):
        authenticate(asking("Bearer x", path=path))


def test_a_request_goes_on_with_its_subject_and_its_body(subject: str) -> None:
    passed: list[Any] = []

    async def app(*arguments: Any) -> None:
        passed.extend(arguments)

    scope: Any = asking("Bearer x").scope
    receive: Any = object()
    send: Any = object()
    with pytest.raises(StopIteration):  # nothing is waited for
        AuthenticationMiddleware(app)(scope, receive, send).send(None)
    assert passed == [scope, receive, send]
    assert scope["subject"] == subject
