"""The token of the smoke test's user, from the real Better Auth or of a shared secret."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import httpx2
import jwt
import pytest

from tests.better_auth_server import BetterAuthServer, running
from tests.conftest import ROOT
from tests.local.support import HOST

EMAIL, PASSWORD = "smoke@example.com", "correct horse"
SECRET = "a secret of its own, of 32 bytes or more"


@pytest.fixture(scope="module")
def server() -> Iterator[BetterAuthServer]:
    with running() as server:
        server.sign_up(EMAIL, PASSWORD, "Smoke")
        yield server


@contextmanager
def answering(content: bytes) -> Iterator[str]:
    """An issuer that answers everything so; yields its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer((HOST, 0), Handler) as issuer:
        thread = Thread(target=issuer.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://{HOST}:{issuer.server_port}"
        finally:
            issuer.shutdown()
            thread.join()


def sign_in(user: dict[str, str], **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "scripts.sign_in"],
        cwd=ROOT,
        env=os.environ | {"SMOKE_USER": json.dumps(user)} | variables,
        check=False,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("path", ["", "/", "/api/auth", "/api/auth/jwks"])
def test_a_token_comes_from_the_origin_of_the_url(server: BetterAuthServer, path: str) -> None:
    run = sign_in({"email": EMAIL, "password": PASSWORD}, AUTH_URL=server.url + path)
    assert (run.returncode, run.stderr) == (0, "")
    token = run.stdout.strip()
    keys = jwt.PyJWKSet.from_dict(httpx2.get(server.jwks_url).json())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(token, key, ["EdDSA"], audience=server.issuer, issuer=server.issuer)
    assert claims["email"] == EMAIL


def test_a_wrong_password_is_a_sentence_without_it(server: BetterAuthServer) -> None:
    run = sign_in({"email": EMAIL, "password": "battery staple"}, AUTH_URL=server.url)
    assert run.returncode == 1
    assert run.stderr == "Better Auth answers 401 at /api/auth/sign-in/email\n"


def test_a_better_auth_that_is_away_is_a_sentence() -> None:
    run = sign_in({"email": EMAIL, "password": PASSWORD}, AUTH_URL=f"http://{HOST}:1")
    assert run.returncode == 1
    assert run.stderr == "Better Auth cannot be reached: ConnectError\n"


@pytest.mark.parametrize(
    "content",
    [
        json.dumps({"token": "a.e30.c\n::error::x\n::stop-commands::x"}),
        json.dumps({"token": "a.e30.c\n"}),
        json.dumps({"token": ["a.e30.c"]}),
        "null",
        "\n::error::x",
    ],
)
def test_what_is_no_token_is_not_shown(content: str) -> None:
    with answering(content.encode()) as url:
        run = sign_in({"email": EMAIL, "password": PASSWORD}, AUTH_URL=url)
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr == "Better Auth answers without a JSON Web Token: it needs the jwt plugin\n"


def test_a_token_of_the_shared_secret_is_good_for_five_minutes() -> None:
    run = sign_in({"sub": "smoke"}, SIGNING_SECRET=SECRET)
    assert (run.returncode, run.stderr) == (0, "")
    claims = jwt.decode(run.stdout.strip(), SECRET, ["HS256"])
    assert claims.keys() == {"sub", "exp"}
    assert claims["sub"] == "smoke"
    assert 0 < claims["exp"] - time.time() <= 300
