"""Figures of a function's cold start that are the same on every machine."""

import json
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import FUNCTIONS, ROOT

MODULES = [f"functions.{name}" for name in FUNCTIONS]
MEGABYTES = 75
NOT_DEPLOYED = {"alembic", "local", "migrations", "pytest", "tests", "uvicorn", "yaml"}
NOT_AT_ONCE = {
    "aws_lambda_powertools.utilities.parameters",
    "aws_xray_sdk",
    "boto3",
    "botocore.session",
    "httpx2",
}

# Prints what importing a module leaves behind, in a process where nothing else was imported.
IMPORT = """
import gc, importlib, json, sys

importlib.import_module(sys.argv[1])
print(json.dumps({
    "modules": sorted(sys.modules),
    "collects": gc.isenabled(),
    "frozen": gc.get_freeze_count(),
}))
"""


@cache
def imported(module: str) -> dict[str, Any]:
    command = [sys.executable, "-c", IMPORT, module]
    run = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    content: dict[str, Any] = json.loads(run.stdout)
    return content


def openapi_modules(module: str) -> set[str]:
    return {name for name in imported(module)["modules"] if name.startswith("fastapi.openapi")}


@pytest.mark.parametrize("module", MODULES)
class TestFunction:
    def test_imports_nothing_that_it_does_not_need_at_once(self, module: str) -> None:
        modules = set(imported(module)["modules"])
        assert not modules & NOT_AT_ONCE
        assert not {name.partition(".")[0] for name in modules} & NOT_DEPLOYED

    def test_imports_no_other_function(self, module: str) -> None:
        modules = imported(module)["modules"]
        assert [name for name in modules if name.startswith("functions.")] == [module]

    def test_imports_of_openapi_what_fastapi_imports_itself(self, module: str) -> None:
        assert openapi_modules(module) == openapi_modules("fastapi")

    def test_keeps_its_imports_from_the_collector(self, module: str) -> None:
        found = imported(module)
        assert found["collects"]
        assert found["frozen"] > 100_000


def test_what_is_deployed_is_small(tmp_path: Path) -> None:
    for name in ("bundle", "functions", "scripts", "shared"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in ("openapi.json", "requirements.txt"):
        shutil.copy(ROOT / name, tmp_path)
    # The byte code is of the Python at hand, not Lambda's: `make test-artifact` weighs that, too.
    build = [sys.executable, "scripts/build.py", "arm64", "artifact"]
    subprocess.run(build, cwd=tmp_path, check=True, capture_output=True)
    files = (path for path in (tmp_path / "artifact").rglob("*") if path.is_file())
    assert sum(path.stat().st_size for path in files) <= MEGABYTES * 1_000_000
