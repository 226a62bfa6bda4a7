"""Nobody learns of, or touches, what is somebody else's."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx2
import pytest

from local.gateway import Gateway
from local.issuer import Issuer
from tests.conftest import User
from tests.functions.support import (
    CREATE,
    MARKER,
    ON_ONE_TASK,
    UPDATE,
    Operation,
    each_on_one_task,
    each_operation,
    no_content,
    problem,
    short,
    task,
    tasks,
)

SignIn = Callable[[str], User]

MISSING = 2**63 - 1
CONDITIONS: list[dict[str, str]] = [
    {},
    {"If-Match": '"1"'},
    {"If-Match": '"2"'},
    {"If-Match": "*"},
    {"If-None-Match": '"1"'},
    {"If-None-Match": "*"},
]

# Two ids each that are not the same, however alike they look in a path.
USER_IDS = [
    ("auth0|42", "auth0|43"),
    ("a@b.c", "a@b.C"),
    ("x:y~z", "x:y~Z"),
    ("a/b", "a%2Fb"),
    ("a%2Fb", "a%2fb"),
    ("100%", "100%25"),
    ("%41", "A"),
    ("a+b", "a%2Bb"),
    ("a+b", "a%20b"),
    ("A", "a"),
    ("1", "01"),
    ("1", "1.0"),
    ("\u00fc", "u\u0308"),  # the same letter, composed and decomposed
    ("\u0430", "a"),  # Cyrillic and Latin
    ("\U0001f642", "\U0001f643"),
    ("x" * 255, "x" * 254 + "y"),
    ("x" * 254, "x" * 255),
    ("\U0001f642" * 255, "\U0001f642" * 254),
    ("a?b", "a"),
    ("a#b", "a"),
    ("a;b=c", "a"),
    ("a,b", "a"),
    ("a\\b", "a/b"),
    ("...", "...."),
    ("tasks", "Tasks"),
    ("{user_id}", "{user_id+}"),
    ("null", "None"),
    ("';drop/**/table/**/tasks;--", "'"),
    ("%s%(owner)s:owner", "%s"),
]
NO_USER_IDS = ("", " ", "a b", "a\0b", "a\nb", "\t", "a\u200bb", "a\u00a0b", "\ud800", "x" * 256)

each_pair = pytest.mark.parametrize(("one", "other"), USER_IDS, ids=short)


def details(response: httpx2.Response, task_id: object) -> tuple[str, dict[str, Any]]:
    """All of a response but the id of the request and that of the task."""
    body = response.text.replace(response.headers["x-request-id"], "").replace(f"/{task_id}", "/ID")
    return body, {
        name: value
        for name, value in response.headers.items()
        if name not in {"x-request-id", "content-length"}
    }


class TestOtherUsersPath:
    @each_operation
    @pytest.mark.parametrize("headers", CONDITIONS, ids=short)
    def test_is_forbidden_whether_the_task_is_there_or_not(
        self, alice: User, bob: User, operation: Operation, headers: dict[str, str]
    ) -> None:
        created = task(alice.create(), 201)
        intruder = User(alice.subject, bob.token, alice.api)
        there = operation.ask(intruder, created["id"], headers=headers)
        not_there = operation.ask(intruder, MISSING, headers=headers)
        problem(there, 403)
        assert details(there, created["id"]) == details(not_there, MISSING)
        assert tasks(alice.list()) == [created]
        assert tasks(bob.list()) == []

    @each_operation
    @pytest.mark.parametrize(
        "spell",
        [str.upper, "{}%20".format, lambda subject: subject[:-1]],
        ids=["upper", "blank", "cut"],
    )
    def test_is_forbidden_in_every_spelling(
        self, alice: User, bob: User, operation: Operation, spell: Callable[[str], str]
    ) -> None:
        path = f"/api/{spell(alice.subject)}/tasks"
        path += operation.path.format(id=alice.create().json()["id"])
        headers = {"Authorization": f"Bearer {bob.token}"}
        response = bob.api.request(operation.method, path, json=operation.body, headers=headers)
        problem(response, 403)


class TestOtherUsersTask:
    @each_on_one_task
    @pytest.mark.parametrize("headers", CONDITIONS, ids=short)
    def test_is_like_one_that_never_was(
        self, alice: User, bob: User, operation: Operation, headers: dict[str, str]
    ) -> None:
        created = task(alice.create(), 201)
        theirs = operation.ask(bob, created["id"], headers=headers)
        nobodys = operation.ask(bob, MISSING, headers=headers)
        problem(theirs, 404)
        assert details(theirs, created["id"]) == details(nobodys, MISSING)
        assert task(alice.get(created["id"])) == created

    @each_on_one_task
    def test_is_like_one_that_was_deleted(
        self, alice: User, bob: User, operation: Operation
    ) -> None:
        theirs, deleted = alice.create().json()["id"], bob.create().json()["id"]
        no_content(bob.delete(deleted))
        responses = [operation.ask(bob, task_id) for task_id in (theirs, deleted)]
        assert details(responses[0], theirs) == details(responses[1], deleted)

    def test_is_not_changed_by_a_user_with_the_same_tasks(self, alice: User, bob: User) -> None:
        mine, theirs = alice.create().json(), bob.create().json()
        for operation in ON_ONE_TASK:
            problem(operation.ask(alice, theirs["id"]), 404)
        task(UPDATE.ask(alice, mine["id"]))
        assert tasks(bob.list()) == [theirs]


class TestUserIds:
    @each_pair
    def test_work_percent_encoded(self, sign_in: SignIn, one: str, other: str) -> None:
        user = sign_in(one)
        created = task(user.create(title="mine"), 201)
        assert created["user_id"] == one
        assert task(user.get(created["id"])) == created
        assert created in tasks(user.list())
        assert task(user.update(created["id"], {"title": "changed"}))["version"] == 2
        assert task(user.toggle(created["id"]))["version"] == 3
        no_content(user.delete(created["id"]))

    @pytest.mark.parametrize(
        ("mine", "theirs"), [*USER_IDS, *((other, one) for one, other in USER_IDS)], ids=short
    )
    def test_that_differ_in_one_byte_are_two_users(
        self, sign_in: SignIn, mine: str, theirs: str
    ) -> None:
        user, stranger = sign_in(mine), sign_in(theirs)
        created = task(user.create(), 201)
        assert created not in tasks(stranger.list(limit=500))
        for operation in ON_ONE_TASK:
            problem(operation.ask(stranger, created["id"]), 404)
        intruder = User(mine, stranger.token, stranger.api)
        problem(intruder.get(created["id"]), 403)
        problem(CREATE.ask(intruder), 403)
        no_content(user.delete(created["id"]))

    @each_pair
    def test_stand_in_links_and_locations_that_can_be_followed(
        self, sign_in: SignIn, one: str, other: str
    ) -> None:
        user = sign_in(one)
        created = [user.create() for _ in range(2)]
        headers = {"Authorization": f"Bearer {user.token}"}
        location = user.api.get(created[0].headers["location"], headers=headers)
        assert task(location) == created[0].json()
        following = user.list(limit=1).links["next"]["url"]
        assert len(tasks(user.api.get(following, headers=headers))) == 1
        for response in created:
            no_content(user.delete(response.json()["id"]))

    @pytest.mark.parametrize(
        ("subject", "status"),
        [("..", 401), (".", 401), ("...", 200), (".a", 200), ("%2e%2e", 200)],
    )
    def test_may_be_dots_but_for_what_a_path_cannot_name(
        self, tokens: Issuer, subject: str, status: int
    ) -> None:
        path = f"/api/{quote(subject, safe='').replace('.', '%2E')}/tasks"
        headers = [("Authorization", f"Bearer {tokens.token(subject)}")]
        assert Gateway.of_template()("GET", path, headers=headers)["statusCode"] == status

    @pytest.mark.parametrize(
        ("subject", "spelling"),
        [
            ("a@b.c", "a@b.c"),
            ("a@b.c", "%61%40%62%2e%63"),
            ("x:y~z", "x:y%7Ez"),
            ("auth0|42", "auth0%7c42"),
            ("a+b", "a+b"),
            ("\u00fc", "%c3%bc"),
        ],
    )
    def test_may_be_encoded_more_or_less(
        self, sign_in: SignIn, subject: str, spelling: str
    ) -> None:
        user = sign_in(subject)
        headers = {"Authorization": f"Bearer {user.token}"}
        response = user.api.get(f"/api/{spelling}/tasks", headers=headers)
        assert response.status_code == 200

    @pytest.mark.parametrize("subject", NO_USER_IDS, ids=short)
    def test_have_1_to_255_printable_characters(
        self, api: httpx2.Client, tokens: Issuer, subject: str
    ) -> None:
        headers = {"Authorization": f"Bearer {tokens.token(subject)}"}
        path = quote(subject, safe="", errors="replace") or MARKER
        response = api.get(f"/api/{path}/tasks", headers=headers)
        assert response.status_code == 401
        assert "invalid_token" in response.headers["www-authenticate"]
