"""Every path and method that no operation answers."""

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
    "/",
    "//",
    "/1/",
    "/1/complete/",
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

    @pytest.mark.parametrize("path", ["/", "/api", "/api/", "/tasks", "/docs", "/health/", "/%00"])
    def test_answers_404_at_an_unknown_path(
        self, alice: User, api: httpx2.Client, path: str
    ) -> None:
        headers = {"Authorization": f"Bearer {alice.token}"}
        problem(api.get(path, headers=headers), 404)

    def test_redirects_nowhere(self, alice: User) -> None:
        answer = alice.request("GET", "/")
        problem(answer, 404)
        assert "location" not in answer.headers

    @pytest.mark.parametrize("path", ["/openapi.json", "/docs", "/redoc"])
    def test_publishes_nothing_besides(self, alice: User, api: httpx2.Client, path: str) -> None:
        problem(api.get(path, headers={"Authorization": f"Bearer {alice.token}"}), 404)

    @each_operation
    def test_answers_no_operation(self, alice: User, operation: Op) -> None:
        task_id = alice.create().json()["id"]
        assert operation.ask(alice, task_id).status_code == operation.success
