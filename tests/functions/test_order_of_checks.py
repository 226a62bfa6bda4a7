"""401, then 403, then what is wrong with path and body, then whether there is such a task."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from tests.conftest import User
from tests.functions.support import (
    CREATE,
    JSON,
    LIST,
    MARKER,
    MAX_BODY,
    UPDATE,
    WITH_A_BODY,
    Operation,
    as_json,
    each_on_one_task,
    each_operation,
    each_with_a_body,
    invalid,
    problem,
    short,
)

MISSING = 2**63 - 1
TOO_LARGE = b"{" * (MAX_BODY + 1)

# Everything that can be wrong with a request behind authentication and the owner of the path.
WRONG: dict[str, dict[str, Any]] = {
    "nothing": {},
    "a missing task": {"task_id": MISSING},
    "an id that is no number": {"task_id": "x"},
    "a query": {"params": {MARKER: MARKER}},
    "a condition": {"headers": {"If-Match": MARKER, "If-None-Match": MARKER}},
    "an invalid body": as_json({MARKER: MARKER}),
    "a malformed body": {"content": b"{", "headers": JSON},
    "another media type": {"content": b"<x/>", "headers": {"Content-Type": "application/xml"}},
    "a body too large": {"content": TOO_LARGE, "headers": JSON},
    "all of it": {
        "task_id": "x",
        "params": {MARKER: MARKER},
        "content": TOO_LARGE,
        "headers": {"Content-Type": MARKER, "If-Match": MARKER},
    },
}
NO_IDS = (
    *("x", "1.0", "1e3", "-1", "%2B1", "0", "1_0", "%201", "1%0A", "%D9%A1", "0x1", "1%00", "%00"),
    *("null", "%ff", "1%2F2", "..%2F1", f"{2**63}", f"{2**64 + 1}", "9" * 5000),
)
# Paths below those of a user, and methods, that there are no operations for.
UNKNOWN = [
    ("DELETE", ""),
    ("POST", "/1"),
    ("GET", "/1/complete"),
    ("GET", "/1/nothing"),
    ("QUERY", "/1/"),
]
NO_TOKENS: dict[str, dict[str, str]] = {
    "none": {},
    "empty": {"Authorization": ""},
    "no scheme": {"Authorization": MARKER},
    "another scheme": {"Authorization": f"Basic {MARKER}"},
    "nonsense": {"Authorization": f"Bearer {MARKER}"},
}

each_wrong = pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
each_without_a_token = pytest.mark.parametrize("headers", NO_TOKENS.values(), ids=NO_TOKENS)


class Stranger:
    """Somebody who asks under a user's path with headers of their own."""

    def __init__(self, user: User, headers: dict[str, str]) -> None:
        self.user = user
        self.headers = headers

    def request(self, method: str, path: str = "", **options: Any) -> httpx2.Response:
        headers = options.pop("headers", {}) | self.headers
        return self.user.api.request(method, self.user.path + path, headers=headers, **options)


class TestUnauthorized:
    @each_wrong
    @each_operation
    def test_comes_before_all_else(
        self, alice: User, operation: Operation, wrong: dict[str, Any]
    ) -> None:
        response = operation.ask(Stranger(alice, {}), **wrong)
        problem(response, 401)
        assert response.headers["www-authenticate"] == "Bearer"

    @each_without_a_token
    @each_operation
    def test_is_the_response_without_a_valid_token(
        self, alice: User, operation: Operation, headers: dict[str, str]
    ) -> None:
        response = operation.ask(Stranger(alice, headers))
        problem(response, 401)
        assert response.headers["www-authenticate"].startswith("Bearer")

    @pytest.mark.parametrize(("method", "path"), UNKNOWN)
    @each_without_a_token
    def test_is_the_response_at_unknown_paths_and_methods_too(
        self, alice: User, headers: dict[str, str], method: str, path: str
    ) -> None:
        problem(Stranger(alice, headers).request(method, path), 401)

    @pytest.mark.parametrize("path", ["/", "/nothing", "/api", "/api/x/tasks/1/2/3"])
    def test_is_the_response_anywhere(self, api: httpx2.Client, path: str) -> None:
        problem(api.get(path), 401)

    def test_tells_nothing_of_rows(self, alice: User, api: httpx2.Client) -> None:
        there = api.get(f"{alice.path}/{alice.create().json()['id']}")
        not_there = api.get(f"{alice.path}/{MISSING}")
        same = ("type", "title", "status", "detail")
        assert [there.json()[m] for m in same] == [not_there.json()[m] for m in same]

    def test_names_no_error_where_no_token_was_sent(self, alice: User, api: httpx2.Client) -> None:
        assert api.get(alice.path).headers["www-authenticate"] == "Bearer"

    def test_names_the_error_of_a_token_that_was_sent(
        self, alice: User, api: httpx2.Client
    ) -> None:
        response = api.get(alice.path, headers={"Authorization": f"Bearer {alice.token}x"})
        assert 'error="invalid_token"' in response.headers["www-authenticate"]

    @pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
    def test_is_not_the_response_to_any_case_of_the_scheme(
        self, alice: User, api: httpx2.Client, scheme: str
    ) -> None:
        headers = {"Authorization": f"{scheme} {alice.token}"}
        assert api.get(alice.path, headers=headers).status_code == 200

    def test_is_the_response_to_two_authorization_headers(
        self, alice: User, bob: User, api: httpx2.Client
    ) -> None:
        for second in (alice, bob):
            tokens = [f"Bearer {alice.token}", f"Bearer {second.token}"]
            headers = [("Authorization", token) for token in tokens]
            problem(api.get(alice.path, headers=headers), 401)

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda token: f"{token} {token}",
            lambda token: f"{token},",
            lambda token: f"{token}, Bearer",
            lambda token: f'"{token}"',
            lambda token: f"token={token}",
        ],
    )
    def test_is_the_response_to_more_than_a_token(
        self, alice: User, spoil: Callable[[str], str]
    ) -> None:
        stranger = Stranger(alice, {"Authorization": f"Bearer {spoil(alice.token)}"})
        problem(stranger.request("GET"), 401)

    def test_is_the_response_to_a_token_anywhere_else(
        self, alice: User, api: httpx2.Client
    ) -> None:
        problem(api.get(alice.path, params={"access_token": alice.token}), 401)
        problem(api.get(alice.path, headers={"Cookie": f"token={alice.token}"}), 401)
        problem(api.get(alice.path, headers={"X-Authorization": f"Bearer {alice.token}"}), 401)


class TestForbidden:
    @each_wrong
    @each_operation
    def test_comes_before_all_but_401(
        self, alice: User, bob: User, operation: Operation, wrong: dict[str, Any]
    ) -> None:
        stranger = Stranger(alice, {"Authorization": f"Bearer {bob.token}"})
        problem(operation.ask(stranger, **wrong), 403)

    @pytest.mark.parametrize(("method", "path"), UNKNOWN)
    def test_is_the_response_at_unknown_paths_and_methods_too(
        self, alice: User, bob: User, method: str, path: str
    ) -> None:
        stranger = Stranger(alice, {"Authorization": f"Bearer {bob.token}"})
        problem(stranger.request(method, path), 403)

    def test_tells_nothing_of_users(self, alice: User, bob: User, api: httpx2.Client) -> None:
        alice.create()
        headers = {"Authorization": f"Bearer {bob.token}"}
        there = api.get(alice.path, headers=headers)
        not_there = api.get("/api/nobody/tasks", headers=headers)
        same = ("type", "title", "status", "detail")
        assert [there.json()[m] for m in same] == [not_there.json()[m] for m in same]


class TestPathAndBody:
    @pytest.mark.parametrize(("method", "path"), UNKNOWN)
    def test_is_the_path_first(self, alice: User, method: str, path: str) -> None:
        response = alice.request(method, path, content=TOO_LARGE, headers={"Content-Type": MARKER})
        if path.endswith("/"):
            assert response.status_code == 308
            return
        problem(response, 405 if method == "DELETE" or path in {"/1", "/1/complete"} else 404)

    @each_with_a_body
    def test_is_size_then_media_type_then_json_then_values(
        self, alice: User, operation: Operation
    ) -> None:
        def ask(content: bytes, media_type: str) -> httpx2.Response:
            headers = {"Content-Type": media_type}
            return operation.ask(alice, MISSING, content=content, headers=headers)

        problem(ask(TOO_LARGE, "text/plain"), 413)
        problem(ask(TOO_LARGE, "application/json"), 413)
        problem(ask(b"{", "text/plain"), 415)
        problem(ask(b"{}", "text/plain"), 415)
        problem(ask(b"{", "application/json"), 400)
        problem(ask(b"{}", "application/json"), 422)

    @pytest.mark.parametrize(
        "operation", [operation for operation in WITH_A_BODY if operation != CREATE], ids=str
    )
    def test_is_what_cannot_be_read_before_what_is_invalid(
        self, alice: User, operation: Operation
    ) -> None:
        problem(operation.ask(alice, "x", content=b"{", headers=JSON), 400)
        problem(operation.ask(alice, 1, json={}, headers={"If-Match": MARKER}), 400)

    def test_names_path_and_body_together(self, alice: User) -> None:
        path = f"{alice.path}/x"
        headers = {"Authorization": f"Bearer {alice.token}"}
        response = alice.api.put(path, json={"title": 1}, headers=headers)
        assert sorted(invalid(response)) == ["/title", "id"]

    @each_on_one_task
    @pytest.mark.parametrize("task_id", NO_IDS, ids=short)
    def test_takes_nothing_for_an_id_but_a_positive_integer(
        self, alice: User, operation: Operation, task_id: str
    ) -> None:
        assert invalid(operation.ask(alice, task_id)) == ["id"]

    @each_on_one_task
    def test_comes_before_the_row(self, alice: User, operation: Operation) -> None:
        if operation.body is not None:
            problem(operation.ask(alice, MISSING, **as_json({"titel": 1})), 422)
        problem(operation.ask(alice, "x"), 422)
        problem(operation.ask(alice, MISSING), 404)

    def test_is_the_query_of_a_list(self, alice: User) -> None:
        problem(LIST.ask(alice, params={"titel": MARKER}), 422)

    def test_is_the_condition_before_the_row(self, alice: User) -> None:
        problem(UPDATE.ask(alice, MISSING, headers={"If-Match": MARKER}), 400)
        problem(UPDATE.ask(alice, MISSING, headers={"If-Match": '"7"'}), 404)
