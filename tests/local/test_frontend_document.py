"""docs/frontend.md: each file is the example's, each block that calls the API runs as it stands."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator

import httpx2
import pytest

from shared.auth.shared_secret import SharedSecret
from shared.auth.tokens import Verifier
from shared.http.problems import Forbidden, Quota, UnknownUser
from tests.better_auth_server import node_and_packages
from tests.blocks import fenced
from tests.conftest import ROOT, Configure
from tests.local.support import Server
from tests.shared.auth.details import DETAILS

DOCUMENT = (ROOT / "docs/frontend.md").read_text()
SECRET = "a-secret-of-its-own-of-43-characters-1234567"
BLOCKS = fenced(DOCUMENT)
FILES = {
    titled[1]: code
    for about, code in BLOCKS
    if (titled := re.fullmatch(r'tsx? title="(.+)"', about))
}
ROWS = re.findall(r"^\| ([^`].*?) \|", DOCUMENT.partition("## Every 401")[2], re.MULTILINE)


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_that_of_the_example(name: str) -> None:
    assert FILES[name] == (ROOT / "examples/next" / name).read_text()


def run(language: str, variables: dict[str, str], number: int = 0) -> str:
    """Run a block of the document, its language's first or another; its standard output."""
    block = [code for about, code in BLOCKS if about == f"{language} run"][number]
    node, packages = node_and_packages()
    program = {
        "sh": ["bash", "-euo", "pipefail", "-c"],
        "js": [node, "--input-type=module", "--eval"],
        "python": [sys.executable, "-c"],
    }[language]
    environment = {"PATH": os.environ["PATH"]} | variables
    done = subprocess.run(
        [*program, block],
        cwd=packages,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.fixture
def user(server: Server) -> Iterator[dict[str, str]]:
    """The variables that the blocks read; whatever they leave is deleted."""
    user = httpx2.get(f"{server.address}/docs/user").json()
    variables = {"API_URL": server.address, "USER_ID": user["id"], "TOKEN": user["token"]}
    yield variables
    for task in tasks(variables):
        path = f"/api/{user['id']}/tasks/{task['id']}"
        httpx2.delete(server.address + path, headers=bearer(variables))


def bearer(user: dict[str, str]) -> dict[str, str]:
    return {"Authorization": f"Bearer {user['TOKEN']}"}


def tasks(user: dict[str, str]) -> list[dict[str, object]]:
    path = f"/api/{user['USER_ID']}/tasks"
    found: list[dict[str, object]] = httpx2.get(user["API_URL"] + path, headers=bearer(user)).json()
    return found


@pytest.mark.parametrize("language", ["sh", "js"])
def test_the_calls_use_all_operations_and_leave_nothing(
    user: dict[str, str], language: str
) -> None:
    before = tasks(user)
    assert run(language, user)
    assert tasks(user) == before


@pytest.mark.parametrize(("language", "number"), [("js", 1), ("python", 0)])
def test_a_token_of_the_shared_secret_is_accepted(
    configure: Configure, language: str, number: int
) -> None:
    token = run(language, {"USER_ID": "ann", "JWT_SECRET": SECRET}, number).strip()
    nothing = dict.fromkeys(("JWKS_URL", "JWT_ISSUER", "JWT_AUDIENCE"))
    configure(JWT_SECRET=SECRET, **nothing)
    assert Verifier(SharedSecret(), issuer=None, audience=None).verify(token) == "ann"


def known_details() -> set[str]:
    """Every `detail` of a 401 or 403."""
    return {
        *(detail for details in DETAILS.values() for detail in details),
        "The token has an aud, and the API has none: set its JWT_AUDIENCE.",
        *(problem.default for problem in (Forbidden, UnknownUser, Quota)),
        "A bearer token is needed.",
        "The Authorization header must be: Bearer, one space, one token.",
    }


def test_the_table_has_every_detail_and_no_other() -> None:
    known = known_details()
    meant = {row: matching(row, known) for row in ROWS}
    assert all(meant.values())
    assert known == set().union(*meant.values())


def matching(row: str, details: set[str]) -> set[str]:
    pattern = re.escape(row).replace("…", ".+")
    return {detail for detail in details if re.fullmatch(pattern, detail)}
