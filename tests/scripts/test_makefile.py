"""What `make` says where something is missing, and what it cleans."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import jwt
import pytest

from tests.conftest import ROOT

# A Python that says of itself what a test needs, before it runs the code that it is given.
PRETENDER = """#!/bin/sh
exec {python} -c "import sys; {lie}; exec(sys.argv[1])" "$2"
"""
OLD = "sys.version_info = (3, 9, 2, 'final', 0)"
WITHOUT_VENV = "sys.modules['ensurepip'] = None"
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout that seems to be installed."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in ("bundle", "requirements", "requirements.txt", "local", "shared", "scripts"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / ".venv").mkdir()
    for stamp in ("installed", "node"):
        (tmp_path / ".venv" / stamp).touch()
    return tmp_path


def make(checkout: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", "--silent", f"RUN={sys.executable} -m", *arguments],
        cwd=checkout,
        env=os.environ | variables,
        check=False,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("lie", "found", "advice"),
    [
        (OLD, "is Python 3.9.2", "3.11 or later is needed"),
        (WITHOUT_VENV, f"(Python {PYTHON}", f"apt install python{PYTHON}-venv"),
    ],
)
def test_a_python_that_will_not_do_is_a_sentence(
    checkout: Path, lie: str, found: str, advice: str
) -> None:
    python = checkout / "python"
    python.write_text(PRETENDER.format(python=sys.executable, lie=lie))
    python.chmod(0o755)
    (checkout / ".venv/installed").unlink()
    run = make(checkout, "dev", f"PYTHON={python}")
    assert run.returncode != 0
    _, sentence, _ = run.stderr.splitlines()  # "Installing …", and make's own
    assert sentence.startswith(str(python))
    assert found in sentence
    assert advice in sentence
    assert sentence.endswith("PYTHON=python3.12 make dev")


def test_a_python_that_is_not_there_is_a_sentence(checkout: Path) -> None:
    (checkout / ".venv/installed").unlink()
    run = make(checkout, "dev", "PYTHON=python3.99")
    assert "\nNo Python runs as python3.99. Choose another" in run.stderr


def test_a_checkout_that_cannot_be_written_is_a_sentence(checkout: Path) -> None:
    shutil.rmtree(checkout / ".venv")
    (checkout / ".venv").touch()
    run = make(checkout, "dev", f"PYTHON={sys.executable}")
    assert run.returncode != 0
    assert f"\n{checkout}/.venv cannot be made, and everything" in run.stderr


@pytest.mark.parametrize("target", ["bench", "bench-quick", "scale"])
def test_what_needs_lambdas_python_says_so(checkout: Path, target: str) -> None:
    tools = checkout / "tools"
    tools.mkdir()
    for name in ("make", "sh"):
        (tools / name).symlink_to(str(shutil.which(name)))
    run = make(checkout, target, PATH=str(tools))
    assert run.returncode != 0
    assert run.stderr.startswith("This needs Python 3.13 with pip")
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize(("given", "subject"), [("", "demo"), ("bob", "bob")])
def test_a_token_is_for_the_subject(checkout: Path, given: str, subject: str) -> None:
    run = make(checkout, "token", USER="root", SUBJECT=given)
    claims = jwt.decode(run.stdout.strip(), options={"verify_signature": False})
    assert claims["sub"] == subject


def test_clean_removes_all_that_git_ignores_but_settings(checkout: Path) -> None:
    ignored = [
        file.parent.relative_to(ROOT) / line.removesuffix("/").replace("*", "x")
        for file in (ROOT / name for name in git("ls-files", "*.gitignore").split())
        for line in file.read_text().split()
        if not line.startswith(("!", ".env"))
    ]
    assert ignored
    for made in ignored:
        (checkout / made).mkdir(parents=True, exist_ok=True)
    nested = checkout / "tests/browser"
    for name in ("node_modules", "__pycache__"):
        (nested / name / "module").mkdir(parents=True)
    make(checkout, "clean")
    assert not [made for made in ignored if (checkout / made).exists()]
    assert not list(nested.iterdir())


def git(*arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
