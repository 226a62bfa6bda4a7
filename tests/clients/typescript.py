"""`make test-client`: the TypeScript client against the API on a real Postgres, and Better Auth."""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from local.postgres import running
from local.state import ROOT
from tests import better_auth_server
from tests.reliability.fuzz import served

CLIENT = ROOT / "clients" / "typescript"
SCRIPTS = ("check", "build", "test")
OTHERS = ("DATABASE_SECRET_ARN", "JWKS_URL", "JWT_ISSUER", "JWT_AUDIENCE", "BETTER_AUTH_SECRET")


def npm_run(script: str, variables: dict[str, str]) -> int:
    """Run a script of the client's package; returns its exit status."""
    command = ["npm", "run", "--silent", script]
    return subprocess.run(command, cwd=CLIENT, env=os.environ | variables, check=False).returncode


def main() -> int:
    """Run the client's scripts, as far as they pass; the exit status."""
    for name in OTHERS:
        os.environ.pop(name, None)
    with (
        TemporaryDirectory() as folder,
        running(Path(folder) / "postgres", durable=False) as postgres,
        better_auth_server.running() as issuer,
    ):
        url = postgres.database_url()
        variables = {
            "DATABASE_URL": url,
            "MIGRATION_DATABASE_URL": url,
            "BETTER_AUTH_URL": issuer.url,
        }
        alembic = [sys.executable, "-m", "alembic", "upgrade", "head"]
        environment = os.environ | variables
        subprocess.run(alembic, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
        with served(variables) as address:
            servers = {"API_URL": address, "AUTH_URL": issuer.url}
            return next(filter(None, (npm_run(script, servers) for script in SCRIPTS)), 0)


if __name__ == "__main__":
    sys.exit(main())
