"""Responses are private, and what a client names is data, never an argument of Python's."""

import os
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest

from tests.conftest import ROOT, User
from tests.functions.support import (
    CREATE,
    PYTHONS_NAMES,
    TOGGLE,
    UPDATE,
    Operation,
    each_operation,
    problem,
    task,
    tasks,
)

each_name = pytest.mark.parametrize("name", PYTHONS_NAMES)


class TestNamesOfPython:
    @each_name
    @pytest.mark.parametrize("operation", [CREATE, UPDATE, TOGGLE], ids=str)
    def test_are_unknown_members(self, alice: User, operation: Operation, name: str) -> None:
        created = task(alice.create(), 201)
        for value in (0, None, "x"):
            body = {**(operation.body or {}), name: value}
            problem(operation.ask(alice, created["id"], json=body), 422)
        assert tasks(alice.list()) == [created]

    @each_name
    def test_are_unknown_parameters(self, alice: User, name: str) -> None:
        problem(alice.request("GET", params={name: "0"}), 422)

    @each_name
    def test_are_no_ids(self, alice: User, name: str) -> None:
        problem(alice.get(name), 422)


def is_private(response: httpx2.Response) -> bool:
    headers = response.headers
    return (
        headers["cache-control"] == "no-store"
        and headers["x-content-type-options"] == "nosniff"
        and headers["vary"] == "Authorization, Origin"
    )


class TestResponses:
    @each_operation
    def test_may_be_stored_by_nobody(self, alice: User, operation: Operation) -> None:
        task_id = alice.create().json()["id"]
        response = operation.ask(alice, task_id)
        assert response.status_code == operation.success
        assert is_private(response)

    @pytest.mark.parametrize(("path", "status"), [("/health", 200), ("/nowhere", 401)])
    def test_may_not_be_stored_without_a_token(
        self, api: httpx2.Client, path: str, status: int
    ) -> None:
        response = api.get(path)
        assert response.status_code == status
        assert is_private(response)

    @each_operation
    def test_set_no_cookie(self, alice: User, operation: Operation) -> None:
        response = operation.ask(alice, alice.create().json()["id"])
        assert "set-cookie" not in response.headers

    def test_may_not_be_stored_where_nothing_has_changed(self, alice: User) -> None:
        response = alice.get(alice.create().json()["id"], If_None_Match='"1"')
        assert response.status_code == 304
        assert is_private(response)

    def test_name_ten_errors_at_most(self, alice: User) -> None:
        response = alice.list(**{f"unknown{number}": "1" for number in range(25)})
        details = problem(response, 422)
        assert len(details["errors"]) == 10
        assert "15 more" in details["detail"]


class TestCookies:
    """CORS allows credentials, so that a browser may send cookies: none of them is ever read."""

    NAMES = ("better-auth.session_token", "__Secure-better-auth.session_token", "token", "jwt")

    @each_operation
    def test_are_no_credentials(
        self, api: httpx2.Client, alice: User, operation: Operation
    ) -> None:
        task_id = alice.create().json()["id"]
        headers = {"Cookie": "; ".join(f"{name}={alice.token}" for name in self.NAMES)}
        path = alice.path + operation.path.format(id=task_id)
        problem(api.request(operation.method, path, json=operation.body, headers=headers), 401)
        assert task(alice.get(task_id))["version"] == 1

    @each_operation
    def test_change_nothing_beside_a_token(
        self, alice: User, bob: User, operation: Operation
    ) -> None:
        cookie = "; ".join(f"{name}={bob.token}" for name in self.NAMES)
        task_id = alice.create().json()["id"]
        response = operation.ask(alice, task_id, headers={"Cookie": cookie})
        assert response.status_code == operation.success


class TestBytesOfHeaders:
    @pytest.mark.parametrize("key", ["\u20ac", "\u20a4", "\u00e9", "a\u200b"])
    def test_are_kept_so_that_a_key_is_refused(self, alice: User, key: str) -> None:
        headers = {"Idempotency-Key": key.encode()}
        response = alice.request("POST", json={"title": "x"}, headers=headers)
        problem(response, 400)
        assert tasks(alice.list()) == []

    def test_of_a_long_media_type_are_not_parsed(self, alice: User) -> None:
        headers = {"Content-Type": "application/json;" + " a=b;" * 60}
        problem(alice.request("POST", content=b"{}", headers=headers), 415)


@pytest.mark.parametrize("variable", ["URL", "TOKEN", "ORIGIN"])
def test_a_token_is_no_command_of_the_deployment_job(tmp_path: Path, variable: str) -> None:
    """`make smoke` gets its variables by the environment only, where nothing expands them."""
    mark = tmp_path / f"made-{uuid4().hex}"
    hostile = f"$(shell touch '{mark}')`touch '{mark}'`\"; touch '{mark}'; #"
    variables = {"URL": "http://127.0.0.1:9", "TOKEN": "a.e30.c"} | {variable: hostile}
    make = ["make", "--silent", "-o", ".venv/installed", "smoke", f"RUN={sys.executable} -m"]
    done = subprocess.run(
        make, cwd=ROOT, env=os.environ | variables, check=False, capture_output=True
    )
    assert done.returncode != 0
    assert not mark.exists()
