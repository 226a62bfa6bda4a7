"""`python -m tests.reliability.fuzz`: Schemathesis against the development server, on real Postgres.

Ten thousand cases, always the same ones, from the OpenAPI document that the server shows: each is
sent, and the answer compared with the document. It ends with Schemathesis' exit status.
"""

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

import psycopg

from local import issuer
from local.postgres import running
from local.state import ROOT

HOST = "127.0.0.1"
USER = "fuzz"
STARTED_WITHIN, ENDED_WITHIN = 20, 300  # seconds
HERE = Path(__file__).parent
# So that the lists stay short, which are compared with the document task by task.
FORGET = "DELETE FROM tasks WHERE updated_at < now() - interval '20 seconds'"
OLD = 5.0  # seconds between the looks for them


def free_port() -> int:
    with socket.create_server((HOST, 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@contextmanager
def served(variables: dict[str, str]) -> Iterator[str]:
    """The development server, in an environment with these variables; yields its address."""
    port = free_port()
    uvicorn = ["uvicorn", "local.server:app", "--host", HOST, "--port", str(port)]
    quiet = ["--no-access-log", "--log-level", "error"]
    process = subprocess.Popen(
        [sys.executable, "-m", *uvicorn, *quiet],
        cwd=ROOT,
        env=os.environ | variables,
        stdout=subprocess.DEVNULL,
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


def fuzz(address: str, token: str) -> int:
    """Run Schemathesis; its exit status."""
    return subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli"),
            *("--config-file", str(HERE / "schemathesis.toml")),
            *("run", f"{address}/openapi.json", *sys.argv[1:]),
        ],
        cwd=ROOT,
        env=os.environ | {"TOKEN": token, "SCHEMATHESIS_HOOKS": "tests.reliability.fuzz_hooks"},
        timeout=ENDED_WITHIN,
        check=False,
    ).returncode


def main() -> int:
    """Set everything up, and fuzz."""
    with TemporaryDirectory() as folder:
        signer = issuer.load_issuer(Path(folder) / "key.pem")
        with (
            running(Path(folder) / "postgres", durable=False) as postgres,
            issuer.serving(signer) as key_set,
        ):
            url = postgres.database_url()
            names = {"JWT_ISSUER": issuer.NAME, "JWT_AUDIENCE": issuer.NAME}
            variables = {"DATABASE_URL": url, "JWKS_URL": key_set} | names
            alembic = [sys.executable, "-m", "alembic", "upgrade", "head"]
            environment = os.environ | variables | {"MIGRATION_DATABASE_URL": ""}
            subprocess.run(
                alembic, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL
            )
            with served(variables) as address, tidied(url):
                return fuzz(address, signer.token(USER))


if __name__ == "__main__":
    sys.exit(main())
