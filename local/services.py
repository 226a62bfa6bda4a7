"""What the API needs, and local running brings where the environment names nothing else."""

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from local.command import is_set, say
from local.issuer import Issuer
from local.postgres import Server, running
from local.state import ROOT, development_issuer

DATABASES = ("DATABASE_URL", "DATABASE_SECRET_ARN")
SECRETS = ("BETTER_AUTH_SECRET", "JWT_SECRET")
ISSUERS = ("BETTER_AUTH_URL", "JWKS_URL", *SECRETS, *(f"{name}_ARN" for name in SECRETS))
FRONTENDS = "http://localhost:3000,http://localhost:5173"
"""Where Next.js and Vite serve what a developer writes."""


def allow_frontends() -> str:
    """Let frontends in development call the API, unless the environment says which may."""
    if not is_set("ALLOWED_ORIGINS"):
        os.environ["ALLOWED_ORIGINS"] = FRONTENDS
    return os.environ["ALLOWED_ORIGINS"]


def start_database(held: ExitStack, data: Path, address: str | None = None) -> Server:
    """Start Postgres, on this address too if there is one."""
    say(f"Database: embedded Postgres, its data in {os.path.relpath(data)}")
    return held.enter_context(running(data, listen=address))


def migrate(url: str, *options: str, login: str | None = None) -> None:
    """Bring a database up to date, for the login of another URL if there is one.

    Options choose another line of migrations.
    """
    urls = {"MIGRATION_DATABASE_URL": url, "DATABASE_URL": login or url}
    command = [sys.executable, "-m", "scripts.migrate", *options]
    # In a session of its own: Ctrl-C is for us, who end it.
    subprocess.run(command, cwd=ROOT, env=os.environ | urls, check=True, start_new_session=True)


def start_issuer() -> Issuer | None:
    """The development issuer, unless the environment names another."""
    if is_set(*ISSUERS):
        return None
    issuer = development_issuer()
    os.environ.update(JWT_ISSUER=issuer.name, JWT_AUDIENCE=issuer.audience)
    return issuer
