"""`python -m local throwaway MODULE …`: run a Python module on a throw-away, migrated Postgres."""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from local.postgres import running
from local.services import migrate
from local.state import ROOT


def main() -> None:
    """Run what stands behind the command; exits with its status."""
    module = sys.argv[2:]
    with TemporaryDirectory() as folder, running(Path(folder) / "data", durable=False) as server:
        url = server.database_url()
        migrate(url)
        environment = os.environ | {"DATABASE_URL": url, "MIGRATION_DATABASE_URL": ""}
        command = [sys.executable, "-m", *module]
        sys.exit(subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode)
