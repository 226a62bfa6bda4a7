"""PATCH /api/{user_id}/tasks/{id}/complete."""

from typing import Any

import pytest

from shared.models import TaskToggle
from tests.conftest import User
from tests.functions.support import (
    BAD_MEMBERS,
    JSON,
    MALFORMED_TAGS,
    MARKER,
    MATCHING_TAGS,
    MAX_BODY,
    OTHER_TAGS,
    READ_ONLY,
    UNKNOWN_MEMBERS,
    WEAK_TAGS,
    as_json,
    each_json_media_type,
    each_malformed,
    each_not_object,
    each_wrong_media_type,
    invalid,
    not_expected,
    padded,
    problem,
    short,
    task,
    unknown,
)


@pytest.fixture
def created(alice: User) -> dict[str, Any]:
    """A task of Alice's that is not done yet."""
    return task(alice.create(title="Buy milk", description="oat"), 201)


class TestToggle:
    def test_flips_the_status_without_a_body(self, alice: User, created: dict[str, Any]) -> None:
        done = task(alice.toggle(created["id"]))
        moved = {"version": 2, "updated_at": done["updated_at"]}
        assert done == created | {"completed": True} | moved
        assert done["updated_at"] > created["updated_at"]
        assert task(alice.get(created["id"])) == done

    def test_flips_it_back(self, alice: User, created: dict[str, Any]) -> None:
        done, undone = task(alice.toggle(created["id"])), task(alice.toggle(created["id"]))
        assert undone["completed"] is False
        assert undone["version"] == 3
        assert undone["updated_at"] > done["updated_at"]

    def test_takes_an_empty_body_for_none(self, alice: User, created: dict[str, Any]) -> None:
        response = alice.request("PATCH", f"/{created['id']}/complete", headers=JSON)
        assert task(response)["completed"] is True
        response = alice.request("PATCH", f"/{created['id']}/complete", content=b"", headers=JSON)
        assert task(response)["completed"] is False

    @pytest.mark.parametrize("before", [False, True])
    @pytest.mark.parametrize("after", [False, True])
    def test_sets_the_status_that_is_sent(self, alice: User, before: bool, after: bool) -> None:
        created = alice.create(completed=before).json()
        toggled = task(alice.toggle(created["id"], {"completed": after}))
        assert toggled["completed"] is after
        assert toggled["version"] == 1 + (before != after)

    @pytest.mark.parametrize("status", [False, True])
    def test_moves_nothing_where_the_status_is_so_already(self, alice: User, status: bool) -> None:
        created = alice.create(completed=status).json()
        assert task(alice.toggle(created["id"], {"completed": status})) == created
        assert task(alice.get(created["id"])) == created

    @pytest.mark.parametrize("value", BAD_MEMBERS["completed"], ids=short)
    def test_refuses_a_bad_status(
        self, alice: User, created: dict[str, Any], value: object
    ) -> None:
        assert invalid(alice.toggle(created["id"], {"completed": value})) == ["/completed"]
        assert task(alice.get(created["id"])) == created

    @pytest.mark.parametrize("member", ["title", *READ_ONLY, *UNKNOWN_MEMBERS], ids=short)
    def test_refuses_an_unknown_member(
        self, alice: User, created: dict[str, Any], member: str
    ) -> None:
        body = as_json({"completed": True, member: MARKER})
        response = alice.request("PATCH", f"/{created['id']}/complete", **body)
        unknown(response, "member", *TaskToggle.known())
        assert task(alice.get(created["id"])) == created

    def test_never_takes_a_body_without_a_status_for_a_flip(
        self, alice: User, created: dict[str, Any]
    ) -> None:
        assert invalid(alice.toggle(created["id"], {})) == ["/completed"]
        assert task(alice.get(created["id"])) == created

    @each_not_object
    def test_refuses_json_that_is_no_object(
        self, alice: User, created: dict[str, Any], content: bytes
    ) -> None:
        path = f"/{created['id']}/complete"
        assert invalid(alice.request("PATCH", path, content=content, headers=JSON)) == [""]
        assert task(alice.get(created["id"])) == created

    @each_malformed
    def test_refuses_a_malformed_body(
        self, alice: User, created: dict[str, Any], content: bytes
    ) -> None:
        path = f"/{created['id']}/complete"
        problem(alice.request("PATCH", path, content=content, headers=JSON), 400)
        assert task(alice.get(created["id"])) == created

    @each_wrong_media_type
    def test_refuses_another_media_type(
        self, alice: User, created: dict[str, Any], media_type: str
    ) -> None:
        headers, path = {"Content-Type": media_type}, f"/{created['id']}/complete"
        response = alice.request("PATCH", path, content=b'{"completed": true}', headers=headers)
        problem(response, 415)
        assert task(alice.get(created["id"])) == created

    @each_json_media_type
    def test_accepts_every_spelling_of_the_media_type(
        self, alice: User, created: dict[str, Any], media_type: str
    ) -> None:
        headers, path = {"Content-Type": media_type}, f"/{created['id']}/complete"
        response = alice.request("PATCH", path, content=b'{"completed": true}', headers=headers)
        assert task(response)["completed"] is True

    def test_takes_64_kib_and_not_a_byte_more(self, alice: User, created: dict[str, Any]) -> None:
        path, body = f"/{created['id']}/complete", {"completed": True}
        task(alice.request("PATCH", path, content=padded(MAX_BODY, body), headers=JSON))
        response = alice.request("PATCH", path, content=padded(MAX_BODY + 1, body), headers=JSON)
        problem(response, 413)

    @pytest.mark.parametrize("body", [None, {"completed": True}], ids=short)
    @pytest.mark.parametrize("tags", MATCHING_TAGS, ids=short)
    def test_changes_the_version_that_is_expected(
        self, alice: User, created: dict[str, Any], tags: str, body: object
    ) -> None:
        assert task(alice.toggle(created["id"], body, If_Match=tags))["version"] == 2

    @pytest.mark.parametrize("body", [None, {"completed": True}, {"completed": False}], ids=short)
    @pytest.mark.parametrize("tags", [*OTHER_TAGS, *WEAK_TAGS], ids=short)
    def test_leaves_a_version_that_is_not_expected(
        self, alice: User, created: dict[str, Any], tags: str, body: object
    ) -> None:
        response = alice.toggle(created["id"], body, If_Match=tags)
        not_expected(response, tags)
        assert task(alice.get(created["id"])) == created

    @pytest.mark.parametrize("tags", MALFORMED_TAGS, ids=short)
    def test_refuses_a_malformed_if_match(
        self, alice: User, created: dict[str, Any], tags: str
    ) -> None:
        problem(alice.toggle(created["id"], If_Match=tags), 400)
        assert task(alice.get(created["id"])) == created

    @pytest.mark.parametrize("headers", [{}, {"If_Match": '"1"'}, {"If_Match": "*"}], ids=short)
    def test_answers_404_where_there_is_no_task(self, alice: User, headers: dict[str, str]) -> None:
        problem(alice.toggle(2**63 - 1, **headers), 404)
        problem(alice.toggle(2**63 - 1, {"completed": True}, **headers), 404)

    @pytest.mark.parametrize("body", [None, {"completed": True}, {"completed": False}], ids=short)
    @pytest.mark.parametrize("headers", [{}, {"If_Match": '"1"'}, {"If_Match": '"2"'}], ids=short)
    def test_does_not_find_another_users_task(
        self,
        alice: User,
        bob: User,
        created: dict[str, Any],
        headers: dict[str, str],
        body: object,
    ) -> None:
        problem(bob.toggle(created["id"], body, **headers), 404)
        assert task(alice.get(created["id"])) == created
