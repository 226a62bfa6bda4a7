"""Runs a module of `local` in a checkout of its own, and sees what it leaves behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

HOST = "127.0.0.1"
CONFIGURATION = {
    *("DATABASE_URL", "DATABASE_SECRET_ARN", "MIGRATION_DATABASE_URL"),
    *("BETTER_AUTH_URL", "JWKS_URL", "JWT_ISSUER", "JWT_AUDIENCE", "BETTER_AUTH_SECRET"),
    "ALLOWED_ORIGINS",
}
PATIENCE = 30  # seconds


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def free_port() -> int:
    with socket.create_server((HOST, 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


class Program:
    """A module that runs in a checkout."""

    def __init__(self, checkout: Path, module: str, ready: str, **variables: str) -> None:
        """Start it, and wait until it says that it is ready, or ends."""
        environment = {k: v for k, v in os.environ.items() if k not in CONFIGURATION}
        self.log = checkout / f"{module}.{time.monotonic_ns()}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", module],
                cwd=checkout,
                env=environment | variables,
                stdout=log,
                stderr=log,
            )
        try:
            wait_until(lambda: ready in self.output or self.process.poll() is not None)
        except BaseException:
            self.process.kill()
            raise

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return self.log.read_text()

    def end(self, how: signal.Signals) -> None:
        """End it as this signal does, and wait."""
        self.process.send_signal(how)
        self.process.wait(PATIENCE)


def postgres_of(checkout: Path) -> list[int]:
    """The processes of the checkout's Postgres that are alive."""
    pids = []
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(checkout) in command.read_text() and "postgres" in command.read_text():
                pids.append(int(command.parent.name))
        except OSError:
            continue
    return pids


def refuses(port: int) -> bool:
    """Whether nobody listens any more."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return True
    return False
