"""What the pipeline of a stage may do: enough to deploy, roll back and delete, in its stage."""

import re
import subprocess
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT
from tests.deploy.stack import SAM

PIPELINE = ROOT / "deploy/pipeline.yaml"
# https://github.com/aws-cloudformation/cloudformation-resource-schema: AWS::IAM::Role, "handlers"
OF_THE_SCHEMA = {
    f"iam:{action}Role" for action in ("Create", "Get", "Delete", "Update", "Tag", "Untag")
} | {
    *("iam:PutRolePolicy", "iam:GetRolePolicy", "iam:DeleteRolePolicy", "iam:ListRolePolicies"),
    *("iam:AttachRolePolicy", "iam:DetachRolePolicy", "iam:ListAttachedRolePolicies"),
    *("iam:UpdateRoleDescription", "iam:UpdateAssumeRolePolicy"),
    *("iam:PutRolePermissionsBoundary", "iam:DeleteRolePermissionsBoundary"),
}
# What AWS gives a name itself, or knows no names for.
UNNAMED = re.compile(r":apigateway:|aws-sam-cli-managed-default|:aws:transform/|deploymentconfig:")
WITHOUT_NAMES = {
    *("xray:", "logs:", "cloudwatch:DescribeAlarms", "cloudformation:GetTemplateSummary"),
    *("s3:GetObject", "s3:GetObjectVersion", "sns:Publish"),
}


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms as their argument."""


def _argument(loader: yaml.Loader, _: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    assert isinstance(node, yaml.SequenceNode)
    return loader.construct_sequence(node, deep=True)


_Loader.add_multi_constructor("!", _argument)
RESOURCES = yaml.load(PIPELINE.read_text(), _Loader)["Resources"]


def many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def statements(name: str) -> list[dict[str, Any]]:
    """The statements of a role or a policy."""
    properties = RESOURCES[name]["Properties"]
    documents = [item["PolicyDocument"] for item in properties.get("Policies", [])]
    documents += [properties["PolicyDocument"]] if "PolicyDocument" in properties else []
    return [statement for document in documents for statement in document["Statement"]]


ROLES = [name for name, item in RESOURCES.items() if item["Type"] == "AWS::IAM::Role"]


@pytest.mark.artifact
def test_lints() -> None:
    linted = subprocess.run(
        [str(SAM / "cfn-lint"), "--", str(PIPELINE)], check=False, capture_output=True, text=True
    )
    assert (linted.returncode, linted.stdout) == (0, "")


def test_knows_every_action_that_a_role_needs_in_its_life() -> None:
    named = {action for item in statements("CloudFormationRole") for action in many(item["Action"])}
    assert named >= OF_THE_SCHEMA


def test_makes_no_role_without_the_boundary_and_takes_none_away() -> None:
    bounded = {"StringEquals": {"iam:PermissionsBoundary": "Boundary"}}
    for statement in statements("CloudFormationRole"):
        actions = set(many(statement["Action"]))
        if actions & {"iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy"}:
            assert statement["Condition"] == bounded
        if "iam:DeleteRolePermissionsBoundary" in actions:
            assert statement["Effect"] == "Deny"


@pytest.mark.parametrize("name", [*ROLES, "Boundary"])
def test_reaches_no_other_stage(name: str) -> None:
    for statement in statements(name):
        if statement["Effect"] == "Deny":
            continue
        for resource in many(statement["Resource"]):
            if resource == "*":
                actions = many(statement["Action"])
                assert all(action.startswith(tuple(WITHOUT_NAMES)) for action in actions), actions
            elif not UNNAMED.search(resource):
                named = "${Stage}" in resource or "aws-service-role" in resource
                assert named or resource == "CloudFormationRole.Arn", resource


@pytest.mark.parametrize("name", ROLES)
def test_cannot_change_itself(name: str) -> None:
    assert not RESOURCES[name]["Properties"]["RoleName"].startswith("tasks-")


def test_is_taken_on_by_jobs_of_one_environment_alone() -> None:
    for name, suffix in ("DeployRole", ""), ("ProbeRole", "-probe"), ("BackupRole", "-backup"):
        [trust] = RESOURCES[name]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        conditions = trust["Condition"]["StringEquals"]
        assert conditions["token.actions.githubusercontent.com:aud"] == "sts.amazonaws.com"
        subject = conditions["token.actions.githubusercontent.com:sub"]
        assert subject == f"repo:${{Repository}}:environment:${{Stage}}{suffix}"


def test_keeps_backups_encrypted_for_thirty_days() -> None:
    bucket = RESOURCES["Backups"]["Properties"]
    [rule] = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms"}
    [life] = bucket["LifecycleConfiguration"]["Rules"]
    assert (life["Status"], life["ExpirationInDays"]) == ("Enabled", 30)
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
