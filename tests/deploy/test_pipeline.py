"""What the pipeline of a stage may do: enough to deploy, roll back and delete, in its stage."""

import json
import re
import subprocess
from fnmatch import fnmatch
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT
from tests.deploy.stack import SAM, stack

PIPELINE = ROOT / "deploy/pipeline.yaml"
# The schemas of AWS' resource types, with what CloudFormation calls for each; cfn-lint has them.
SCHEMAS = "lib/python*/site-packages/cfnlint/data/schemas/resources/*.json"
# What the handlers call for properties that the stack does not use: a VPC, a file system, a key of
# one's own, versions of S3 objects, logs that go elsewhere.
UNUSED = re.compile("ec2:|elasticfilesystem:|s3files:|kms:|firehose:|s3:GetObjectVersion|s3:REST")
# What AWS gives a name itself, or knows no names for.
UNNAMED = re.compile(
    ":apigateway:|aws-sam-cli-managed-default(-\\*$|/)|:aws:transform/|deploymentconfig:|billingview/"
)
WITHOUT_NAMES = {
    *("xray:", "logs:", "cloudwatch:DescribeAlarms", "cloudformation:GetTemplateSummary"),
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


def handled() -> dict[str, set[str]]:
    """What CloudFormation calls for each type of a stack's resources, in their whole life."""
    everything = {
        "BudgetAddress": "a@b.example",
        "DomainName": "api.example.com",
        "CertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/1",
        "Probed": "true",
    }
    types = {item["Type"] for item in stack(Stage="prod", **everything).resources.values()}
    found = {}
    for path in SAM.parent.glob(SCHEMAS):
        schema = json.loads(path.read_text())
        if schema.get("typeName") in types:
            handlers = {kind: each for kind, each in schema["handlers"].items() if kind != "list"}
            found[schema["typeName"]] = {
                action for each in handlers.values() for action in each["permissions"]
            }
    assert found.keys() == types
    return found


@pytest.mark.artifact
def test_may_do_all_that_the_schemas_of_its_resources_list() -> None:
    allowed = [
        action.lower()
        for item in statements("CloudFormationRole")
        if item["Effect"] == "Allow"
        for action in many(item["Action"])
    ]
    missing = {
        action
        for actions in handled().values()
        for action in actions
        if not UNUSED.match(action) and not any(fnmatch(action.lower(), each) for each in allowed)
    }
    assert missing == {"iam:DeleteRolePermissionsBoundary"}  # denied, below


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


@pytest.mark.parametrize(
    ("name", "suffix"), [("DeployRole", ""), ("ProbeRole", "-probe"), ("BackupRole", "-backup")]
)
def test_is_taken_on_by_jobs_of_one_environment_alone(name: str, suffix: str) -> None:
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
    # The backup's role may write over any dump, which must not be the end of it.
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert life["NoncurrentVersionExpiration"]["NoncurrentDays"] >= 30
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
