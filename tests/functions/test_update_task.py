"""PUT /api/{user_id}/tasks/{id}."""

from typing import Any

import pytest

from shared.models import TaskUpdate
from tests.conftest import User
from tests.functions.support import (
    JSON,
    MALFORMED_TAGS,
    MARKER,
    MATCHING_TAGS,
    MAX_BODY,
    OTHER_TAGS,
    READ_ONLY,
    WEAK_TAGS,
    admin,
    another_writer,
    as_json,
    each_bad_member,
    each_json_media_type,
    each_malformed,
    each_not_object,
    each_unknown_member,
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
    """A task of Alice's."""
    return task(alice.create(title="Buy milk", description="oat", completed=True), 201)


class TestUpdate:
    @pytest.mark.parametrize(
        "change",
        [
            {"title": "Buy bread"},
            {"description": "rye"},
            {"description": None},
            {"description": ""},
            {"completed": False},
            {"title": "Buy bread", "completed": False},
            {"title": "Buy bread", "description": "rye", "completed": False},
        ],
        ids=short,
    )
    def test_sets_what_is_sent_and_leaves_the_rest(
        self, alice: User, created: dict[str, Any], change: dict[str, Any]
    ) -> None:
        updated = task(alice.update(created["id"], change))
        moved = {"version": 2, "updated_at": updated["updated_at"]}
        assert updated == created | change | moved
        assert updated["updated_at"] > created["updated_at"]
        assert task(alice.get(created["id"])) == updated

    def test_moves_the_version_by_one_each_time(self, alice: User, created: dict[str, Any]) -> None:
        versions = [task(alice.update(created["id"], {"title": f"{n}"})) for n in range(3)]
        assert [updated["version"] for updated in versions] == [2, 3, 4]

    def test_moves_the_time_though_the_clock_was_set_back(
        self, alice: User, created: dict[str, Any]
    ) -> None:
        with admin() as connection:
            connection.execute(
                "update tasks set updated_at = now() + interval '1 hour' where id = %s",
                [created["id"]],
            )
        before = task(alice.get(created["id"]))
        assert (
            task(alice.update(created["id"], {"title": "x"}))["updated_at"] > before["updated_at"]
        )

    @pytest.mark.parametrize(
        "change",
        [
            {"title": "Buy milk"},
            {"title": "  Buy milk\n"},
            {"description": "oat"},
            {"completed": True},
            {"title": "Buy milk", "description": "oat", "completed": True},
        ],
        ids=short,
    )
    def test_moves_nothing_where_every_value_is_so_already(
        self, alice: User, created: dict[str, Any], change: dict[str, Any]
    ) -> None:
        assert task(alice.update(created["id"], change)) == created
        assert task(alice.get(created["id"])) == created

    def test_moves_nothing_where_there_is_no_description_to_clear(self, alice: User) -> None:
        created = alice.create().json()
        assert task(alice.update(created["id"], {"description": None})) == created

    def test_moves_nothing_when_repeated(self, alice: User, created: dict[str, Any]) -> None:
        change = {"title": "Buy bread", "completed": False}
        updated = task(alice.update(created["id"], change))
        assert task(alice.update(created["id"], change)) == updated

    def test_tells_an_empty_description_from_none(self, alice: User) -> None:
        created = alice.create().json()
        assert task(alice.update(created["id"], {"description": ""}))["version"] == 2
        assert task(alice.update(created["id"], {"description": None}))["version"] == 3

    def test_strips_white_space_around_the_title(
        self, alice: User, created: dict[str, Any]
    ) -> None:
        title = " " * 300 + "x" * 255 + "\u3000"
        assert task(alice.update(created["id"], {"title": title}))["title"] == "x" * 255

    @each_bad_member
    def test_refuses_a_bad_member(
        self, alice: User, created: dict[str, Any], member: str, value: object
    ) -> None:
        response = alice.request("PUT", f"/{created['id']}", **as_json({member: value}))
        assert invalid(response) == [f"/{member}"]
        assert task(alice.get(created["id"])) == created

    @each_unknown_member
    def test_refuses_an_unknown_member(
        self, alice: User, created: dict[str, Any], member: str
    ) -> None:
        body = as_json({"title": "Buy bread", member: MARKER})
        response = alice.request("PUT", f"/{created['id']}", **body)
        unknown(response, "member", *TaskUpdate.known())
        assert task(alice.get(created["id"])) == created

    def test_takes_a_task_back_whole_as_it_was_read(
        self, alice: User, created: dict[str, Any]
    ) -> None:
        assert task(alice.update(created["id"], created)) == created
        changed = task(alice.update(created["id"], created | {"title": "Buy bread"}))
        assert changed["title"] == "Buy bread"
        assert changed["version"] == 2

    @pytest.mark.parametrize("member", ["created_at", "updated_at", "version"])
    def test_ignores_a_read_only_member(
        self, alice: User, created: dict[str, Any], member: str
    ) -> None:
        response = alice.update(created["id"], {"title": created["title"], member: MARKER})
        assert task(response) == created

    @pytest.mark.parametrize("member", ["id", "user_id"])
    @pytest.mark.parametrize("value", [None, MARKER, True, 1.0, [], {}], ids=short)
    def test_refuses_the_identity_of_another_task(
        self, alice: User, created: dict[str, Any], member: str, value: object
    ) -> None:
        response = alice.update(created["id"], {"title": "Buy bread", member: value})
        assert invalid(response) == [f"/{member}"]
        assert task(alice.get(created["id"])) == created

    def test_needs_more_than_read_only_members(self, alice: User, created: dict[str, Any]) -> None:
        read_only = {member: created[member] for member in READ_ONLY}
        assert invalid(alice.update(created["id"], read_only)) == [""]

    def test_needs_at_least_one_member(self, alice: User, created: dict[str, Any]) -> None:
        assert invalid(alice.update(created["id"], {})) == [""]

    def test_needs_a_body(self, alice: User, created: dict[str, Any]) -> None:
        assert invalid(alice.request("PUT", f"/{created['id']}")) == [""]
        assert invalid(alice.request("PUT", f"/{created['id']}", headers=JSON)) == [""]

    def test_names_everything_that_is_invalid(self, alice: User, created: dict[str, Any]) -> None:
        response = alice.update(created["id"], {"title": None, "description": 1, "completed": 1})
        assert sorted(invalid(response)) == ["/completed", "/description", "/title"]

    @each_not_object
    def test_refuses_json_that_is_no_object(self, alice: User, content: bytes) -> None:
        assert invalid(alice.request("PUT", "/1", content=content, headers=JSON)) == [""]

    @each_malformed
    def test_refuses_a_malformed_body(self, alice: User, content: bytes) -> None:
        problem(alice.request("PUT", "/1", content=content, headers=JSON), 400)

    @each_wrong_media_type
    def test_refuses_another_media_type(self, alice: User, media_type: str) -> None:
        headers = {"Content-Type": media_type}
        problem(alice.request("PUT", "/1", content=b'{"title": "a"}', headers=headers), 415)

    @each_json_media_type
    def test_accepts_every_spelling_of_the_media_type(
        self, alice: User, created: dict[str, Any], media_type: str
    ) -> None:
        headers, body = {"Content-Type": media_type}, '{"title": "é"}'.encode()
        response = alice.request("PUT", f"/{created['id']}", content=body, headers=headers)
        assert task(response)["title"] == "é"

    def test_takes_64_kib_and_not_a_byte_more(self, alice: User, created: dict[str, Any]) -> None:
        path = f"/{created['id']}"
        task(alice.request("PUT", path, content=padded(MAX_BODY), headers=JSON))
        problem(alice.request("PUT", path, content=padded(MAX_BODY + 1), headers=JSON), 413)

    @pytest.mark.parametrize("tags", MATCHING_TAGS, ids=short)
    def test_changes_the_version_that_is_expected(
        self, alice: User, created: dict[str, Any], tags: str
    ) -> None:
        response = alice.update(created["id"], {"title": "Buy bread"}, If_Match=tags)
        assert task(response)["version"] == 2

    @pytest.mark.parametrize("tags", [*OTHER_TAGS, *WEAK_TAGS], ids=short)
    def test_leaves_a_version_that_is_not_expected(
        self, alice: User, created: dict[str, Any], tags: str
    ) -> None:
        response = alice.update(created["id"], {"title": MARKER}, If_Match=tags)
        not_expected(response, tags)
        assert task(alice.get(created["id"])) == created

    def test_holds_a_repetition_to_its_condition_too(
        self, alice: User, created: dict[str, Any]
    ) -> None:
        change = {"title": "Buy bread"}
        task(alice.update(created["id"], change, If_Match='"1"'))
        problem(alice.update(created["id"], change, If_Match='"1"'), 412)

    @pytest.mark.parametrize(
        ("theirs", "version"),
        [("completed = not completed", 2), ("title = 'theirs'", 3)],
        ids=short,
    )
    def test_has_the_last_word_over_a_writer_who_came_in_between(
        self, alice: User, created: dict[str, Any], theirs: str, version: int
    ) -> None:
        change = f"update tasks set {theirs}, version = 2 where id = %s"
        with another_writer(change, created["id"]):
            updated = task(alice.update(created["id"], {"title": created["title"]}))
        assert (updated["title"], updated["version"]) == (created["title"], version)

    def test_leaves_what_a_writer_who_came_in_between_has_changed(
        self, alice: User, created: dict[str, Any]
    ) -> None:
        change = "update tasks set title = 'theirs', version = 2 where id = %s"
        with another_writer(change, created["id"]):
            response = alice.update(created["id"], {"title": MARKER}, If_Match='"1"')
        problem(response, 412)
        assert response.headers["etag"] == '"2"'
        assert task(alice.get(created["id"]))["title"] == "theirs"

    def test_finds_no_task_that_was_deleted_in_between(
        self, alice: User, created: dict[str, Any]
    ) -> None:
        with another_writer("delete from tasks where id = %s", created["id"]):
            response = alice.update(created["id"], {"title": MARKER})
        problem(response, 404)

    @pytest.mark.parametrize("tags", MALFORMED_TAGS, ids=short)
    def test_refuses_a_malformed_if_match(
        self, alice: User, created: dict[str, Any], tags: str
    ) -> None:
        problem(alice.update(created["id"], {"title": MARKER}, If_Match=tags), 400)
        assert task(alice.get(created["id"])) == created

    @pytest.mark.parametrize("headers", [{}, {"If_Match": '"1"'}, {"If_Match": "*"}], ids=short)
    def test_answers_404_where_there_is_no_task(self, alice: User, headers: dict[str, str]) -> None:
        problem(alice.update(2**63 - 1, {"title": MARKER}, **headers), 404)

    @pytest.mark.parametrize("headers", [{}, {"If_Match": '"1"'}, {"If_Match": '"2"'}], ids=short)
    def test_does_not_find_another_users_task(
        self, alice: User, bob: User, created: dict[str, Any], headers: dict[str, str]
    ) -> None:
        problem(bob.update(created["id"], {"title": MARKER}, **headers), 404)
        problem(bob.update(created["id"], {"title": "Buy milk"}, **headers), 404)
        assert task(alice.get(created["id"])) == created
