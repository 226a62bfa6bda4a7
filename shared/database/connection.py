"""The Neon Postgres connection: one per Lambda environment, one network turn per statement.

Timeouts, from the inside out: a lock is waited for 2 s; what may be sent twice gets 3 s at first,
since a connection that died while its environment was frozen says nothing; a statement gets 5 s of
the server, connecting 3 s, a request 8 s of the database in all. With the key set's 2 s that stays
within the 10 s after which the contract promises a 503, and far below the function's and the
gateway's own limits.
"""

import atexit
import logging
import select
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import lru_cache, partial
from threading import Lock
from time import monotonic, time
from typing import Any, Self, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.generators import send
from psycopg.pq import TransactionStatus
from psycopg.rows import namedtuple_row
from sqlalchemy import ClauseElement
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.sql.compiler import SQLCompiler

from shared.http.problems import DatabaseUnavailable, Locked, UnknownUser
from shared.secrets import database_url
from shared.settings import ConfigurationError, settings

logging.getLogger("psycopg").setLevel(logging.ERROR)  # what breaks in a pipeline is raised, too

ROLE = "tasks_user"
LOCK_SECONDS = 2
FIRST_TRY_SECONDS = 3
STATEMENT_SECONDS = 5
ADDRESS_SECONDS = 2
CONNECT_SECONDS = 3
REQUEST_SECONDS = 8
IDLE_SECONDS = 300  # AWS forgets an idle connection after 350 s, and tells nobody

# Local to the statement's own transaction, so that a pooler's next client inherits nothing. The
# role has no privilege to walk past row-level security, which a Neon owner's login has.
SCOPE = f"""
    select set_config('role', '{ROLE}', true),
           set_config('app.user_id', $1, true),
           set_config('lock_timeout', '{LOCK_SECONDS}s', true),
           set_config('statement_timeout', '{STATEMENT_SECONDS}s', true)
"""

NOTHING_WRITTEN = "The database cannot be reached for the moment. Nothing was written."
PERHAPS_WRITTEN = (
    "The connection to the database broke. It is not known whether the change was made: "
    "read before you repeat it."
)
FOREIGN_KEY_VIOLATION = "23503"
LOCK_NOT_AVAILABLE = "55P03"
# By SQLSTATE, or its class: the database is there but cannot serve, whatever the statement.
NOT_SERVING = (
    "08",  # connection exception
    "22023",  # the role does not exist
    "25006",  # read-only
    "28",  # the login is refused
    "3D",  # the database does not exist
    "3F",  # the schema does not exist
    "40",  # serialization failure, deadlock
    "42501",  # the role is not granted
    "42703",  # a column is missing: not migrated
    "42883",  # a function is missing: not migrated
    "42P01",  # the table is missing: not migrated
    "53",  # out of connections, memory or disk
    "57",  # shut down, starting up, or the statement's time is over
    "58",  # the server's own disk or files
)

DIALECT = PGDialect_psycopg()  # type: ignore[no-untyped-call]
COMPILED = 128  # statements; there are some 50

T = TypeVar("T")
Parameters = Mapping[str, Any] | None
Row = Any
"""A named tuple of what a statement returns."""
Rows = Sequence[Row]


class Pipeline(psycopg.Pipeline):
    """A pipeline that says everything at once, and ends with its Sync.

    psycopg's sends each statement by itself, and a Flush behind the Sync. Where that comes after
    the answer, a pooler takes it for the start of the next transaction, and keeps a server for a
    client that is done.
    """

    def _communicate_gen(self) -> PQGen[None]:
        yield from ()

    def _exit_gen(self) -> PQGen[None]:
        self._enqueue_sync()
        while self.command_queue:
            self.command_queue.popleft()()
        try:
            yield from send(self.pgconn)
        finally:
            yield from self._fetch_gen(flush=False)


class Connection(psycopg.Connection[Row]):
    """A connection that knows for whom it works, and until when it waits."""

    subject = ""
    deadline = 0.0
    used = 0.0

    @property
    def is_dead(self) -> bool:
        """Whether it broke, its server has closed it, or the network has forgotten it."""
        if self.pgconn.transaction_status != TransactionStatus.IDLE:
            return True
        # By the wall's clock: the monotonic one may stand still while Lambda is frozen.
        return abs(time() - self.used) > IDLE_SECONDS or self._has_news

    @property
    def _has_news(self) -> bool:
        """Whether there is something to read, which for an idle connection is its end. 1 µs."""
        poll = select.poll()
        poll.register(self.fileno(), select.POLLIN)
        return bool(poll.poll(0))

    @contextmanager
    def scoped(self) -> Iterator[None]:
        """Send what is executed in the block at once, behind its scope."""
        self._pipeline = pipeline = Pipeline(self)
        scope = partial(self.pgconn.send_query_params, SCOPE.encode(), [self.subject.encode()])
        pipeline.command_queue.append(scope)
        pipeline.result_queue.append(None)
        try:
            with pipeline:
                yield
        finally:
            self._pipeline = None

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        """Wait as psycopg does, but not beyond the deadline: a server that hangs says nothing."""
        try:
            return super().wait(gen, interval, timeout=max(0.0, self.deadline - monotonic()))
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.close()  # still waiting for an answer: nobody may take it for the next one's
            raise


class Cursor(psycopg.Cursor[Row]):
    """A cursor that sends each statement behind its scope: one transaction, one network turn."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Self:
        """Execute one statement for the connection's subject."""
        connection = self.connection
        assert isinstance(connection, Connection)
        with connection.scoped():
            super().execute(query, params, **options)
        return self


def _connect() -> Connection:
    """Connect in time. A thread, because nothing else bounds the resolver and many addresses."""
    thread = ThreadPoolExecutor(1)
    attempt = thread.submit(_log_in)
    thread.shutdown(wait=False)
    try:
        return attempt.result(CONNECT_SECONDS)
    except TimeoutError:
        attempt.add_done_callback(_close)
        raise psycopg.errors.ConnectionTimeout("no connection in time") from None


def _close(attempt: Future[Connection]) -> None:
    """Nobody waits for this connection any more."""
    if not attempt.exception():
        attempt.result().close()


def _log_in() -> Connection:
    """Connect; with a refused password once more, after a look at whether it was rotated."""
    try:
        return _open(database_url())
    except psycopg.OperationalError as error:
        refused = error.pgconn is not None and error.pgconn.used_password
        if settings().database_url or not refused:
            raise
        with suppress(ConfigurationError):  # no news of the secret: the refusal stands
            return _open(database_url(renewed=True))
        raise


def _open(url: str) -> Connection:
    return Connection.connect(
        url,
        autocommit=True,
        connect_timeout=ADDRESS_SECONDS,
        cursor_factory=Cursor,
        row_factory=namedtuple_row,
        prepare_threshold=None,  # a pooler in transaction mode hands each one to another server
    )


class Pool:
    """A pool of one connection: made when it is needed, and anew when it is dead."""

    def __init__(self) -> None:
        self.held: Connection | None = None
        self._taken = Lock()

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Have the connection for oneself, for one statement."""
        with self._taken:
            if self.held is None or self.held.is_dead:
                self.close()
                self.held = _connect()
            self.held.used = time()
            yield self.held

    def close(self) -> None:
        """Drop the connection, if there is one."""
        if self.held:
            self.held.close()
        self.held = None


pool = Pool()
atexit.register(pool.close)  # psycopg warns of what is left open


def connect() -> None:
    """Have a connection before it is needed. What fails now is the first request's to report."""
    with suppress(psycopg.Error), pool.connection():
        pass


def disconnect() -> None:
    """Drop the connection, before its environment becomes a snapshot."""
    pool.close()


@lru_cache(COMPILED)
def _compiled(statement: ClauseElement) -> SQLCompiler:
    """A statement in Postgres' SQL: SQLAlchemy writes it, psycopg sends it.

    SQLAlchemy's own way there, with its engine, pool and results, takes a tenth of an operation.
    """
    return DIALECT.statement_compiler(DIALECT, statement)


class Session:
    """The database as one user sees it; as nobody, it shows no rows.

    Each statement takes one network turn and is committed when its method returns.

    Raises:
        DatabaseUnavailable: the database cannot be reached or cannot serve.
        Locked: another statement holds the row for too long.
        UnknownUser: the linked user table does not know the subject.
    """

    def __init__(self, subject: str = "") -> None:
        self._subject = subject
        self._deadline = monotonic() + REQUEST_SECONDS
        self._broken = False

    def read(self, statement: ClauseElement, parameters: Parameters = None) -> Rows:
        """Run a statement that changes nothing; once more if the connection breaks under it."""
        try:
            return self._send(statement, parameters, again=True)
        except psycopg.Error as error:
            raise self._problem(error, NOTHING_WRITTEN) from error

    def write(
        self, statement: ClauseElement, parameters: Parameters = None, *, repeatable: bool = False
    ) -> Rows:
        """Run a statement that changes something.

        When the connection breaks under it, it may have been carried out. So it is not sent again,
        unless it is `repeatable`: made to have its effect once.
        """
        try:
            return self._send(statement, parameters, again=repeatable)
        except psycopg.Error as error:
            raise self._problem(error, PERHAPS_WRITTEN) from error

    def _send(self, statement: ClauseElement, parameters: Parameters, *, again: bool) -> Rows:
        try:
            with pool.connection() as connection:
                connection.subject, connection.deadline = self._subject, self._deadline
                if again:
                    connection.deadline = min(self._deadline, monotonic() + FIRST_TRY_SECONDS)
                return self._execute(connection, statement, parameters)
        except psycopg.Error:
            time_left = monotonic() < self._deadline - CONNECT_SECONDS
            if not (again and self._broken and time_left):
                raise
        return self._send(statement, parameters, again=False)

    def _execute(
        self, connection: Connection, statement: ClauseElement, parameters: Parameters
    ) -> Rows:
        compiled = _compiled(statement)
        values = compiled.construct_params(parameters)
        try:
            return connection.execute(compiled.string.encode(), values).fetchall()
        except psycopg.Error:
            self._broken = self._broken or connection.closed
            raise

    def _problem(self, error: psycopg.Error, when_broken: str) -> Exception:
        """What a database error means to the client; a defect stays what it is."""
        sqlstate = error.sqlstate or ""
        if sqlstate == FOREIGN_KEY_VIOLATION:
            return UnknownUser()
        if sqlstate == LOCK_NOT_AVAILABLE:
            return Locked(NOTHING_WRITTEN)
        if self._broken:
            return DatabaseUnavailable(when_broken)
        # Without an SQLSTATE it is the way there, a server that says nothing more, or our defect.
        from_there = isinstance(error, psycopg.OperationalError) or error.pgresult is not None
        if sqlstate.startswith(NOT_SERVING) or (from_there and not sqlstate):
            return DatabaseUnavailable(NOTHING_WRITTEN)
        return error
