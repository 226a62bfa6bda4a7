"""What importing a function leaves behind."""

import subprocess
import sys

from tests.conftest import ROOT


def after_import(expression: str) -> str:
    """What an expression is where a function has just been imported."""
    code = f"import functions.get_task, gc, pydantic; print({expression})"
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


class TestImport:
    def test_leaves_the_collector_on_and_without_what_was_imported(self) -> None:
        assert after_import("gc.isenabled(), gc.get_freeze_count() > 10_000") == "True True\n"

    def test_leaves_the_models_of_others_as_they_were(self) -> None:
        assert after_import("pydantic.BaseModel.model_config") == "{}\n"
