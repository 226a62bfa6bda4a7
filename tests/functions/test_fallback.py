"""Every path and method that no operation answers."""

import json
from collections.abc import Callable
from html import escape

import httpx2
import pytest

from shared.http.problem_pages import PAGES
from tests.conftest import User
from tests.functions.support import OPERATIONS, each_operation, problem, short
from tests.functions.support import Operation as Op

PATHS = {
    path: {each.method for each in OPERATIONS if each.path == path}
    for path in {each.path for each in OPERATIONS}
}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY")
WRONG = [
    (method, path) for path in sorted(PATHS) for method in METHODS if method not in PATHS[path]
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
        response = alice.request(method, path.format(id=1))
        problem(response, 405)
        methods = ", ".join(sorted(PATHS[path]))
        assert methods in response.json()["detail"]
        assert response.headers["allow"] == methods

    @pytest.mark.parametrize("method", ["POST", "HEAD", "DELETE"])
    def test_answers_405_at_health(self, alice: User, api: httpx2.Client, method: str) -> None:
        headers = {"Authorization": f"Bearer {alice.token}"}
        response = api.request(method, "/health", headers=headers)
        problem(response, 405)
        assert response.headers["allow"] == "GET"

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
        response = alice.request(method, f"{path}/{query}")
        assert response.status_code == 308
        assert response.headers["location"] == alice.path + path + query
        assert response.headers["cache-control"] == "no-store"
        assert not response.content

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
        response = api.get(path, headers={"Authorization": f"Bearer {alice.token}"})
        problem(response, 404)
        assert "location" not in response.headers

    @pytest.mark.parametrize("path", ["/openapi.json", "/docs", "/redoc"])
    def test_publishes_nothing_besides(self, alice: User, api: httpx2.Client, path: str) -> None:
        problem(api.get(path, headers={"Authorization": f"Bearer {alice.token}"}), 404)

    @each_operation
    def test_answers_no_operation(self, alice: User, operation: Op) -> None:
        task_id = alice.create().json()["id"]
        assert operation.ask(alice, task_id).status_code == operation.success


@pytest.mark.parametrize("path", PAGES)
class TestProblemPage:
    def test_is_for_everybody_in_words(self, api: httpx2.Client, path: str) -> None:
        kind = PAGES[path]
        response = api.get(path)
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/plain; charset=utf-8"
        assert response.text.startswith(f"{kind.status} {kind.title}\n")
        assert f"What to do: {kind.remedy}" in response.text
        example = json.loads(response.text.partition("An example:")[2])
        assert example["type"] == path
        assert example["status"] == kind.status
        assert ("errors" in example) == (path == "/problems/invalid-input")

    def test_is_html_for_a_browser(self, api: httpx2.Client, path: str) -> None:
        response = api.get(path, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
        assert response.headers["content-type"] == "text/html; charset=utf-8"
        assert response.headers["content-security-policy"] == "default-src 'none'"
        assert f"<h1>{PAGES[path].status} {PAGES[path].title}</h1>" in response.text
        assert escape(PAGES[path].remedy, quote=False) in response.text

    def test_is_for_get_alone(self, api: httpx2.Client, path: str) -> None:
        problem(api.post(path), 401)


def test_a_page_of_no_kind_is_not_told_without_a_token(alice: User, api: httpx2.Client) -> None:
    problem(api.get("/problems/other"), 401)
    headers = {"Authorization": f"Bearer {alice.token}"}
    problem(api.get("/problems/other", headers=headers), 404)


def test_the_type_of_a_problem_leads_to_its_page(api: httpx2.Client) -> None:
    response = api.get("/api/alice/tasks")
    assert api.get(response.json()["type"]).text.startswith("401 Unauthorized")
