"""Fill a folder with what one function deploys: functions/, shared/ and the locked dependencies.

    bundle/python bundle/build.py arm64 FOLDER

`sam build` calls this for each function. Lambda's file system is read-only, so that what is not
compiled here is compiled again in every cold start; it takes the Python of the target. All
functions deploy the same. The dependencies are byte code alone: with sources they would weigh a
third more. What takes time is made once, and again when what it is made of has changed.
"""

# ruff: noqa: INP001, T201 (a script)

import compileall
import fcntl
import os
import platform
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from py_compile import PycInvalidationMode

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
REQUIREMENTS = ROOT / "requirements.txt"
DEPENDENCIES = ROOT / ".aws-sam" / "dependencies"
CODE = ("functions", "shared")
TASK_ROOT = "/var/task"  # where Lambda unpacks it; tracebacks name files in there

PYTHON = "3.13"
THIS_MACHINE = "this-machine"
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
        texts = precompiled()
    shutil.copytree(libraries, folder, copy_function=os.link, dirs_exist_ok=True)
    for name in CODE:
        for source in (ROOT / name).rglob("*.py"):
            copy = folder / source.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy)
        compile_all(folder / name, folder)
    shutil.copyfile(texts, folder / "shared" / "precompiled.marshal")


def once(kind: str, sources: list[Path], make: Callable[[Path], None]) -> Path:
    """What is made of sources, for the first time or since they have changed."""
    digest = sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:16]
    made = DEPENDENCIES / f"{kind}-{digest}"
    if not made.exists():
        for outdated in DEPENDENCIES.glob(f"{kind}-*"):
            remove(outdated)
        new = made.with_suffix(".new")
        make(new)
        new.rename(made)
    return made


def dependencies(architecture: str) -> Path:
    """The folder of the dependencies for an architecture of Lambda's, or for this machine."""

    def make(new: Path) -> None:
        install(MACHINES.get(architecture), new)
        prune(new)
        if architecture in MACHINES:
            for library in new.rglob("*.so*"):
                strip(library)
        compile_all(new, new, sourceless=True)

    return once(architecture, [REQUIREMENTS, HERE / "build.py"], make)


def runnable() -> Path:
    """The folder of dependencies that run here, which need not be a machine like Lambda's."""
    here = platform.machine(), platform.libc_ver()[0], "{}.{}".format(*sys.version_info)
    like = [name for name, machine in MACHINES.items() if here == (machine, "glibc", PYTHON)]
    return dependencies(like[0] if like else THIS_MACHINE)


def precompiled() -> Path:
    """The file of what libraries compile from text; it is the same for every architecture."""
    code = [source for name in CODE for source in sorted((ROOT / name).rglob("*.py"))]

    def make(new: Path) -> None:
        record = [sys.executable, "-S", str(HERE / "record.py"), str(runnable()), str(new)]
        # Sets of strings have an order of their own in each process otherwise.
        environment = os.environ | {"PYTHONHASHSEED": "0"}
        if status := subprocess.run(record, env=environment, check=False).returncode:
            sys.exit(status)  # Python has said why

    return once("precompiled", [REQUIREMENTS, *sorted(HERE.glob("*.py")), *code], make)


def install(machine: str | None, folder: Path) -> None:
    """Install the wheels of the lock for a machine, or for this one, whatever it is."""
    print(f"Installing dependencies for {machine or THIS_MACHINE}", flush=True)
    target = [
        *("--implementation=cp", f"--python-version={PYTHON}"),
        *(f"--platform={name}_{machine}" for name in MANYLINUX),
    ]
    pip = [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
        *("--require-hashes", "--only-binary=:all:", "--no-compile", f"--target={folder}"),
        *(target if machine else ()),
        f"--requirement={REQUIREMENTS}",
    ]
    if status := subprocess.run(pip, check=False).returncode:
        sys.exit(status)  # pip has said why


def prune(folder: Path) -> None:
    """Remove what is not used. A pattern without a match is outdated."""
    for pattern in UNUSED:
        matches = list(folder.glob(pattern))
        if not matches:
            sys.exit(f"bundle/build.py: nothing matches {pattern} any more")
        for path in matches:
            remove(path)


def remove(path: Path) -> None:
    """Remove a file or a folder."""
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def strip(library: Path) -> None:
    """Cut off the symbols and whatever else the loader does not map, as sstrip(1) does.

    strip(1) knows only the architecture that it runs on. Layout: elf(5), 64 bits, little-endian.
    """
    content = bytearray(library.read_bytes())
    [segments] = struct.unpack_from("<Q", content, 32)  # e_phoff
    size, count = struct.unpack_from("<HH", content, 54)  # e_phentsize, e_phnum
    end = segments + size * count
    for segment in range(segments, end, size):
        offset, _, _, length = struct.unpack_from("<4Q", content, segment + 8)  # to p_filesz
        end = max(end, offset + length)
    struct.pack_into("<Q", content, 40, 0)  # e_shoff
    struct.pack_into("<HH", content, 60, 0, 0)  # e_shnum, e_shstrndx
    library.write_bytes(content[:end])


def compile_all(folder: Path, root: Path, *, sourceless: bool = False) -> None:
    """Compile a folder into byte code that is never checked against a source (PEP 552)."""
    compiled = compileall.compile_dir(
        folder,
        stripdir=root,
        prependdir=TASK_ROOT,
        legacy=sourceless,
        quiet=1,
        workers=0,
        invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
    )
    if not compiled:
        sys.exit(f"bundle/build.py: not everything in {folder.name} compiles")
    if sourceless:
        for source in folder.rglob("*.py"):
            source.unlink()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
