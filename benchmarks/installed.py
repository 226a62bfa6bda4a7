"""What is installed under `.local/benchmarks`: the artifact, Python's peers, Node's peer."""

import os
import platform
import shutil
import subprocess
from functools import cache
from hashlib import sha256
from pathlib import Path

from local.state import ROOT

HERE = Path(__file__).parent
FOLDER = ROOT / ".local/benchmarks"
ARTIFACT = FOLDER / "artifact"
SOURCES = FOLDER / "sources"
LIBRARIES = FOLDER / "libraries"
PEERS = FOLDER / "peers"
HONO = FOLDER / "hono"
MACHINE = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
BUNDLE = (
    *("node_modules/.bin/esbuild", "handler.mjs", "--bundle", "--minify", "--platform=node"),
    *("--format=esm", "--target=node20", "--outfile=bundle.mjs", "--external:pg-native"),
    (
        "--banner:js=import{createRequire}from'node:module';"
        "const require=createRequire(import.meta.url);"
    ),
)


@cache
def python() -> str:
    """Lambda's Python itself, not a shim that looks for it."""
    command = [str(ROOT / "bundle/python"), "-c", "import sys; print(sys.executable)"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def install() -> None:
    """Install what is missing or outdated."""
    if outdated("libraries", ROOT / "requirements/benchmarks.txt"):
        shutil.rmtree(LIBRARIES, ignore_errors=True)
        pip = [python(), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        requirements = ["--requirement", str(ROOT / "requirements/benchmarks.txt")]
        subprocess.run([*pip, "--target", str(LIBRARIES), *requirements], check=True)
        done("libraries", ROOT / "requirements/benchmarks.txt")
    hono = HERE / "peers/hono"
    if outdated("hono", hono / "package-lock.json"):
        shutil.rmtree(HONO, ignore_errors=True)
        HONO.mkdir(parents=True)
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(hono / name, HONO)
        npm = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(npm, cwd=HONO, check=True)
        done("hono", hono / "package-lock.json")
    shutil.copytree(hono, HONO, dirs_exist_ok=True)
    subprocess.run([*BUNDLE, "--log-level=warning"], cwd=HONO, check=True)
    copy_code()


def copy_code() -> None:
    """Copy the peers, compiled, and ours without byte code."""
    for folder in (PEERS, SOURCES):
        shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(HERE / "peers", PEERS, ignore=shutil.ignore_patterns("hono", "__pycache__"))
    without = shutil.ignore_patterns("__pycache__")
    compile_all = [*(python(), "-X", "no_debug_ranges", "-m", "compileall", "-q", "-j0")]
    folders = map(str, (PEERS, LIBRARIES))
    subprocess.run([*compile_all, "--invalidation-mode=unchecked-hash", *folders], check=True)
    shutil.copytree(LIBRARIES, SOURCES, ignore=without, copy_function=os.link)
    for name in ("functions", "shared"):
        shutil.copytree(ROOT / name, SOURCES / name, ignore=without)


def outdated(what: str, lock: Path) -> bool:
    """Whether something has to be installed."""
    mark = FOLDER / f"{what}.installed"
    return not mark.exists() or mark.read_text() != digest(lock)


def done(what: str, lock: Path) -> None:
    """Remember what it was installed from."""
    (FOLDER / f"{what}.installed").write_text(digest(lock))


def digest(lock: Path) -> str:
    """What a lock file says, in short."""
    return sha256(lock.read_bytes()).hexdigest()
