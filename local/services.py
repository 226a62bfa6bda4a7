"""What the API needs, and local running brings where the environment names nothing else."""

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict
from sqlmodel import SQLModel

import shared.models  # noqa: F401 (fills the metadata)
from local.command import is_set, say
from local.issuer import Issuer
from local.postgres import Server, running
from local.state import ROOT, development_issuer
from shared.settings import ConfigurationError

DATABASES = ("DATABASE_URL", "DATABASE_SECRET_ARN")
SECRETS = ("BETTER_AUTH_SECRET", "JWT_SECRET")
ISSUERS = ("BETTER_AUTH_URL", "JWKS_URL", *SECRETS, *(f"{name}_ARN" for name in SECRETS))
FRONTENDS = "http://localhost:3000,http://localhost:5173"
"""Where Next.js and Vite serve what a developer writes."""
ANSWERS_WITHIN = 5  # seconds
COLUMNS = """
    SELECT attname FROM pg_attribute
    WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped
"""


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


def check_database(url: str) -> None:
    """See that a database answers and has the tables of this version.

    Raises:
        ConfigurationError: it does not; the message says what to do, and nothing of the URL but
            its host.
    """
    try:
        host = conninfo_to_dict(url).get("host") or "localhost"
        with psycopg.connect(url, connect_timeout=ANSWERS_WITHIN) as connection:
            missing = not all(
                {column.name for column in table.columns}
                <= {name for (name,) in connection.execute(COLUMNS, (table.name,))}
                for table in SQLModel.metadata.tables.values()
            )
    except psycopg.ProgrammingError:
        raise ConfigurationError("DATABASE_URL is not a valid Postgres URL") from None
    except psycopg.OperationalError as error:
        refused = "FATAL" in str(error)
        reason = "refuses the login, or has no such database" if refused else "does not answer"
        raise ConfigurationError(f"DATABASE_URL: the database at {host} {reason}") from None
    if missing:
        raise ConfigurationError(
            f"DATABASE_URL: the database at {host} is not up to date; run `make migrate`"
        )


def start_issuer() -> Issuer | None:
    """The development issuer, unless the environment names another."""
    if is_set(*ISSUERS):
        return None
    issuer = development_issuer()
    os.environ.update(JWT_ISSUER=issuer.name, JWT_AUDIENCE=issuer.audience)
    return issuer
