"""What the tests of the operations share: the operations by name, and what a problem must be."""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from time import monotonic
from typing import Any, Protocol
from urllib.parse import unquote

import httpx2
import psycopg
import pytest
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy.exc import SQLAlchemyError

from shared.database.connection import disconnect
from shared.http.paging import TaskQuery
from shared.inputs import Input
from shared.models import Task, TaskCreate, TaskPublic, TaskToggle, TaskUpdate
from shared.settings import settings
from tests import description
from tests.conftest import ROOT, database_url

JSON = {"Content-Type": "application/json"}
MARKER = "Zq7Marker"
"""What tests send where it must not come back from."""

PROBLEM = {"type", "title", "status", "detail", "instance", "request_id"}
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")


class Asks(Protocol):
    """Somebody who asks under a user's path."""

    def request(self, method: str, path: str = "", **options: Any) -> httpx2.Response: ...


@dataclass(frozen=True)
class Operation:
    """An operation on tasks, with a body that it accepts, and what it then answers."""

    name: str
    method: str
    path: str
    body: dict[str, Any] | None = None
    success: int = 200

    def __str__(self) -> str:
        return self.name

    def ask(self, user: Asks, task_id: object = 1, **options: Any) -> httpx2.Response:
        """Carry it out as a user, on a task of theirs."""
        if self.body is not None and not options.keys() & {"content", "json"}:
            options["json"] = self.body
        return user.request(self.method, self.path.format(id=task_id), **options)


TASKS = "/api/{user_id}/tasks"
# What a test sends, where another body than the description's example suits it.
BODIES = {"create": {"title": "new"}, "update": {"title": "changed"}}


def described() -> Iterator[Operation]:
    """The operations on tasks that the API's description tells of."""
    for (method, path), operation in description.OPERATIONS.items():
        if path.startswith(TASKS):
            name = operation["operationId"].partition("_")[0]
            contents = operation.get("requestBody", {}).get("content", {}).values()
            [body] = [content["example"] for content in contents] or [None]
            success = min(map(int, operation["responses"]))
            yield Operation(name, method, path.removeprefix(TASKS), BODIES.get(name, body), success)


OPERATIONS = tuple(described())
LIST, CREATE, GET, UPDATE, DELETE, TOGGLE = (
    next(each for each in OPERATIONS if each.name == name)
    for name in ("list", "create", "get", "update", "delete", "toggle")
)
ON_ONE_TASK = tuple(each for each in OPERATIONS if "{id}" in each.path)
WRITES_TO_ONE_TASK = tuple(each for each in ON_ONE_TASK if each.method != "GET")
WITH_A_BODY = tuple(each for each in OPERATIONS if each.body is not None)

each_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=str)
each_on_one_task = pytest.mark.parametrize("operation", ON_ONE_TASK, ids=str)
each_with_a_body = pytest.mark.parametrize("operation", WITH_A_BODY, ids=str)

BAD_VALUES: dict[str, tuple[object, ...]] = {
    "string": (
        *(1, 1.5, True, [MARKER], {MARKER: MARKER}),
        *(f"{MARKER}\0", f"{MARKER}\ud800", "\udc00"),
    ),
    "boolean": ("yes", "true", "", 0, 1, 1.0, MARKER, [], [True], {MARKER: True}),
}
"""What no member of a type takes."""
BAD_LENGTHS = {
    "title": ("", " \n\t", "\u3000\u00a0", "x" * 256, "🙂" * 256),
    "description": ("x" * 1001, "🙂" * 1001, " " * 1001),
}


def bad_values(member: str, schema: dict[str, Any]) -> list[object]:
    """What a member must not be."""
    kind, *others = [each["type"] for each in schema.get("anyOf", [schema])]
    assert kind in BAD_VALUES, f"say in BAD_VALUES what {member} must not be: no {kind}"
    null = () if "null" in others else (None,)
    return [*null, *BAD_LENGTHS.get(member, ()), *BAD_VALUES[kind]]


BAD_MEMBERS = {
    member: bad_values(member, schema)
    for member, schema in TaskCreate.model_json_schema()["properties"].items()
}
READ_ONLY = tuple(name for name in TaskPublic.model_fields if name not in TaskCreate.model_fields)
INPUTS: tuple[type[Input], ...] = (TaskCreate, TaskUpdate, TaskToggle, TaskQuery)
PYTHONS_NAMES = tuple(
    sorted(
        {"cls", "self", "args", "kwargs", "data", "__root__", "__pydantic_self__"}
        | {"_sa_instance_state"}.union(*map(dir, (Task, *INPUTS)))
        - {name for model in INPUTS for name in model.model_fields}
    )
)
"""Names that mean something in Python, pydantic or the models, and nothing in the API."""
UNKNOWN_MEMBERS = ("titel", "Title", "", "a/b~c", "\u202e", "\ud800", "\0", "x" * 65)

NOT_OBJECTS = (b"null", b"true", b"1", b'"Zq7Marker"', b'["Zq7Marker"]', b"[]")
MALFORMED = {
    "cut short": b'{"title": "Zq7Marker"',
    "white space": b" ",
    "more after the end": b'{"title": "Zq7Marker"} x',
    "single quotes": b"{'title': 'Zq7Marker'}",
    "a trailing comma": b'{"title": "Zq7Marker",}',
    "a comment": b'{"title": "Zq7Marker"} // Zq7Marker',
    "NaN": b'{"title": NaN}',
    "Infinity": b'{"title": -Infinity}',
    "a member twice": b'{"title": "Zq7Marker", "title": "b"}',
    "a raw control character": b'{"title": "a\nb"}',
    "a byte order mark": b'\xef\xbb\xbf{"title": "Zq7Marker"}',
    "UTF-16": '{"title": "Zq7Marker"}'.encode("utf-16"),
    "Latin-1": '{"title": "é"}'.encode("latin-1"),
    "an encoded surrogate": b'{"title": "\xed\xa0\x80"}',
    "deep nesting": b"[" * 60_000,
    "deep nesting in a member": b'{"title": ' + b"[" * 30_000 + b"]" * 30_000 + b"}",
    "binary": bytes(range(256)),
}
WRONG_MEDIA_TYPES = (
    "text/plain",
    "text/json",
    "text/html",
    "application/xml",
    "application/problem+json",
    "application/merge-patch+json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/json, text/plain",
    "application/json; charset=latin-1",
    "application/jsonp",
    "json",
    "",
    MARKER,
)
JSON_MEDIA_TYPES = (
    "application/json; charset=utf-8",
    'APPLICATION/JSON;CHARSET="UTF-8"',
    "application/json;version=1",
)
MAX_BODY = 64 * 1024

MATCHING_TAGS = ('"1"', "*", ' "1" ', '"1", "7"', '"7","1"', '"a,b", "1"', ', "1" ,', 'W/"1", "1"')
OTHER_TAGS = ('"2"', '""', '"0"', '"01"', '"+1"', '"x"', '"1.0"', '"9999999999999999999"')
WEAK_TAGS = ('W/"1"', '"2", W/"1"')
MALFORMED_TAGS = ("", "1", '"1', '1"', '"1" "2"', '"1";', 'w/"1"', '*, "1"', "**", ",", '"a b"')


def short(value: object) -> str:
    """Name a parameter of a test."""
    return ascii(value)[:24]


each_bad_member = pytest.mark.parametrize(
    ("member", "value"),
    [(member, value) for member, values in BAD_MEMBERS.items() for value in values],
    ids=short,
)
each_unknown_member = pytest.mark.parametrize("member", UNKNOWN_MEMBERS, ids=short)
each_read_only_member = pytest.mark.parametrize("member", READ_ONLY)
each_not_object = pytest.mark.parametrize("content", NOT_OBJECTS, ids=short)
each_malformed = pytest.mark.parametrize("content", MALFORMED.values(), ids=MALFORMED.keys())
each_wrong_media_type = pytest.mark.parametrize("media_type", WRONG_MEDIA_TYPES, ids=short)
each_json_media_type = pytest.mark.parametrize("media_type", JSON_MEDIA_TYPES, ids=short)


def as_json(value: object) -> dict[str, Any]:
    """A body in ASCII, so that a lone surrogate can be sent as its escape."""
    return {"content": json.dumps(value).encode(), "headers": JSON}


def padded(size: int, body: object = None) -> bytes:
    """A body of that many bytes."""
    return json.dumps(body or {"title": "padded"}).encode().ljust(size)


def task(response: httpx2.Response, status: int = 200) -> dict[str, Any]:
    """The task in a response, checked to be one, and to come with its entity tag."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-request-id"]
    assert response.headers["etag"] == f'"{response.json()["version"]}"'
    return check_task(response.json())


def check_task(value: Any) -> dict[str, Any]:
    """A task, with all of its members and no others."""
    assert value.keys() == TaskPublic.model_fields.keys()
    TaskPublic.model_validate_json(json.dumps(value), strict=True)
    assert TIMESTAMP.fullmatch(value["created_at"])
    assert TIMESTAMP.fullmatch(value["updated_at"])
    return dict(value)


def tasks(response: httpx2.Response) -> list[dict[str, Any]]:
    """The tasks in the response of a list."""
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-request-id"]
    assert isinstance(response.json(), list)
    return [check_task(item) for item in response.json()]


def not_expected(response: httpx2.Response, tags: str) -> None:
    """See that a condition has failed, and that the detail tells where a tag is only weak."""
    problem(response, 412)
    assert response.headers["etag"] == '"1"'
    assert ('use the strong tag "1"' in response.json()["detail"]) == (tags in WEAK_TAGS)


def problem(response: httpx2.Response, status: int) -> dict[str, Any]:
    """The problem in a response, checked to be one that repeats nothing of the request."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    details: dict[str, Any] = response.json()
    assert details.keys() - {"errors"} == PROBLEM
    assert ("errors" in details) == (details["type"] == "/problems/invalid-input")
    assert re.fullmatch(r"/problems/[a-z-]+", details["type"])
    assert details["status"] == status
    assert details["request_id"] == response.headers["x-request-id"] != ""
    path = response.request.url.raw_path.decode().partition("?")[0]
    assert unquote(details["instance"]) == unquote(path)
    assert all(isinstance(details[member], str) for member in PROBLEM - {"status"})
    assert details["title"]
    assert details["detail"]
    assert MARKER not in response.text
    assert MARKER not in str(response.headers)
    return details


def invalid(response: httpx2.Response) -> list[str]:
    """Where the input is invalid: pointers into the body, and names of parameters."""
    errors = problem(response, 422)["errors"]
    assert errors
    for error in errors:
        assert error.keys() in ({"pointer", "detail"}, {"parameter", "detail"})
        assert error["detail"]
        assert isinstance(error["detail"], str)
    return [error["pointer"] if "pointer" in error else error["parameter"] for error in errors]


def unknown(response: httpx2.Response, noun: str, *known: str) -> None:
    """Check that one unknown name is refused, and that it comes back with those there are."""
    [where] = invalid(response)
    details = response.json()
    there_are = f"there is no such {noun}; there are {', '.join(known)}"
    assert details["errors"][0]["detail"] == there_are
    name, _, detail = details["detail"].partition(": ")
    assert detail == there_are
    assert name.isprintable()
    assert len(name) <= 64
    name = name.removeprefix("(empty)")
    pointer = "/" + name.replace("~", "~0").replace("/", "~1")
    assert where == (name if noun == "parameter" else pointer)


def no_content(response: httpx2.Response, status: int = 204) -> None:
    """Check that there is no body."""
    assert response.status_code == status, response.text
    assert response.content == b""
    assert response.headers["x-request-id"]


@contextmanager
def another_database(url: str) -> Iterator[None]:
    """Let the functions work on another database for a while."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", url)
        forget_database()
        try:
            yield
        finally:
            forget_database()


def forget_database() -> None:
    """Let the functions read their settings and connect anew."""
    disconnect()
    settings.cache_clear()


def current_url() -> str:
    """The URL of the database that the functions work on."""
    return settings().database_url or ""


def current_database() -> str:
    """Its name."""
    return str(conninfo_to_dict(current_url())["dbname"])


def current_login() -> str:
    """The login that the functions use."""
    return str(conninfo_to_dict(current_url())["user"])


class AlembicError(Exception):
    """A migration failed; the message is all that was said."""


def alembic(
    url: str, name: str, *arguments: Any, section: str = "alembic", **variables: str
) -> str:
    """Run a command of alembic's on a database; gives what it said.

    In this process, which is much faster. Raises AlembicError when it fails.
    """
    said = StringIO()
    config = Config(ROOT / "alembic.ini", ini_section=section, stdout=said)
    urls = {"MIGRATION_DATABASE_URL": url, "DATABASE_URL": url} | variables
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(said):
        for variable, value in urls.items():
            patch.setenv(variable, value)
        try:
            getattr(command, name)(config, *arguments)
        except (SystemExit, CommandError, SQLAlchemyError, psycopg.Error) as error:
            raise AlembicError(f"{said.getvalue()}{error}") from error
    return said.getvalue()


WAITS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


@contextmanager
def another_writer(statement: str, *parameters: object) -> Iterator[None]:
    """Somebody who has changed a task already, but commits only when a statement waits for that."""

    def commit() -> None:
        while first.execute(WAITS).fetchone() != (1,):
            assert monotonic() < deadline, "no statement has waited"
        writer.commit()

    deadline = monotonic() + 10
    with admin() as first, admin() as writer, ThreadPoolExecutor(1) as thread:
        writer.autocommit = False
        writer.execute(statement, parameters)
        committed = thread.submit(commit)
        yield
        committed.result()


@contextmanager
def admin(name: str | None = None, login: str = "postgres") -> Iterator[psycopg.Connection]:
    """A connection of another login, by default the superuser's, to whom no policy applies."""
    url = database_url(name or current_database(), login)
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection
