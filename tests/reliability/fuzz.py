"""`make fuzz`: Schemathesis against the development server, on a real Postgres.

Thousands of cases from the OpenAPI document that the server shows, of the same seed each time: each
is sent, and the response compared with the document.
"""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import IO

import psycopg

from local import issuer
from local.network import closed_port
from local.postgres import running
from local.state import ROOT
from tests.reliability.page import last_run, quote

HOST = "127.0.0.1"
USER = "fuzz"
STARTED_WITHIN, ENDED_WITHIN = 20, 600  # seconds
# Each operation by itself; then scenarios, in which a response leads to the next request.
RUNS = (
    ("--phases", "examples,coverage,fuzzing", "--max-examples", "600"),
    ("--phases", "stateful", "--max-time", "45"),
)
HERE = Path(__file__).parent
# So that the lists stay short, which are compared with the document task by task.
FORGET = "DELETE FROM tasks WHERE updated_at < now() - interval '20 seconds'"
OLD = 5.0  # seconds between the looks for them


@contextmanager
def served(variables: dict[str, str], log: IO[bytes] | None = None) -> Iterator[str]:
    """The development server, in an environment with these variables; yields its address."""
    port = closed_port()
    uvicorn = ["uvicorn", "local.server:app", "--host", HOST, "--port", str(port)]
    quiet = ["--no-access-log", "--log-level", "error"]
    process = subprocess.Popen(
        [sys.executable, "-m", *uvicorn, *quiet],
        cwd=ROOT,
        env=os.environ | variables,
        stdout=log or subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + STARTED_WITHIN
        while True:
            with suppress(OSError):
                socket.create_connection((HOST, port), 1).close()
                break
            if time.monotonic() > deadline:
                sys.exit("The development server does not start.")
            time.sleep(0.05)
        yield f"http://{HOST}:{port}"
    finally:
        process.terminate()
        process.wait()


@contextmanager
def tidied(url: str) -> Iterator[None]:
    """Forget old tasks now and then."""
    enough = Event()

    def tidy() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            while not enough.wait(OLD):
                connection.execute(FORGET)

    thread = Thread(target=tidy)
    thread.start()
    try:
        yield
    finally:
        enough.set()
        thread.join()


def fuzz(address: str, token: str, *options: str) -> tuple[int, int]:
    """Run Schemathesis; its exit status, and how many cases it had."""
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        status = subprocess.run(
            [
                str(Path(sys.executable).with_name("schemathesis")),
                *("--config-file", str(HERE / "schemathesis.toml")),
                *("run", f"{address}/openapi.json", "--checks", "all", *options),
                *("--report", "json", "--report-json-path", str(report)),
            ],
            cwd=ROOT,
            env=os.environ | {"TOKEN": token, "SCHEMATHESIS_HOOKS": "tests.reliability.fuzz_hooks"},
            timeout=ENDED_WITHIN,
            check=False,
        ).returncode
        found = json.loads(report.read_text()) if report.exists() else {"test_cases": {}}
        return status, found["test_cases"].get("generated", 0)


@contextmanager
def parts() -> Iterator[tuple[str, issuer.Issuer, dict[str, str]]]:
    """A migrated Postgres and an issuer: the URL, the issuer, and the variables that name them."""
    with TemporaryDirectory() as folder:
        signer = issuer.load_issuer(Path(folder) / "key.pem")
        with (
            running(Path(folder) / "postgres", durable=False) as postgres,
            issuer.serving(signer) as key_set,
        ):
            url = postgres.database_url()
            variables = {
                "DATABASE_URL": url,
                "MIGRATION_DATABASE_URL": url,
                "JWKS_URL": key_set,
                "JWT_ISSUER": issuer.NAME,
                "JWT_AUDIENCE": issuer.NAME,
            }
            alembic = [sys.executable, "-m", "alembic", "upgrade", "head"]
            environment = os.environ | variables
            subprocess.run(
                alembic, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL
            )
            yield url, signer, variables


def main() -> int:
    """Fuzz, and write the page if nothing was found; the exit status."""
    with parts() as (url, signer, variables), served(variables) as address, tidied(url):
        runs = [fuzz(address, signer.token(USER), *options) for options in RUNS]
    if any(status for status, _ in runs):
        return 1
    single, linked = (cases for _, cases in runs)
    found = f"{single:,} single requests and {linked:,} in scenarios, no fault"
    quote("fuzz", f"{last_run()}: {found}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
