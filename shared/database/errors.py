"""What the server's errors are, and what they mean to a client."""

from typing import Literal

import psycopg
from psycopg import errors
from psycopg.pq import DiagnosticField
from psycopg.pq.abc import PGresult

from shared.http.problems import DatabaseUnavailable, Locked, UnknownUser

NOTHING_WRITTEN = DatabaseUnavailable.default
PERHAPS_WRITTEN = (
    "The connection to the database broke. It is not known whether the change was made: "
    "read before you repeat it."
)
FOREIGN_KEY_VIOLATION = "23503"
LOCK_NOT_AVAILABLE = "55P03"
# By SQLSTATE, or its class: the database is there but cannot serve, whatever the statement.
NOT_SERVING = (
    "08",  # connection exception
    "25006",  # read-only
    "28",  # the login is refused
    "3D",  # the database does not exist
    "3F",  # the schema does not exist
    "40",  # serialization failure, deadlock
    "42703",  # a column is missing: not migrated
    "42883",  # a function is missing: not migrated
    "42P01",  # the table is missing: not migrated
    "53",  # out of connections, memory or disk
    "57",  # shut down, starting up, or the statement's time is over
    "58",  # the server's own disk or files
)

# A prepared statement is missing, is there already, or is outdated after DDL. The transaction is
# rolled back: nothing was executed.
NOT_PREPARED = (
    errors.InvalidSqlStatementName,
    errors.DuplicatePreparedStatement,
    errors.FeatureNotSupported,
)


class ScopeRefused(psycopg.OperationalError):
    """The role does not exist, or the login may not act as it."""


def server_error(result: PGresult, *, in_scope: bool) -> psycopg.Error:
    """A server's error as psycopg's class of its SQLSTATE."""
    sqlstate = (result.error_field(DiagnosticField.SQLSTATE) or b"").decode()
    try:
        kind = errors.lookup(sqlstate)
    except KeyError:
        kind = psycopg.OperationalError
    if in_scope and not issubclass(kind, NOT_PREPARED):
        kind = ScopeRefused
    error = kind(result.get_error_message())
    error.sqlstate = sqlstate
    return error


def problem_of(error: psycopg.Error, when_broken: str | Literal[False]) -> Exception:
    """What a database error means to the client; a defect stays what it is.

    `when_broken` is said where the connection broke, which is `False` where it did not.
    """
    sqlstate = error.sqlstate or ""
    if sqlstate == FOREIGN_KEY_VIOLATION:
        return UnknownUser()
    if sqlstate == LOCK_NOT_AVAILABLE:
        return Locked(NOTHING_WRITTEN)
    if when_broken:
        return DatabaseUnavailable(when_broken)
    no_reason = isinstance(error, psycopg.OperationalError) and not sqlstate
    if no_reason or isinstance(error, ScopeRefused) or sqlstate.startswith(NOT_SERVING):
        return DatabaseUnavailable(NOTHING_WRITTEN)
    return error
