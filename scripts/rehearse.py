"""`make rehearse`: the runbook's deployments, with moto for AWS, and what is live after each.

`sam build` and `sam deploy` are the real ones, and so is the pipeline's rollback. moto plays the
buckets and CloudFormation's change sets. Of what CloudFormation does then it lacks the transform,
versions and aliases, which `Lambda` plays: a new version publishes what the function is, and
is refused where that was published before; an alias leads to its version.
"""

import json
import logging
import os
import re
import shutil
import subprocess
import sys
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import yaml
from moto.cloudformation.models import ChangeSet
from moto.server import ThreadedMotoServer
from samtranslator.parser.parser import Parser  # type: ignore[import-not-found]
from samtranslator.translator.translator import Translator  # type: ignore[import-not-found]
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-not-found]

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / ".local/rehearsal"
SAM = str(ROOT / ".local/sam/bin/sam")
STACK = "tasks-staging"
FUNCTION, VERSION, ALIAS = (f"AWS::Lambda::{kind}" for kind in ("Function", "Version", "Alias"))
PLACEHOLDER = {"Resources": {"Log": {"Type": "AWS::Logs::LogGroup"}}}

SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:tasks-AbCdEf"  # noqa: S105
FIRST = (
    *("Stage=staging", "ReservedConcurrency=0", "Probed=false", 'Release=""'),
    *("BetterAuthUrl=https://login.example.com", "AllowedOrigins=https://app.example.com"),
    f"DatabaseSecretArn={SECRET}",
    "PermissionsBoundary=arn:aws:iam::123456789012:policy/boundary-tasks-staging",
)


class RefusedError(Exception):
    """What was deployed is not what is live."""


@dataclass
class Lambda:
    """The functions of a stack, their versions and what `live` leads to."""

    functions: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    published: dict[str, str] = field(default_factory=dict)
    live: dict[str, str] = field(default_factory=dict)

    def deploy(self, resources: dict[str, Any], parameters: dict[str, str]) -> None:
        """Do what CloudFormation does: functions, then versions, then aliases."""
        of_type = {
            kind: {name: item for name, item in resources.items() if item["Type"] == kind}
            for kind in (FUNCTION, VERSION, ALIAS)
        }
        for name, item in of_type[FUNCTION].items():
            self.functions[name] = json.dumps(resolved(item, parameters), sort_keys=True)
        for name, item in of_type[VERSION].items():
            function = item["Properties"]["FunctionName"]["Ref"]
            if name not in self.versions:
                if self.published.get(function) == self.functions[function]:
                    raise RefusedError(f"{name}: a version of this already exists")
                self.versions[name] = self.published[function] = self.functions[function]
        for name in self.versions.keys() - of_type[VERSION].keys():
            del self.versions[name]
        for item in of_type[ALIAS].values():
            version = item["Properties"]["FunctionVersion"]["Fn::GetAtt"][0]
            self.live[item["Properties"]["FunctionName"]["Ref"]] = self.versions[version]


def resolved(value: Any, parameters: dict[str, str]) -> Any:
    """A resource with the parameters put in."""
    match value:
        case {"Ref": str(name)} if name in parameters:
            return parameters[name]
        case dict():
            return {key: resolved(item, parameters) for key, item in value.items()}
        case list():
            return [resolved(item, parameters) for item in value]
    return value


aws = Lambda()
tags: list[dict[str, str] | None] = []


parse, apply = ChangeSet._parse_template, ChangeSet.apply  # noqa: SLF001


class Rehearsed:
    """What moto's change sets do instead, other than for SAM's own bucket."""

    @staticmethod
    def parse(change_set: ChangeSet) -> None:
        if change_set.stack_name == STACK:
            change_set.template_dict = PLACEHOLDER
        else:
            parse(change_set)

    @staticmethod
    def apply(change_set: ChangeSet) -> None:
        if change_set.stack_name != STACK:
            apply(change_set)
            change_set.stack.template_dict = change_set.template_dict  # else it has no outputs
            change_set.stack.output_map = change_set.stack._create_output_map()  # noqa: SLF001
            return
        template = yaml_parse(change_set.template)
        declared = template["Parameters"]
        defaults = {name: str(item.get("Default", "")) for name, item in declared.items()}
        parameters = defaults | dict(change_set.parameters)
        session = boto3.Session(region_name="us-east-1")
        translator = Translator({}, Parser(), boto_session=session)
        translated = translator.translate(template, parameters)
        aws.deploy(translated["Resources"], parameters)
        tags.append(change_set.tags)
        stack = change_set.stack
        stack.resource_map.input_parameters = parameters
        stack.resource_map.resolved_parameters = parameters


def sam_deploy(*overrides: str, template: Path) -> None:
    """Run `sam deploy` as the runbook does, with nobody there to answer a question."""
    given = ["--parameter-overrides", *overrides] if overrides else []
    where = ["--config-file", str(ROOT / "samconfig.toml"), "--template-file", str(template)]
    run([SAM, "deploy", "--config-env", "staging", *where, "--no-progressbar", *given])


def run(command: list[str]) -> None:
    """Run a command that asks nothing. Exits with what it said where it fails."""
    done = subprocess.run(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{command[0]} failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")


def step(name: str, code: str, url: str) -> None:
    """Say what is live. Raises RefusedError where it is not what was deployed."""
    for function, live in aws.live.items():
        if live != aws.functions[function]:
            raise RefusedError(f"{name}: {function} is not live as it was deployed")
    keys = {re.sub(r".*/", "", json.loads(live)["Properties"]["Code"]["S3Key"])
            for live in aws.live.values()}  # fmt: skip
    urls = {json.loads(live)["Properties"]["Environment"]["Variables"]["BETTER_AUTH_URL"]
            for live in aws.live.values()}  # fmt: skip
    seen = codes.setdefault(code, keys)
    if seen != keys or urls != {url} or any(keys == codes[each] for each in codes if each != code):
        raise RefusedError(f"{name}: live are {keys} with {urls}")
    print(f"✓ {name}: {len(aws.live)} functions live with code {code} and {url}")


codes: dict[str, set[str]] = {}


def keeps_its_tags() -> None:
    """Say which tags the stack has. Raises RefusedError where a deployment changed them."""
    if any(each != tags[0] for each in tags):
        raise RefusedError(f"the stack's tags have changed: {tags}")
    print(f"✓ the stack keeps its tags: {tags[0]}")


def rollback_step() -> tuple[str, str]:
    """The commands of the pipeline that note what is live, and that roll back."""
    workflow = yaml.safe_load((ROOT / ".github/workflows/stage.yml").read_text())
    steps = {item.get("name"): item for item in workflow["jobs"]["deploy"]["steps"]}
    return steps["Note what is live"]["run"], steps["Roll back"]["run"]


def changed(build: Path) -> Path:
    """A build of other code."""
    other = build.with_name("other")
    shutil.rmtree(other, ignore_errors=True)
    shutil.copytree(build, other, copy_function=os.link)
    for file in other.glob("*/functions/health.py"):
        text = file.read_text()
        file.unlink()  # it is the same file as in the first build
        file.write_text(f"{text}CHANGED = True\n")
    return other / "template.yaml"


def main() -> None:
    """Rehearse."""
    for name, instead in ("_parse_template", Rehearsed.parse), ("apply", Rehearsed.apply):
        setattr(ChangeSet, name, instead)
    build = BUILD / "build"
    run([SAM, "build", "--build-dir", str(build)])
    a, b = build / "template.yaml", changed(build)
    server = ThreadedMotoServer(ip_address="localhost", port=0)
    for noisy in "werkzeug", "samtranslator", "moto":
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
    warnings.simplefilter("ignore")  # moto has no bucket policies
    server.start()
    _, port = server.get_host_and_port()
    os.environ |= {
        "AWS_ENDPOINT_URL": f"http://localhost:{port}",
        "AWS_ACCESS_KEY_ID": "rehearsal",
        "AWS_SECRET_ACCESS_KEY": "rehearsal",
        "AWS_DEFAULT_REGION": "us-east-1",
        "SAM_CLI_TELEMETRY": "0",
        "RUNNER_TEMP": str(BUILD),
        "STACK": STACK,
        "STAGE": "staging",
        "CLOUDFORMATION_ROLE": "arn:aws:iam::123456789012:role/cloudformation-tasks-staging",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    old, new = "https://login.example.com", "https://new.example.com"
    note, rollback = rollback_step()
    try:
        sam_deploy(*FIRST, template=a)
        step("the first deployment, in one command", "A", old)
        sam_deploy(template=b)
        step("new code through the pipeline", "B", old)
        sam_deploy(f"BetterAuthUrl={new}", "Release=login1", template=b)
        step("a parameter, with a Release", "B", new)
        sam_deploy(template=a)
        step("new code after that Release", "A", new)
        sam_deploy(f"BetterAuthUrl={old}", "Release=login2", template=a)
        step("another Release", "A", old)
        run(["bash", "-eo", "pipefail", "-c", note])
        sam_deploy(template=b)
        step("new code that will fail its smoke test", "B", old)
        run(["bash", "-eo", "pipefail", "-c", rollback])
        step("the pipeline's rollback", "A", old)
        sam_deploy("Traffic=all", 'Release=""', template=b)
        step("by hand, without a canary", "B", old)
        keeps_its_tags()
    except RefusedError as error:
        sys.exit(f"✗ {error}")
    finally:
        server.stop()


if __name__ == "__main__":
    main()
