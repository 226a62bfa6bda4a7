"""Every path and method that no operation answers."""

from collections.abc import Callable

import httpx2
import pytest

from tests.conftest import User
from tests.functions.support import OPERATIONS, each_operation, problem, short
from tests.functions.support import Operation as Op

PATHS = {"": "GET, POST", "/{id}": "DELETE, GET, PUT", "/{id}/complete": "PATCH"}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY")
WRONG = [
    (method, path)
    for path in PATHS
    for method in METHODS
    if (method, path) not in {(operation.method, operation.path) for operation in OPERATIONS}
]
UNKNOWN = (
    "//",
    "/1//",
    "/1/done",
    "/1/complete/1",
    "/1//complete",
    "/1/Complete",
)


class TestFallback:
    @pytest.mark.parametrize(("method", "path"), WRONG)
    def test_answers_405_with_the_methods_of_the_path(
        self, alice: User, method: str, path: str
    ) -> None:
        answer = alice.request(method, path.format(id=1))
        problem(answer, 405)
        assert PATHS[path] in answer.json()["detail"]
        assert set(answer.headers["allow"].split(", ")) == set(PATHS[path].split(", "))

    @pytest.mark.parametrize("method", ["POST", "HEAD", "DELETE"])
    def test_answers_405_at_health(self, alice: User, api: httpx2.Client, method: str) -> None:
        headers = {"Authorization": f"Bearer {alice.token}"}
        answer = api.request(method, "/health", headers=headers)
        problem(answer, 405)
        assert answer.headers["allow"] == "GET"

    @pytest.mark.parametrize("path", UNKNOWN, ids=short)
    @pytest.mark.parametrize("method", ["GET", "POST", "PATCH"])
    def test_answers_404_at_an_unknown_path_below_ones_own(
        self, alice: User, method: str, path: str
    ) -> None:
        problem(alice.request(method, path), 404)

    @pytest.mark.parametrize("path", ["/", "/api", "/api/", "/tasks", "/docs", "/health//", "/%00"])
    def test_answers_404_at_an_unknown_path(
        self, alice: User, api: httpx2.Client, path: str
    ) -> None:
        headers = {"Authorization": f"Bearer {alice.token}"}
        problem(api.get(path, headers=headers), 404)

    @pytest.mark.parametrize("path", ["", "/1", "/1/complete"])
    @pytest.mark.parametrize("method", ["GET", "POST", "PATCH"])
    @pytest.mark.parametrize("query", ["", "?limit=5&cursor=a%20b"])
    def test_redirects_a_slash_too_many(
        self, alice: User, method: str, path: str, query: str
    ) -> None:
        answer = alice.request(method, f"{path}/{query}")
        assert answer.status_code == 308
        assert answer.headers["location"] == alice.path + path + query
        assert answer.headers["cache-control"] == "no-store"
        assert not answer.content

    def test_redirects_a_user_id_of_any_characters(self, sign_in: Callable[[str], User]) -> None:
        user = sign_in("auth0|a@b?c#d:e~f%2e")
        assert user.request("GET", "/").headers["location"] == user.path

    def test_redirects_nobody_without_a_token(self, alice: User, api: httpx2.Client) -> None:
        problem(api.get(f"{alice.path}/"), 401)

    def test_redirects_nobody_to_another_user(self, alice: User, bob: User) -> None:
        headers = {"Authorization": f"Bearer {alice.token}"}
        problem(alice.api.get(f"{bob.path}/", headers=headers), 403)

    @pytest.mark.parametrize("path", ["//evil.test/", "/%2fevil.test/", "/evil.test/%2f..", "//"])
    def test_redirects_to_no_other_host(self, alice: User, api: httpx2.Client, path: str) -> None:
        answer = api.get(path, headers={"Authorization": f"Bearer {alice.token}"})
        problem(answer, 404)
        assert "location" not in answer.headers

    @pytest.mark.parametrize("path", ["/openapi.json", "/docs", "/redoc"])
    def test_publishes_nothing_besides(self, alice: User, api: httpx2.Client, path: str) -> None:
        problem(api.get(path, headers={"Authorization": f"Bearer {alice.token}"}), 404)

    @each_operation
    def test_answers_no_operation(self, alice: User, operation: Op) -> None:
        task_id = alice.create().json()["id"]
        assert operation.ask(alice, task_id).status_code == operation.success
