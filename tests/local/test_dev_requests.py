"""What a running `make dev` says and answers, and who may ask: all tests share one server."""

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from local.gateway import read_cors
from tests.conftest import ROOT
from tests.local.conftest import ORIGIN
from tests.local.support import (
    HOST,
    PATIENCE,
    WELCOMED,
    Server,
    listening,
    preflight,
    wait_until,
)

CORS = read_cors()


def test_it_listens_on_loopback_only(server: Server) -> None:
    addresses = listening(server.process.pid)
    assert (HOST, server.port) in addresses
    assert {address for address, _ in addresses} == {HOST}


def test_the_welcome_is_last_and_short(server: Server) -> None:
    before, _, rest = server.output.partition("Documentation: ")
    welcome, _, log = rest.partition(WELCOMED)
    found = [
        welcome.index(part)
        for part in (
            *(f"{server.address}/docs", "curl -i", "Ctrl-C", "12 hours", "`make demo`"),
            *("saved", "Frontends"),
        )
    ]
    assert found == sorted(found)
    assert log.startswith("\n\n")
    assert len(welcome.splitlines()) <= 12
    assert welcome.count("eyJ") == len(re.findall(r"Bearer \S+", welcome)) * 2  # header, payload
    assert "{" not in before


def test_the_smoke_test_passes(server: Server) -> None:
    token = httpx2.get(f"{server.address}/docs/user").json()["token"]
    given = {"URL": server.address, "TOKEN": f"Bearer {token}", "ORIGIN": ORIGIN}
    smoke = [sys.executable, "-m", "scripts.smoke"]
    run = subprocess.run(
        smoke, cwd=ROOT, env=os.environ | given, check=True, capture_output=True, text=True
    )
    assert "✗" not in run.stdout
    assert "preflight" in run.stdout


def test_the_documentation_works_offline_and_shows_all_operations(server: Server) -> None:
    page = httpx2.get(f"{server.address}/docs").text
    for resource in re.findall(r'(?:href|src)="([^"]+)"', page):
        assert resource.startswith("/")
        assert httpx2.get(server.address + resource).status_code == 200
    document = httpx2.get(f"{server.address}/openapi.json").json()
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert len(operations) == 7


def test_the_documentation_has_a_new_token_that_works(server: Server) -> None:
    response = httpx2.get(f"{server.address}/docs/user")
    assert response.headers["Cache-Control"] == "no-store"
    user = response.json()
    wait_until(lambda: httpx2.get(response.url).json()["token"] != user["token"])
    headers = {"Authorization": f"Bearer {user['token']}"}
    tasks = httpx2.get(f"{server.address}/api/{user['id']}/tasks", headers=headers)
    assert tasks.status_code == 200


def test_no_other_origin_gets_the_token_of_the_documentation(server: Server) -> None:
    url = f"{server.address}/docs/user"
    assert httpx2.get(url, headers={"Host": "rebound.example.com"}).json() is None
    allowed = httpx2.get(url, headers={"Origin": ORIGIN})
    assert "Access-Control-Allow-Origin" not in allowed.headers


def test_allowed_origins_may_do_what_the_template_says(server: Server) -> None:
    allowed = preflight(server, ORIGIN)
    assert allowed.status_code == 200
    assert allowed.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert allowed.headers["Access-Control-Max-Age"] == str(CORS["max_age"])
    response = httpx2.get(f"{server.address}/api/demo/tasks", headers={"Origin": ORIGIN})
    assert response.status_code == 401
    exposed = response.headers["Access-Control-Expose-Headers"].split(", ")
    assert exposed == CORS["expose_headers"]
    for each in (allowed, response):
        credentials = each.headers.get("Access-Control-Allow-Credentials") == "true"
        assert credentials == CORS["allow_credentials"]


@pytest.mark.parametrize("headers", [{}, {"Origin": ORIGIN}], ids=str)
def test_a_cache_is_told_once_what_a_response_depends_on(
    server: Server, headers: dict[str, str]
) -> None:
    response = httpx2.get(f"{server.address}/health", headers=headers)
    assert response.headers["Vary"] == "Authorization, Origin"


def test_no_other_origin_may(server: Server) -> None:
    refused = preflight(server, "https://evil.example.com")
    assert "Access-Control-Allow-Origin" not in refused.headers


def test_a_browser_that_was_only_given_the_address_is_led_to_the_documentation(
    server: Server,
) -> None:
    response = httpx2.get(server.address, follow_redirects=True)
    assert response.url.path == "/docs"
    assert response.status_code == 200


@pytest.mark.parametrize("path", ["/%0A", "/docs%0A", "/openapi.json%0A", "/api/demo/tasks/%0A"])
def test_a_path_with_a_newline_ends_in_a_problem(server: Server, path: str) -> None:
    token = httpx2.get(f"{server.address}/docs/user").json()["token"]
    response = httpx2.get(server.address + path, headers={"Authorization": f"Bearer {token}"})
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.status_code in {404, 422}


def test_many_clients_at_once_are_all_served(server: Server) -> None:
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
        responses = clients.map(lambda _: client.get("/api/demo/tasks").status_code, range(300))
        assert set(responses) == {200}
