"""Secrets out of Secrets Manager, which moto stands in for, and what they must be."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import boto3
import httpx2
import jwt
import psycopg
import pytest
from moto import mock_aws
from moto.core import set_initial_no_auth_action_count
from psycopg import sql

from local.postgres import running
from shared import secrets
from shared.auth.shared_secret import MAX_AGE, SharedSecret
from shared.database.connection import disconnect
from shared.lifecycle import initialise
from shared.secrets import database_url, pseudonym_key, shared_secret
from shared.settings import ConfigurationError
from tests.conftest import ROOT, Configure, User, migrate_url

URL = "postgresql://api:secret@db.test/tasks"
REGION = "us-east-1"
TOKENS = "correct horse battery staple 2026"
END_SESSIONS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'api'"


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        yield
    secrets._provider.cache_clear()  # noqa: SLF001 (what it remembers is another test's)


def store(value: str) -> str:
    """Store a secret; returns its ARN."""
    manager = boto3.client("secretsmanager")
    arn: str = manager.create_secret(Name=uuid4().hex, SecretString=value)["ARN"]
    return arn


def keep_secret(configure: Configure, value: str) -> str:
    """Store the database's secret and configure it; returns its ARN."""
    arn = store(value)
    configure(DATABASE_URL=None, DATABASE_SECRET_ARN=arn)
    return arn


def share_secret(configure: Configure, value: str, variable: str = "JWT_SECRET_ARN") -> str:
    """Store the secret of tokens and configure it, instead of a key set; returns its ARN."""
    arn = store(value)
    nothing = dict.fromkeys(("JWKS_URL", "JWT_ISSUER", "JWT_AUDIENCE"))
    configure(**nothing, **{variable: arn})
    return arn


def token(secret: str, subject: str = "alice") -> str:
    """A token as tutorials make it."""
    claims = {"sub": subject, "exp": int(time.time()) + 600}
    return jwt.encode(claims, secret, "HS256")


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


class TestSharedSecret:
    @pytest.mark.parametrize("variable", ["JWT_SECRET_ARN", "BETTER_AUTH_SECRET_ARN"])
    @pytest.mark.parametrize("form", ["{}", " {}\n", '{{"MEMBER": "{}"}}'])
    def test_is_text_or_json_with_it(self, configure: Configure, variable: str, form: str) -> None:
        text = form.format(TOKENS).replace("MEMBER", variable.removesuffix("_ARN"))
        share_secret(configure, text, variable)
        assert shared_secret() == TOKENS

    @pytest.mark.parametrize(
        "secret", ["marker", '{"OTHER": "marker"}', "{marker", "a" * 32, "marker" * 6]
    )
    def test_that_will_not_do_is_an_error_that_names_the_variable_only(
        self, configure: Configure, secret: str
    ) -> None:
        share_secret(configure, secret)
        with pytest.raises(ConfigurationError, match=r"^JWT_SECRET_ARN:? ") as error:
            shared_secret()
        assert "marker" not in str(error.value)

    def test_verifies_a_token_of_subject_and_expiry_alone(
        self, configure: Configure, api: httpx2.Client
    ) -> None:
        share_secret(configure, TOKENS)
        assert User("alice", token(TOKENS), api).list().status_code == 200
        assert User("alice", token(TOKENS + "x"), api).list().status_code == 401

    def test_that_was_rotated_is_noticed_when_a_token_fails(
        self, configure: Configure, api: httpx2.Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        arn = share_secret(configure, TOKENS)
        user = User("alice", token(TOKENS), api)
        assert user.list().status_code == 200
        boto3.client("secretsmanager").put_secret_value(SecretId=arn, SecretString=TOKENS * 2 + "x")
        renewed = User("alice", token(TOKENS * 2 + "x"), api)
        assert renewed.list().status_code == 401  # it was read less than a minute ago
        monkeypatch.setattr("shared.auth.shared_secret.COOLDOWN", 0)
        assert renewed.list().status_code == 200
        assert user.list().status_code == 401

    def test_that_was_rotated_ends_the_old_one_ten_minutes_later(
        self, configure: Configure
    ) -> None:
        arn = share_secret(configure, TOKENS)
        now = time.time()
        secret = SharedSecret(now=lambda: now)
        old = secret.key("HS256", None).key
        boto3.client("secretsmanager").put_secret_value(SecretId=arn, SecretString=TOKENS[::-1])
        now += MAX_AGE - 1
        assert secret.key("HS256", None).key == old
        now += 1
        assert secret.key("HS256", None).key != old


class TestPseudonymKey:
    def test_follows_from_the_url_unless_it_is_a_secret_of_its_own(
        self, configure: Configure
    ) -> None:
        configure(DATABASE_URL=URL)
        made = pseudonym_key()
        configure(DATABASE_URL=URL.replace("secret", "rotated"))
        assert pseudonym_key() != made

        arn = store("a key")
        configure(PSEUDONYM_KEY_SECRET_ARN=arn)
        own = pseudonym_key()
        configure(DATABASE_URL=URL)
        assert pseudonym_key() == own != made
        configure(PSEUDONYM_KEY_SECRET_ARN=store("another"))
        assert len(pseudonym_key()) == len(own) == 32
        assert pseudonym_key() != own

    def test_that_cannot_be_read_fails_at_start_up(self, configure: Configure) -> None:
        configure(PSEUDONYM_KEY_SECRET_ARN="tasks/nowhere")
        with pytest.raises(ConfigurationError, match=r"^PSEUDONYM_KEY_SECRET_ARN: "):
            initialise(authenticated=True)


class TestTransport:
    """What goes to the database from Lambda is encrypted."""

    @pytest.fixture(autouse=True)
    def _in_lambda(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "list")
        monkeypatch.delenv("AWS_SAM_LOCAL", raising=False)

    @pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
    def test_is_encrypted(self, configure: Configure, mode: str) -> None:
        url = f"{URL}?sslmode={mode}&channel_binding=require"
        configure(DATABASE_URL=url)
        assert database_url() == url

    @pytest.mark.parametrize(
        "query",
        ["", "?sslmode=disable", "?sslmode=allow", "?sslmode=prefer", "?sslmode=require&sslmode="],
    )
    def test_that_is_not_encrypted_is_an_error_that_names_the_variable(
        self, configure: Configure, query: str
    ) -> None:
        configure(DATABASE_URL=URL + query)
        with pytest.raises(ConfigurationError, match=r"^DATABASE_URL: sslmode must be") as error:
            database_url()
        assert "secret" not in str(error.value)
        keep_secret(configure, URL + query)
        with pytest.raises(ConfigurationError, match=r"^DATABASE_SECRET_ARN: sslmode must be"):
            database_url()

    @pytest.mark.parametrize(
        "url",
        [
            "postgresql://u:p@localhost/tasks",
            "postgresql://u:p@127.0.0.1:5433/tasks",
            "postgresql://u:p@[::1]/tasks",
            "postgresql:///tasks?host=/var/run/postgresql",
            "postgresql://u:p@localhost,127.0.0.1/tasks",
            "postgresql://u:p@db.test/tasks?hostaddr=127.0.0.1",
        ],
    )
    def test_may_be_plain_where_it_stays_on_the_machine(
        self, configure: Configure, url: str
    ) -> None:
        configure(DATABASE_URL=url)
        assert database_url() == url

    @pytest.mark.parametrize(
        "url",
        [
            "postgresql://u:p@localhost,db.test/tasks",
            "postgresql://u:p@127.0.0.1.example.com/tasks",
            "postgresql://u:p@localhost/tasks?hostaddr=192.0.2.1",
            "postgresql://u:p@localhost/tasks?host=db.test",
            "postgresql://u:p@10.0.0.1/tasks",
        ],
    )
    def test_may_not_be_plain_where_one_host_is_another(
        self, configure: Configure, url: str
    ) -> None:
        configure(DATABASE_URL=url)
        with pytest.raises(ConfigurationError, match="sslmode must be"):
            database_url()

    @pytest.mark.parametrize("variable", ["AWS_SAM_LOCAL", "AWS_LAMBDA_FUNCTION_NAME"])
    def test_may_be_plain_in_development(
        self, configure: Configure, monkeypatch: pytest.MonkeyPatch, variable: str
    ) -> None:
        if variable == "AWS_SAM_LOCAL":
            monkeypatch.setenv(variable, "true")
        else:
            monkeypatch.delenv(variable)
        configure(DATABASE_URL=URL)
        assert database_url() == URL


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:hidden@db/tasks?x=hidden",
        "postgresql://u:hidden@[db/tasks",
        "postgresql://u:a@hidden@db/tasks",
        "postgresql://u:hidden/1@db/tasks",
        "postgresql://u:1/hidden@db/tasks",
        "postgresql://u:hidden%ff@db/tasks",
    ],
)
def test_a_url_that_does_not_say_what_was_meant_is_an_error_that_shows_nothing_of_it(
    configure: Configure, url: str
) -> None:
    configure(DATABASE_URL=url)
    with pytest.raises(ConfigurationError, match=r"^DATABASE_URL is not a valid") as error:
        database_url()
    assert "hidden" not in str(error.value)
    assert error.value.__context__ is None


@pytest.mark.parametrize("places", ["a,b", "a:1,b", "a:1,b:2", "[::1]:1", "%2Ftmp"])
def test_a_url_may_name_any_places(configure: Configure, places: str) -> None:
    url = f"postgresql://u:p%40@{places}/tasks"
    configure(DATABASE_URL=url)
    assert database_url() == url


def test_boto3_is_not_imported_where_the_url_is_given() -> None:
    script = "import sys, functions.list_tasks as f; f.app; sys.exit('boto3' in sys.modules)"
    environment = os.environ | {"AWS_LAMBDA_FUNCTION_NAME": "list"}
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environment, check=True)
