"""`make migrate` and `make link-users`: what they say."""

import os
import subprocess
import sys

import psycopg
import pytest

from tests.conftest import ROOT, database_url, fresh_database
from tests.functions.support import alembic
from tests.local.support import HOST


def migrate(url: str, *line: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "scripts.migrate", *line]
    environment = os.environ | {"MIGRATION_DATABASE_URL": url} | variables
    return subprocess.run(
        command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True
    )


def test_a_second_migration_says_that_all_is_up_to_date() -> None:
    with fresh_database("template1") as name:
        first, second = (migrate(database_url(name)) for _ in range(2))
    *upgrades, up_to_date = first.stdout.splitlines()
    assert upgrades
    assert all(line.startswith("Running upgrade") for line in upgrades)
    assert up_to_date.startswith("Up to date at 00")
    assert (second.returncode, second.stdout, second.stderr) == (0, f"{up_to_date}\n", "")


def test_users_cannot_be_linked_before_there_are_any() -> None:
    with fresh_database() as name:
        run = migrate(database_url(name), "link_users")
    assert run.returncode == 1
    assert run.stderr.endswith("run Better Auth's migration first\n")
    assert len(run.stderr.splitlines()) == 1


def test_a_table_in_use_is_a_sentence_that_comes_true() -> None:
    with fresh_database() as name:
        owner = database_url(name, "owner")
        alembic(owner, "downgrade", "0003")
        with psycopg.connect(database_url(name)) as writer:
            writer.execute("INSERT INTO tasks (user_id, title) VALUES ('a', 'b')")
            refused = migrate(owner)
        assert refused.returncode == 1
        assert refused.stderr.startswith("A table was in use for too long. Run it again")
        assert len(refused.stderr.splitlines()) == 1
        again = migrate(owner)
        assert (again.returncode, again.stderr) == (0, "")
        with psycopg.connect(database_url(name)) as admin:
            invalid = admin.execute("SELECT FROM pg_index WHERE NOT indisvalid").fetchall()
    assert invalid == []


def test_a_login_that_does_not_exist_is_a_sentence() -> None:
    with fresh_database() as name:
        url = database_url(name, "owner")
        run = migrate(url, DATABASE_URL=database_url(name, "nobody"))
        alone = migrate("", DATABASE_URL=database_url(name, "nobody"))
    assert (run.returncode, alone.returncode) == (1, 1)
    assert run.stderr.startswith("DATABASE_URL: its login does not exist")
    assert alone.stderr.startswith("DATABASE_URL: the database does not answer, or refuses")
    assert [len(each.stderr.splitlines()) for each in (run, alone)] == [1, 1]


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (f"postgresql://api:marker@{HOST}:1/tasks", "the database does not answer"),
        ("postgresql://api:mar ker@h/x", "is not a valid URL"),
    ],
)
def test_a_database_that_cannot_be_migrated_is_a_sentence(url: str, message: str) -> None:
    run = migrate(url)
    assert run.returncode == 1
    assert run.stderr.startswith("MIGRATION_DATABASE_URL")
    assert message in run.stderr
    assert len(run.stderr.splitlines()) == 1
    assert "marker" not in run.stderr
