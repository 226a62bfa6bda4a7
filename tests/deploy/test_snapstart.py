"""A built function around a SnapStart snapshot, as Lambda's runtime client runs the hooks.

The emulator knows no snapshots, so that a small runtime API takes its place. What the real one
freezes and copies is a process between two requests to it; here that process just waits.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import SimpleQueue
from threading import Event as Signal
from threading import Thread
from typing import Any

import psycopg
import pytest

from local.gateway import Event
from tests.conftest import User, database_url, fresh_database
from tests.deploy.lambda_runtime import behind_the_gateway, client, started

pytestmark = pytest.mark.artifact

API = "/2018-06-01/runtime"
WITHIN = 30.0  # seconds


class RuntimeApi:
    """The runtime API of one function, which is restored when it is told to be.

    https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
    """

    def __init__(self) -> None:
        self.initialised = Signal()
        self.restored = Signal()
        self.ready = Signal()
        self.events: SimpleQueue[Event] = SimpleQueue()
        self.responses: SimpleQueue[dict[str, Any]] = SimpleQueue()

    def __getitem__(self, name: str) -> "RuntimeApi":
        return self

    def invoke(self, event: Event) -> dict[str, Any]:
        """What the function returns."""
        self.events.put(event)
        return self.responses.get(timeout=WITHIN)

    def get(self, path: str) -> Event | None:
        """Answer the client when it is time."""
        if path == f"{API}/restore/next":
            self.initialised.set()
            self.restored.wait(WITHIN)
            return None
        self.ready.set()
        return self.events.get()


@contextmanager
def serving(api: RuntimeApi) -> Iterator[str]:
    """Serve a runtime API; yields its host and port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.response(200, api.get(self.path))

        def do_POST(self) -> None:
            api.responses.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.response(202, None)

        def response(self, status: int, content: Event | None) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Lambda-Runtime-Aws-Request-Id", "request")
            self.send_header("Lambda-Runtime-Deadline-Ms", "4102444800000")
            self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


def comes_to_have(database: str, connections: int) -> bool:
    """Whether a database has so many connections, after a moment for Postgres to notice."""
    count = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s"
    deadline = time.monotonic() + WITHIN
    with psycopg.connect(database_url("postgres"), autocommit=True) as admin:
        while time.monotonic() < deadline:
            if admin.execute(count, (database,)).fetchone() == (connections,):
                return True
            time.sleep(0.05)
    return False


class TestSnapStart:
    def test_takes_no_connection_into_the_snapshot_and_has_one_after(
        self, alice: User, tmp_path: Path
    ) -> None:
        name, runtime_api = "ListTasksFunction", RuntimeApi()
        with (
            fresh_database() as database,
            serving(runtime_api) as address,
            started(
                name,
                client(name),
                tmp_path / "log",
                AWS_LAMBDA_INITIALIZATION_TYPE="snap-start",
                AWS_LAMBDA_RUNTIME_API=address,
                DATABASE_URL=database_url(database, "api"),
            ),
            behind_the_gateway(runtime_api) as api,
        ):
            assert runtime_api.initialised.wait(WITHIN)
            assert comes_to_have(database, connections=0)
            runtime_api.restored.set()
            assert runtime_api.ready.wait(WITHIN)
            assert comes_to_have(database, connections=1)
            response = User(alice.subject, alice.token, api).list()
            assert (response.status_code, response.json()) == (200, [])
            assert comes_to_have(database, connections=1)
