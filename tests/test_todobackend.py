"""The public specification of todobackend.com, each of its 16 behaviours on the paths of a user.

Its vocabulary is mapped onto this API's: a todo's `url` is where the task is; PATCH is a PUT of the
changed members; DELETE of all todos is one of each. Its `order` is the client's own: unknown
members are refused here, so that a client keeps it in the description.
"""

from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from tests.conftest import User


@dataclass(frozen=True)
class Backend:
    """A Todo-Backend, as its specification speaks to it."""

    user: User

    def ask(self, method: str, url: str, body: dict[str, Any] | None = None) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {self.user.token}"}
        response = self.user.api.request(method, url, headers=headers, json=body)
        response.raise_for_status()
        return response

    def get_root(self) -> list[dict[str, Any]]:
        return [self._todo(task) for task in self.ask("GET", self.user.path).json()]

    def post_root(self, **todo: Any) -> dict[str, Any]:
        response = self.ask("POST", self.user.path, self._task(todo))
        return self._todo(response.json()) | {"url": response.headers["location"]}

    def delete_root(self) -> None:
        for todo in self.get_root():
            self.delete(todo["url"])

    def get(self, url: str) -> dict[str, Any]:
        return self._todo(self.ask("GET", url).json())

    def patch(self, url: str, **todo: Any) -> dict[str, Any]:
        return self._todo(self.ask("PUT", url, self._task(todo)).json())

    def delete(self, url: str) -> None:
        self.ask("DELETE", url)

    def _task(self, todo: dict[str, Any]) -> dict[str, Any]:
        order = {"description": str(todo.pop("order"))} if "order" in todo else {}
        return todo | order

    def _todo(self, task: dict[str, Any]) -> dict[str, Any]:
        order = {"order": int(task["description"])} if task["description"] else {}
        return task | {"url": f"{self.user.path}/{task['id']}"} | order


@pytest.fixture
def backend(alice: User) -> Backend:
    """The tasks of Alice."""
    return Backend(alice)


class TestThePreRequisites:
    def test_the_api_root_responds_to_a_get(self, backend: Backend) -> None:
        assert backend.ask("GET", backend.user.path).status_code == 200

    def test_the_api_root_responds_to_a_post_with_the_todo_which_was_posted_to_it(
        self, backend: Backend
    ) -> None:
        assert backend.post_root(title="a todo")["title"] == "a todo"

    def test_the_api_root_responds_successfully_to_a_delete(self, backend: Backend) -> None:
        backend.post_root(title="a todo")
        backend.delete_root()

    def test_after_a_delete_the_api_root_responds_to_a_get_with_an_empty_array(
        self, backend: Backend
    ) -> None:
        backend.post_root(title="a todo")
        backend.delete_root()
        assert backend.get_root() == []


class TestStoringNewTodosByPostingToTheRootUrl:
    def test_adds_a_new_todo_to_the_list_of_todos_at_the_root_url(self, backend: Backend) -> None:
        backend.post_root(title="walk the dog")
        assert [todo["title"] for todo in backend.get_root()] == ["walk the dog"]

    def test_sets_up_a_new_todo_as_initially_not_completed(self, backend: Backend) -> None:
        assert backend.post_root(title="blah")["completed"] is False
        assert backend.get_root()[0]["completed"] is False

    def test_each_new_todo_has_a_url(self, backend: Backend) -> None:
        assert backend.post_root(title="blah")["url"] == backend.get_root()[0]["url"]

    def test_each_new_todo_has_a_url_which_returns_a_todo(self, backend: Backend) -> None:
        assert backend.get(backend.post_root(title="my todo")["url"])["title"] == "my todo"


class TestWorkingWithAnExistingTodo:
    def test_can_navigate_from_a_list_of_todos_to_an_individual_todo_via_urls(
        self, backend: Backend
    ) -> None:
        backend.post_root(title="todo the first")
        backend.post_root(title="todo the second")
        todos = backend.get_root()
        assert len(todos) == 2
        assert backend.get(todos[0]["url"]) == todos[0]

    def test_can_change_the_todos_title_by_patching_to_the_todos_url(
        self, backend: Backend
    ) -> None:
        url = backend.post_root(title="initial title")["url"]
        assert backend.patch(url, title="bathe the cat")["title"] == "bathe the cat"

    def test_can_change_the_todos_completedness_by_patching_to_the_todos_url(
        self, backend: Backend
    ) -> None:
        url = backend.post_root(title="blah")["url"]
        assert backend.patch(url, completed=True)["completed"] is True

    def test_changes_to_a_todo_are_persisted_and_show_up_when_re_fetching_the_todo(
        self, backend: Backend
    ) -> None:
        url = backend.post_root(title="blah")["url"]
        patched = backend.patch(url, title="changed title", completed=True)
        assert (patched["title"], patched["completed"]) == ("changed title", True)
        assert backend.get(url) == patched
        assert backend.get_root() == [patched]

    def test_can_delete_a_todo_making_a_delete_request_to_the_todos_url(
        self, backend: Backend
    ) -> None:
        backend.delete(backend.post_root(title="blah")["url"])
        assert backend.get_root() == []


class TestTrackingTodoOrder:
    def test_can_create_a_todo_with_an_order_field(self, backend: Backend) -> None:
        assert backend.post_root(title="blah", order=523)["order"] == 523

    def test_can_patch_a_todo_to_change_its_order(self, backend: Backend) -> None:
        url = backend.post_root(title="blah", order=10)["url"]
        assert backend.patch(url, order=95)["order"] == 95

    def test_remembers_changes_to_a_todos_order(self, backend: Backend) -> None:
        url = backend.post_root(title="blah", order=10)["url"]
        backend.patch(url, order=95)
        assert backend.get(url)["order"] == 95
