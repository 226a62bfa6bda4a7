"""A real Postgres for the run, a database per worker, and users who send gateway events."""

import asyncio
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx2
import psycopg
import pytest
from psycopg import sql

from local import issuer
from local.gateway import Gateway, GatewayTransport
from local.postgres import running
from shared.auth.tokens import verifier
from shared.database.connection import disconnect
from shared.settings import settings
from tests.description import check_described

ROOT = Path(__file__).parent.parent
FUNCTIONS = sorted(path.stem for path in (ROOT / "functions").glob("[a-z]*.py"))
"""The modules of the functions, also of the one without a route."""
POSTGRES = (
    "TEST_POSTGRES_URL"  # in the environment, so that the workers find it; {} is the database
)

TITLE = "a task nobody else may know of"
SECRETS = re.compile(rf"eyJ[\w-]{{10}}|{TITLE}|://[^/\s]*:[^/@\s]+@")

held = ExitStack()
"""What the run holds until it ends."""

asyncio.set_event_loop(asyncio.new_event_loop())  # where Mangum runs the app


def pytest_xdist_auto_num_workers() -> int:
    """One worker more than there are CPUs, because many tests wait for what hangs."""
    return (os.cpu_count() or 1) + 1


def pytest_configure() -> None:
    """Start Postgres, in the process that the workers are children of."""
    if POSTGRES not in os.environ:
        folder = held.enter_context(tempfile.TemporaryDirectory())
        server = held.enter_context(running(Path(folder) / "postgres", durable=False))
        os.environ[POSTGRES] = any_database(server.database_url("{}"))
        held.callback(os.environ.pop, POSTGRES)
        make_template()


def pytest_unconfigure() -> None:
    """Stop it."""
    held.close()


def any_database(url: str) -> str:
    """What POSTGRES is set to: the URL of a database called {}, which stands for the name."""
    return url.replace("%7B%7D", "{}")


def database_url(name: str, login: str = "postgres") -> str:
    """The URL of a database of the run's server, for a login that needs no password."""
    return os.environ[POSTGRES].format(name).replace("postgres@", f"{login}@", 1)


def migrate(name: str, *arguments: str) -> None:
    """Run alembic on a database as its owner, who is no superuser; the API logs in as `api`."""
    alembic(database_url(name, "owner"), database_url(name, "api"), *arguments)


def migrate_url(url: str) -> None:
    """Bring another server's database up to date; the API has the same login."""
    alembic(url, url, "upgrade", "head")


def alembic(migration_url: str, url: str, *arguments: str) -> None:
    """Run alembic quietly, unless it fails: then without the tests."""
    done = subprocess.run(
        [sys.executable, "-m", "alembic", *arguments],
        cwd=ROOT,
        env=os.environ | {"MIGRATION_DATABASE_URL": migration_url, "DATABASE_URL": url},
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise pytest.UsageError(f"alembic {' '.join(arguments)}: {done.stderr or done.stdout}")


def make_template() -> None:
    """The migrated database that others are copied from.

    Where the models have what it has not, every test would fail, and none would say why.
    """
    with psycopg.connect(database_url("postgres"), autocommit=True) as admin:
        admin.execute("CREATE ROLE owner LOGIN CREATEROLE")
        admin.execute("CREATE ROLE api LOGIN")
        admin.execute("CREATE DATABASE migrated OWNER owner")
    migrate("migrated", "upgrade", "head")
    try:
        migrate("migrated", "check")
    except pytest.UsageError as error:
        *_, difference = str(error).splitlines()
        raise pytest.UsageError(
            f"write a migration, as CONTRIBUTING.md shows it: {difference}"
        ) from None


@contextmanager
def fresh_database(template: str = "migrated") -> Iterator[str]:
    """A database of one's own; yields its name."""
    name = f"test_{uuid4().hex}"
    create = sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER owner")
    with psycopg.connect(database_url("postgres"), autocommit=True) as admin:
        admin.execute(create.format(sql.Identifier(name), sql.Identifier(template)))
        yield name
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> issuer.Issuer:
    """Signs the tokens of this worker's users."""
    return issuer.load_issuer(tmp_path_factory.mktemp("issuer") / "key.pem")


@pytest.fixture(scope="session", autouse=True)
def environment(tokens: issuer.Issuer) -> Iterator[None]:
    """The environment of the functions: this worker's database, and its key set over HTTP."""
    with (
        fresh_database() as name,
        issuer.serving(tokens) as key_set_url,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("DATABASE_URL", database_url(name, "api"))
        patch.setenv("JWKS_URL", key_set_url)
        patch.setenv("JWT_ISSUER", issuer.NAME)
        patch.setenv("JWT_AUDIENCE", issuer.NAME)
        yield


@pytest.fixture(autouse=True)
def discreet_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """In no test a token, the usual title, or a URL with a password is logged."""
    yield
    for record in caplog.get_records("call"):
        assert not SECRETS.search(f"{record.getMessage()} {vars(record)}")


Configure = Callable[..., None]


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch) -> Iterator[Configure]:
    """Changes the environment for the length of a test; None unsets a variable."""

    def forget() -> None:
        disconnect()
        for made in (settings, verifier):
            made.cache_clear()

    def change(**variables: str | None) -> None:
        forget()
        for name, value in variables.items():
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, value)

    yield change
    forget()


@pytest.fixture(scope="session")
def api() -> Iterator[httpx2.Client]:
    """A client without a token. Each response must be one that the API's description has."""
    with httpx2.Client(
        transport=GatewayTransport(Gateway.of_template()),
        base_url="https://api.test",
        event_hooks={"response": [check_described]},
    ) as client:
        yield client


@dataclass(frozen=True)
class User:
    """Somebody who asks the API about their own tasks."""

    subject: str
    token: str
    api: httpx2.Client

    @property
    def path(self) -> str:
        return f"/api/{quote(self.subject, safe='')}/tasks"

    def request(self, method: str, path: str = "", **options: Any) -> httpx2.Response:
        """Ask, below the path of one's own tasks."""
        headers = {"Authorization": f"Bearer {self.token}"} | options.pop("headers", {})
        return self.api.request(method, self.path + path, headers=headers, **options)

    def list(self, **query: Any) -> httpx2.Response:
        return self.request("GET", params=query)

    def create(self, headers: dict[str, str] | None = None, **task: Any) -> httpx2.Response:
        return self.request("POST", json={"title": TITLE} | task, headers=headers or {})

    def get(self, task_id: object, **headers: str) -> httpx2.Response:
        return self.request("GET", f"/{task_id}", headers=_header_names(headers))

    def update(self, task_id: object, change: object, **headers: str) -> httpx2.Response:
        return self.request("PUT", f"/{task_id}", json=change, headers=_header_names(headers))

    def delete(self, task_id: object, **headers: str) -> httpx2.Response:
        return self.request("DELETE", f"/{task_id}", headers=_header_names(headers))

    def toggle(self, task_id: object, body: object = None, **headers: str) -> httpx2.Response:
        content = {} if body is None else {"json": body}
        return self.request(
            "PATCH", f"/{task_id}/complete", headers=_header_names(headers), **content
        )


def _header_names(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


@pytest.fixture
def sign_in(api: httpx2.Client, tokens: issuer.Issuer) -> Callable[[str], User]:
    """Makes a user of a subject."""
    return lambda subject: User(subject, tokens.token(subject), api)


@pytest.fixture
def alice(sign_in: Callable[[str], User]) -> User:
    """A user who is new in every test."""
    return sign_in(f"alice-{uuid4().hex}")


@pytest.fixture
def bob(sign_in: Callable[[str], User]) -> User:
    """Another one."""
    return sign_in(f"bob-{uuid4().hex}")
