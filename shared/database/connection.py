"""The Neon Postgres connection: one per Lambda environment, made when it is needed."""

import atexit
import logging
import select
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Lock
from time import time
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from shared.database import budget
from shared.secrets import database_url
from shared.settings import ConfigurationError, settings

logging.getLogger("psycopg").setLevel(logging.ERROR)  # what it warns of is raised, too


@dataclass
class PooledConnection:
    """A connection, and the names of the statements that its server has prepared.

    `prepares` is false where the server, or the pooler before it, cannot.
    """

    opened: psycopg.Connection[Any]
    prepared: set[bytes] = field(default_factory=set)
    prepares: bool = True

    @property
    def is_dead(self) -> bool:
        """Whether it broke, or its server has closed it."""
        if self.opened.pgconn.transaction_status != TransactionStatus.IDLE:
            return True
        # The server has closed an idle connection that has something to read. This takes 1 µs.
        poll = select.poll()
        poll.register(self.opened.pgconn.socket, select.POLLIN)
        return bool(poll.poll(0))


def _connect() -> PooledConnection:
    """Connect in time. A thread, because nothing else bounds the resolver and many addresses."""
    thread = ThreadPoolExecutor(1)
    attempt = thread.submit(_log_in)
    thread.shutdown(wait=False)
    try:
        opened = attempt.result(budget.CONNECT)
    except TimeoutError:
        attempt.add_done_callback(_close)
        raise psycopg.errors.ConnectionTimeout("no connection in time") from None
    opened.pgconn.enter_pipeline_mode()
    return PooledConnection(opened)


def _close(attempt: Future[psycopg.Connection[Any]]) -> None:
    if not attempt.exception():
        attempt.result().close()


def _log_in() -> psycopg.Connection[Any]:
    """Connect; with a refused password once more, after a look at whether it was rotated."""
    try:
        return _open(database_url())
    except psycopg.OperationalError as error:
        refused = error.pgconn is not None and error.pgconn.used_password
        if settings().database_url or not refused:
            raise
        # Where the secret cannot be read again, the refusal is what is raised.
        with suppress(ConfigurationError):
            return _open(database_url(renewed=True))
        raise


def _open(url: str) -> psycopg.Connection[Any]:
    return psycopg.Connection.connect(url, autocommit=True, connect_timeout=budget.ADDRESS)


class Pool:
    """A pool of one connection: made when it is needed, and again when it is dead."""

    def __init__(self) -> None:
        self.held: PooledConnection | None = None
        self._used = 0.0
        self._taken = Lock()

    @contextmanager
    def connection(self) -> Iterator[PooledConnection]:
        """Lend the connection, to one caller at a time, for one statement."""
        with self._taken:
            # By the wall clock: the monotonic one may stand still while Lambda freezes the process.
            idle, self._used = abs(time() - self._used), time()
            if self.held is None or self.held.is_dead or idle > budget.IDLE:
                self.close()
                self.held = _connect()
            yield self.held

    def close(self) -> None:
        """Drop the connection, if there is one."""
        if self.held:
            self.held.opened.close()
        self.held = None


pool = Pool()
disconnect = pool.close
atexit.register(disconnect)  # psycopg warns of what is left open


def connect() -> None:
    """Have a connection before it is needed. What fails now is the first request's to report."""
    with suppress(psycopg.Error), pool.connection():
        pass
