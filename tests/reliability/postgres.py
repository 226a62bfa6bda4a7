"""A Postgres that keeps its promises, to be killed and brought back."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_urlsafe
from uuid import uuid4

import psycopg
from psycopg import sql

from local import postgres
from tests.conftest import ROOT
from tests.reliability.concurrency import until

HOST = "127.0.0.1"
SETTINGS = {"max_connections": "250", "synchronous_commit": "on"}
TEMPLATE = "migrated"
TERMINATE = """
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
ONE_BACKEND = "SELECT pid FROM pg_stat_activity WHERE datname = %s AND usename = 'api' LIMIT 1"


class Postgres:
    """A server on a port that stays the same."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self.passwords = {login: token_urlsafe(24) for login in ("owner", "api")}
        self._settings = SETTINGS | postgres.admitting(data.with_name("pg_hba.conf"))
        self._server = postgres.start(data, listen=HOST, settings=self._settings)

    @property
    def port(self) -> int:
        return self._server.port

    @property
    def pid(self) -> int:
        return self._server.pid

    @property
    def data(self) -> Path:
        return self._server.data

    def url(self, database: str, login: str) -> str:
        """The URL of a database over TCP, for a login that has a password."""
        return f"postgresql://{login}:{self.passwords[login]}@{HOST}:{self.port}/{database}"

    def socket_url(self, database: str = "postgres") -> str:
        """The superuser's URL of a database, over the socket."""
        return self._server.database_url(database)

    def start(self) -> None:
        """Start it again, with the recovery that may take."""
        self._server = postgres.start(
            self._data, listen=HOST, port=self.port, settings=self._settings
        )

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it as an administrator does."""
        postgres.stop(self._server, how)

    def crash(self) -> None:
        """Kill all of its processes at once, as a machine's end would."""
        everyone = [self._server.pid, *self.backends()]
        for how in (signal.SIGSTOP, signal.SIGKILL):
            for process in everyone:
                os.kill(process, how)
        self._server.process.wait()
        postgres.stop(self._server)

    def backends(self) -> list[int]:
        """The process ids of the server's children."""
        pid = self._server.pid
        return [
            int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        ]

    def terminate(self, admin: psycopg.Connection) -> None:
        """End all other connections to the administrator's database, and wait for it."""
        admin.execute(TERMINATE)

    def kill_backend(self, database: str) -> None:
        """Kill the process of one connection: Postgres takes all others down and recovers."""
        with self.admin() as admin:
            [(process,)] = admin.execute(ONE_BACKEND, (database,)).fetchall()
        os.kill(process, signal.SIGKILL)
        assert until(lambda: not Path(f"/proc/{process}").exists())
        assert until(self._serves, postgres.READY_WITHIN)

    def _serves(self) -> bool:
        with suppress(psycopg.OperationalError), self.admin():
            return True
        return False

    def admin(self, database: str = "postgres") -> psycopg.Connection:
        """A connection of the superuser, to whom no policy applies."""
        return psycopg.connect(self.socket_url(database), autocommit=True)

    @contextmanager
    def database(self, *, migrated: bool = True) -> Iterator[str]:
        """A database of one's own; yields its name."""
        name = f"test_{uuid4().hex}"
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER owner").format(
            sql.Identifier(name), sql.Identifier(TEMPLATE if migrated else "template1")
        )
        with self.admin() as admin:
            admin.execute(create)
        try:
            yield name
        finally:
            with self.admin() as admin:
                admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def make_template(self) -> None:
        """The migrated database that others are copied from."""
        with self.admin() as admin:
            for login, password in self.passwords.items():
                admin.execute(f"CREATE ROLE {login} LOGIN PASSWORD '{password}'")
            admin.execute("ALTER ROLE owner CREATEROLE")
            admin.execute(f"CREATE DATABASE {TEMPLATE} OWNER owner")
        self.alembic("upgrade", "head")

    def alembic(self, *arguments: str, database: str = TEMPLATE) -> None:
        """Run alembic on a database as its owner, who is no superuser."""
        urls = {
            "MIGRATION_DATABASE_URL": self.url(database, "owner"),
            "DATABASE_URL": self.url(database, "api"),
        }
        subprocess.run(
            [sys.executable, "-m", "alembic", *arguments],
            cwd=ROOT,
            env=os.environ | urls,
            check=True,
            stdout=subprocess.DEVNULL,
        )


@contextmanager
def durable(folder: Path) -> Iterator[Postgres]:
    """A server whose commits outlive it, with the migrated template."""
    server = Postgres(folder / "postgres")
    try:
        server.make_template()
        yield server
    finally:
        server.stop()
