"""`make dev`, as a developer on a fresh checkout meets it."""

import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import httpx2
import psycopg
import pytest

from local.issuer import load_issuer, serving
from local.network import closed_port
from local.services import FRONTENDS
from tests.conftest import database_url, fresh_database
from tests.local.support import (
    HOST,
    PATIENCE,
    WELCOMED,
    Program,
    Server,
    postgres_of,
    preflight,
    refuses,
    wait_until,
)

ORIGIN = "https://app.example.com"
ISSUER = {"BETTER_AUTH_URL": "https://app.example.com"}


Start = Callable[..., Server]


@pytest.fixture
def dev(checkout: Path) -> Iterator[Start]:
    """Starts development servers, which end with the test."""
    started: list[Server] = []

    def start(**variables: str) -> Server:
        started.append(Server(checkout, **variables))
        return started[-1]

    yield start
    for server in started:
        server.end(signal.SIGTERM)


def paste(line: str) -> str:
    """Run a line as a shell would."""
    return subprocess.run(shlex.split(line), check=True, capture_output=True, text=True).stdout


def test_the_printed_curl_line_creates_a_task_and_data_survive_a_restart(
    dev: Start, checkout: Path
) -> None:
    first = dev()
    printed = paste(first.curl)
    assert "HTTP/1.1 201" in printed
    assert printed.endswith("}\n")
    first.end(signal.SIGTERM)
    wait_until(lambda: not postgres_of(checkout))

    second = dev()
    token = subprocess.run(
        [sys.executable, "-m", "local", "token"],
        cwd=checkout,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    tasks = httpx2.get(
        f"{second.address}/api/demo/tasks", headers={"Authorization": f"Bearer {token}"}
    )
    assert [task["title"] for task in tasks.json()] == ["Buy milk"]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_end_leaves_postgres_or_the_port_behind(
    dev: Start, checkout: Path, how: signal.Signals
) -> None:
    server = dev()
    assert postgres_of(checkout)
    server.end(how)
    wait_until(lambda: not postgres_of(checkout) and refuses(server.port))


@pytest.mark.parametrize(
    "moment", ["Database:", "Running upgrade", "Up to date", "Documentation:", WELCOMED]
)
def test_ctrl_c_is_quiet(checkout: Path, moment: str) -> None:
    program = Program(checkout, "dev", moment, PORT=str(closed_port()))
    program.press_ctrl_c()
    wait_until(lambda: not postgres_of(checkout))
    assert not re.search("Traceback|Error|Exception", program.output)


def test_requests_from_the_first_moment_on_are_served(dev: Start) -> None:
    port, statuses, started = closed_port(), set(), Event()

    def ask() -> None:
        while not started.wait(0.02):
            try:
                statuses.add(httpx2.get(f"http://{HOST}:{port}/health").status_code)
            except httpx2.TransportError:
                continue

    with ThreadPoolExecutor() as clients:
        asked = [clients.submit(ask) for _ in range(3)]
        server = dev(PORT=str(port))
        started.set()
    assert not [each for each in asked if each.exception()]
    assert statuses == {200}
    assert "Traceback" not in server.output


def test_a_second_one_in_the_same_checkout_says_so_at_once(dev: Start) -> None:
    first = dev()
    second = dev(PORT=str(first.port))
    assert second.process.wait(PATIENCE) == 1
    assert second.output == ("Another `make dev` runs in this checkout; stop it with Ctrl-C.\n")
    assert httpx2.get(f"{first.address}/health").status_code == 200


def test_a_killed_one_does_not_keep_the_next_from_starting(dev: Start) -> None:
    dev().end(signal.SIGKILL)
    assert WELCOMED in dev().output


@pytest.mark.parametrize("what", [".local", ".local/postgres.log", ".local/issuer-key.pem"])
def test_a_place_that_cannot_be_written_is_a_sentence(
    dev: Start, checkout: Path, what: str
) -> None:
    place = checkout / what
    if what == ".local":
        place.touch()
    else:
        place.mkdir(parents=True)
    server = dev()
    assert server.process.wait(PATIENCE) == 1
    assert "Traceback" not in server.output
    assert f"{place} cannot be written" in server.output.splitlines()[-1]


class TestDatabaseOfTheEnvironment:
    def test_that_does_not_answer_is_named(self, dev: Start) -> None:
        url = f"postgresql://api:marker@{HOST}:{closed_port()}/tasks"
        server = dev(DATABASE_URL=url)
        assert server.process.wait(PATIENCE) == 1
        sentence = f"DATABASE_URL: the database at {HOST} does not answer"
        assert server.output.splitlines()[-1] == sentence
        assert "marker" not in server.output

    def test_that_refuses_the_login_is_named(self, dev: Start) -> None:
        server = dev(DATABASE_URL=database_url("migrated", "nobody"))
        assert server.process.wait(PATIENCE) == 1
        assert "refuses the login" in server.output.splitlines()[-1]

    def test_that_is_not_migrated_is_told_to_be(self, dev: Start) -> None:
        with fresh_database("template1") as name:
            server = dev(DATABASE_URL=database_url(name, "api"))
            assert server.process.wait(PATIENCE) == 1
        assert server.output.splitlines()[-1].endswith("not up to date; run `make migrate`")

    def test_that_lacks_a_column_is_told_to_be(self, dev: Start) -> None:
        with fresh_database() as name:
            with psycopg.connect(database_url(name), autocommit=True) as admin:
                admin.execute("ALTER TABLE tasks DROP COLUMN description")
            server = dev(DATABASE_URL=database_url(name, "api"))
            assert server.process.wait(PATIENCE) == 1
        assert server.output.splitlines()[-1].endswith("not up to date; run `make migrate`")


def test_frontends_in_development_are_allowed_unless_others_are(dev: Start) -> None:
    server = dev()
    for origin in FRONTENDS.split(","):
        assert preflight(server, origin).headers["Access-Control-Allow-Origin"] == origin
        assert origin in server.output
    other = dev(ALLOWED_ORIGINS=ORIGIN, DATABASE_URL=database_url("migrated", "api"))
    assert "Access-Control-Allow-Origin" not in preflight(other, FRONTENDS.split(",")[0]).headers
    assert ORIGIN in other.output


def test_what_the_environment_names_is_used_instead(
    dev: Start, checkout: Path, tmp_path: Path
) -> None:
    issuer = load_issuer(tmp_path / "key.pem", "https://issuer.test", "https://audience.test")
    with fresh_database() as name, serving(issuer) as key_set_url:
        server = dev(
            DATABASE_URL=database_url(name, "api"),
            JWKS_URL=key_set_url,
            JWT_ISSUER=issuer.name,
            JWT_AUDIENCE=issuer.audience,
        )
        assert not postgres_of(checkout)
        assert not (checkout / ".local").exists()
        headers = {"Authorization": f"Bearer {issuer.token('carol')}"}
        response = httpx2.get(f"{server.address}/api/carol/tasks", headers=headers)
        assert response.json() == []
        assert "Tokens are made elsewhere, and checked with JWKS_URL.\n" in server.output
        assert httpx2.get(f"{server.address}/docs/user").json() is None


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"DATABASE_URL": "mysql://marker"}, "DATABASE_URL must start with"),
        (
            {"BETTER_AUTH_SECRET": "short", "JWT_ISSUER": "i", "JWT_AUDIENCE": "a"},
            "BETTER_AUTH_SECRET",
        ),
        ({"ALLOWED_ORIGINS": "*"}, "ALLOWED_ORIGINS must"),
        ({"DATABASE_URL": "postgresql://api:mar ker@h/x", **ISSUER}, "is not a valid Postgres URL"),
        ({"DATABASE_URL": "postgresql://u:pa@marker@h.invalid/x"}, "is not a valid Postgres URL"),
        ({"PORT": "marker"}, "PORT must be a number"),
        ({"PORT": "99999"}, "PORT must be a number"),
    ],
)
def test_a_wrong_configuration_is_one_line_that_names_the_variable(
    dev: Start, variables: dict[str, str], message: str
) -> None:
    server = dev(**variables)
    assert server.process.wait(PATIENCE) != 0
    assert message in server.output.splitlines()[-1]
    assert "Traceback" not in server.output
    assert "marker" not in server.output


def test_a_port_that_is_taken_is_one_line(dev: Start) -> None:
    with socket.create_server((HOST, 0)) as taken:
        server = dev(PORT=str(taken.getsockname()[1]))
        assert server.process.wait(PATIENCE) != 0
    assert "is not available" in server.output.splitlines()[-1]
