"""Importing a function leaves the standard library and its dependencies as they were."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import FUNCTIONS, ROOT


def changes(*modules: str, **variables: str) -> list[str]:
    """What importing modules changes in libraries."""
    run = subprocess.run(
        [sys.executable, "-m", "tests.library_changes", *modules],
        cwd=ROOT,
        env=os.environ | variables,
        check=True,
        capture_output=True,
        text=True,
    )
    found: list[str] = json.loads(run.stdout)
    return found


def test_importing_the_functions_changes_no_library() -> None:
    modules = [f"functions.{name}" for name in FUNCTIONS]
    changed = changes(*modules, AWS_LAMBDA_FUNCTION_NAME="function")
    assert not changed, "do with a library what its documentation offers, or say why in EXPECTED"


CHANGES = """
import dataclasses, json, psycopg, pydantic, re, warnings
dataclasses.exec = exec
json.JSONEncoder.default = print
del json.loads
psycopg.Connection._exit_gen = print
pydantic.BaseModel.model_config["defer_build"] = True
re._compiler = json
warnings.simplefilter("ignore")
"""


def test_a_change_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "changing.py").write_text(CHANGES)
    assert set(changes("changing", PYTHONPATH=str(tmp_path))) >= {
        "dataclasses.exec",
        "json.encoder.JSONEncoder.default",
        "json.loads",
        "psycopg.Connection._exit_gen",
        "pydantic.main.BaseModel.model_config",
        "re._compiler",
        "warnings.filters",
    }
