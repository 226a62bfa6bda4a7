"""A PgBouncer before a Postgres, as Neon has it: in transaction mode, with a small pool."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.reliability.postgres import HOST, Postgres

USER = "nobody"  # it refuses root
READY_WITHIN = 5
CONFIGURATION = """
[databases]
* = host={host} port={port}

[pgbouncer]
listen_addr = {host}
listen_port = {listen}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = {size}
max_client_conn = 300
server_login_retry = 1
{more}
"""


class PgBouncer:
    """A pooler on a port that stays the same."""

    def __init__(self, folder: Path, postgres: Postgres, size: int, more: str) -> None:
        with socket.create_server((HOST, 0)) as listener:
            self.port = listener.getsockname()[1]
        (folder / "users").write_text('"api" ""\n"postgres" ""\n')
        self._file = folder / "pgbouncer.ini"
        self._file.write_text(
            CONFIGURATION.format(
                host=HOST, port=postgres.port, listen=self.port, folder=folder, size=size, more=more
            )
        )
        self._log = folder / "log"
        self.start()

    def url(self, database: str, login: str = "api") -> str:
        """The URL of a database."""
        return f"postgresql://{login}@{HOST}:{self.port}/{database}"

    def start(self) -> None:
        """Start it, and wait until it listens."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*_identity(), program(), str(self._file)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + READY_WITHIN
        while True:
            try:
                return socket.create_connection((HOST, self.port), 1).close()
            except OSError:
                assert time.monotonic() < deadline, self._log.read_text()
                time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGKILL) -> None:
        """Stop it: at once, or with SIGTERM as Debian's service does."""
        self._process.send_signal(how)
        try:
            self._process.wait(READY_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def admin(self, database: str) -> psycopg.Connection:
        """A connection of the superuser through the pooler."""
        return psycopg.connect(
            self.url(database, "postgres"), autocommit=True, prepare_threshold=None
        )


@contextmanager
def pgbouncer(postgres: Postgres, size: int = 4, more: str = "") -> Iterator[PgBouncer]:
    """A pooler for the length of a block; `more` are lines of its configuration."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        made = PgBouncer(folder, postgres, size, more)
        try:
            yield made
        finally:
            made.stop()


class MissingError(Exception):
    """There is no PgBouncer here."""


def program() -> str:
    """Where PgBouncer is. Raises MissingError."""
    found = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        raise MissingError("PgBouncer is missing: apt-get install pgbouncer")
    return found


def _identity() -> tuple[str, ...]:
    if os.geteuid() != 0:
        return ("setpriv", "--pdeathsig=KILL")
    return ("setpriv", "--pdeathsig=KILL", f"--reuid={USER}", "--regid=nogroup", "--clear-groups")
