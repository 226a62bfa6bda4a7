"""The check after a deployment, with moto for AWS."""

import io
import json
import sys
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import moto
import pytest
from botocore.stub import Stubber

from scripts import live

STACK = "tasks-staging"
TRUST = {
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ]
}


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The function of a stack, whose alias leads to its first version."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    for name in "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY":
        monkeypatch.setenv(name, "made-up")
    monkeypatch.setattr(sys, "argv", ["live.py", STACK])
    with moto.mock_aws():
        role = boto3.client("iam").create_role(
            RoleName="function", AssumeRolePolicyDocument=json.dumps(TRUST)
        )
        client = boto3.client("lambda")
        version = client.create_function(
            FunctionName="list-tasks",
            Handler="index.handler",
            Runtime="python3.13",
            Role=role["Role"]["Arn"],
            Code={"ZipFile": packed("A = 1")},
            Publish=True,
        )["Version"]
        client.create_alias(FunctionName="list-tasks", Name="live", FunctionVersion=version)
        monkeypatch.setattr(live, "functions", lambda stack: ["list-tasks"] * (stack == STACK))
        yield "list-tasks"


def packed(code: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("index.py", code)
    return file.getvalue()


def test_what_was_deployed_is_live(deployed: str, capsys: pytest.CaptureFixture[str]) -> None:
    live.main()
    assert capsys.readouterr().out == "✓ 1 functions are live as they were deployed\n"


def test_new_code_that_was_not_published_is_noticed(
    deployed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    client = boto3.client("lambda")
    client.update_function_code(FunctionName=deployed, ZipFile=packed("A = 2"))
    with pytest.raises(SystemExit, match="Deploy again with Release given"):
        live.main()
    assert capsys.readouterr().err == "✗ list-tasks: what was deployed is not live\n"
    version = client.publish_version(FunctionName=deployed)["Version"]
    client.update_alias(FunctionName=deployed, Name="live", FunctionVersion=version)
    live.main()


def test_a_parameter_that_was_not_published_is_noticed(deployed: str) -> None:
    boto3.client("lambda").update_function_configuration(
        FunctionName=deployed, Environment={"Variables": {"BETTER_AUTH_URL": "https://new"}}
    )
    with pytest.raises(SystemExit):
        live.main()


def test_a_stack_without_functions_is_not_taken_for_one_that_is_live(
    deployed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["live.py", "tasks-other"])
    with pytest.raises(SystemExit):
        live.main()


def test_the_functions_are_those_with_an_alias_on_every_page_of_the_stack(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = boto3.client("cloudformation", region_name="us-east-1")
    monkeypatch.setattr(boto3, "client", lambda _: client)
    with Stubber(client) as aws:
        alias = "arn:aws:lambda:us-east-1:123456789012:function:list:live"
        for token, kind, name in (
            ("1", "IAM::Role", "role"),
            ("2", "Lambda::Function", "authorizer-without-an-alias"),
            ("3", "Lambda::Function", "list"),
            (None, "Lambda::Alias", alias),
        ):
            page: dict[str, Any] = {
                "StackResourceSummaries": [
                    {
                        "LogicalResourceId": "Name",
                        "PhysicalResourceId": name,
                        "ResourceType": f"AWS::{kind}",
                        "LastUpdatedTimestamp": datetime(2026, 1, 1, tzinfo=UTC),
                        "ResourceStatus": "CREATE_COMPLETE",
                    }
                ]
            }
            aws.add_response("list_stack_resources", page | ({"NextToken": token} if token else {}))
        assert live.functions(STACK) == ["list"]
