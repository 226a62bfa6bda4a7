"""DELETE /api/{user_id}/tasks/{id}."""

import pytest

from local.gateway import Gateway
from shared.http.events import ON_EVERY_RESPONSE
from tests.conftest import User
from tests.functions.support import (
    MALFORMED_TAGS,
    MATCHING_TAGS,
    OTHER_TAGS,
    WEAK_TAGS,
    another_writer,
    no_content,
    not_expected,
    problem,
    short,
    task,
    tasks,
)


class TestDelete:
    def test_answers_204_without_a_body(self, alice: User) -> None:
        no_content(alice.delete(alice.create().json()["id"]))

    def test_says_nothing_of_a_body_that_is_not_there(self, alice: User) -> None:
        path = f"{alice.path}/{alice.create().json()['id']}"
        headers = [("Authorization", f"Bearer {alice.token}")]
        response = Gateway.of_template()("DELETE", path, headers=headers)
        assert response["statusCode"] == 204
        assert response["headers"].keys() == {"x-request-id", *ON_EVERY_RESPONSE}
        assert not response["body"]

    def test_removes_that_task_and_no_other(self, alice: User) -> None:
        gone, kept = alice.create().json(), alice.create().json()
        no_content(alice.delete(gone["id"]))
        problem(alice.get(gone["id"]), 404)
        assert tasks(alice.list()) == [kept]

    def test_answers_404_the_second_time(self, alice: User) -> None:
        task_id = alice.create().json()["id"]
        no_content(alice.delete(task_id))
        problem(alice.delete(task_id), 404)

    def test_never_gives_an_id_twice(self, alice: User) -> None:
        task_id = alice.create().json()["id"]
        no_content(alice.delete(task_id))
        assert alice.create().json()["id"] != task_id

    @pytest.mark.parametrize("tags", MATCHING_TAGS, ids=short)
    def test_removes_the_version_that_is_expected(self, alice: User, tags: str) -> None:
        task_id = alice.create().json()["id"]
        no_content(alice.delete(task_id, If_Match=tags))
        assert tasks(alice.list()) == []

    @pytest.mark.parametrize("tags", [*OTHER_TAGS, *WEAK_TAGS], ids=short)
    def test_leaves_a_version_that_is_not_expected(self, alice: User, tags: str) -> None:
        created = alice.create().json()
        response = alice.delete(created["id"], If_Match=tags)
        not_expected(response, tags)
        assert task(alice.get(created["id"])) == created

    def test_removes_the_version_that_a_writer_has_made_in_between(self, alice: User) -> None:
        task_id = alice.create().json()["id"]
        with another_writer("update tasks set version = 2 where id = %s", task_id):
            no_content(alice.delete(task_id, If_Match='"2"'))
        problem(alice.get(task_id), 404)

    @pytest.mark.parametrize("tags", MALFORMED_TAGS, ids=short)
    def test_refuses_a_malformed_if_match(self, alice: User, tags: str) -> None:
        created = alice.create().json()
        problem(alice.delete(created["id"], If_Match=tags), 400)
        assert task(alice.get(created["id"])) == created

    @pytest.mark.parametrize("headers", [{}, {"If_Match": '"1"'}, {"If_Match": "*"}], ids=short)
    def test_answers_404_where_there_is_no_task(self, alice: User, headers: dict[str, str]) -> None:
        problem(alice.delete(2**63 - 1, **headers), 404)

    @pytest.mark.parametrize("headers", [{}, {"If_Match": '"1"'}, {"If_Match": '"2"'}], ids=short)
    def test_does_not_find_another_users_task(
        self, alice: User, bob: User, headers: dict[str, str]
    ) -> None:
        created = alice.create().json()
        problem(bob.delete(created["id"], **headers), 404)
        assert task(alice.get(created["id"])) == created
