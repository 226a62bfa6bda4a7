"""POST /api/{user_id}/tasks."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from shared.models import TaskCreate
from tests.conftest import Configure, User
from tests.functions.support import (
    CREATE,
    JSON,
    MARKER,
    MAX_BODY,
    admin,
    as_json,
    each_bad_member,
    each_json_media_type,
    each_malformed,
    each_not_object,
    each_read_only_member,
    each_unknown_member,
    each_wrong_media_type,
    invalid,
    no_content,
    padded,
    problem,
    short,
    task,
    tasks,
    unknown,
)
from tests.shared.database.support import key_in_flight


class TestCreate:
    def test_answers_201_with_the_task(self, alice: User) -> None:
        created = task(alice.create(title="Buy milk"), 201)
        assert created["id"] > 0
        assert created["user_id"] == alice.subject
        assert created["title"] == "Buy milk"
        assert created["description"] is None
        assert created["completed"] is False
        assert created["version"] == 1
        assert created["updated_at"] == created["created_at"]

    def test_takes_a_description_and_a_status_too(self, alice: User) -> None:
        created = task(alice.create(description="the oat one", completed=True), 201)
        assert created["description"] == "the oat one"
        assert created["completed"] is True

    def test_is_there_when_it_answers(self, alice: User) -> None:
        created = task(alice.create(), 201)
        assert task(alice.get(created["id"])) == created
        assert tasks(alice.list()) == [created]

    def test_says_where_the_task_is(self, alice: User) -> None:
        response = alice.create()
        assert response.headers["location"] == f"{alice.path}/{response.json()['id']}"

    def test_gives_the_entity_tag_that_get_gives(self, alice: User) -> None:
        created = alice.create()
        assert created.headers["etag"] == alice.get(created.json()["id"]).headers["etag"] == '"1"'

    def test_gives_each_task_an_id_of_its_own(self, alice: User) -> None:
        assert len({alice.create().json()["id"] for _ in range(5)}) == 5

    def test_takes_its_times_from_the_present(self, alice: User) -> None:
        created_at = datetime.fromisoformat(task(alice.create(), 201)["created_at"])
        assert created_at.utcoffset() == timedelta(0)
        assert abs(datetime.now(UTC) - created_at) < timedelta(minutes=5)

    @pytest.mark.parametrize(
        ("sent", "stored"),
        [
            (" Buy milk\n", "Buy milk"),
            ("\t\u00a0\u2003x\u3000\u2028", "x"),
            ("inner   space", "inner   space"),
            ("x" * 255, "x" * 255),
            ("🙂" * 255, "🙂" * 255),
            ("e\u0301" * 127, "e\u0301" * 127),
            (" " * 300 + "x" * 255 + "\n" * 300, "x" * 255),
            ('"\\/\b\f\r\x01\x7f', '"\\/\b\f\r\x01\x7f'),
            (
                "<script>'; drop table tasks; --%s%(x)s{}",
                "<script>'; drop table tasks; --%s%(x)s{}",
            ),
            ("\u02bb\u014dlelo \u05e2\u05d1 \u6f22\u5b57 \U0001f469\u200d\U0001f467",) * 2,
            ("null", "null"),
        ],
        ids=short,
    )
    def test_strips_white_space_around_the_title_and_keeps_all_else(
        self, alice: User, sent: str, stored: str
    ) -> None:
        created = task(alice.create(title=sent), 201)
        assert created["title"] == stored
        assert task(alice.get(created["id"])) == created

    @pytest.mark.parametrize(
        "description", ["", "  as it is\n", "x" * 1000, "🙂" * 1000, "a\tb\x01"], ids=short
    )
    def test_keeps_the_description_as_it_is(self, alice: User, description: str) -> None:
        created = task(alice.create(description=description), 201)
        assert task(alice.get(created["id"]))["description"] == description

    def test_takes_null_for_no_description(self, alice: User) -> None:
        assert task(alice.create(description=None), 201)["description"] is None

    @each_bad_member
    def test_refuses_a_bad_member(self, alice: User, member: str, value: object) -> None:
        response = alice.request("POST", **as_json({"title": "fine"} | {member: value}))
        assert invalid(response) == [f"/{member}"]
        assert tasks(alice.list()) == []

    @each_unknown_member
    def test_refuses_an_unknown_member(self, alice: User, member: str) -> None:
        response = alice.request("POST", **as_json({"title": "fine", member: MARKER}))
        unknown(response, "member", *TaskCreate.known())
        assert tasks(alice.list()) == []

    @each_read_only_member
    def test_refuses_a_read_only_member(self, alice: User, member: str) -> None:
        response = alice.request("POST", json={"title": "fine", member: MARKER})
        unknown(response, "member", *TaskCreate.known())
        assert tasks(alice.list()) == []

    def test_says_a_misspelled_member_first(self, alice: User) -> None:
        response = alice.request("POST", json={"titel": "Buy milk"})
        unknown(response, "member", *TaskCreate.known())

    @pytest.mark.parametrize(
        ("members", "detail"),
        [
            ({"title": "x" * 256}, "title: at most 255 characters"),
            ({"title": " \n"}, "title: at least 1 character that is no white space"),
            ({"title": None}, "title: must be text"),
            ({"title": "\0"}, "title: must not have a NUL character"),
            ({"completed": 1}, "completed: must be true or false"),
            ({"description": "x" * 1001}, "description: at most 1000 characters"),
        ],
        ids=short,
    )
    def test_says_the_first_error_in_words(
        self, alice: User, members: dict[str, Any], detail: str
    ) -> None:
        assert problem(alice.create(**members), 422)["detail"] == detail

    def test_needs_a_title(self, alice: User) -> None:
        assert invalid(alice.request("POST", **as_json({}))) == ["/title"]
        assert invalid(alice.request("POST", **as_json({"completed": True}))) == ["/title"]

    def test_needs_a_body(self, alice: User) -> None:
        assert invalid(alice.request("POST")) == [""]
        assert problem(alice.request("POST"), 422)["detail"] == "a JSON body is required"
        assert invalid(alice.request("POST", headers=JSON)) == [""]

    def test_names_everything_that_is_invalid(self, alice: User) -> None:
        response = alice.create(title="", description=MARKER * 200, completed=MARKER)
        assert sorted(invalid(response)) == ["/completed", "/description", "/title"]

    @each_not_object
    def test_refuses_json_that_is_no_object(self, alice: User, content: bytes) -> None:
        assert invalid(alice.request("POST", content=content, headers=JSON)) == [""]

    @each_malformed
    def test_refuses_a_malformed_body(self, alice: User, content: bytes) -> None:
        problem(alice.request("POST", content=content, headers=JSON), 400)

    @each_wrong_media_type
    def test_refuses_another_media_type(self, alice: User, media_type: str) -> None:
        headers = {"Content-Type": media_type}
        problem(alice.request("POST", content=b'{"title": "a"}', headers=headers), 415)

    def test_refuses_a_body_without_a_media_type(self, alice: User) -> None:
        problem(alice.request("POST", content=b'{"title": "a"}'), 415)

    @each_json_media_type
    def test_accepts_every_spelling_of_the_media_type(self, alice: User, media_type: str) -> None:
        headers = {"Content-Type": media_type}
        body = '{"title": "é"}'.encode()
        assert task(alice.request("POST", content=body, headers=headers), 201)["title"] == "é"

    def test_takes_64_kib_and_not_a_byte_more(self, alice: User) -> None:
        task(alice.request("POST", content=padded(MAX_BODY), headers=JSON), 201)
        problem(alice.request("POST", content=padded(MAX_BODY + 1), headers=JSON), 413)
        problem(alice.request("POST", content=b"\xff" * (MAX_BODY + 1), headers=JSON), 413)

    @pytest.mark.parametrize("key", ["", "x" * 256, "a\tb", "\x7f", "\u00e9"], ids=short)
    def test_refuses_a_malformed_idempotency_key(self, alice: User, key: str) -> None:
        headers = {"Idempotency-Key": key.encode("latin-1")}
        problem(alice.request("POST", json={"title": "a"}, headers=headers), 400)
        assert tasks(alice.list()) == []

    def test_writes_nothing_under_another_users_path(
        self, alice: User, bob: User, api: httpx2.Client
    ) -> None:
        headers = {"Authorization": f"Bearer {bob.token}"}
        problem(api.post(alice.path, json={"title": MARKER}, headers=headers), 403)
        assert tasks(alice.list()) == tasks(bob.list()) == []

    def test_is_seen_by_nobody_else(self, alice: User, bob: User) -> None:
        task(alice.create(), 201)
        assert tasks(bob.list()) == []


def once(user: User, key: str = "first", **body: Any) -> httpx2.Response:
    """Create a task with a key."""
    return user.create({"Idempotency-Key": key}, **body)


def age(user: User, hours: int) -> None:
    """Let the user's keys have been used so many hours earlier."""
    with admin() as connection:
        connection.execute(
            "update idempotency_keys set created_at = created_at - make_interval(hours => %s)"
            " where user_id = %s",
            [hours, user.subject],
        )


class TestIdempotencyKey:
    @pytest.mark.parametrize("key", ["a", " ", "x" * 255, '"quoted"', "0-1_2.3~", "a, b"])
    def test_gives_the_first_response_again(self, alice: User, key: str) -> None:
        body: dict[str, Any] = {"title": " Buy milk ", "description": "oat", "completed": True}
        first, second = once(alice, key, **body), once(alice, key, **body)
        assert task(second, 201) == task(first, 201)
        assert second.headers["location"] == first.headers["location"]
        assert second.headers["etag"] == first.headers["etag"]
        assert tasks(alice.list()) == [first.json()]

    def test_marks_what_is_said_again_and_nothing_else(self, alice: User) -> None:
        header = "idempotency-replayed"
        assert header not in alice.create().headers
        assert header not in once(alice).headers
        assert once(alice).headers[header] == "true"
        assert once(alice).headers[header] == "true"

    def test_gives_the_first_response_whatever_happened_to_the_task_since(
        self, alice: User
    ) -> None:
        first = task(once(alice), 201)
        task(alice.update(first["id"], {"title": "changed", "description": "too"}))
        assert task(once(alice), 201) == first
        no_content(alice.delete(first["id"]))
        assert task(once(alice), 201) == first
        assert tasks(alice.list()) == []

    @pytest.mark.parametrize(
        "other", [{"title": "another"}, {"description": ""}, {"completed": True}], ids=short
    )
    def test_refuses_another_body_with_the_same_key(
        self, alice: User, other: dict[str, Any]
    ) -> None:
        first = task(once(alice), 201)
        problem(once(alice, **other), 422)
        assert tasks(alice.list()) == [first]
        assert task(once(alice), 201) == first

    def test_tells_keys_apart(self, alice: User) -> None:
        ids = {task(once(alice, key), 201)["id"] for key in ("a", "b", "A", "a ")}
        assert len(ids) == 4

    def test_makes_two_tasks_without_a_key(self, alice: User) -> None:
        assert alice.create().json()["id"] != alice.create().json()["id"]

    def test_belongs_to_its_user(self, alice: User, bob: User) -> None:
        mine, theirs = once(alice, title="mine"), once(bob, title="theirs")
        assert task(mine, 201)["title"] == "mine"
        assert task(theirs, 201)["title"] == "theirs"
        assert task(once(alice, title="mine"), 201) == mine.json()

    def test_is_not_used_up_by_a_request_that_is_refused(self, alice: User) -> None:
        invalid(once(alice, title=""))
        problem(
            alice.request("POST", content=b"{", headers=JSON | {"Idempotency-Key": "first"}), 400
        )
        assert "idempotency-replayed" not in once(alice, title="another").headers

    def test_is_good_for_24_hours(self, alice: User) -> None:
        first = task(once(alice), 201)
        age(alice, hours=23)
        repeated = task(once(alice), 201)
        assert repeated["id"] == first["id"]
        age(alice, hours=1)
        second = once(alice, title="another")
        assert task(second, 201)["title"] == "another"
        assert "idempotency-replayed" not in second.headers
        assert task(once(alice, title="another"), 201) == second.json()

    def test_of_a_create_that_is_in_flight_is_a_conflict(
        self, alice: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with key_in_flight(alice, "first", monkeypatch):
            problem(once(alice), 409)
            task(once(alice, "second"), 201)
        assert "idempotency-replayed" not in once(alice).headers

    def test_is_written_with_its_task_or_not_at_all(self, alice: User) -> None:
        with admin() as connection:
            constraint = f"check (user_id <> '{alice.subject}') not valid"
            connection.execute(f"alter table tasks add constraint refuse {constraint}")
            try:
                problem(once(alice), 500)
            finally:
                connection.execute("alter table tasks drop constraint refuse")
        response = once(alice)
        assert "idempotency-replayed" not in response.headers
        assert task(alice.get(task(response, 201)["id"])) == response.json()

    def test_is_not_asked_for_by_other_operations(self, alice: User) -> None:
        task_id = alice.create().json()["id"]
        assert task(alice.toggle(task_id, Idempotency_Key="x" * 256))["completed"] is True


class TestQuota:
    @pytest.fixture(autouse=True)
    def three(self, configure: Configure) -> None:
        """Three tasks are as many as a user may have."""
        configure(MAX_TASKS_PER_USER="3")

    def full(self, user: User) -> list[int]:
        return [task(CREATE.ask(user), 201)["id"] for _ in range(3)]

    @pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "new"}], ids=["plain", "keyed"])
    def test_refuses_a_task_too_many(self, alice: User, headers: dict[str, str]) -> None:
        ids = self.full(alice)
        for _ in range(2):
            details = problem(CREATE.ask(alice, headers=headers), 403)
            assert details["type"] == "/problems/quota"
        assert {item["id"] for item in tasks(alice.list())} == set(ids)

    def test_is_each_users_own(self, alice: User, bob: User) -> None:
        self.full(alice)
        task(CREATE.ask(bob), 201)

    @pytest.mark.parametrize("which", [0, 1, 2])
    def test_has_room_again_when_a_task_is_deleted(self, alice: User, which: int) -> None:
        ids = self.full(alice)
        for _ in range(3):
            no_content(alice.delete(ids.pop(which)))
            ids.append(task(CREATE.ask(alice), 201)["id"])
            problem(CREATE.ask(alice), 403)

    def test_has_room_for_all_when_all_are_deleted(self, alice: User) -> None:
        for _ in range(2):
            for task_id in self.full(alice):
                no_content(alice.delete(task_id))
        self.full(alice)
        problem(CREATE.ask(alice), 403)

    def test_is_one_of_keys_too(self, alice: User) -> None:
        task(CREATE.ask(alice), 201)  # one that stays
        for key in "abc":
            no_content(alice.delete(task(once(alice, key), 201)["id"]))
        for key in "de":
            details = problem(once(alice, key), 403)
            assert details["type"] == "/problems/quota"
        assert once(alice, "a").headers["idempotency-replayed"] == "true"
        task(CREATE.ask(alice), 201)
        with admin() as connection:
            cleaned = "delete from idempotency_keys where user_id = %s and key in ('a', 'b')"
            connection.execute(cleaned, [alice.subject])
        for key in "fg":
            no_content(alice.delete(task(once(alice, key), 201)["id"]))
        problem(once(alice, "h"), 403)

    def test_answers_a_key_that_was_used_before_it_was_reached(self, alice: User) -> None:
        first = task(once(alice), 201)
        for _ in range(2):
            task(CREATE.ask(alice), 201)
        again = once(alice)
        assert task(again, 201) == first
        assert again.headers["idempotency-replayed"] == "true"
        problem(once(alice, title="another"), 422)

    def test_leaves_a_key_unused(self, alice: User) -> None:
        ids = self.full(alice)
        problem(once(alice), 403)
        no_content(alice.delete(ids[0]))
        assert "idempotency-replayed" not in once(alice).headers

    def test_counts_tasks_that_were_made_before_there_was_one(self, alice: User) -> None:
        with admin() as connection:
            connection.execute(
                "insert into tasks (user_id, title) select %s, 'old' from generate_series(1, 3)",
                [alice.subject],
            )
        problem(CREATE.ask(alice), 403)

    def test_is_counted_again_every_hundredth_time(self, alice: User, configure: Configure) -> None:
        configure(MAX_TASKS_PER_USER="150")
        with admin() as connection:
            connection.execute(
                "insert into tasks (user_id, title, ordinal)"
                " select %s, 'made at the same moment', 99 from generate_series(1, 149)",
                [alice.subject],
            )
        task(CREATE.ask(alice), 201)
        problem(CREATE.ask(alice), 403)

    def test_is_none_where_it_is_0(self, alice: User, configure: Configure) -> None:
        configure(MAX_TASKS_PER_USER="0")
        for _ in range(5):
            task(CREATE.ask(alice), 201)
