"""GET /api/{user_id}/tasks/{id}."""

import pytest

from tests.conftest import User
from tests.functions.support import (
    MALFORMED_TAGS,
    MATCHING_TAGS,
    OTHER_TAGS,
    WEAK_TAGS,
    no_content,
    problem,
    short,
    task,
)


class TestGet:
    def test_answers_200_with_the_task(self, alice: User) -> None:
        created = alice.create(title="Buy milk", description="oat", completed=True)
        assert task(alice.get(created.json()["id"])) == created.json()

    def test_changes_nothing(self, alice: User) -> None:
        created = alice.create().json()
        assert task(alice.get(created["id"])) == task(alice.get(created["id"])) == created

    def test_gives_the_version_as_a_strong_entity_tag(self, alice: User) -> None:
        task_id = alice.create().json()["id"]
        assert alice.get(task_id).headers["etag"] == '"1"'
        alice.toggle(task_id)
        assert alice.get(task_id).headers["etag"] == '"2"'

    @pytest.mark.parametrize("tags", [*MATCHING_TAGS, *WEAK_TAGS], ids=short)
    def test_answers_304_to_a_client_that_has_this_version(self, alice: User, tags: str) -> None:
        response = alice.get(alice.create().json()["id"], If_None_Match=tags)
        no_content(response, 304)
        assert response.headers["etag"] == '"1"'

    @pytest.mark.parametrize("tags", OTHER_TAGS, ids=short)
    def test_answers_200_to_a_client_that_has_another_version(self, alice: User, tags: str) -> None:
        created = alice.create().json()
        assert task(alice.get(created["id"], If_None_Match=tags)) == created

    def test_answers_200_again_once_the_task_has_changed(self, alice: User) -> None:
        created = alice.create()
        changed = alice.toggle(created.json()["id"]).json()
        etag = created.headers["etag"]
        assert task(alice.get(changed["id"], If_None_Match=etag)) == changed

    @pytest.mark.parametrize("tags", MALFORMED_TAGS, ids=short)
    def test_refuses_a_malformed_if_none_match(self, alice: User, tags: str) -> None:
        problem(alice.get(alice.create().json()["id"], If_None_Match=tags), 400)

    def test_answers_404_where_there_never_was_a_task(self, alice: User) -> None:
        problem(alice.get(2**63 - 1), 404)
        problem(alice.get(2**63 - 1, If_None_Match="*"), 404)

    def test_answers_404_where_a_task_was_deleted(self, alice: User) -> None:
        task_id = alice.create().json()["id"]
        alice.delete(task_id)
        problem(alice.get(task_id), 404)

    def test_does_not_find_another_users_task(self, alice: User, bob: User) -> None:
        task_id = alice.create().json()["id"]
        problem(bob.get(task_id), 404)
        problem(bob.get(task_id, If_None_Match='"1"'), 404)
        problem(bob.get(task_id, If_None_Match="*"), 404)
