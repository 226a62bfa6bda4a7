"""Whether a database that the environment names can be used."""

import psycopg
from psycopg.conninfo import conninfo_to_dict
from sqlmodel import SQLModel

import shared.models  # noqa: F401 (fills the metadata)
from shared.secrets import is_well_formed
from shared.settings import ConfigurationError

ANSWERS_WITHIN = 5  # seconds
NOT_VALID = "DATABASE_URL is not a valid Postgres URL"
COLUMNS = """
    SELECT attname FROM pg_attribute
    WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped
"""


def check_database(url: str) -> None:
    """See that a database answers and has the tables of this version.

    Raises:
        ConfigurationError: it does not; the message says what to do, and nothing of the URL but
            its host.
    """
    if not is_well_formed(url):
        raise ConfigurationError(f"{NOT_VALID}; is every special character in it percent-encoded?")
    try:
        host = conninfo_to_dict(url).get("host") or "localhost"
        with psycopg.connect(url, connect_timeout=ANSWERS_WITHIN) as connection:
            missing = not all(
                {column.name for column in table.columns}
                <= {name for (name,) in connection.execute(COLUMNS, (table.name,))}
                for table in SQLModel.metadata.tables.values()
            )
    except psycopg.ProgrammingError:
        raise ConfigurationError(NOT_VALID) from None
    except psycopg.OperationalError as error:
        refused = "FATAL" in str(error)
        reason = "refuses the login, or has no such database" if refused else "does not answer"
        raise ConfigurationError(f"DATABASE_URL: the database at {host} {reason}") from None
    if missing:
        raise ConfigurationError(
            f"DATABASE_URL: the database at {host} is not up to date; run `make migrate`"
        )
