"""What happens before the first request, and around a SnapStart snapshot."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import moto
import pytest
import snapshot_restore_py

from local.postgres import start, stop
from shared import secrets
from shared.database.connection import connect, disconnect, pool
from shared.lifecycle import initialise
from shared.settings import ConfigurationError
from tests.conftest import FUNCTIONS, ROOT, Configure, User, migrate_url


def import_function(
    name: str, then: str = "", **variables: str
) -> subprocess.CompletedProcess[str]:
    """Import a function as Lambda does, in an environment of these variables."""
    return subprocess.run(
        [sys.executable, "-c", f"import functions.{name}\n{then}"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "AWS_LAMBDA_FUNCTION_NAME": name, **variables},
        check=False,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_wrong_configuration_fails_at_start_up_and_names_the_variable(name: str) -> None:
    imported = import_function(name)
    assert imported.returncode
    assert imported.stderr.splitlines()[-1] == (
        "shared.settings.ConfigurationError: DATABASE_URL or DATABASE_SECRET_ARN must be set"
    )


def test_an_environment_starts_up_while_database_and_issuer_are_down() -> None:
    imported = import_function(
        "list_tasks",
        DATABASE_URL="postgresql://u:marker@127.0.0.1:1/db",
        BETTER_AUTH_URL="http://127.0.0.1:1",
    )
    assert imported.returncode == 0
    assert "marker" not in imported.stdout + imported.stderr


def test_a_function_is_imported_without_an_environment_outside_of_lambda() -> None:
    imported = subprocess.run(
        [sys.executable, "-c", "import functions.list_tasks"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        check=False,
    )
    assert imported.returncode == 0


@pytest.fixture
def snap_start(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A function version that is published with SnapStart, with no hook registered yet."""
    hooks = [snapshot_restore_py.get_before_snapshot(), snapshot_restore_py.get_after_restore()]
    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start")
    for registered in hooks:
        registered.clear()
    yield
    for registered in hooks:
        registered.clear()


def run(hooks: list[tuple[Any, ...]]) -> None:
    """Run hooks as the runtime does."""
    for function, arguments, options in hooks:
        function(*arguments, **options)


def is_connected() -> bool:
    """Whether this environment holds a connection."""
    return pool.held is not None and not pool.held.opened.closed


def test_initialisation_connects(configure: Configure) -> None:
    configure()
    initialise(authenticated=True)
    assert is_connected()


@pytest.mark.usefixtures("snap_start")
def test_a_snapshot_holds_no_connection_and_what_is_restored_has_one(configure: Configure) -> None:
    configure()
    initialise(authenticated=True)
    assert not is_connected()
    connect()
    run(snapshot_restore_py.get_before_snapshot())
    assert not is_connected()
    run(snapshot_restore_py.get_after_restore())
    assert is_connected()


@pytest.mark.parametrize(("name", "held"), [("fallback", False), ("list_tasks", True)])
def test_a_function_holds_a_connection_where_it_asks_the_database(name: str, held: bool) -> None:
    configured = ("DATABASE_URL", "JWKS_URL", "JWT_ISSUER", "JWT_AUDIENCE")
    variables = {variable: os.environ[variable] for variable in configured}
    look = "from shared.database.connection import pool; print(pool.held is not None)"
    assert import_function(name, look, **variables).stdout == f"{held}\n"


@pytest.mark.usefixtures("snap_start")
def test_the_fallback_is_restored_without_a_connection(configure: Configure) -> None:
    configure()
    initialise(authenticated=True, asks_database=False)
    run(snapshot_restore_py.get_after_restore())
    assert not is_connected()


@pytest.mark.usefixtures("snap_start")
def test_a_wrong_configuration_fails_before_a_snapshot_is_taken_too(
    configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "list")
    configure(DATABASE_URL="postgresql://api:marker@db.test/tasks?sslmode=disable")
    with pytest.raises(ConfigurationError, match=r"^DATABASE_URL") as error:
        initialise(authenticated=True)
    assert "marker" not in str(error.value)


@pytest.mark.usefixtures("snap_start")
def test_a_version_is_published_before_its_role_may_read_the_secret(
    configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = os.environ["DATABASE_URL"]
    for name in "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY":
        monkeypatch.setenv(name, "made-up")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with moto.mock_aws():
        client = boto3.client("secretsmanager")
        configure(DATABASE_URL="", DATABASE_SECRET_ARN="tasks/database")
        initialise(authenticated=True)
        run(snapshot_restore_py.get_after_restore())
        assert not is_connected()
        client.create_secret(Name="tasks/database", SecretString=url)
        run(snapshot_restore_py.get_after_restore())
        assert is_connected()
        client.create_secret(Name="tasks/tokens", SecretString="a" * 40)
        key_set = dict.fromkeys(("JWKS_URL", "JWT_ISSUER", "JWT_AUDIENCE"))
        configure(**key_set, JWT_SECRET_ARN="tasks/tokens")
        with pytest.raises(ConfigurationError, match=r"^JWT_SECRET_ARN"):
            initialise(authenticated=True)
    secrets._provider.cache_clear()  # noqa: SLF001 (it would ask what is no longer mocked)


@pytest.mark.usefixtures("snap_start")
def test_health_is_restored_without_the_issuer(configure: Configure) -> None:
    configure(JWKS_URL="http://127.0.0.1:1")
    initialise(authenticated=False)
    run(snapshot_restore_py.get_after_restore())
    assert is_connected()


@pytest.mark.usefixtures("snap_start")
def test_a_restored_environment_serves_though_the_database_was_restarted_in_between(
    configure: Configure, alice: User, tmp_path: Path
) -> None:
    server = start(tmp_path / "data", durable=False)
    try:
        configure(DATABASE_URL=server.database_url("postgres"))
        migrate_url(server.database_url("postgres"))
        initialise(authenticated=True)
        assert alice.create().status_code == 201
        run(snapshot_restore_py.get_before_snapshot())
        stop(server)
        server = start(tmp_path / "data", durable=False)
        run(snapshot_restore_py.get_after_restore())
        assert len(alice.list().json()) == 1
    finally:
        disconnect()
        stop(server)
