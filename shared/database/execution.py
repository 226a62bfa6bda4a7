"""The execution of a statement: for one subject, in one transaction and one round trip.

In libpq's pipeline mode the scope and the statement are sent together, with one Sync behind them.
Each is prepared once per connection; its Parse travels with its first use.
"""

import select
from collections import namedtuple
from collections.abc import Callable, Sequence
from functools import cache
from time import monotonic
from typing import Any

import psycopg
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import ConnStatus, ExecStatus, Format
from psycopg.pq.abc import PGconn, PGresult

from shared.database.connection import PooledConnection
from shared.database.errors import NOT_PREPARED, server_error
from shared.database.scope import SCOPE
from shared.database.sql import Parameters, Statement

Row = Any  # a named tuple of what a statement returns
Rows = Sequence[Row]
Requests = Sequence[tuple[Statement, Sequence[Any]]]


def execute(
    connection: PooledConnection,
    subject: str,
    statement: Statement,
    parameters: Parameters,
    deadline: float,
) -> Rows:
    """Execute one statement for a subject; the rows it returns.

    Raises psycopg.Error. Where there is no response by the `deadline` (of the monotonic clock, in
    seconds), the connection is closed.
    """
    adapter = Transformer(connection.opened)
    requests = [
        (each, adapter.dump_sequence(values, [PyFormat.TEXT] * len(values)))
        for each, values in ((SCOPE, [subject]), (statement, statement.values(parameters)))
    ]
    try:
        result = _round_trip(connection, requests, deadline)
    except NOT_PREPARED:
        if not connection.prepares:
            raise
        connection.prepares = False
        result = _round_trip(connection, requests, deadline)
    adapter.set_pgresult(result)
    names = tuple((result.fname(number) or b"").decode() for number in range(result.nfields))
    return adapter.load_rows(0, result.ntuples, _row_maker(names))


def _round_trip(connection: PooledConnection, requests: Requests, deadline: float) -> PGresult:
    """Send requests in one transaction; the result of the last one."""
    pgconn, expected = connection.opened.pgconn, []
    for statement, values in requests:
        if not connection.prepares:
            pgconn.send_query_params(statement.sql, values, result_format=Format.BINARY)
        else:
            if statement.name not in connection.prepared:
                pgconn.send_prepare(statement.name, statement.sql)
                expected.append((statement, True))
            pgconn.send_query_prepared(statement.name, values, result_format=Format.BINARY)
        expected.append((statement, False))
    pgconn.pipeline_sync()
    results = _results(pgconn, deadline)
    for (statement, was_parsed), result in zip(expected, results, strict=False):
        if result.status == ExecStatus.FATAL_ERROR:
            raise server_error(result, in_scope=statement is SCOPE)
        if was_parsed:
            connection.prepared.add(statement.name)
    if results[len(expected)].status == ExecStatus.FATAL_ERROR:  # the commit failed, at the Sync
        raise server_error(results[len(expected)], in_scope=False)
    return result


def _results(pgconn: PGconn, deadline: float) -> list[PGresult]:
    """Wait for all results, the Sync's included."""
    results: list[PGresult] = []
    while not results or results[-1].status != ExecStatus.PIPELINE_SYNC:
        while pgconn.is_busy():
            _wait(pgconn, deadline)
        if (result := pgconn.get_result()) is not None:
            results.append(result)
        elif pgconn.status == ConnStatus.BAD:
            raise psycopg.OperationalError("the connection is lost")
    return results


def _wait(pgconn: PGconn, deadline: float) -> None:
    """Wait until there is something to read, or room to send more."""
    poll = select.poll()
    poll.register(pgconn.socket, select.POLLIN | select.POLLOUT * pgconn.flush())
    if not poll.poll(max(0.0, deadline - monotonic()) * 1000):
        pgconn.finish()  # a response that is still to come must not be taken for the next one
        raise psycopg.OperationalError("no response in time")
    pgconn.consume_input()


@cache
def _row_maker(names: Sequence[str]) -> Callable[[Sequence[Any]], Row]:
    row: Any = namedtuple("Row", names)  # type: ignore[misc]  # noqa: PYI024 (names of a result)
    make: Callable[[Sequence[Any]], Row] = row._make
    return make
