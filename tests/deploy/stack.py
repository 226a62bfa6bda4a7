"""The stack that CloudFormation would make of template.yaml: transformed, conditions decided."""

import json
import subprocess
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from tests.conftest import ROOT, held

SAM = ROOT / ".local/sam/bin"
GIVEN = {
    "BetterAuthUrl": "https://auth.example.com",
    "DatabaseSecretArn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:tasks-AbCdEf",
    "AllowedOrigins": "https://app.example.com",
    "PermissionsBoundary": "arn:aws:iam::123456789012:policy/boundary",
}
"""What has to be given, at least."""

NO_VALUE = {"Ref": "AWS::NoValue"}

Resource = dict[str, Any]


@cache
def transformed(given: str, code: str = "s3://bucket/key", text: str | None = None) -> str:
    """What SAM makes of the template, or of another text, as JSON."""
    process = _sam()
    assert process.stdin
    assert process.stdout
    asked = [json.loads(given), code, text or (ROOT / "template.yaml").read_text()]
    print(json.dumps(asked), file=process.stdin, flush=True)
    return process.stdout.readline()


@cache
def _sam() -> "subprocess.Popen[str]":
    """SAM's transform. Its start takes longer than what it is started for."""
    script = str(Path(__file__).with_name("transform.py"))
    command = [str(SAM / "python"), script]
    pipes = subprocess.PIPE
    return held.enter_context(subprocess.Popen(command, stdin=pipes, stdout=pipes, text=True))


@dataclass
class Stack:
    """A template with the values of its parameters put in. References to resources stay."""

    template: dict[str, Any]
    parameters: dict[str, Any]
    conditions: dict[str, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, condition in self.template["Conditions"].items():
            self.conditions[name] = self._decide(condition)

    @property
    def resources(self) -> dict[str, Resource]:
        return {
            name: self._resolve(resource)
            for name, resource in self.template["Resources"].items()
            if self.conditions.get(resource.get("Condition"), True)
        }

    def of_type(self, kind: str) -> dict[str, Resource]:
        """The properties of each resource of a type, such as Lambda::Function."""
        return {
            name: resource["Properties"]
            for name, resource in self.resources.items()
            if resource["Type"] == f"AWS::{kind}"
        }

    def _resolve(self, value: Any) -> Any:
        """The value with everything in it that does not depend on resources."""
        match value:
            case {"Ref": str(name)} if name in self.parameters:
                return self.parameters[name]
            case {"Fn::If": [name, one, other]}:
                return self._resolve(one if self.conditions[name] else other)
            case {"Fn::Split": [separator, text]}:
                return self._resolve(text).split(separator)
            case dict():
                resolved = {key: self._resolve(item) for key, item in value.items()}
                return {key: item for key, item in resolved.items() if item != NO_VALUE}
            case list():
                return [item for item in map(self._resolve, value) if item != NO_VALUE]
        return value

    def refused(self) -> list[str]:
        """What the rules say against the parameters."""
        return [
            assertion["AssertDescription"]
            for rule in self.template["Rules"].values()
            if self._decide(rule.get("RuleCondition", {"Fn::Equals": ["", ""]}))
            for assertion in rule["Assertions"]
            if not self._decide(assertion["Assert"])
        ]

    def _decide(self, condition: dict[str, Any]) -> bool:
        match condition:
            case {"Fn::And": conditions}:
                return all(map(self._decide, conditions))
            case {"Fn::Or": conditions}:
                return any(map(self._decide, conditions))
            case {"Condition": name}:
                return self.conditions[name]
            case {"Fn::Not": [negated]}:
                return not self._decide(negated)
            case {"Fn::Equals": [one, other]}:
                return str(self._resolve(one)) == str(self._resolve(other))
        raise ValueError(condition)


def stack(code: str = "s3://bucket/key", text: str | None = None, **parameters: str) -> Stack:
    """The stack for parameters, beside those that have to be given."""
    given = GIVEN | parameters
    template = json.loads(transformed(json.dumps(given), code, text))
    declared = template["Parameters"]
    defaults = {name: item["Default"] for name, item in declared.items() if "Default" in item}
    return Stack(template, defaults | given)
