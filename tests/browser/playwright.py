"""Runs Playwright with the browser that this machine has; none is downloaded."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def browser() -> str:
    """The program of the browser. Exits where there is none."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    return found or sys.exit("Chromium must be on PATH, or CHROMIUM be its path.")


def playwright(*arguments: str, **variables: str) -> int:
    """Check and run the tests, which find the variables in their environment; the exit status."""
    program = browser()
    return npm_run("check") or npm_run("test", *arguments, CHROMIUM=program, **variables)


def npm_run(script: str, *arguments: str, **variables: str) -> int:
    """Run a script of the tests' package; returns its exit status."""
    command = ["npm", "run", "--silent", script, "--", *arguments]
    environment = os.environ | variables
    return subprocess.run(command, cwd=HERE, env=environment, check=False).returncode
