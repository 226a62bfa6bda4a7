"""The pipeline and the page that explains it: what they name is there."""

import re
import tomllib
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT
from tests.deploy.lambda_runtime import ARTIFACTS

WORKFLOWS = {
    path.stem: yaml.safe_load(path.read_text())["jobs"]
    for path in sorted((ROOT / ".github/workflows").glob("*.yml"))
}
PAGE = (ROOT / "docs/operate.md").read_text()
TEMPLATE = (ROOT / "template.yaml").read_text()
TARGETS = set(re.findall(r"^([\w./-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
SAMCONFIG = tomllib.loads((ROOT / "samconfig.toml").read_text())
LARGEST_TEMPLATE = 51_200  # bytes that CloudFormation takes without a bucket
PACKAGED = 2_000  # bytes that `sam deploy` adds: where the artifacts are

Jobs = dict[str, dict[str, Any]]


def made(commands: str) -> set[str]:
    """The targets that commands make."""
    return set(re.findall(r"\bmake (?:-s |--silent )?([\w./-]+)", commands))


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

    def test_holds_no_secret(self, jobs: Jobs) -> None:
        assert "secrets." not in str(jobs)


class TestChecks:
    def test_make_what_can_be_made(self) -> None:
        assert {suite["target"] for suite in slow()} <= TARGETS

    def test_are_all_that_anybody_runs_before_a_push(self) -> None:
        commands = {step.get("run") for step in WORKFLOWS["checks"]["test"]["steps"]}
        commands |= {f"make {suite['target']}" for suite in slow()}
        lines = (ROOT / ".ci/run").read_text().splitlines()
        assert {line for line in lines if line.startswith("make ")} <= commands

    def test_run_on_each_python_from_the_oldest_on(self) -> None:
        config = tomllib.loads((ROOT / "pyproject.toml").read_text())
        oldest = int(config["tool"]["mypy"]["python_version"].partition(".")[2])
        versions = WORKFLOWS["checks"]["test"]["strategy"]["matrix"]["python"]
        assert versions == [f"3.{minor}" for minor in range(oldest, 15)]


class TestDeployment:
    def test_goes_to_staging_first_and_nowhere_unchecked(self) -> None:
        assert WORKFLOWS["deploy"]["staging"]["needs"] == ["checks", "build"]
        assert WORKFLOWS["deploy"]["production"]["needs"] == "staging"

    @pytest.mark.parametrize(("job", "stage"), [("staging", "staging"), ("production", "prod")])
    def test_goes_to_the_stack_of_its_stage(self, job: str, stage: str) -> None:
        assert WORKFLOWS["deploy"][job]["with"] == {"stage": stage}
        stack = WORKFLOWS["stage"]["deploy"]["env"]["STACK"]
        expected = SAMCONFIG[stage]["deploy"]["parameters"]["stack_name"]
        assert stack.replace("${{ inputs.stage }}", stage) == expected

    def test_migrates_before_and_tries_out_after(self) -> None:
        steps = [step.get("name") for step in WORKFLOWS["stage"]["deploy"]["steps"]]
        assert steps[-4:] == ["Migrate", "Deploy", "Smoke test", "Roll back"]

    @pytest.mark.artifact
    def test_can_be_rolled_back_to_a_template_of_this_size(self) -> None:
        assert (ARTIFACTS / "template.yaml").stat().st_size + PACKAGED < LARGEST_TEMPLATE


class TestPage:
    def test_makes_what_can_be_made(self) -> None:
        code = re.findall(r"```.*?```|`[^`\n]+`", PAGE, re.DOTALL)
        assert made("\n".join(code)) <= TARGETS

    def test_explains_every_alarm(self) -> None:
        alarms = re.findall(r"AlarmName: !Sub \$\{AWS::StackName\}-([\w-]+)", TEMPLATE)
        explained = re.findall(r"^\| `([\w-]+)` \| .* \| .* \| .* \|$", PAGE, re.MULTILINE)
        assert sorted(alarms) == sorted(explained)

    def test_names_parameters_outputs_and_metrics_that_there_are(self) -> None:
        for name in re.findall(r"`((?!\w*Error\b)[A-Z][a-z]+(?:[A-Z][a-z]+)+)\b", PAGE):
            assert re.search(rf'^  {name}:$|"{name}"', TEMPLATE, re.MULTILINE), name

    def test_adds_its_costs_up(self) -> None:
        tables = re.findall(r"(?:^\|.*\|\n)+", PAGE, re.MULTILINE)
        sums = [table for table in tables if "| **" in table]
        assert sums
        for table in sums:
            *amounts, total = re.findall(r"\| \**([\d.]+)\** \|$", table, re.MULTILINE)
            assert round(sum(map(float, amounts)), 2) == float(total)
