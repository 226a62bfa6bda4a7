"""`make demo`: what starts together ends together. The page itself is tested in a browser."""

import json
import os
import re
import shlex
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from local import command
from local.network import closed_port
from tests.local.support import (
    HOST,
    PATIENCE,
    WELCOMED,
    Program,
    listening,
    postgres_of,
    refuses,
    wait_until,
)

# Like the page's server it keeps users, listens, says where, and ends with its standard input.
PAGE = """
import json, os, socket, sys
import psycopg
with psycopg.connect(os.environ["DATABASE_URL"]) as database:
    database.execute('CREATE TABLE IF NOT EXISTS "user" (id text PRIMARY KEY)')
listener = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
print(json.dumps({"url": "http://localhost:" + os.environ["PORT"]}), flush=True)
print(os.environ["API_URL"], os.environ["BETTER_AUTH_SECRET"], file=sys.stderr, flush=True)
sys.stdin.read()
"""

Start = Callable[..., Program]


@pytest.fixture
def checkout(checkout: Path) -> Path:
    """A checkout with a page that takes no time to be built."""
    web = checkout / "examples/web"
    web.mkdir(parents=True)
    (web / "page.py").write_text(PAGE)
    demo = shlex.join([sys.executable, "page.py"])
    (web / "package.json").write_text(json.dumps({"scripts": {"demo": demo}}))
    return checkout


@pytest.fixture
def demo(checkout: Path) -> Iterator[Start]:
    """Starts demonstrations, which end with the test."""
    started: list[Program] = []
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

    def start(**variables: str) -> Program:
        ports = {"PORT": str(closed_port()), "WEB_PORT": str(closed_port())}
        environment = {"PATH": path} | ports | variables
        started.append(Program(checkout, "demo", "Ctrl-C stops it", **environment))
        return started[-1]

    yield start
    for program in started:
        program.end(signal.SIGTERM)


def addresses_of(program: Program) -> list[str]:
    """The page's, and the API's."""
    found = re.search(r"^(\S+) is the page", program.output, re.MULTILINE)
    api = re.search(r"^API: +(\S+)/docs$", program.output, re.MULTILINE)
    assert found
    assert api
    return [found[1], api[1]]


def port(url: str) -> int:
    return int(url.rpartition(":")[2])


def test_the_page_may_call_the_api_and_its_users_own_their_tasks(demo: Start) -> None:
    program = demo(BETTER_AUTH_URL="https://elsewhere.example.com", JWKS_URL="", DATABASE_URL="no")
    page, api = addresses_of(program)
    assert api in program.output
    response = httpx2.get(f"{api}/api/ann/tasks", headers={"Origin": page})
    assert response.headers["Access-Control-Allow-Origin"] == page
    assert "Running upgrade  -> link_users" in program.output


def test_a_second_start_is_with_the_same_secret(demo: Start, checkout: Path) -> None:
    for _ in range(2):
        program = demo()
        secret = checkout / ".local/demo/secret"
        assert secret.read_text() in program.output
        assert secret.stat().st_mode & 0o777 == 0o600
        program.end(signal.SIGINT)
        wait_until(lambda: not postgres_of(checkout))


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_end_leaves_anything_behind(demo: Start, checkout: Path, how: signal.Signals) -> None:
    program = demo()
    ports = [port(url) for url in addresses_of(program)]
    assert postgres_of(checkout)
    program.end(how)
    wait_until(lambda: not postgres_of(checkout) and all(map(refuses, ports)))
    assert "Traceback" not in program.output


def test_ctrl_c_is_quiet(demo: Start, checkout: Path) -> None:
    program = demo()
    program.press_ctrl_c()
    wait_until(lambda: not postgres_of(checkout))
    assert not re.search("Traceback|Error|Exception", program.output)


def test_it_listens_on_loopback_only(demo: Start) -> None:
    program = demo()
    addresses = listening(program.process.pid)
    assert {port(url) for url in addresses_of(program)} <= {port for _, port in addresses}
    assert {address for address, _ in addresses} == {HOST}


def test_a_second_one_in_the_same_checkout_says_so_at_once(demo: Start) -> None:
    demo()
    second = demo()
    assert second.process.wait(PATIENCE) == 1
    assert second.output == "Another `make demo` runs in this checkout; stop it with Ctrl-C.\n"


def test_it_runs_beside_make_dev(demo: Start, checkout: Path) -> None:
    dev = Program(checkout, "dev", WELCOMED, PORT=str(closed_port()))
    try:
        assert addresses_of(demo())
    finally:
        dev.end(signal.SIGTERM)


def test_usual_ports_that_are_taken_are_others() -> None:
    with socket.create_server((HOST, 0)) as taken:
        usual = taken.getsockname()[1]
        assert command.free_port("PORT_THAT_IS_NOT_SET", usual, or_any=True) != usual


def test_it_ends_with_the_page(demo: Start, checkout: Path) -> None:
    page = checkout / "examples/web/page.py"
    page.write_text(page.read_text().replace("sys.stdin.read()", "sys.exit(3)"))
    program = demo()
    assert program.process.wait(PATIENCE) == 3
    assert not postgres_of(checkout)


@pytest.mark.parametrize("variable", ["PORT", "WEB_PORT"])
def test_a_port_that_is_taken_is_one_line(demo: Start, variable: str) -> None:
    with socket.create_server((HOST, 0)) as taken:
        program = demo(**{variable: str(taken.getsockname()[1])})
        assert program.process.wait(PATIENCE) != 0
    assert f"{variable}=" in program.output.splitlines()[-1]
    assert "Traceback" not in program.output


def test_a_page_that_does_not_start_is_one_line(demo: Start, checkout: Path) -> None:
    (checkout / "examples/web/page.py").write_text("")
    program = demo()
    assert program.process.wait(PATIENCE) != 0
    assert program.output.splitlines()[-1] == "The page does not start."
