"""What counts as a change that breaks clients."""

import json
import subprocess
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from scripts import compatibility
from scripts.compatibility import breaks, last_committed, main
from scripts.openapi import openapi

DOCUMENT = openapi()
TASKS, TASK = "/api/{user_id}/tasks", "/api/{user_id}/tasks/{id}"

Document = dict[str, Any]
Change = Callable[[Document], object]


def list_parameter(document: Document, name: str) -> Document:
    parameters = document["paths"][TASKS]["get"]["parameters"]
    found: Document = next(each for each in parameters if each["name"] == name)
    return found


def members(document: Document, schema: str) -> Document:
    found: Document = document["components"]["schemas"][schema]["properties"]
    return found


def remove_parameter(document: Document, name: str) -> None:
    document["paths"][TASKS]["get"]["parameters"].remove(list_parameter(document, name))


def response(document: Document, status: str) -> Document:
    found: Document = document["paths"][TASKS]["post"]["responses"][status]
    return found


BREAKING: dict[str, tuple[Change, str]] = {
    "a path": (lambda new: new["paths"].pop("/health"), "GET /health is gone"),
    "a method": (lambda new: new["paths"][TASK].pop("delete"), f"DELETE {TASK} is gone"),
    "an operation's id": (
        lambda new: new["paths"]["/health"]["get"].update(operationId="alive"),
        "GET /health has another operationId",
    ),
    "a token": (
        lambda new: new["paths"]["/health"]["get"].update(security=[{"bearer": []}]),
        "GET /health needs a token",
    ),
    "a parameter": (
        lambda new: remove_parameter(new, "limit"),
        f"GET {TASKS}: query limit is gone",
    ),
    "a required parameter": (
        lambda new: list_parameter(new, "sort").update(required=True),
        f"GET {TASKS}: query sort is required",
    ),
    "a lower limit": (
        lambda new: list_parameter(new, "limit")["schema"].update(maximum=100),
        f"GET {TASKS}: query limit is limited further",
    ),
    "a pattern": (
        lambda new: list_parameter(new, "cursor")["schema"].update(pattern="^x$"),
        f"GET {TASKS}: query cursor is limited further",
    ),
    "a value less to choose": (
        lambda new: list_parameter(new, "sort")["schema"]["enum"].remove("title"),
        f"GET {TASKS}: query sort is not one of the same values",
    ),
    "another type": (
        lambda new: list_parameter(new, "limit")["schema"].update(type="string"),
        f"GET {TASKS}: query limit cannot be integer on both sides",
    ),
    "a required body": (
        lambda new: new["paths"][f"{TASK}/complete"]["patch"]["requestBody"].update(required=True),
        f"PATCH {TASK}/complete: the body is required",
    ),
    "a body": (
        lambda new: new["paths"][TASK]["put"].pop("requestBody"),
        f"PUT {TASK}: the body is gone",
    ),
    "a media type that is taken": (
        lambda new: new["paths"][TASK]["put"]["requestBody"].update(content={}),
        f"PUT {TASK}: the body: application/json is gone",
    ),
    "a member that is taken": (
        lambda new: members(new, "TaskCreate").pop("completed"),
        f"POST {TASKS}: the body/completed is not known",
    ),
    "a member that is needed": (
        lambda new: new["components"]["schemas"]["TaskCreate"]["required"].append("completed"),
        f"POST {TASKS}: the body/completed is required on one side only",
    ),
    "a null that is taken": (
        lambda new: members(new, "TaskCreate")["description"]["anyOf"].pop(),
        f"POST {TASKS}: the body/description cannot be null on both sides",
    ),
    "a status": (
        lambda new: new["paths"][TASK]["get"]["responses"].pop("304"),
        f"GET {TASK}: 304 is gone",
    ),
    "a header": (
        lambda new: response(new, "201")["headers"].pop("Location"),
        f"POST {TASKS}: 201: Location is gone, or need not be there",
    ),
    "a header that need not be there": (
        lambda new: response(new, "201")["headers"]["ETag"].update(required=False),
        f"POST {TASKS}: 201: ETag is gone, or need not be there",
    ),
    "a media type that is answered": (
        lambda new: response(new, "409").update(content={}),
        f"POST {TASKS}: 409: application/problem+json is gone",
    ),
    "a member that is answered": (
        lambda new: new["components"]["schemas"]["TaskPublic"]["required"].remove("version"),
        f"GET {TASKS}: 200[]/version is required on one side only",
    ),
    "a null that is answered": (
        lambda new: members(new, "TaskPublic").update(title={"type": "null"}),
        f"POST {TASKS}: 201/title cannot be null on both sides",
    ),
    "a value more to expect": (
        lambda new: members(new, "Health")["status"].update(const="fine"),
        "GET /health: 200/status is not one of the same values",
    ),
}

HARMLESS: dict[str, Change] = {
    "nothing": lambda _: None,
    "words": lambda new: new["info"].update(description="Tasks."),
    "an operation": lambda new: new["paths"].update({"/more": new["paths"]["/health"]}),
    "a status": lambda new: response(new, "201"),
    "a member that is answered": lambda new: members(new, "TaskPublic").update(
        due={"type": "string"}
    ),
    "a member that may be sent": lambda new: members(new, "TaskCreate").update(
        due={"type": "string"}
    ),
    "a longer description": lambda new: [
        members(new, name)["description"]["anyOf"][0].update(maxLength=5000)
        for name in ("TaskCreate", "TaskUpdate", "TaskPublic")
    ],
    "a value more to choose": lambda new: list_parameter(new, "sort")["schema"]["enum"].append(
        "version"
    ),
    "a parameter that may be sent": lambda new: new["paths"][TASKS]["get"]["parameters"].append(
        {"name": "q", "in": "query", "required": False, "schema": {"type": "string"}}
    ),
    "no token": lambda new: new["paths"][TASK]["get"].update(security=[]),
    "a value less to expect": lambda new: members(new, "TaskPublic").update(
        description={"type": "string"}
    ),
}


def changed(change: Change, version: str = "1.0.0") -> Document:
    document = deepcopy(DOCUMENT)
    document["info"]["version"] = version
    change(document)
    return document


@pytest.mark.parametrize(("change", "sentence"), BREAKING.values(), ids=BREAKING)
def test_a_change_that_breaks_clients_is_named(change: Change, sentence: str) -> None:
    assert sentence in breaks(DOCUMENT, changed(change))


@pytest.mark.parametrize(("change", "_"), BREAKING.values(), ids=BREAKING)
def test_the_next_major_version_may_break_clients(change: Change, _: str) -> None:
    assert breaks(DOCUMENT, changed(change, "2.0.0")) == []
    assert breaks(DOCUMENT, changed(change, "1.9.0")) != []


@pytest.mark.parametrize("change", HARMLESS.values(), ids=HARMLESS)
def test_clients_do_not_mind(change: Change) -> None:
    assert breaks(DOCUMENT, changed(change)) == []


def before(document: Document) -> Document:
    found = last_committed(document)
    assert found
    return found[1]


class TestHistory:
    @pytest.fixture
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setattr(compatibility, "ROOT", tmp_path)
        return tmp_path

    def git(self, folder: Path, *arguments: str) -> None:
        name = ("-c", "user.name=test", "-c", "user.email=test@example.com")
        command = ["git", "-C", str(folder), *name, "-c", "commit.gpgsign=false", *arguments]
        subprocess.run(command, check=True, capture_output=True)

    def commit(self, folder: Path, document: Document) -> None:
        (folder / "openapi.json").write_text(json.dumps(document))
        self.git(folder, "add", "openapi.json")
        self.git(folder, "commit", "--message", "Change the API")

    def test_an_uncommitted_document_is_compared_with_head(self, folder: Path) -> None:
        self.git(folder, "init")
        self.commit(folder, {"version": 1})
        self.commit(folder, {"version": 2})
        assert before({"version": 3}) == {"version": 2}

    def test_a_committed_one_is_compared_with_what_was_before(self, folder: Path) -> None:
        self.git(folder, "init")
        self.commit(folder, {"version": 1})
        self.commit(folder, {"version": 2})
        assert before({"version": 2}) == {"version": 1}

    def test_a_branch_is_compared_with_what_it_is_merged_into(self, folder: Path) -> None:
        self.git(folder, "init", "--initial-branch", "main")
        self.commit(folder, {"version": 1})
        self.git(folder, "switch", "--create", "branch")
        self.commit(folder, {"version": 2})
        self.commit(folder, {"version": 3})
        self.git(folder, "switch", "main")
        self.git(folder, "merge", "--no-ff", "branch")
        assert before({"version": 3}) == {"version": 1}

    def test_a_breaking_change_fails_and_says_what_to_do(
        self, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.git(folder, "init")
        self.commit(folder, changed(lambda old: old["paths"].update({"/old": old["paths"][TASK]})))
        assert main() == 1
        assert f"GET {TASK} is gone" not in (output := capsys.readouterr().out)
        assert "GET /old is gone" in output
        assert "next major version" in output

    def test_the_first_document_has_nothing_to_be_compared_with(self, folder: Path) -> None:
        assert main() == 0
        self.git(folder, "init")
        self.commit(folder, DOCUMENT)
        assert main() == 0

    def test_a_harmless_change_passes(self, folder: Path) -> None:
        self.git(folder, "init")
        self.commit(folder, changed(lambda old: old["info"].update(description="Tasks.")))
        assert main() == 0

    def test_what_is_new_stands_in_the_changelog(
        self, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        changelog = folder / "CHANGELOG.md"
        changelog.write_text("")
        self.git(folder, "init")
        self.git(folder, "add", "CHANGELOG.md")
        self.commit(folder, changed(lambda old: old["paths"].pop("/health")))
        assert main() == 1
        assert "say what in CHANGELOG.md, as Unreleased" in capsys.readouterr().out
        changelog.write_text("Health.")
        assert main() == 0
