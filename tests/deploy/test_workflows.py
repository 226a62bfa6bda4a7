"""The pipeline and the page that explains it: what they name is there."""

import os
import re
import subprocess
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT

WORKFLOWS = {
    path.stem: yaml.safe_load(path.read_text())["jobs"]
    for path in sorted((ROOT / ".github/workflows").glob("*.yml"))
}
PAGE = (ROOT / "docs/operate.md").read_text()
TEMPLATE = (ROOT / "template.yaml").read_text()
TEMPLATES = TEMPLATE + "".join(path.read_text() for path in ROOT.glob("deploy/*.yaml"))
TARGETS = set(re.findall(r"^([\w./-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
SAMCONFIG = tomllib.loads((ROOT / "samconfig.toml").read_text())

Jobs = dict[str, dict[str, Any]]


def made(commands: str) -> set[str]:
    """The targets that commands make."""
    return set(re.findall(r"\bmake (?:-\S+ )*([\w./-]+)", commands))


def slow() -> list[dict[str, str]]:
    """The slow suites, each with its machine."""
    suites = WORKFLOWS["checks"]["slow"]["strategy"]["matrix"]["include"]
    assert isinstance(suites, list)
    return suites


@pytest.mark.parametrize("jobs", WORKFLOWS.values(), ids=WORKFLOWS)
class TestWorkflow:
    def test_ends_in_time(self, jobs: Jobs) -> None:
        assert all(job["timeout-minutes"] <= 60 for job in jobs.values() if "steps" in job)

    def test_makes_what_can_be_made(self, jobs: Jobs) -> None:
        steps = [step for job in jobs.values() for step in job.get("steps", [])]
        assert made("\n".join(step.get("run", "") for step in steps)) <= TARGETS

    def test_puts_no_input_into_a_command(self, jobs: Jobs) -> None:
        # What the shell gets is in the environment, where it is never code.
        for step in (step for job in jobs.values() for step in job.get("steps", [])):
            assert "${{" not in step.get("run", "")
            assert not re.search(r"make [^\n]*(TOKEN|URL|ORIGIN)=", step.get("run", ""))

    def test_holds_no_secret(self, jobs: Jobs) -> None:
        assert "secrets." not in str(jobs)


class TestChecks:
    def test_make_what_can_be_made(self) -> None:
        assert {suite["target"] for suite in slow()} <= TARGETS

    def test_are_all_that_anybody_runs_before_a_push(self) -> None:
        commands = [step.get("run", "") for step in WORKFLOWS["checks"]["test"]["steps"]]
        checks = made("\n".join(commands)) | {suite["target"] for suite in slow()}
        lines = (ROOT / ".ci/run").read_text().splitlines()
        run = made("\n".join(line for line in lines if line.startswith("make ")))
        assert run - {"install"} == checks

    def test_run_on_each_python_from_the_oldest_on(self) -> None:
        config = tomllib.loads((ROOT / "pyproject.toml").read_text())
        oldest = int(config["tool"]["mypy"]["python_version"].partition(".")[2])
        versions = WORKFLOWS["checks"]["test"]["strategy"]["matrix"]["python"]
        assert versions == [f"3.{minor}" for minor in range(oldest, 15)]


class TestDeployment:
    def test_goes_to_staging_first_and_nowhere_unchecked(self) -> None:
        assert WORKFLOWS["deploy"]["staging"]["needs"] == ["checks", "build"]
        assert WORKFLOWS["deploy"]["production"]["needs"] == ["build", "staging"]

    @pytest.mark.parametrize(("job", "stage"), [("staging", "staging"), ("production", "prod")])
    def test_goes_to_the_stack_of_its_stage(self, job: str, stage: str) -> None:
        assert WORKFLOWS["deploy"][job]["with"]["stage"] == stage
        stack = WORKFLOWS["stage"]["deploy"]["env"]["STACK"]
        expected = SAMCONFIG[stage]["deploy"]["parameters"]["stack_name"]
        assert stack.replace("${{ inputs.stage }}", stage) == expected

    def test_is_of_what_was_built_and_checked(self) -> None:
        build = WORKFLOWS["deploy"]["build"]
        commands = [step.get("run", "") for step in build["steps"]]
        [tested] = [at for at, run in enumerate(commands) if "make test-artifact" in run]
        [packed] = [at for at, run in enumerate(commands) if "sha256sum" in run]
        assert tested < packed
        assert ".local artifact" in commands[packed]
        for job in "staging", "production":
            given = WORKFLOWS["deploy"][job]["with"]["digest"]
            assert given == "${{ needs.build.outputs.digest }}"
        steps = WORKFLOWS["stage"]["deploy"]["steps"]
        [unpack] = [step for step in steps if "tar --extract" in step.get("run", "")]
        check, _, extract, _ = unpack["run"].strip().splitlines()
        assert check == 'echo "$DIGEST  build.tar.zst" | sha256sum --check'
        assert extract.startswith("tar --extract")

    @pytest.mark.parametrize("target", ["build", "test-artifact"])
    @pytest.mark.parametrize(
        ("edge", "template"),
        [("", "template.yaml"), ("false", "template.yaml"), ("true", "template.edge.yaml")],
    )
    def test_is_of_the_template_that_the_repository_says(
        self, edge: str, template: str, target: str
    ) -> None:
        [builds] = [
            step
            for step in WORKFLOWS["deploy"]["build"]["steps"]
            if step.get("run") == "make test-artifact"
        ]
        assert builds["env"] == {"EDGE": "${{ vars.EDGE }}"}
        commands = subprocess.run(
            ["make", "--dry-run", "--always-make", target],
            cwd=ROOT,
            env=os.environ | {"EDGE": edge},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        assert f"sam build --template {template} " in commands
        assert ("scripts/edge.py" in commands) == (edge == "true")

    @pytest.mark.parametrize("stage", ["staging", "prod"])
    def test_names_a_stacks_tags_when_it_rolls_back(self, stage: str) -> None:
        # Without them CloudFormation takes the tags away.
        rolls_back = WORKFLOWS["stage"]["deploy"]["steps"][-1]["run"]
        tags = re.search(r"--tags (\S+) (\S+)", rolls_back)
        assert tags
        expected = SAMCONFIG[stage]["deploy"]["parameters"]["tags"]
        assert f"{tags[1]} {tags[2]}".replace('"', "").replace("$STAGE", stage) == expected

    @pytest.mark.parametrize("name", ["Deploy", "Roll back"])
    def test_acts_through_the_role_that_is_bounded(self, name: str) -> None:
        steps = {step.get("name"): step for step in WORKFLOWS["stage"]["deploy"]["steps"]}
        assert '--role-arn "$CLOUDFORMATION_ROLE"' in steps[name]["run"]

    def test_migrates_before_and_tries_out_after(self) -> None:
        steps = [step.get("name") for step in WORKFLOWS["stage"]["deploy"]["steps"]]
        assert steps[-5:] == ["Migrate", "Deploy", "Live", "Smoke test", "Roll back"]

    def test_says_in_a_sentence_why_a_migration_failed(self) -> None:
        [migrates] = [
            step["run"]
            for step in WORKFLOWS["stage"]["deploy"]["steps"]
            if step.get("name") == "Migrate"
        ]
        assert migrates.splitlines()[-1] == ".venv/bin/python -m scripts.migrate"

    def test_can_be_rolled_back_to_a_template_of_any_size(self) -> None:
        # CloudFormation takes 51,200 bytes without a bucket.
        assert "--s3-bucket" in WORKFLOWS["stage"]["deploy"]["steps"][-1]["run"]


class TestPublication:
    def test_is_of_a_tag_of_what_was_tested_and_packed(self) -> None:
        workflow = yaml.safe_load((ROOT / ".github/workflows/publish-client.yml").read_text())
        assert workflow[True] == {"push": {"tags": ["client-v*"]}}  # YAML takes `on` for true
        pack, publish = workflow["jobs"]["pack"], workflow["jobs"]["publish"]
        commands = [step.get("run", "") for step in pack["steps"]]
        assert commands.index("make test-client") < next(
            at for at, run in enumerate(commands) if "npm pack" in run
        )
        assert publish["needs"] == "pack"
        assert publish["steps"][-1]["run"] == "npm publish ./*.tgz --provenance"

    def test_needs_a_decision_and_no_token(self) -> None:
        jobs = WORKFLOWS["publish-client"]
        assert jobs["publish"]["if"] == "vars.NPM_PUBLISH == 'true'"
        assert jobs["publish"]["permissions"] == {"id-token": "write"}
        assert jobs["pack"]["permissions"] == {"contents": "read"}
        assert "NODE_AUTH_TOKEN" not in str(jobs)


class TestProbe:
    def test_comes_often_enough_for_its_alarm(self) -> None:
        workflow = yaml.safe_load((ROOT / ".github/workflows/probe.yml").read_text())
        [schedule] = workflow[True]["schedule"]  # YAML takes `on` for true
        assert len(schedule["cron"].split()[0].split(",")) == 4

    def test_calls_every_function(self) -> None:
        smoke = (ROOT / "scripts/smoke.py").read_text()
        for name in "health", "create", "get", "list", "update", "toggle", "delete":
            assert f'self.request("{name}"' in smoke
        assert "nowhere" in smoke  # the fallback


class TestSmoke:
    @pytest.mark.parametrize(
        "token",
        ["$(shell touch {})", "$(touch {})", "`touch {}`", "'; touch {}; '", '"; touch {}; "'],
    )
    def test_expands_nothing_of_a_token(self, token: str, tmp_path: Path) -> None:
        (tmp_path / ".venv/bin").mkdir(parents=True)
        trap = tmp_path / "trap"
        seen = tmp_path / "seen"
        python = tmp_path / ".venv/bin/python"
        python.write_text(f'#!/bin/sh\nprintf %s "$TOKEN" > {seen}\n')
        python.chmod(0o755)
        for name in "requirements.txt", "requirements", "Makefile":
            (tmp_path / name).symlink_to(ROOT / name)
        (tmp_path / ".venv/installed").touch()
        hostile = token.format(trap)
        made = subprocess.run(
            ["make", "--old-file=.venv/installed", "smoke"],
            cwd=tmp_path,
            env=os.environ | dict.fromkeys(("TOKEN", "URL", "ORIGIN"), hostile),
            check=False,
            capture_output=True,
            text=True,
        )
        assert made.returncode == 0, made.stderr
        assert seen.read_text() == hostile
        assert not trap.exists()
        assert hostile not in made.stdout + made.stderr


class TestDependabot:
    def test_waits_a_week_with_everything_that_is_locked(self) -> None:
        updates = yaml.safe_load((ROOT / ".github/dependabot.yml").read_text())["updates"]
        assert {item["package-ecosystem"] for item in updates} == {"github-actions", "pip", "npm"}
        for update in updates:
            assert update["cooldown"]["default-days"] >= 7

    def test_knows_every_package_of_node(self) -> None:
        updates = yaml.safe_load((ROOT / ".github/dependabot.yml").read_text())["updates"]
        [npm] = [item for item in updates if item["package-ecosystem"] == "npm"]
        locks = {
            f"/{path.parent.relative_to(ROOT)}"
            for path in ROOT.rglob("package-lock.json")
            if not {"node_modules", ".venv", ".local", ".aws-sam"} & set(path.parts)
        }
        known = [lock for lock in locks if any(fnmatch(lock, item) for item in npm["directories"])]
        assert sorted(known) == sorted(locks)


class TestPage:
    def test_makes_what_can_be_made(self) -> None:
        code = re.findall(r"```.*?```|`[^`\n]+`", PAGE, re.DOTALL)
        assert made("\n".join(code)) <= TARGETS

    def test_explains_every_alarm(self) -> None:
        alarms = re.findall(r"AlarmName: !Sub \"\$\{AWS::StackName\}-([\w-]+)", TEMPLATE)
        explained = re.findall(r"^\| `([\w-]+)` \| .* \| .* \| .* \|$", PAGE, re.MULTILINE)
        assert sorted(alarms) == sorted(explained)

    def test_names_parameters_outputs_and_metrics_that_there_are(self) -> None:
        for name in re.findall(r"`((?!\w*Error\b)[A-Z][a-z]+(?:[A-Z][a-z]+)+)\b", PAGE):
            assert re.search(rf'^  {name}:|"{name}"', TEMPLATES, re.MULTILINE), name

    def test_adds_its_costs_up(self) -> None:
        tables = re.findall(r"(?:^\|.*\|\n)+", PAGE, re.MULTILINE)
        sums = [table for table in tables if "| **" in table]
        assert sums
        for table in sums:
            *amounts, total = re.findall(r"\| \**([\d.]+)\** \|$", table, re.MULTILINE)
            assert round(sum(map(float, amounts)), 2) == float(total)
