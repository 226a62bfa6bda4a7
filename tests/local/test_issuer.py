"""The development token issuer: tokens as Better Auth's, from a key that is kept."""

import json
from base64 import urlsafe_b64decode
from datetime import timedelta
from pathlib import Path
from stat import S_IMODE
from time import time
from typing import Any

import httpx2
import jwt
import pytest

from local.issuer import LIFETIME, NAME, Issuer, load_issuer, serving
from shared.auth.key_set import KeySet
from shared.auth.tokens import Verifier
from shared.http.problems import Unauthorized


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the private key is kept."""
    return tmp_path / "not there yet" / "key.pem"


@pytest.fixture
def issuer(path: Path) -> Issuer:
    """A new issuer."""
    return load_issuer(path)


def claims(token: str) -> dict[str, Any]:
    segment = token.split(".")[1]
    decoded: dict[str, Any] = json.loads(urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    return decoded


class TestKey:
    def test_is_made_once_and_kept(self, path: Path) -> None:
        assert load_issuer(path).key_set == load_issuer(path).key_set

    def test_is_for_its_owners_eyes_only(self, path: Path, issuer: Issuer) -> None:
        assert S_IMODE(path.stat().st_mode) == 0o600

    def test_is_another_in_another_place(self, issuer: Issuer, tmp_path: Path) -> None:
        assert load_issuer(tmp_path / "other.pem").key_set != issuer.key_set

    def test_is_published_as_better_auth_publishes_its(self, issuer: Issuer) -> None:
        [key] = issuer.key_set["keys"]
        assert key.keys() == {"alg", "crv", "kty", "kid", "x"}
        assert (key["alg"], key["crv"], key["kty"]) == ("EdDSA", "Ed25519", "OKP")


class TestToken:
    def test_is_like_better_auths(self, issuer: Issuer) -> None:
        token = issuer.token("alice")
        assert jwt.get_unverified_header(token) == {
            "alg": "EdDSA",
            "kid": issuer.key_set["keys"][0]["kid"],
        }
        assert claims(token).keys() == {"sub", "iss", "aud", "iat", "exp"}
        assert claims(token)["sub"] == "alice"
        assert claims(token)["iss"] == claims(token)["aud"] == NAME

    def test_is_valid_for_a_working_day(self, issuer: Issuer) -> None:
        said = claims(issuer.token("alice"))
        assert said["exp"] - said["iat"] == LIFETIME.total_seconds()
        assert abs(said["iat"] - time()) < 60

    def test_is_valid_for_as_long_as_is_asked_for(self, issuer: Issuer) -> None:
        said = claims(issuer.token("alice", timedelta(seconds=-5)))
        assert said["exp"] - said["iat"] == -5


class TestKeySet:
    def test_is_what_the_verifier_needs(self, issuer: Issuer, tmp_path: Path) -> None:
        with serving(issuer) as url:
            verifier = Verifier(KeySet(url), issuer=NAME, audience=NAME)
            assert verifier.verify(issuer.token("auth0|42")) == "auth0|42"
            with pytest.raises(Unauthorized):
                verifier.verify(load_issuer(tmp_path / "other.pem").token("auth0|42"))

    def test_is_served_as_json_on_loopback_and_no_longer_than_it_should(
        self, issuer: Issuer
    ) -> None:
        with serving(issuer) as url:
            assert url.startswith("http://127.0.0.1:")
            response = httpx2.get(url)
            assert response.json() == issuer.key_set
            assert response.headers["content-type"] == "application/json"
        with pytest.raises(httpx2.ConnectError):
            httpx2.get(url)

    def test_leaves_a_developers_terminal_alone(
        self, issuer: Issuer, capfd: pytest.CaptureFixture[str]
    ) -> None:
        with serving(issuer) as url:
            httpx2.get(url)
        assert capfd.readouterr() == ("", "")
