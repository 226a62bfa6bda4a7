"""`make smoke`: what is wrong with what it is given is one sentence, without the token in it."""

import os
import subprocess
import sys
from base64 import urlsafe_b64encode

import pytest

from local.issuer import Issuer
from scripts.smoke import bearer, subject
from tests.conftest import ROOT


def smoke(**variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "scripts.smoke"]
    unset = dict.fromkeys(("URL", "TOKEN", "ORIGIN"), "")
    environment = os.environ | unset | variables
    return subprocess.run(
        command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True
    )


def encoded(payload: str) -> str:
    return urlsafe_b64encode(payload.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "token",
    [
        *("abc", "a.b.c", "a.b", "$(id)", "`id`.b.c", "Bearer", "é.é.é", "a.b.c\r\nX-Evil: 1"),
        f"e30.{encoded('{}')}.c",
        f"e30.{encoded('[]')}.c",
        f"e30.{encoded('null')}.c",
    ],
)
def test_a_token_that_is_none_is_a_sentence(token: str) -> None:
    run = smoke(URL="http://127.0.0.1:1", TOKEN=token)
    assert run.returncode == 1
    assert run.stderr.startswith("TOKEN is not a JSON Web Token")
    assert len(run.stderr.splitlines()) == 1
    assert token not in run.stderr


@pytest.mark.parametrize("written", ["{}", "Bearer {}", "bearer  {}", " {} "])
def test_the_scheme_of_a_token_is_stripped(tokens: Issuer, written: str) -> None:
    token = tokens.token("alice")
    assert bearer(written.format(token)) == token
    assert subject(bearer(written.format(token))) == "alice"


@pytest.mark.parametrize("url", ["api.example.com", "https://", "ftp://a.b", "http:// a"])
def test_a_url_that_is_none_is_a_sentence(url: str) -> None:
    run = smoke(URL=url, TOKEN="a.b.c")
    assert run.stderr.startswith("URL must begin with https://")
    assert len(run.stderr.splitlines()) == 1


def test_what_is_missing_is_named() -> None:
    assert smoke().stderr.startswith("URL and TOKEN must be set")


def test_a_server_that_does_not_answer_is_one_line(tokens: Issuer) -> None:
    run = smoke(URL="http://127.0.0.1:1", TOKEN=tokens.token("alice"))
    assert run.returncode == 1
    assert run.stderr == "✗ health: ConnectError\n"
