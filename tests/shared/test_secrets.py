"""The database's URL out of Secrets Manager, which moto stands in for."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import boto3
import psycopg
import pytest
from moto import mock_aws
from moto.core import set_initial_no_auth_action_count
from psycopg import sql

from local.postgres import running
from shared import secrets
from shared.database.connection import disconnect
from shared.secrets import database_url
from shared.settings import ConfigurationError
from tests.conftest import ROOT, Configure, User, migrate_url

URL = "postgresql://api:secret@db.test/tasks"
REGION = "us-east-1"
END_SESSIONS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'api'"


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        yield
    secrets._provider.cache_clear()  # noqa: SLF001 (what it remembers is another test's)


def keep_secret(configure: Configure, value: str) -> str:
    """Store a secret and configure it; returns its ARN."""
    manager = boto3.client("secretsmanager")
    arn: str = manager.create_secret(Name="database", SecretString=value)["ARN"]
    configure(DATABASE_URL=None, DATABASE_SECRET_ARN=arn)
    return arn


@pytest.mark.parametrize(
    "secret",
    [
        URL,
        f" {URL}\n",
        URL.replace("postgresql:", "postgres:"),
        json.dumps({"DATABASE_URL": URL, "other": 1}),
    ],
)
def test_the_secret_is_a_url_or_json_with_one(configure: Configure, secret: str) -> None:
    keep_secret(configure, secret)
    assert database_url() == URL


@pytest.mark.parametrize(
    "secret", ["", "marker", "mysql://marker", "{marker", "{}", '{"DATABASE_URL": 1}']
)
def test_another_secret_is_an_error_that_names_the_variable_only(
    configure: Configure, secret: str
) -> None:
    keep_secret(configure, secret or " ")
    with pytest.raises(ConfigurationError, match=r"^DATABASE_SECRET_ARN: ") as error:
        database_url()
    assert "marker" not in str(error.value)


def test_a_missing_secret_is_an_error_that_names_the_variable(configure: Configure) -> None:
    arn = keep_secret(configure, URL)
    boto3.client("secretsmanager").delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)
    with pytest.raises(ConfigurationError, match=r"DATABASE_SECRET_ARN.*ResourceNotFound"):
        database_url()


def test_a_denied_secret_is_an_error_that_names_the_variable(configure: Configure) -> None:
    keep_secret(configure, URL)
    authenticating = set_initial_no_auth_action_count(0)
    with pytest.raises(ConfigurationError, match=r"^DATABASE_SECRET_ARN: cannot be read"):
        authenticating(database_url)()


def test_the_secret_is_read_once(configure: Configure) -> None:
    arn = keep_secret(configure, URL)
    database_url()
    boto3.client("secretsmanager").delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)
    assert database_url() == URL


def test_a_rotated_password_is_noticed_when_postgres_refuses_the_old_one(
    configure: Configure, alice: User, tmp_path: Path
) -> None:
    rules = tmp_path / "pg_hba.conf"
    rules.write_text("local all postgres trust\nlocal all all scram-sha-256\n")
    with running(tmp_path / "data", durable=False, settings={"hba_file": str(rules)}) as server:
        admin_url = server.database_url("postgres")
        migrate_url(admin_url)
        with psycopg.connect(admin_url, autocommit=True) as admin:

            def rotate(password: str) -> str:
                admin.execute(sql.SQL("ALTER ROLE api PASSWORD {}").format(password))
                return admin_url.replace("postgres@", f"api:{password}@", 1)

            admin.execute("CREATE ROLE api LOGIN; GRANT tasks_user TO api")
            arn = keep_secret(configure, rotate("old"))
            assert alice.create().status_code == 201

            def refuse_what_is_known() -> str:
                url = rotate(uuid4().hex)
                admin.execute(END_SESSIONS)
                assert alice.list().status_code == 503
                return url

            url = refuse_what_is_known()
            manager = boto3.client("secretsmanager")
            manager.put_secret_value(SecretId=arn, SecretString=url)
            assert alice.list().status_code == 200

            manager.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)
            refuse_what_is_known()
        disconnect()


def test_boto3_is_not_imported_where_the_url_is_given() -> None:
    script = "import sys, functions.list_tasks as f; f.app; sys.exit('boto3' in sys.modules)"
    environment = os.environ | {"AWS_LAMBDA_FUNCTION_NAME": "list"}
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environment, check=True)
