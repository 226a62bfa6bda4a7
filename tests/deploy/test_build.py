"""`sam build`, in a copy of what it needs."""

import os
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.deploy.lambda_runtime import ARCHITECTURE, artifact
from tests.deploy.stack import SAM
from tests.deploy.test_artifact import CODE, ELF_MACHINES, MEGABYTES, files, machine

pytestmark = pytest.mark.artifact

NEEDED = (
    *(*CODE, "bundle", "scripts"),
    *("openapi.json", "requirements.txt", "samconfig.toml", "template.yaml"),
)
DEPENDENCIES = Path(".aws-sam/dependencies")
FUNCTION = "ListTasksFunction"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A fresh checkout, in a folder with a space in its name."""
    copy = tmp_path / "a checkout"
    copy.mkdir()
    for name in NEEDED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy / name)
    return copy


@pytest.fixture
def prepared(checkout: Path) -> Path:
    """A checkout whose dependencies have been installed before."""
    shutil.copytree(ROOT / DEPENDENCIES, checkout / DEPENDENCIES, copy_function=os.link)
    return checkout


@dataclass(frozen=True)
class Built:
    """What came of a build."""

    succeeded: bool
    output: str
    folder: Path


def build(
    checkout: Path,
    *functions: str,
    architecture: str | None = ARCHITECTURE,
    **environment: str,
) -> Built:
    """Run `sam build` for one function, or for all.

    Without an architecture it is for the one that the template names.
    """
    overrides = ["--parameter-overrides", f"Architecture={architecture}"] if architecture else []
    process = subprocess.run(
        [str(SAM / "sam"), "build", *functions, *overrides],
        check=False,
        cwd=checkout,
        env=os.environ | {"SAM_CLI_TELEMETRY": "0"} | environment,
        capture_output=True,
        text=True,
        umask=0o077,
    )
    folder = checkout / ".aws-sam/build" / FUNCTION
    return Built(process.returncode == 0, process.stdout + process.stderr, folder)


class TestBuild:
    @pytest.mark.parametrize(("architecture", "expected"), [(None, "arm64"), ("x86_64", "x86_64")])
    def test_works_from_nothing_for_either_machine(
        self, checkout: Path, architecture: str | None, expected: str
    ) -> None:
        built = build(checkout, architecture=architecture)
        assert built.succeeded, built.output
        libraries = built.folder.rglob("*.so*")
        assert {machine(library) for library in libraries} == {ELF_MACHINES[expected]}
        assert sum(map(len, files(built.folder).values())) <= MEGABYTES * 1_000_000
        assert all(path.stat().st_mode & stat.S_IROTH for path in built.folder.rglob("*"))

    def test_makes_the_same_anywhere_out_of_the_same(self, checkout: Path) -> None:
        assert files(build(checkout, FUNCTION).folder) == files(artifact(FUNCTION))

    def test_installs_the_dependencies_once(self, prepared: Path) -> None:
        with (prepared / "requirements.txt").open("a") as lock:
            lock.write("# changed\n")
        outputs = [build(prepared).output for _ in range(2)]
        assert [output.count("Installing dependencies") for output in outputs] == [1, 0]

    def test_picks_up_edits(self, prepared: Path) -> None:
        (prepared / "shared/old.py").touch()
        assert build(prepared, FUNCTION).succeeded
        health = prepared / "functions/health.py"
        health.write_text(health.read_text() + "EDITED = True\n")
        (prepared / "shared/new.py").touch()
        (prepared / "shared/old.py").unlink()
        folder = build(prepared, FUNCTION).folder
        assert (folder / "functions/health.py").read_text().endswith("EDITED = True\n")
        names = {path.name.partition(".")[0] for path in (folder / "shared").rglob("*.py*")}
        assert "new" in names
        assert "old" not in names

    def test_leaves_out_what_lies_around(self, prepared: Path) -> None:
        for name in ".env", ".env.local", "functions/.env", "shared/notes.txt", "node_modules/a.js":
            (prepared / name).parent.mkdir(exist_ok=True)
            (prepared / name).write_text("not-for-deployment")
        assert files(build(prepared, FUNCTION).folder) == files(artifact(FUNCTION))

    def test_says_what_is_missing_where_there_is_no_python_of_lambdas(
        self, prepared: Path, tmp_path: Path
    ) -> None:
        broken = tmp_path / "python3.13"  # a shim for a Python that is not there
        broken.write_text("#!/bin/sh\nexit 127\n")
        broken.chmod(0o755)
        built = build(prepared, PATH=f"{tmp_path}:{os.environ['PATH']}")
        assert not built.succeeded
        assert built.output.count("This needs Python 3.13 with pip") == 1
