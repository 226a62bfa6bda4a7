"""What the log and the metrics say of a request, and what they never say."""

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from local.gateway import Context
from shared import observability
from shared.app import create_app, lambda_handler
from shared.database import tasks
from shared.observability import SERVICE, logger, pseudonym
from shared.settings import ConfigurationError
from tests.conftest import User

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """What is logged from now on, as Lambda would see it."""
    seen: list[str] = []

    class Seeing(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(self.format(record))

    handler = Seeing()
    handler.setFormatter(logger.registered_formatter)
    records = logging.getLogger(SERVICE)
    records.addHandler(handler)
    yield lambda: [json.loads(line) for line in seen]
    records.removeHandler(handler)


@pytest.fixture
def metrics(capsys: pytest.CaptureFixture[str]) -> Lines:
    """The metrics written out so far (EMF)."""
    return lambda: [
        line for line in map(json.loads, capsys.readouterr().out.splitlines()) if "_aws" in line
    ]


def test_a_request_leaves_one_line(alice: User, lines: Lines) -> None:
    response = alice.create(title="buy a secret present")
    [line] = lines()
    assert line["request_id"] == response.headers["X-Request-Id"]
    assert line["route"] == "POST /api/{user_id}/tasks"
    assert line["status"] == 201
    assert line["duration_ms"] > 0
    assert line["user"] == pseudonym(alice.subject)
    assert line["level"] == "INFO"
    assert line.keys() == {
        *("level", "message", "timestamp", "service", "request_id", "function", "route"),
        *("status", "duration_ms", "cold_start", "user"),
    }


def test_a_request_leaves_no_line_of_a_library(
    alice: User, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)  # as Lambda sets it
    alice.list()
    assert {record.name for record in caplog.records} <= {SERVICE, "httpx2"}  # us, the client


def test_a_line_has_nothing_that_a_client_sent(alice: User, lines: Lines) -> None:
    alice.create(title="marker")
    alice.list(limit=1)
    alice.list(marker="marker")
    alice.request("GET", "/marker")
    alice.create(marker="marker", headers={"Idempotency-Key": "marker"})
    written = json.dumps(lines())
    assert len(lines()) == 5
    for secret in ("marker", alice.subject, alice.token):
        assert secret not in written


def test_a_key_that_cannot_be_read_keeps_no_failure_out_of_the_log_and_the_metrics(
    alice: User, lines: Lines, metrics: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable() -> bytes:
        raise ConfigurationError("PSEUDONYM_KEY_SECRET_ARN: cannot be read")

    monkeypatch.setattr(observability, "_key", unreadable)
    monkeypatch.setattr(tasks.TaskRepository, "create", lambda *_: 1 / 0)
    assert alice.create().status_code == 500
    [line] = lines()
    assert line["user"] == "unknown"
    assert line["configuration"] == "PSEUDONYM_KEY_SECRET_ARN: cannot be read"
    assert [each["UnhandledError"] for each in metrics()] == [[1.0]]


def test_a_user_is_the_same_in_all_lines_and_another_than_others() -> None:
    assert pseudonym("alice") == pseudonym("alice") != pseudonym("alicE")


def test_only_the_first_request_of_a_function_is_a_cold_start(lines: Lines) -> None:
    handler = lambda_handler(create_app(public=True))
    for _ in range(3):
        handler({}, Context("function", "r-1"))
    assert [line["cold_start"] for line in lines()] == [True, False, False]


def test_a_refused_token_is_logged_and_counted_with_its_reason(
    api: httpx2.Client, alice: User, lines: Lines, metrics: Lines
) -> None:
    api.get(alice.path)
    [line] = lines()
    assert (line["status"], line["problem"], line["reason"]) == (401, "unauthorized", "no_token")
    assert "user" not in line
    [refused] = metrics()
    assert refused["reason"] == "no_token"
    assert refused["TokenRefused"] == [1.0]
    assert refused["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Tasks"
    assert refused["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["service", "reason"]]


def test_what_is_wrong_with_the_key_set_is_a_line_too(lines: Lines) -> None:
    logging.getLogger("tasks.shared.auth.key_set").warning("not good", extra={"reason": "why"})
    [line] = lines()
    assert (line["level"], line["reason"]) == ("WARNING", "why")


def test_business_events_are_counted_when_they_happen(alice: User, metrics: Lines) -> None:
    task_id = alice.create({"Idempotency-Key": "once"}).json()["id"]
    alice.create({"Idempotency-Key": "once"})
    alice.toggle(task_id, {"completed": True})
    alice.toggle(task_id, {"completed": True})
    alice.update(task_id, {"title": "another", "completed": True})
    events = [name for line in metrics() for name in line if name.startswith("Task")]
    assert events == ["TaskCreated", "TaskCompleted"]


@pytest.mark.parametrize("change", [{}, {"title": "another"}, {"title": "a title"}])
def test_a_task_is_completed_by_an_update_too(
    alice: User, metrics: Lines, change: dict[str, Any]
) -> None:
    task_id = alice.create(title="a title").json()["id"]
    alice.update(task_id, {"completed": True} | change)
    alice.update(task_id, {"completed": False} | change)
    assert [name for line in metrics() for name in line if name == "TaskCompleted"] == [
        "TaskCompleted"
    ]


def test_a_defect_is_logged_without_its_message_and_counted(
    alice: User, lines: Lines, metrics: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("what the client sent")

    monkeypatch.setattr(tasks.TaskRepository, "get", broken)
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_VERSION", "7")
    response = alice.get(1)
    [line] = lines()
    assert response.status_code == 500
    assert response.json()["type"] == "/problems/internal-error"
    assert line["level"] == "ERROR"
    assert line["error"] == "ZeroDivisionError"
    assert "broken" in line["stack"][-1]
    assert "what the client sent" not in json.dumps(line) + response.text
    [counted] = metrics()
    assert counted["UnhandledError"] == [1.0]
    assert counted["function_version"] == "7"


def test_a_defect_that_cannot_even_be_answered_is_not_swallowed() -> None:
    async def broken(*_: object) -> None:
        raise ZeroDivisionError

    scope = {"request_id": "1", "route_key": "GET /"}
    with pytest.raises(ZeroDivisionError):
        observability.RequestLogMiddleware(broken)(scope, None, None).send(None)  # type: ignore[arg-type]
