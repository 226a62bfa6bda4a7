"""`make dev`, as a developer on a fresh checkout meets it."""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import psycopg
import pytest

from local.gateway import read_cors
from local.issuer import load_issuer, serving
from local.services import FRONTENDS
from tests.conftest import ROOT, database_url, fresh_database
from tests.local.support import (
    HOST,
    PATIENCE,
    Program,
    free_port,
    listening,
    postgres_of,
    refuses,
    wait_until,
)

LAST = "(ALLOWED_ORIGINS)."
"""How the welcome ends."""
ORIGIN = "https://app.example.com"
ISSUER = {"BETTER_AUTH_URL": "https://app.example.com"}
CORS = read_cors()


class Server(Program):
    """A development server."""

    def __init__(self, checkout: Path, **variables: str) -> None:
        self.port = free_port()
        port = {"PORT": str(self.port)}
        super().__init__(checkout, "dev", LAST, **(port | variables))

    @property
    def curl(self) -> str:
        """The line to paste."""
        return next(line for line in self.output.splitlines() if line.startswith("curl "))

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self.port}"


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
    "moment", ["Database:", "Running upgrade", "Up to date", "Documentation:", LAST]
)
def test_ctrl_c_is_quiet(checkout: Path, moment: str) -> None:
    program = Program(checkout, "dev", moment, PORT=str(free_port()))
    program.press_ctrl_c()
    wait_until(lambda: not postgres_of(checkout))
    assert not re.search("Traceback|Error|Exception", program.output)


def test_it_listens_on_loopback_only(dev: Start) -> None:
    server = dev()
    addresses = listening(server.process.pid)
    assert (HOST, server.port) in addresses
    assert {address for address, _ in addresses} == {HOST}


def test_the_welcome_is_last_and_short(dev: Start) -> None:
    server = dev()
    welcome = server.output.partition("Documentation: ")[2]
    found = [
        welcome.index(part)
        for part in (
            *(f"{server.address}/docs", "curl -i", "Ctrl-C", "12 hours", "`make demo`"),
            *("saved", LAST),
        )
    ]
    assert found == sorted(found)
    assert welcome.endswith(f"{LAST}\n\n")
    assert len(welcome.splitlines()) <= 12
    assert welcome.count("eyJ") == len(re.findall(r"Bearer \S+", welcome)) * 2  # header, payload
    assert "{" not in server.output.partition("Documentation: ")[0]


def test_a_second_one_in_the_same_checkout_says_so_at_once(dev: Start) -> None:
    first = dev()
    second = dev(PORT=str(first.port))
    assert second.process.wait(PATIENCE) == 1
    assert second.output == ("Another `make dev` runs in this checkout; stop it with Ctrl-C.\n")
    assert httpx2.get(f"{first.address}/health").status_code == 200


def test_a_killed_one_does_not_keep_the_next_from_starting(dev: Start) -> None:
    dev().end(signal.SIGKILL)
    assert LAST in dev().output


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
        url = f"postgresql://api:marker@{HOST}:{free_port()}/tasks"
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


def test_the_smoke_test_passes(dev: Start) -> None:
    server = dev(ALLOWED_ORIGINS=ORIGIN)
    token = httpx2.get(f"{server.address}/docs/user").json()["token"]
    given = {"URL": server.address, "TOKEN": f"Bearer {token}", "ORIGIN": ORIGIN}
    smoke = [sys.executable, "-m", "scripts.smoke"]
    run = subprocess.run(
        smoke, cwd=ROOT, env=os.environ | given, check=True, capture_output=True, text=True
    )
    assert "✗" not in run.stdout
    assert "preflight" in run.stdout


def test_the_documentation_works_offline_and_shows_all_operations(dev: Start) -> None:
    server = dev()
    page = httpx2.get(f"{server.address}/docs").text
    for resource in re.findall(r'(?:href|src)="([^"]+)"', page):
        assert resource.startswith("/")
        assert httpx2.get(server.address + resource).status_code == 200
    document = httpx2.get(f"{server.address}/openapi.json").json()
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert len(operations) == 7


def test_the_documentation_has_a_new_token_that_works(dev: Start) -> None:
    server = dev()
    answer = httpx2.get(f"{server.address}/docs/user")
    assert answer.headers["Cache-Control"] == "no-store"
    user = answer.json()
    wait_until(lambda: httpx2.get(answer.url).json()["token"] != user["token"])
    headers = {"Authorization": f"Bearer {user['token']}"}
    tasks = httpx2.get(f"{server.address}/api/{user['id']}/tasks", headers=headers)
    assert tasks.status_code == 200


def test_no_other_origin_gets_the_token_of_the_documentation(dev: Start) -> None:
    server = dev(ALLOWED_ORIGINS="https://app.example.com")
    url = f"{server.address}/docs/user"
    assert httpx2.get(url, headers={"Host": "rebound.example.com"}).json() is None
    allowed = httpx2.get(url, headers={"Origin": "https://app.example.com"})
    assert "Access-Control-Allow-Origin" not in allowed.headers


def preflight(server: Server, origin: str) -> httpx2.Response:
    """What a browser asks before an update with everything that the template allows."""
    return httpx2.options(
        f"{server.address}/api/demo/tasks/1",
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": "PUT",
            "Access-Control-Request-Headers": ",".join(CORS["allow_headers"]).lower(),
        },
    )


def test_allowed_origins_may_do_what_the_template_says(dev: Start) -> None:
    server = dev(ALLOWED_ORIGINS=ORIGIN)
    allowed = preflight(server, ORIGIN)
    assert allowed.status_code == 200
    assert allowed.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert allowed.headers["Access-Control-Max-Age"] == str(CORS["max_age"])
    answer = httpx2.get(f"{server.address}/api/demo/tasks", headers={"Origin": ORIGIN})
    assert answer.status_code == 401
    exposed = answer.headers["Access-Control-Expose-Headers"].split(", ")
    assert exposed == CORS["expose_headers"]
    for each in (allowed, answer):
        credentials = each.headers.get("Access-Control-Allow-Credentials") == "true"
        assert credentials == CORS["allow_credentials"]


@pytest.mark.parametrize("headers", [{}, {"Origin": ORIGIN}], ids=str)
def test_a_cache_is_told_once_what_a_response_depends_on(
    dev: Start, headers: dict[str, str]
) -> None:
    answer = httpx2.get(f"{dev(ALLOWED_ORIGINS=ORIGIN).address}/health", headers=headers)
    assert answer.headers["Vary"] == "Authorization, Origin"


def test_no_other_origin_may(dev: Start) -> None:
    refused = preflight(dev(ALLOWED_ORIGINS=ORIGIN), "https://evil.example.com")
    assert "Access-Control-Allow-Origin" not in refused.headers


def test_frontends_in_development_are_allowed_unless_others_are(dev: Start) -> None:
    server = dev()
    for origin in FRONTENDS.split(","):
        assert preflight(server, origin).headers["Access-Control-Allow-Origin"] == origin
        assert origin in server.output
    other = dev(ALLOWED_ORIGINS=ORIGIN, DATABASE_URL=database_url("migrated", "api"))
    assert "Access-Control-Allow-Origin" not in preflight(other, FRONTENDS.split(",")[0]).headers
    assert ORIGIN in other.output


def test_a_browser_that_was_only_given_the_address_is_led_to_the_documentation(dev: Start) -> None:
    answer = httpx2.get(dev().address, follow_redirects=True)
    assert answer.url.path == "/docs"
    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/%0A", "/docs%0A", "/openapi.json%0A", "/api/demo/tasks/%0A"])
def test_a_path_with_a_newline_ends_in_a_problem(dev: Start, path: str) -> None:
    server = dev()
    token = httpx2.get(f"{server.address}/docs/user").json()["token"]
    answer = httpx2.get(server.address + path, headers={"Authorization": f"Bearer {token}"})
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.status_code in {404, 422}


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
        answer = httpx2.get(f"{server.address}/api/carol/tasks", headers=headers)
        assert answer.json() == []
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


def test_many_clients_at_once_are_all_served(dev: Start, checkout: Path) -> None:
    server = dev()
    token = re.search(r"Bearer (\S+?)'", server.curl)
    assert token
    with (
        ThreadPoolExecutor(100) as clients,
        httpx2.Client(
            base_url=server.address,
            headers={"Authorization": f"Bearer {token[1]}"},
            timeout=PATIENCE,
            limits=httpx2.Limits(max_connections=100),
        ) as client,
    ):
        answers = clients.map(lambda _: client.get("/api/demo/tasks").status_code, range(300))
        assert set(answers) == {200}
