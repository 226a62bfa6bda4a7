"""CloudFront and AWS WAF in front of the API: off by default, and else the only way in."""

import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import moto
import pytest
import yaml

from tests.conftest import ROOT
from tests.deploy.stack import GIVEN, SAM, Stack, stack, transformed

pytestmark = pytest.mark.artifact

SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:tasks-prod/edge-AbCdEf"
EDGE = {"EdgeSecretArn": SECRET, "PublicUrl": "https://api.example.com"}


@cache
def merged() -> str:
    """The template with the fragment in it."""
    command = [str(SAM / "python"), str(ROOT / "scripts/edge.py")]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def edge() -> Stack:
    return stack(text=merged(), Stage="prod", **EDGE)


def lint(*arguments: str) -> str:
    command = [str(SAM / "cfn-lint"), *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True).stdout


def security(made: Stack) -> list[Any]:
    """What each route asks for before it calls a function."""
    paths = made.resources["Api"]["Properties"]["Body"]["paths"].values()
    return [operation.get("security") for path in paths for operation in path.values()]


class TestEdge:
    def test_is_off_by_default(self) -> None:
        made = stack(Stage="prod")
        assert "disableExecuteApiEndpoint" not in json.dumps(made.template)
        assert set(map(str, security(made))) == {"None"}

    def test_lets_nothing_in_without_the_header(self, edge: Stack) -> None:
        assert set(map(str, security(edge))) == {"[{'Edge': []}]"}
        body = edge.resources["Api"]["Properties"]["Body"]
        scheme = body["components"]["securitySchemes"]["Edge"]
        authorizer = scheme["x-amazon-apigateway-authorizer"]
        assert authorizer["identitySource"] == ["$request.header.X-Edge-Secret"]
        assert authorizer["enableSimpleResponses"] is True

    def test_hides_the_gateways_own_address(self, edge: Stack) -> None:
        [server] = edge.resources["Api"]["Properties"]["Body"]["servers"]
        endpoint = server["x-amazon-apigateway-endpoint-configuration"]
        assert endpoint == {"disableExecuteApiEndpoint": True}

    def test_shows_the_address_that_lets_requests_in(self, edge: Stack) -> None:
        assert edge.template["Outputs"]["Url"]["Value"] == {"Ref": "PublicUrl"}
        assert edge.template["Outputs"]["Url"]["Description"]

    def test_has_one_function_without_an_alias(self, edge: Stack) -> None:
        # scripts/live.py looks at those that have one.
        aliases = edge.of_type("Lambda::Alias").values()
        named = {alias["FunctionName"]["Ref"] for alias in aliases}
        assert edge.of_type("Lambda::Function").keys() - named == {"EdgeAuthorizerFunction"}

    def test_lints(self, tmp_path: Path) -> None:
        template = tmp_path / "template.json"
        given = GIVEN | {"Stage": "prod"} | EDGE
        template.write_text(transformed(json.dumps(given), text=merged()))
        assert lint("--ignore-checks", "W2001", "W7001", "--", str(template)) == ""
        assert lint("--", str(ROOT / "deploy/distribution.yaml")) == ""

    def test_knows_the_header_that_cloudfront_sends(self) -> None:
        text = (ROOT / "deploy/distribution.yaml").read_text()
        assert "HeaderName: X-Edge-Secret" in text
        assert "NoEcho: true" in text


class TestAuthorizer:
    @pytest.fixture
    def asked(self, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
        """The authorizer's code against moto's Secrets Manager."""
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-one")
        with moto.mock_aws():
            client = boto3.client("secretsmanager")
            arn = client.create_secret(Name="edge", SecretString="old")["ARN"]
            client.put_secret_value(SecretId=arn, SecretString="new")
            monkeypatch.setenv("EDGE_SECRET_ARN", arn)
            code = yaml.safe_load(merged())["Resources"]["EdgeAuthorizerFunction"]["Properties"]
            namespace: dict[str, Any] = {}
            exec(code["Code"]["ZipFile"], namespace)  # the code of the template
            given = ("new", "old", "wrong", "", "é")
            return {
                value: namespace["handler"]({"headers": {"x-edge-secret": value}}, None)
                for value in given
            }

    def test_takes_the_secret_and_the_one_before_it(self, asked: dict[str, Any]) -> None:
        accepted = {value for value, response in asked.items() if response["isAuthorized"]}
        assert accepted == {"new", "old"}
