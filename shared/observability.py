"""What the on-call engineer sees: one line per request, and metrics named as business events.

A line has no path, query, title, token or claim in it. A user is a keyed hash: the same in all
lines, and not to be found from a user id without the key.
"""

import logging
import os
import traceback
from collections.abc import Iterator
from functools import cache
from hashlib import blake2b
from time import perf_counter
from typing import Any

from aws_lambda_powertools import Logger, Metrics, single_metric
from aws_lambda_powertools.metrics import MetricUnit
from pydantic_core import to_json
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.http.exception_handlers import as_problem
from shared.http.problems import DatabaseUnavailable, Problem, Unauthorized, Unavailable
from shared.secrets import pseudonym_key
from shared.settings import ConfigurationError

SERVICE = "tasks"
NAMESPACE = os.environ.get("POWERTOOLS_METRICS_NAMESPACE") or "Tasks"  # each stage has its own
SERVER_ERROR = 500
INNERMOST = 10  # frames of a defect's stack

logging.getLogger("mangum").setLevel(logging.WARNING)  # else a line per request, with its path
# From Python 3.12 on a record has the name of its asyncio task, and each line would have it.
logging.logAsyncioTasks = False  # type: ignore[attr-defined]


def _line(members: dict[str, Any]) -> str:
    return to_json(members, fallback=str).decode()


# RFC 3339 is what Lambda reads, too; where in the code a line comes from is always the same. The
# library would try to read each message as JSON, and write it with the slower encoder.
logger = Logger(
    service=SERVICE,
    location=None,
    use_rfc3339=True,
    utc=True,
    json_serializer=_line,
    json_deserializer=str,
)
metrics = Metrics(namespace=NAMESPACE, service=SERVICE)


def count(event: str) -> None:
    """Count a business event. It is written out at the end of the request."""
    metrics.add_metric(event, MetricUnit.Count, 1)


class RequestLogMiddleware:
    """An app that leaves one line in the log for each request."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.cold = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request and report it. A defect that is answered already ends here."""
        started = perf_counter()
        status = 0

        async def send_and_note(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self.app(scope, receive, send_and_note)
        except Exception:
            if not status:
                raise
        finally:
            self._report(scope, status, round((perf_counter() - started) * 1000, 1))

    def _report(self, scope: Scope, status: int, milliseconds: float) -> None:
        error = scope.get("error")
        line = {
            "request_id": scope["request_id"],
            "function": os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "local"),
            "route": scope["route_key"],
            "status": status,
            "duration_ms": milliseconds,
            "cold_start": self.cold,
            **_user(scope),
            **(_described(error) if error else {}),
        }
        self.cold = False
        (logger.error if status >= SERVER_ERROR else logger.info)("request", extra=line)
        if error:
            _count_error(error)
        if metrics.provider.metric_set:
            metrics.flush_metrics()


def _user(scope: Scope) -> dict[str, str]:
    """The user of a line. A key that cannot be read must not keep the rest of it from the log."""
    if "subject" not in scope:
        return {}
    try:
        return {"user": pseudonym(scope["subject"])}
    except ConfigurationError as error:
        return {"user": "unknown", "configuration": str(error)}


def pseudonym(subject: str) -> str:
    """A user in the log: 16 hexadecimal digits."""
    return blake2b(subject.encode(), key=_key(), digest_size=8).hexdigest()


_key = cache(pseudonym_key)


def _described(error: Exception) -> dict[str, Any]:
    """What a line says of an error: never its message, which may quote what a client sent."""
    problem = as_problem(error)
    said: dict[str, Any] = {"problem": problem.kind}
    if isinstance(problem, Unauthorized):
        said["reason"] = problem.reason
    if isinstance(problem, Unavailable) and problem.__cause__:
        said |= _origin(problem.__cause__)
    if type(problem) is Problem:
        said |= _origin(error) | {"stack": list(_stack(error))[-INNERMOST:]}
    return said


def _origin(error: BaseException) -> dict[str, Any]:
    return {"error": type(error).__name__, "sqlstate": getattr(error, "sqlstate", None)}


def _stack(error: Exception) -> Iterator[str]:
    for frame in traceback.extract_tb(error.__traceback__):
        yield f"{frame.filename}:{frame.lineno} {frame.name}"


def _count_error(error: Exception) -> None:
    problem = as_problem(error)
    if isinstance(problem, Unauthorized):
        _count_by("TokenRefused", reason=problem.reason)
    elif isinstance(problem, DatabaseUnavailable):
        count("DatabaseUnavailable")
    elif isinstance(problem, Unavailable):
        count("KeySetUnavailable")
    elif type(problem) is Problem:
        version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION", "local")
        metrics.add_metadata("function_version", version)
        count("UnhandledError")


def _count_by(event: str, **dimension: str) -> None:
    """Count an event in a series of its own for each value of a dimension."""
    with single_metric(event, MetricUnit.Count, 1, namespace=NAMESPACE) as metric:
        metric.add_dimension("service", SERVICE)
        for name, value in dimension.items():
            metric.add_dimension(name, value)
