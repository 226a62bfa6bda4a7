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

import httpx2
import pytest

from local.issuer import load_issuer, serving
from tests.conftest import database_url, fresh_database
from tests.local.support import (
    HOST,
    PATIENCE,
    Program,
    free_port,
    postgres_of,
    refuses,
    wait_until,
)


class Server(Program):
    """A development server."""

    def __init__(self, checkout: Path, **variables: str) -> None:
        self.port = free_port()
        port = {"PORT": str(self.port)}
        super().__init__(checkout, "local.dev", "Documentation:", **(port | variables))

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
    assert "HTTP/1.1 201" in paste(first.curl)
    first.end(signal.SIGTERM)
    wait_until(lambda: not postgres_of(checkout))

    second = dev()
    token = subprocess.run(
        [sys.executable, "-m", "local.token"],
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


def test_allowed_origins_may_read_the_answers(dev: Start) -> None:
    server = dev(ALLOWED_ORIGINS="https://app.example.com")
    preflight = {
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "authorization,content-type,if-match",
    }
    allowed = httpx2.options(
        f"{server.address}/api/demo/tasks/1",
        headers={"Origin": "https://app.example.com"} | preflight,
    )
    assert allowed.status_code == 200
    assert allowed.headers["Access-Control-Allow-Origin"] == "https://app.example.com"
    answer = httpx2.get(
        f"{server.address}/api/demo/tasks", headers={"Origin": "https://app.example.com"}
    )
    assert answer.status_code == 401
    assert "ETag" in answer.headers["Access-Control-Expose-Headers"]
    refused = httpx2.options(
        f"{server.address}/api/demo/tasks/1",
        headers={"Origin": "https://evil.example.com"} | preflight,
    )
    assert "Access-Control-Allow-Origin" not in refused.headers


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
        ({"BETTER_AUTH_SECRET": "short"}, "JWT_ISSUER"),
        ({"ALLOWED_ORIGINS": "*"}, "ALLOWED_ORIGINS must"),
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
    assert "cannot be had" in server.output.splitlines()[-1]


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
