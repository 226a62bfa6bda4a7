"""Where everything is measured: a Postgres, an issuer's key set, the artifact, and the peers."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from secrets import token_urlsafe
from tempfile import TemporaryDirectory
from types import MappingProxyType

import psycopg
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from psycopg import sql

from benchmarks import installed
from local.issuer import Issuer, load_issuer, serving
from local.pgbouncer import PgBouncer, of_debian_13, pgbouncer
from local.postgres import Server, admitting, running
from local.state import ROOT

HOST = "127.0.0.1"
OWNER, API = "owner", "api"
TLS_FILES = ("key", "cert", "ca")  # the Debian in a folder has no authorities of its own
SETTINGS = {"max_connections": "300", "shared_buffers": "512MB", "max_wal_size": "4GB"}


@dataclass(frozen=True)
class Stage:
    """What runs for the length of the benchmark."""

    server: Server
    issuer: Issuer
    key_set_url: str
    passwords: Mapping[str, str] = field(
        default_factory=lambda: {login: token_urlsafe(24) for login in (OWNER, API)}, repr=False
    )

    @property
    def port(self) -> int:
        """The port of Postgres."""
        return self.server.port

    def url(self, database: str = "tasks", login: str = OWNER) -> str:
        """The URL of a database. The owner's login walks past row-level security."""
        place = f"{HOST}:{self.port}/{database}"
        return f"postgresql://{login}:{self.passwords[login]}@{place}?sslmode=disable"

    def admin(self, database: str) -> psycopg.Connection:
        """A connection of the superuser, over the socket."""
        return psycopg.connect(self.server.database_url(database), autocommit=True)

    @cached_property
    def environment(self) -> dict[str, str]:
        """What every service here is told of tokens."""
        return {
            "PATH": os.environ["PATH"],
            "JWKS_URL": self.key_set_url,
            "JWT_ISSUER": self.issuer.name,
            "JWT_AUDIENCE": self.issuer.audience,
        }

    def execute(self, statement: str, *parameters: object, database: str = "tasks") -> None:
        """Run a statement as the superuser."""
        with self.admin(database) as admin:
            admin.execute(statement.encode(), parameters)

    def vacuum(self, database: str) -> None:
        """Leave the tasks as autovacuum does: pages marked, statistics made.

        No page is all-visible before the commits on it are on disk.
        """
        for statement in ("CHECKPOINT", "VACUUM ANALYZE tasks"):
            self.execute(statement, database=database)

    def make_database(self, name: str) -> None:
        """Make a migrated database."""
        create = sql.SQL("CREATE DATABASE {} OWNER {}")
        names = sql.Identifier(name), sql.Identifier(OWNER)
        self.execute(create.format(*names).as_string(), database="postgres")
        urls = {"MIGRATION_DATABASE_URL": self.url(name), "DATABASE_URL": self.url(name, API)}
        alembic = [sys.executable, "-m", "alembic", "upgrade", "head"]
        subprocess.run(
            alembic, cwd=ROOT, env=os.environ | urls, check=True, stdout=subprocess.DEVNULL
        )


@contextmanager
def stage() -> Iterator[Stage]:
    """Set it up, and leave nothing behind."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        settings = SETTINGS | admitting(folder / "pg_hba.conf")
        with (
            running(folder / "data", durable=False, listen=HOST, settings=settings) as server,
            serving(issuer := load_issuer(folder / "key.pem")) as key_set_url,
        ):
            made = Stage(server, issuer, key_set_url)
            for login, password in made.passwords.items():
                create = f"CREATE ROLE {login} LOGIN PASSWORD '{password}'"
                made.execute(create, database="postgres")
            made.execute(f"ALTER ROLE {OWNER} CREATEROLE BYPASSRLS", database="postgres")
            made.make_database("tasks")
            yield made


@contextmanager
def pooler(
    made: Stage, size: int, more: str = "", files: Mapping[str, bytes] = MappingProxyType({})
) -> Iterator[PgBouncer]:
    """A PgBouncer as Neon's, with so many connections; `more` are lines of its configuration."""
    with pgbouncer(made, size, more, of_debian_13(), files) as running_pooler:
        yield running_pooler


@contextmanager
def tls(made: Stage) -> Iterator[PgBouncer]:
    """A PgBouncer that insists on TLS, as Neon's does; Postgres' binaries here have none."""
    lines = ("sslmode = require", *(f"{kind}_file = {{folder}}/tls.pem" for kind in TLS_FILES))
    more = "\n".join(f"client_tls_{line}" for line in lines)
    with pooler(made, 10, more, {"tls.pem": make_certificate()}) as terminating:
        yield terminating


def make_certificate() -> bytes:
    """A key and a certificate for it that it has signed itself."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private + certificate.public_bytes(Encoding.PEM)


def prepare() -> None:
    """Build the artifact as `sam build` does, and install what the peers need."""
    shutil.rmtree(installed.ARTIFACT, ignore_errors=True)
    build = [str(ROOT / "bundle/python"), "scripts/build.py", installed.MACHINE]
    subprocess.run([*build, str(installed.ARTIFACT)], cwd=ROOT, check=True)
    installed.install()
