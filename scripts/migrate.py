"""`make migrate` and `make link-users`: bring the database up to date, and say where it is.

`python -m scripts.migrate link_users` takes the other line of migrations of alembic.ini.
"""

import logging
import os
import signal
import sys
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.exc import DBAPIError

ROOT = Path(__file__).parent.parent
UPGRADES = "Running upgrade"
NOT_HERE = "Better Auth's table \"user\" is not in this database: run Better Auth's migration first"
IN_USE = "A table was in use for too long. Run it again: what was left half-made is replaced."


def only_upgrades(record: logging.LogRecord) -> bool:
    """What alembic says on the way is of interest only where something changes."""
    return record.getMessage().startswith(UPGRADES)


def configure_logging() -> None:
    """Before alembic's own environment does, which then leaves it alone."""
    handler = logging.StreamHandler(sys.stdout)
    handler.addFilter(only_upgrades)
    logging.basicConfig(format="%(message)s", level=logging.INFO, handlers=[handler])


def sentence(error: psycopg.Error) -> str | None:
    """What is wrong, where it is known; never anything of a URL."""
    name = "MIGRATION_DATABASE_URL" if os.environ.get("MIGRATION_DATABASE_URL") else "DATABASE_URL"
    match error:
        case psycopg.errors.UndefinedTable() if '"user"' in str(error):
            return NOT_HERE
        case psycopg.errors.LockNotAvailable():
            return IN_USE
        case psycopg.OperationalError() if error.sqlstate is None:
            return f"{name}: the database does not answer, or refuses the login"
        case psycopg.ProgrammingError() if error.sqlstate is None:
            return f"{name} is not a valid Postgres URL"
    return None


def main() -> None:
    """Migrate to the newest revision."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # ends it at once; Postgres rolls back
    configure_logging()
    config = Config(ROOT / "alembic.ini", ini_section=(sys.argv[1:] or ["alembic"])[0])
    try:
        command.upgrade(config, "head")
    except (psycopg.Error, DBAPIError) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        known = sentence(cause) if isinstance(cause, psycopg.Error) else None
        if known is None:
            raise
        sys.exit(known)
    print(f"Up to date at {ScriptDirectory.from_config(config).get_current_head()}.")


if __name__ == "__main__":
    main()
