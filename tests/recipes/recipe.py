"""A recipe of CONTRIBUTING.md, carried out on a copy of the tree."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

from tests.conftest import POSTGRES, ROOT

BLOCK = re.compile(r"^ *```(diff|python)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
OURS = (POSTGRES, "PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT", "PYTEST_CURRENT_TEST")
DEPLOYED = "functions shared"
INSTALLED = (".venv", ".local", "node_modules", ".git", ".mypy_cache", ".aws-sam", "mutants")


def blocks(title: str) -> Iterator[tuple[str, Path, str]]:
    """The blocks of a recipe: their kind, their file, and what follows."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    [recipe] = re.findall(rf"^### {title}$(.*?)(?=^###? |\Z)", text, re.DOTALL | re.MULTILINE)
    for kind, content in BLOCK.findall(recipe):
        name, _, rest = dedent(content).partition("\n")
        yield kind, Path(name.removeprefix("# ")), rest


def changed(text: str, change: str) -> str:
    """A text with each part of a change made where what surrounds it stands, once."""
    for part in re.split(r"^@@\n", change, flags=re.MULTILINE):
        lines = part.splitlines(keepends=True)
        old, new = (
            "".join(line[1:] for line in lines if line[0] in marks) for marks in (" -", " +")
        )
        assert text.count(old) == 1, f"this stands {text.count(old)} times:\n{old}"
        text = text.replace(old, new)
    return text


class Copy:
    """A copy of the tree, with links to what is installed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*INSTALLED))
        for name in (".venv", ".local", "clients/typescript/node_modules"):
            (folder / name).symlink_to(ROOT / name)
        modules = folder / "examples/web/node_modules"
        modules.mkdir()
        for installed in (ROOT / "examples/web/node_modules").iterdir():
            (modules / installed.name).symlink_to(installed)
        (modules / "task-api-client").unlink()
        (modules / "task-api-client").symlink_to(folder / "clients/typescript")
        for command in ("init", "add .", "commit --message before"):
            self.git(command)

    def git(self, command: str) -> str:
        """What git says."""
        identity = "-c user.name=recipe -c user.email=recipe@example.com"
        return self.run("git", *identity.split(), *command.split())

    def run(self, *command: str) -> str:
        """What a command says; it has to succeed."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={name: value for name, value in os.environ.items() if name not in OURS},
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-20_000:]}"
        return done.stdout

    def apply(self, title: str) -> None:
        """Carry out a recipe, with the description and the client's types made anew."""
        *_, last = sorted(path.name[:4] for path in (ROOT / "migrations/versions").glob("0*.py"))
        numbers = {"LAST": last, "NEXT": f"{int(last) + 1:04}"}
        for kind, name, content in blocks(title):
            path = self.folder / re.sub("NEXT", numbers["NEXT"], str(name))
            if kind == "diff":
                path.write_text(changed(path.read_text(), content))
            else:
                path.write_text(re.sub("LAST|NEXT", lambda found: numbers[found[0]], content))
        self.run(sys.executable, "-m", "scripts.openapi")
        self.npm("clients/typescript", "types")

    def npm(self, folder: str, script: str) -> None:
        """Run a script of a package."""
        self.run("npm", "run", "--silent", "--prefix", folder, script)

    def touched(self) -> list[str]:
        """The files that differ from before."""
        return self.git("status --porcelain --untracked-files=all").splitlines()

    def check(self, named: str, *tests: str) -> None:
        """Run the linters, and those tests that have one of these words in their names."""
        checks = "ruff check", "ruff format --check", f"mypy {DEPLOYED}", "scripts.compatibility"
        for tool in map(str.split, checks):
            self.run(sys.executable, "-m", *tool)
        everything = ("-m", "artifact or not artifact")
        self.run(sys.executable, "-m", "pytest", "-q", "-n0", *everything, "-k", named, *tests)
