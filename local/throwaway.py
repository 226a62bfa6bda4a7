"""`python -m local.throwaway MODULE …`: run a Python module on a throw-away, migrated Postgres."""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from local.postgres import running
from local.state import ROOT


def run(*command: str) -> int:
    """Run a Python module as a command; returns its exit status."""
    return subprocess.run([sys.executable, "-m", *command], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    with TemporaryDirectory() as folder, running(Path(folder) / "data", durable=False) as server:
        os.environ["DATABASE_URL"] = server.database_url("postgres")
        os.environ.pop("MIGRATION_DATABASE_URL", None)
        sys.exit(run("alembic", "upgrade", "head") or run(*sys.argv[1:]))
