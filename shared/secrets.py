"""Where the database's URL comes from: the environment, or a secret that holds it."""

import json
from functools import cache
from typing import Any

from shared.settings import ConfigurationError, postgres_url, settings

MAX_AGE = 24 * 60 * 60  # seconds; a rotation is noticed when Postgres refuses the old password


def database_url(*, renewed: bool = False) -> str:
    """The libpq URL of the database; `renewed` reads the secret again.

    Raises:
        ConfigurationError: the secret cannot be read, or holds no Postgres URL.
    """
    configured = settings()
    if configured.database_url:
        return configured.database_url
    return _url_in(_secret(str(configured.database_secret_arn), renewed=renewed))


def _secret(arn: str, *, renewed: bool) -> str:
    # Here, because it brings boto3, which costs a cold start more than everything else.
    from aws_lambda_powertools.utilities import parameters  # noqa: PLC0415

    try:
        return str(_provider().get(arn, max_age=MAX_AGE, force_fetch=renewed))
    except parameters.GetParameterError as error:
        answer = getattr(error.__context__, "response", {})
        code = answer.get("Error", {}).get("Code", type(error.__context__).__name__)
        raise ConfigurationError(f"DATABASE_SECRET_ARN: cannot be read ({code})") from None


@cache
def _provider() -> Any:
    """Powertools' provider of secrets, with its cache. It gives up long before boto3's minutes."""
    from aws_lambda_powertools.utilities.parameters import SecretsProvider  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    patience = Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 2})
    return SecretsProvider(boto_config=patience)


def _url_in(secret: str) -> str:
    """The URL in a secret: plain, or the member DATABASE_URL of a JSON object."""
    try:
        url = json.loads(secret)["DATABASE_URL"] if secret.lstrip().startswith("{") else secret
        return postgres_url(url.strip())
    except (ValueError, KeyError, AttributeError):
        raise ConfigurationError(
            "DATABASE_SECRET_ARN: the secret must be a Postgres URL, or a JSON object with one in "
            "DATABASE_URL"
        ) from None
