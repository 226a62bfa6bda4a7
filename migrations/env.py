"""Runs the migrations over MIGRATION_DATABASE_URL, or DATABASE_URL where that is not set.

Afterwards the login of DATABASE_URL may act as the role that the API's statements run as.
"""

import logging
import os
import sys

import psycopg
from alembic import context
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import NullPool
from sqlmodel import SQLModel

import shared.models  # noqa: F401 (fills the metadata)
from shared.database.sql import ROLE
from shared.settings import postgres_url

SESSION = "set lock_timeout = '5s'"  # rather fail than let every request queue behind a lock


def database_url(*names: str) -> str:
    """The first of these variables that is set."""
    name = next((name for name in names if os.environ.get(name)), None)
    if name is None:
        sys.exit(f"{' or '.join(names)} must be set")
    try:
        return postgres_url(os.environ[name])
    except ValueError as error:
        sys.exit(f"{name} {error}")


def include_name(name: str | None, kind: str, _: object) -> bool:
    """Compare our own tables only, without the foreign key that some databases have."""
    if kind == "table":
        return name in SQLModel.metadata.tables
    return kind != "foreign_key_constraint"


def grant_role(connection: Connection) -> None:
    """Let the API's login act as the role, where it is another login than the migrating one."""
    login = conninfo_to_dict(database_url("DATABASE_URL", "MIGRATION_DATABASE_URL")).get("user")
    migrating = connection.exec_driver_sql("select current_user").scalar_one()
    exists = connection.exec_driver_sql("select from pg_roles where rolname = %s", (ROLE,)).first()
    if login and login != migrating and exists is not None:
        grant = sql.SQL("GRANT {} TO {}").format(sql.Identifier(ROLE), sql.Identifier(str(login)))
        connection.exec_driver_sql(grant.as_string())


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
        with context.begin_transaction():
            context.run_migrations()
        grant_role(connection)
        connection.commit()


if context.is_offline_mode():
    sys.exit("migrations run on a database; there is no offline mode")
logging.basicConfig(format="%(message)s", level=logging.INFO, stream=sys.stdout)
migrate()
