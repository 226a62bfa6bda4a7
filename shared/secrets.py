"""Secrets, where the environment names them: its own values, or Secrets Manager's."""

import json
import os
from functools import cache
from hashlib import blake2b
from ipaddress import ip_address
from typing import Any

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from shared.settings import (
    ConfigurationError,
    UnreadableSecretError,
    check_shared_secret,
    postgres_url,
    settings,
)

MAX_AGE = 24 * 60 * 60  # seconds; a rotation is noticed when the old secret is refused
ENCRYPTED = {"require", "verify-ca", "verify-full"}


def database_url(*, renewed: bool = False) -> str:
    """The libpq URL of the database; `renewed` reads the secret again.

    Raises:
        ConfigurationError: the secret cannot be read or holds no Postgres URL, or in Lambda, the
            URL does not ask for TLS.
    """
    configured = settings()
    if configured.database_url:
        return _checked("DATABASE_URL", configured.database_url)
    name = "DATABASE_SECRET_ARN"
    secret = _secret(name, str(configured.database_secret_arn), "DATABASE_URL", renewed=renewed)
    try:
        return _checked(name, postgres_url(secret))
    except ValueError:
        raise ConfigurationError(f"{name}: the secret must hold a Postgres URL") from None


def shared_secret(*, renewed: bool = False) -> str:
    """The HS256 secret; `renewed` reads it again where Secrets Manager holds it.

    Raises:
        ConfigurationError: it cannot be read, is too short, or is a known default.
    """
    name, value = settings().shared_secret
    if name.endswith("_ARN"):
        value = _secret(name, value, name.removesuffix("_ARN"), renewed=renewed)
        check_shared_secret(name, value)
    return value


def pseudonym_key() -> bytes:
    """The key of the hashes that stand for users in the log.

    It is a secret of its own, or made of the database's URL. Raises `ConfigurationError`.
    """
    arn = settings().pseudonym_key_secret_arn
    if arn:
        key = _secret("PSEUDONYM_KEY_SECRET_ARN", arn, "PSEUDONYM_KEY", renewed=False)
    else:
        key = database_url()
    return blake2b(key.encode(), digest_size=32).digest()


def is_well_formed(url: str) -> bool:
    """Whether a libpq URL says what was meant. Errors of one that does not may quote its password.

    A special character in a password that is not percent-encoded makes a part of it the host, the
    port or the database.
    """
    try:
        parts = conninfo_to_dict(url)
    except (ProgrammingError, UnicodeError):
        return False
    ports = str(parts.get("port") or "").split(",")
    places = f"{parts.get('host')}{parts.get('dbname')}"
    return all(port.isdecimal() or not port for port in ports) and "@" not in places


def _checked(name: str, url: str) -> str:
    """The URL, if libpq can read it and, in Lambda, the way to the database is encrypted.

    With `sam local`, Postgres and the functions are on one machine.
    """
    if not is_well_formed(url):
        raise ConfigurationError(f"{name} is not a valid Postgres URL")
    parts = conninfo_to_dict(url)
    in_cloud = "AWS_LAMBDA_FUNCTION_NAME" in os.environ and "AWS_SAM_LOCAL" not in os.environ
    if in_cloud and parts.get("sslmode") not in ENCRYPTED and not _is_local(parts):
        raise ConfigurationError(f"{name}: sslmode must be require, verify-ca or verify-full")
    return url


def _is_local(parts: dict[str, Any]) -> bool:
    """Whether every host is a Unix socket or loopback."""
    hosts = f"{parts.get('hostaddr') or parts.get('host') or ''}".split(",")
    return all(
        host.startswith("/") or host in {"", "localhost"} or _is_loopback(host) for host in hosts
    )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _secret(name: str, arn: str, member: str, *, renewed: bool) -> str:
    """What a secret holds: plain text, or a member of a JSON object."""
    # Imported here, since it brings boto3, which costs a cold start more than all the rest.
    from aws_lambda_powertools.utilities import parameters  # noqa: PLC0415

    try:
        value = str(_provider().get(arn, max_age=MAX_AGE, force_fetch=renewed)).strip()
        return str(json.loads(value)[member]) if value.startswith("{") else value
    except parameters.GetParameterError as error:
        response = getattr(error.__context__, "response", {})
        code = response.get("Error", {}).get("Code", type(error.__context__).__name__)
        raise UnreadableSecretError(f"{name}: cannot be read ({code})") from None
    except (ValueError, KeyError):
        raise ConfigurationError(f"{name}: the JSON in the secret has no {member}") from None


@cache
def _provider() -> Any:
    """Powertools' provider of secrets, with its cache. boto3 alone gives up after minutes."""
    from aws_lambda_powertools.utilities.parameters import SecretsProvider  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    limits = Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 2})
    return SecretsProvider(boto_config=limits)
