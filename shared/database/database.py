"""The database as one user sees it: what is sent again when the connection breaks."""

from time import monotonic

import psycopg

from shared.database import budget
from shared.database.connection import pool
from shared.database.errors import NOTHING_WRITTEN, PERHAPS_WRITTEN, problem_of
from shared.database.execution import Rows, execute
from shared.database.sql import Parameters, Statement


class Database:
    """The database as one user sees it; without a user it shows no rows.

    Each statement takes one round trip and is committed when its method returns.

    Raises:
        DatabaseUnavailable: the database cannot be reached or cannot serve.
        Locked: another statement holds the row for too long.
        UnknownUser: the subject is not in the linked user table.
    """

    def __init__(self, subject: str = "") -> None:
        self._subject = subject
        self._deadline = monotonic() + budget.REQUEST
        self._broken = False

    def read(self, statement: Statement, parameters: Parameters | None = None) -> Rows:
        """Run a statement that changes nothing; once more if the connection breaks under it."""
        try:
            return self._send(statement, parameters or {}, again=True)
        except psycopg.Error as error:
            raise problem_of(error, self._broken and NOTHING_WRITTEN) from error

    def write(
        self,
        statement: Statement,
        parameters: Parameters | None = None,
        *,
        repeatable: bool = False,
    ) -> Rows:
        """Run a statement that changes something.

        When the connection breaks under it, it may have been carried out. So it is not sent again,
        unless it is `repeatable`: made to have its effect once.
        """
        try:
            return self._send(statement, parameters or {}, again=repeatable)
        except psycopg.Error as error:
            raise problem_of(error, self._broken and PERHAPS_WRITTEN) from error

    def _send(self, statement: Statement, parameters: Parameters, *, again: bool) -> Rows:
        try:
            with pool.connection() as connection:
                first = monotonic() + budget.FIRST_TRY
                deadline = min(self._deadline, first) if again else self._deadline
                try:
                    return execute(connection, self._subject, statement, parameters, deadline)
                except psycopg.Error:
                    self._broken = self._broken or connection.opened.closed
                    raise
        except psycopg.Error:
            time_left = monotonic() < self._deadline - budget.CONNECT
            if not (again and self._broken and time_left):
                raise
        return self._send(statement, parameters, again=False)
