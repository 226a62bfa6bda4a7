"""`make rehearse`: the runbook's deployments, with moto for AWS, and what is live after each.

The commands are those of docs/operate.md and of the pipeline, run by the real `sam` and `aws`. moto
plays the buckets and CloudFormation's change sets; moto_adapters.py has what it lacks. Nobody is
there to answer what `sam` may ask.
"""

import json
import logging
import os
import re
import shlex
import shutil
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import yaml
from moto.server import ThreadedMotoServer

from scripts.moto_adapters import Stage, play
from scripts.publishing import RefusedError

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / ".local/rehearsal"
SAM = str(ROOT / ".local/sam/bin/sam")
STACK = "tasks-staging"

SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:tasks-AbCdEf"  # noqa: S105
GIVEN = {
    "DatabaseSecretArn": SECRET,
    "PseudonymKeySecretArn": SECRET,
    "PermissionsBoundary": "arn:aws:iam::123456789012:policy/boundary-tasks-staging",
    "AlarmTopicArn": "arn:aws:sns:us-east-1:123456789012:tasks-alarms",
}
"""What the runbook leaves to fill in."""
OLD, NEW = "https://login.example.com", "https://new.example.com"

stage = Stage(STACK)


def of_the_runbook() -> list[list[str]]:
    """The deployments of docs/operate.md in their order, with what is to be filled in."""
    page = (ROOT / "docs/operate.md").read_text().replace("\\\n", " ")
    commands = re.findall(r"^ *\.local/sam/bin/(sam deploy .*)$", page, re.MULTILINE)
    return [[filled_in(word) for word in shlex.split(command)[2:]] for command in commands]


def filled_in(word: str) -> str:
    """A word of the runbook as an operator types it, who is in one stage with all of it."""
    name = word.partition("=")[0]
    if name in GIVEN:
        return f"{name}={GIVEN[name]}"
    return word.replace("ACCOUNT", "123456789012").replace("prod", "staging")


def sam_deploy(*arguments: str, template: Path) -> None:
    """Run `sam deploy` for a stage, from a template and with the arguments that are given."""
    where = ["--config-file", str(ROOT / "samconfig.toml"), "--template-file", str(template)]
    run([SAM, "deploy", *arguments, *where, "--no-progressbar"])


def pipeline(template: Path) -> None:
    """Deploy as the pipeline does."""
    sam_deploy(*PIPELINE, template=template)


def run(command: list[str]) -> None:
    """Run a command that asks nothing. Exits with what it said where it fails."""
    done = subprocess.run(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{command[0]} failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")


def step(name: str, **expected: Any) -> None:
    """Say what is live. Raises RefusedError where it is not what was deployed."""
    if stage.aws.behind():
        raise RefusedError(f"{name}: not live as they were deployed are {stage.aws.behind()}")
    functions = [json.loads(live)["Properties"] for live in stage.aws.live.values()]
    live = {
        "code": {re.sub(r".*/", "", each["Code"]["S3Key"]) for each in functions},
        "url": {each["Environment"]["Variables"]["BETTER_AUTH_URL"] for each in functions},
        "timeout": {each["Timeout"] for each in functions} - {CLEANING_TIMEOUT},
    }
    keys = codes.setdefault(expected["code"], live["code"])
    others = [codes[each] for each in codes if each != expected["code"]]
    wanted = {
        "code": keys,
        "url": {expected["url"]},
        "timeout": {expected.get("timeout", 15)},
    }
    if live != wanted or keys in others:
        raise RefusedError(f"{name}: {live} is live instead of {wanted}")
    said = ", ".join(f"{kind} {value}" for kind, value in expected.items())
    print(f"✓ {name}: {len(functions)} functions are live with {said}", flush=True)


CLEANING_TIMEOUT = 120  # of the function that no request calls
PIPELINE = ("--config-env", "staging", "--no-confirm-changeset")
codes: dict[str, set[str]] = {}


def with_url(arguments: list[str], url: str) -> list[str]:
    """The deployment by hand with this URL, and with a text in Release that was not there yet."""
    texts = {"BetterAuthUrl": url, "Release": f"login{len(stage.tags)}"}
    names = [word.partition("=")[0] for word in arguments]
    if not set(texts) <= set(names):
        raise RefusedError(f"the runbook's command does not name {texts}: {arguments}")
    return [f"{name}={texts[name]}" if name in texts else word
            for name, word in zip(names, arguments, strict=True)]  # fmt: skip


def keeps_its_tags() -> None:
    """Say which tags the stack has. Raises RefusedError where a deployment changed them."""
    first, *others = stage.tags
    if any(each != first for each in others):
        raise RefusedError(f"the stack's tags have changed: {stage.tags}")
    print(f"✓ the stack keeps its tags: {first}")


def rollback_step() -> tuple[str, str]:
    """The commands of the pipeline that note what is live, and that roll back."""
    workflow = yaml.safe_load((ROOT / ".github/workflows/stage.yml").read_text())
    steps = {item.get("name"): item for item in workflow["jobs"]["deploy"]["steps"]}
    return steps["Note what is live"]["run"], steps["Roll back"]["run"]


def slim(build: Path) -> None:
    """Leave out what the functions depend on, which takes minutes to pack again and again."""
    for folder in build.iterdir():
        if folder.is_dir():
            for item in folder.iterdir():
                if item.name not in {"functions", "shared"}:
                    shutil.rmtree(item) if item.is_dir() else item.unlink()


def changed(build: Path) -> Path:
    """A build of other code."""
    other = build.with_name("other")
    shutil.rmtree(other, ignore_errors=True)
    shutil.copytree(build, other)
    for file in other.glob("*/functions/health.py"):
        file.write_text(f"{file.read_text()}CHANGED = True\n")
    return other / "template.yaml"


def edited(template: Path) -> Path:
    """The same code with a shorter timeout."""
    other = template.with_name("edited.yaml")
    text, count = re.subn("Timeout: 15\\b", "Timeout: 14", template.read_text())
    if not count:
        raise RefusedError("the template has no Timeout to edit")
    other.write_text(text)
    return other


def main() -> None:
    """Rehearse."""
    play(stage)
    build = BUILD / "build"
    run([SAM, "build", "--build-dir", str(build)])
    slim(build)
    a, b = build / "template.yaml", changed(build)
    first, by_hand, back = of_the_runbook()
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
    note, rollback = rollback_step()
    try:
        sam_deploy(*first, template=a)
        step("the first deployment", code="A", url=OLD)
        pipeline(b)
        step("new code through the pipeline", code="B", url=OLD)
        sam_deploy(*with_url(by_hand, NEW), template=b)
        step("a parameter by hand, with a Release", code="B", url=NEW)
        pipeline(b)
        step("the same code through the pipeline", code="B", url=NEW)
        pipeline(edited(b))
        step("an edited property", code="B", url=NEW, timeout=14)
        pipeline(a)
        step("new code, and the property as before", code="A", url=NEW)
        sam_deploy(*with_url(by_hand, OLD), template=a)
        step("a parameter by hand, with a Release", code="A", url=OLD)
        run(["bash", "-eo", "pipefail", "-c", note])
        pipeline(b)
        step("new code that will fail its smoke test", code="B", url=OLD)
        run(["bash", "-eo", "pipefail", "-c", rollback])
        step("the pipeline's rollback", code="A", url=OLD)
        pipeline(b)
        step("the repaired code through the pipeline", code="B", url=OLD)
        sam_deploy(*back, template=a)
        step("the rollback by hand", code="A", url=OLD)
        keeps_its_tags()
    except RefusedError as error:
        sys.exit(f"✗ {error}")
    finally:
        server.stop()


if __name__ == "__main__":
    main()
