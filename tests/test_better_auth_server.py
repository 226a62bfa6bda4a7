"""What Better Auth does as it is, and what the launcher adds for tests."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, get_args

import httpx2
import jwt
import pytest

from tests import better_auth_server
from tests.better_auth_server import Algorithm, BetterAuthServer, Ids, Mode, Session, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EMAIL, PASSWORD, NAME = "ann@example.com", "correct horse", "Ann"
JWK_MEMBERS = {
    "EdDSA": {"crv", "x"},
    "ES256": {"crv", "x", "y"},
    "ES512": {"crv", "x", "y"},
    "RS256": {"n", "e"},
    "PS256": {"n", "e"},
}
SUBJECTS = {
    "default": r"[A-Za-z0-9]{32}",
    "uuid": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "serial": r"1",
}


@pytest.fixture(scope="module")
def server() -> Iterator[BetterAuthServer]:
    """Give a server with one user to the tests that leave it as it was."""
    with running(session_cache=True) as server:
        server.sign_up(EMAIL, PASSWORD, NAME)
        yield server


@pytest.fixture(scope="module")
def session(server: BetterAuthServer) -> Session:
    """Give a session of that user."""
    return server.sign_in(EMAIL, PASSWORD)


@contextmanager
def failing(server: BetterAuthServer, mode: Mode) -> Iterator[None]:
    """Let the key set's endpoint fail for the length of the block."""
    server.control(mode, retry_after=7)
    try:
        yield
    finally:
        server.control("normal")


def sign_up_and_in(server: BetterAuthServer) -> Session:
    """Make the user and open a session."""
    server.sign_up(EMAIL, PASSWORD, NAME)
    return server.sign_in(EMAIL, PASSWORD)


def key_ids(server: BetterAuthServer) -> list[str]:
    """Return the key ids of the key set, oldest first."""
    return [key["kid"] for key in httpx2.get(server.jwks_url).json()["keys"]]


def verified(
    server: BetterAuthServer, token: str, *, audience: str | None = None
) -> dict[str, object]:
    """Return the claims of a token that the key set verifies."""
    keys = jwt.PyJWKSet.from_dict(httpx2.get(server.jwks_url).json())
    header = jwt.get_unverified_header(token)
    claims = jwt.decode(
        token,
        keys[header["kid"]],
        algorithms=[header["alg"]],
        issuer=server.issuer,
        audience=audience or server.issuer,
    )
    return dict(claims)


def listens(url: str) -> bool:
    """Tell whether a server accepts connections there, paused or not."""
    try:
        httpx2.get(url, timeout=0.3)
    except httpx2.ConnectError:
        return False
    except httpx2.TransportError:
        return True
    return True


class TestBetterAuth:
    """The facts that the verifier's strictness rests on."""

    @pytest.mark.parametrize("algorithm", get_args(Algorithm))
    def test_every_algorithm_gives_the_same_header_and_claims(self, algorithm: Algorithm) -> None:
        with running(algorithm=algorithm) as server:
            session = sign_up_and_in(server)
            token = server.token(session)
            [key] = httpx2.get(server.jwks_url).json()["keys"]
            assert jwt.get_unverified_header(token) == {"alg": algorithm, "kid": key["kid"]}
            assert set(key) == {"kid", "alg", "kty"} | JWK_MEMBERS[algorithm]
            assert key["alg"] == algorithm

            claims = verified(server, token)
            user = session.user
            assert set(claims) == {"iat", "exp", "iss", "aud", "sub"} | set(user)
            assert claims["sub"] == claims["id"] == user["id"]
            assert claims["iss"] == claims["aud"] == server.url
            assert isinstance(claims["iat"], int)
            assert claims["exp"] == claims["iat"] + 900

    @pytest.mark.parametrize("ids", get_args(Ids))
    def test_every_kind_of_user_id_is_a_string_in_sub(self, ids: Ids) -> None:
        with running(ids=ids) as server:
            subject = verified(server, server.token(sign_up_and_in(server)))["sub"]
        assert isinstance(subject, str)
        assert re.fullmatch(SUBJECTS[ids], subject)

    def test_a_rotated_key_signs_at_once_and_the_old_one_stays_in_the_key_set(self) -> None:
        with running() as server:
            session = sign_up_and_in(server)
            old = server.token(session)
            server.rotate()
            assert key_ids(server) == [jwt.get_unverified_header(old)["kid"]]
            new = server.token(session)
            assert key_ids(server) == [jwt.get_unverified_header(t)["kid"] for t in (old, new)]
            assert len(set(key_ids(server))) == 2
            assert verified(server, old)["sub"] == verified(server, new)["sub"]

    def test_a_session_cache_token_has_the_key_issuer_and_subject_of_a_token(
        self, server: BetterAuthServer, session: Session
    ) -> None:
        token, cached = server.token(session), server.session_cache_token(session)
        header = jwt.get_unverified_header(token)
        assert jwt.get_unverified_header(cached) == {
            **header,
            "typ": "better-auth.session-cache+jwt",
        }
        claims = verified(server, cached, audience="better-auth:session-cache")
        assert claims["sub"] == session.user["id"]
        with pytest.raises(jwt.InvalidAudienceError):
            verified(server, cached)

    def test_a_session_token_is_no_jwt(self, session: Session) -> None:
        assert re.fullmatch(r"[A-Za-z0-9]{32}", session.token)
        assert session.signed_token.startswith(f"{session.token}.")
        assert session.signed_token.count(".") == 1

    def test_issuer_and_audience_are_the_origin_of_the_base_url(self) -> None:
        with running(base_url="https://app.example.com") as server:
            claims = verified(server, server.token(sign_up_and_in(server)))
        assert claims["iss"] == claims["aud"] == "https://app.example.com"

    def test_the_audience_can_be_a_list(self) -> None:
        audience = ["https://api.example.com", "https://app.example.com"]
        with running(audience=audience) as server:
            token = server.token(sign_up_and_in(server))
            assert verified(server, token, audience=audience[1])["aud"] == audience

    def test_a_negative_lifetime_gives_expired_tokens(self) -> None:
        with running(lifetime="-1m") as server:
            token = server.token(sign_up_and_in(server))
            with pytest.raises(jwt.ExpiredSignatureError):
                verified(server, token)

    def test_its_rate_limiter_refuses_the_key_set_after_a_hundred_requests(self) -> None:
        with running(rate_limit=True) as server, httpx2.Client() as client:
            responses = [client.get(server.jwks_url) for _ in range(101)]
            assert server.jwks_requests() == 101
        assert {response.status_code for response in responses[:100]} == {200}
        assert responses[100].status_code == 429
        assert 1 <= int(responses[100].headers["x-retry-after"]) <= 10
        assert "retry-after" not in responses[100].headers


class TestFaults:
    """What the endpoint of the key set can be made to do."""

    def test_requests_are_counted_whatever_they_are_answered(
        self, server: BetterAuthServer
    ) -> None:
        before = server.jwks_requests()
        httpx2.get(server.jwks_url)
        with failing(server, "error"):
            httpx2.get(server.jwks_url)
        assert server.jwks_requests() == before + 2

    @pytest.mark.parametrize(("mode", "status"), [("error", 500), ("limited", 429)])
    def test_a_refusal_carries_the_valid_key_set(
        self, server: BetterAuthServer, session: Session, mode: Mode, status: int
    ) -> None:
        server.token(session)
        with failing(server, mode):
            response = httpx2.get(server.jwks_url)
        assert response.status_code == status
        assert response.json()["keys"]
        assert response.headers.get("retry-after") == ("7" if mode == "limited" else None)

    def test_who_follows_the_redirect_finds_the_key_set(self, server: BetterAuthServer) -> None:
        with failing(server, "redirect"):
            assert httpx2.get(server.jwks_url).status_code == 302
            assert httpx2.get(server.jwks_url, follow_redirects=True).json()["keys"]

    def test_other_bodies_come_with_success(self, server: BetterAuthServer) -> None:
        with failing(server, "html"):
            page = httpx2.get(server.jwks_url)
        with failing(server, "empty"):
            nothing = httpx2.get(server.jwks_url)
        with failing(server, "huge"):
            huge = httpx2.get(server.jwks_url)
        assert page.headers["content-type"] == "text/html"
        assert page.text.startswith("<!doctype html>")
        assert nothing.content == b""
        assert huge.json()["keys"]
        assert len(huge.content) > 8 * 1024 * 1024
        assert {response.status_code for response in (page, nothing, huge)} == {200}

    @pytest.mark.parametrize("mode", ["half", "reset"])
    def test_a_connection_breaks(self, server: BetterAuthServer, mode: Mode) -> None:
        with failing(server, mode), pytest.raises(httpx2.RemoteProtocolError):
            httpx2.get(server.jwks_url)

    def test_a_hanging_endpoint_never_answers_and_tokens_are_still_issued(
        self, server: BetterAuthServer, session: Session
    ) -> None:
        with failing(server, "hang"):
            with pytest.raises(httpx2.ReadTimeout):
                httpx2.get(server.jwks_url, timeout=0.3)
            assert server.token(session)
        assert key_ids(server)

    def test_a_dripping_endpoint_outlasts_the_timeout_of_a_read(
        self, server: BetterAuthServer
    ) -> None:
        with failing(server, "drip"), httpx2.stream("GET", server.jwks_url, timeout=5) as response:
            pieces = response.iter_raw()
            assert [next(pieces) for _ in range(3)] == [b"{", b'"', b"k"]

    def test_an_unknown_fault_is_an_error(self, server: BetterAuthServer) -> None:
        with pytest.raises(httpx2.HTTPStatusError):
            server.control("typo")  # type: ignore[arg-type]


class TestProcess:
    """It lives as long as it should."""

    def test_a_paused_server_answers_when_it_is_resumed(self) -> None:
        with running() as server:
            server.pause()
            with pytest.raises(httpx2.ReadTimeout):
                httpx2.get(server.jwks_url, timeout=0.3)
            server.resume()
            assert key_ids(server)

    def test_a_stopped_server_refuses_connections(self) -> None:
        with running() as server:
            server.pause()
            server.stop()
            with pytest.raises(httpx2.ConnectError):
                httpx2.get(server.jwks_url)

    def test_a_server_that_cannot_start_says_why(self, server: BetterAuthServer) -> None:
        port = httpx2.URL(server.url).port
        assert port
        with pytest.raises(RuntimeError, match="EADDRINUSE"), running(port=port):
            pass

    @pytest.mark.parametrize("state", ["pass", "server.pause()"])
    def test_a_server_dies_with_a_killed_parent_even_when_paused(self, state: str) -> None:
        script = (
            "from tests.better_auth_server import running\n"
            "with running() as server:\n"
            f"    {state}\n"
            "    print(server.jwks_url, flush=True)\n"
            "    input()\n"
        )
        with subprocess.Popen(
            [sys.executable, "-c", script],
            cwd=better_auth_server.SOURCE.parents[1],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as parent:
            assert parent.stdout
            url = parent.stdout.readline().decode().strip()
            os.kill(parent.pid, signal.SIGKILL)
        deadline = time.monotonic() + 30
        while listens(url):
            assert time.monotonic() < deadline
            time.sleep(0.1)


class TestInstallation:
    """Packages are installed once, by the first process that needs them."""

    def test_many_at_once_install_once(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(better_auth_server, "CACHE", tmp_path)
        npm = ["sh", "-c", "sleep 0.2; echo >> ../runs"]
        with ThreadPoolExecutor(4) as pool:
            folders = set(pool.map(better_auth_server.install, [npm] * 4))
        assert len(folders) == 1
        assert (folders.pop() / "server.mjs").exists()
        assert (tmp_path / "runs").read_text() == "\n"

    def test_a_failed_installation_says_why_and_is_tried_again(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(better_auth_server, "CACHE", tmp_path)
        with pytest.raises(RuntimeError, match="no network"):
            better_auth_server.install(["sh", "-c", "echo no network >&2; exit 1"])
        assert better_auth_server.install(["true"]).is_dir()

    def test_no_lock_file_entry_names_a_registry(self) -> None:
        lock = (better_auth_server.SOURCE / "package-lock.json").read_text()
        assert '"integrity"' in lock
        assert '"resolved"' not in lock
