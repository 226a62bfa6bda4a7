"""Runs the migrations over MIGRATION_DATABASE_URL, or DATABASE_URL where that is not set.

Afterwards the login of DATABASE_URL may act as the role that the API's statements run as.
"""

import logging
import os
import sys

import psycopg
from alembic import context
from psycopg import errors, sql
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.pool import NullPool
from sqlmodel import SQLModel

import shared.models  # noqa: F401 (fills the metadata)
from shared.database.scope import ROLE
from shared.database.sql import SCHEMA
from shared.secrets import is_well_formed
from shared.settings import postgres_url

# Rather fail than let every request queue behind a lock.
SESSION = f"set lock_timeout = '5s'; set search_path = {SCHEMA}"

# What is left open, where `make link-users` was killed or a migration forgot it.
OPEN_TABLES = """
    select relname, relrowsecurity and relforcerowsecurity from pg_class
    where relnamespace = %s::regnamespace and relname = any(%s)
    and (not relrowsecurity or not relforcerowsecurity
         or exists (select from pg_policy where polrelid = pg_class.oid and polname = 'validation'))
"""

EXISTS = "select from pg_roles where rolname = %s"


def database_url(*names: str) -> str:
    """The first of these variables that is set."""
    name = next((name for name in names if os.environ.get(name)), None)
    if name is None:
        sys.exit(f"{' or '.join(names)} must be set")
    try:
        url = postgres_url(os.environ[name])
    except ValueError as error:
        sys.exit(f"{name} {error}")
    if not is_well_formed(url):
        sys.exit(f"{name} is not a valid URL; is every special character in it percent-encoded?")
    return url


def include_name(name: str | None, kind: str, _: object) -> bool:
    """Compare our own tables only, without the foreign key that some databases have."""
    if kind == "table":
        return name in SQLModel.metadata.tables
    return kind != "foreign_key_constraint"


def grant_role(connection: Connection) -> None:
    """Let the API's login act as the role, where it is another login than the migrating one."""
    login = conninfo_to_dict(database_url("DATABASE_URL", "MIGRATION_DATABASE_URL")).get("user")
    migrating = connection.exec_driver_sql("select current_user").scalar_one()
    exists = connection.exec_driver_sql(EXISTS, (ROLE,)).first()
    if login and login != migrating and exists is not None:
        if connection.exec_driver_sql(EXISTS, (login,)).first() is None:
            sys.exit("DATABASE_URL: its login does not exist; create it, and run this again")
        grant = sql.SQL("GRANT {} TO {}").format(sql.Identifier(ROLE), sql.Identifier(str(login)))
        connection.exec_driver_sql(grant.as_string())


def check_security(connection: Connection) -> None:
    """Make sure that no table shows its rows to anybody but their owner, or say what helps."""
    names = SCHEMA, list(SQLModel.metadata.tables)
    for table, forced in connection.exec_driver_sql(OPEN_TABLES, names):
        alter = f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY"
        remedy = "run `make link-users`, which was not finished" if forced else f"run {alter}"
        sys.exit(f"row-level security is not in force on {table}: {remedy}")


def migrate() -> None:
    """Run what alembic was asked for, in one transaction."""
    url = database_url("MIGRATION_DATABASE_URL", "DATABASE_URL")
    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(url), poolclass=NullPool
    )
    with engine.connect() as connection:
        connection.exec_driver_sql(SESSION)
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=SQLModel.metadata,
            include_name=include_name,
            version_table=context.config.get_main_option("version_table", "alembic_version"),
        )
        try:
            with context.begin_transaction():
                context.run_migrations()
            check_security(connection)
            grant_role(connection)
            connection.commit()
        except ProgrammingError as error:
            if isinstance(error.orig, errors.InsufficientPrivilege):
                known = error.orig.diag.message_primary, error.orig.diag.message_detail
                sys.exit(": ".join(filter(None, known)))
            raise


if context.is_offline_mode():
    sys.exit("migrations run on a database; there is no offline mode")
logging.basicConfig(format="%(message)s", level=logging.INFO, stream=sys.stdout)
migrate()
