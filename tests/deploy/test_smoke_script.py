"""`deploy/smoke.sh` with each kind of stack: whose token the smoke test gets."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest

from tests.better_auth_server import BetterAuthServer, running
from tests.conftest import ROOT

pytestmark = pytest.mark.artifact  # needs jq, which the machines that deploy have

EMAIL, PASSWORD = "smoke@example.com", "correct horse"
SECRET = "a secret of its own, of 32 bytes or more"
URL = "https://api.example.com"
NONE = dict.fromkeys(("BetterAuthUrl", "JwksUrl", "JwtSecretArn", "BetterAuthSecretArn"), "")
# Refuses, as the AWS CLI does, what names no secret.
AWS = """#!/bin/sh
case "$*" in
*describe-stacks*) cat "$AWS_STUB/stack" ;;
*get-secret-value*) cat "$AWS_STUB/secrets/$4" ;;
esac
"""
PYTHON = """#!/bin/sh
case "$2" in
scripts.smoke) jq --null-input '{url: env.URL, origin: env.ORIGIN, token: env.TOKEN}' ;;
*) exec "$REAL_PYTHON" "$@" ;;
esac
"""


@pytest.fixture(scope="module")
def server() -> Iterator[BetterAuthServer]:
    with running() as server:
        server.sign_up(EMAIL, PASSWORD, "Smoke")
        yield server


def program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def smoke(folder: Path, secrets: dict[str, str], **parameters: str) -> dict[str, str]:
    """Run the script for a stack with these parameters; gives what the smoke test is given."""
    program(folder / "bin/aws", AWS)
    program(folder / ".venv/bin/python", PYTHON)
    given = NONE | {"AllowedOrigins": "https://app.example.com,https://b.example.com"} | parameters
    stack = {
        "Outputs": [{"OutputKey": "Url", "OutputValue": URL}],
        "Parameters": [
            {"ParameterKey": name, "ParameterValue": value} for name, value in given.items()
        ],
    }
    (folder / "stack").write_text(json.dumps(stack))
    for name, value in secrets.items():
        path = folder / "secrets" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(value)
    variables = {
        "AWS_STUB": str(folder),
        "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "REAL_PYTHON": sys.executable,
    }
    run = subprocess.run(
        [str(ROOT / "deploy/smoke.sh"), "tasks-staging"],
        cwd=folder,
        env=os.environ | variables,
        check=False,
        capture_output=True,
        text=True,
    )
    assert (run.returncode, run.stderr) == (0, "")
    response = json.loads(run.stdout)
    assert (response["url"], response["origin"]) == (URL, "https://app.example.com")
    return dict(response)


@pytest.mark.parametrize(
    ("name", "path"), [("BetterAuthUrl", ""), ("BetterAuthUrl", "/api"), ("JwksUrl", "/keys.json")]
)
def test_signs_in_where_the_stack_has_its_keys_from(
    server: BetterAuthServer, name: str, path: str, tmp_path: Path
) -> None:
    user = json.dumps({"email": EMAIL, "password": PASSWORD})
    secrets = {"tasks-staging/smoke": user}
    token = smoke(tmp_path, secrets, **{name: server.url + path})["token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["iss"], claims["email"]) == (server.issuer, EMAIL)


@pytest.mark.parametrize("name", ["JwtSecretArn", "BetterAuthSecretArn"])
def test_signs_with_the_shared_secret_of_the_stack(name: str, tmp_path: Path) -> None:
    secrets = {"tasks-staging/smoke": '{"sub": "smoke"}', "arn:tokens": SECRET}
    token = smoke(tmp_path, secrets, **{name: "arn:tokens"})["token"]
    assert jwt.decode(token, SECRET, ["HS256"])["sub"] == "smoke"
