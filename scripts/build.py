"""Fill a folder with what one function deploys: the code, openapi.json and locked dependencies.

    bundle/python scripts/build.py arm64 FOLDER

`sam build` calls this for each function. Lambda's file system is read-only, so that what is not
compiled here is compiled again in every cold start; it takes the Python of the target. All
functions deploy the same. The dependencies are installed once, and again when the lock has changed.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements.txt"
DEPENDENCIES = ROOT / ".aws-sam" / "dependencies"
CODE = ("functions", "shared")
DESCRIPTION = "openapi.json"
TASK_ROOT = "/var/task"  # where Lambda unpacks it; tracebacks name files in there

PYTHON = "3.13"
MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}
MANYLINUX = ("manylinux_2_34", "manylinux_2_28", "manylinux2014")  # Amazon Linux 2023: glibc 2.34

# What no function imports; `make test-artifact` drives each one without it.
UNUSED = (
    "bin",
    "*.dist-info/RECORD",
    "*.dist-info/sboms",
    "aws_lambda_powertools/event_handler",
    "aws_lambda_powertools/utilities/[!_jpt]*",  # leaves parameters and what it imports
    "aws_lambda_powertools/utilities/parser",
    "cffi",
    "idna",
    "pycparser",
    "pydantic/v1",
    "sqlalchemy/dialects/[!_p]*",
    "sqlalchemy/ext",
    "sqlalchemy/testing",
    "**/*.pyi",
)


def main(architecture: str, folder: Path) -> None:
    """Fill the folder."""
    os.umask(0o022)  # Lambda reads it as another user
    DEPENDENCIES.mkdir(parents=True, exist_ok=True)
    with (DEPENDENCIES / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # `sam build --parallel` calls all at once
        libraries = dependencies(architecture)
    shutil.copytree(libraries, folder, copy_function=os.link, dirs_exist_ok=True)
    for name in CODE:
        for source in (ROOT / name).rglob("*.py"):
            copy = folder / source.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy)
        compile_all(folder / name, folder)
    shutil.copyfile(ROOT / DESCRIPTION, folder / DESCRIPTION)


def dependencies(architecture: str) -> Path:
    """The folder of the dependencies for an architecture; made where the lock has changed."""
    sources = REQUIREMENTS.read_bytes() + Path(__file__).read_bytes()
    made = DEPENDENCIES / f"{architecture}-{sha256(sources).hexdigest()[:16]}"
    if not made.exists():
        for outdated in DEPENDENCIES.glob(f"{architecture}-*"):
            remove(outdated)
        new = made.with_suffix(".new")
        install(MACHINES[architecture], new)
        prune(new)
        compile_all(new, new)
        new.rename(made)
    return made


def install(machine: str, folder: Path) -> None:
    """Install the wheels of the lock for a machine."""
    print(f"Installing dependencies for {machine}", flush=True)
    target = [
        *("--implementation=cp", f"--python-version={PYTHON}"),
        *(f"--platform={name}_{machine}" for name in MANYLINUX),
    ]
    pip = [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
        *("--require-hashes", "--only-binary=:all:", "--no-compile", f"--target={folder}"),
        *target,
        f"--requirement={REQUIREMENTS}",
    ]
    if status := subprocess.run(pip, check=False).returncode:
        sys.exit(status)  # pip has said why


def prune(folder: Path) -> None:
    """Remove what is not used. A pattern without a match is outdated."""
    for pattern in UNUSED:
        matches = list(folder.glob(pattern))
        if not matches:
            sys.exit(f"scripts/build.py: nothing matches {pattern} any more")
        for path in matches:
            remove(path)


def remove(path: Path) -> None:
    """Remove a file or a folder."""
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def compile_all(folder: Path, root: Path) -> None:
    """Compile a folder into byte code that is never checked against a source (PEP 552).

    Without the columns of each expression it is a third smaller; tracebacks keep their lines.
    """
    compileall = [
        *(sys.executable, "-X", "no_debug_ranges", "-m", "compileall", "-q", "-j", "0"),
        *("--invalidation-mode=unchecked-hash", "-s", str(root), "-p", TASK_ROOT, str(folder)),
    ]
    if subprocess.run(compileall, check=False).returncode:
        sys.exit(f"scripts/build.py: not everything in {folder.name} compiles")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
