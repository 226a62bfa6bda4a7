"""The environment, as one validated model."""

import os
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

KEY_SET_PATH = "/api/auth/jwks"
MINIMUM_SECRET_BYTES = 32  # RFC 7518, section 3.2: as many as HMAC with SHA-256 gives
DEFAULT_PORTS = {"http": 80, "https": 443}


class ConfigurationError(Exception):
    """The environment is wrong or incomplete. The message names variables, never their values."""


def _split(url: str) -> SplitResult:
    parts = urlsplit(url)
    usable = parts.scheme in DEFAULT_PORTS and parts.hostname and parts.port != 0
    if not usable or parts.username is not None:
        raise ValueError("must be an http or https URL without credentials")
    return parts


def _origin(url: str) -> str:
    """The origin of a URL, as browsers and Better Auth write it (RFC 6454, section 6.2)."""
    parts = _split(url)
    host = f"[{parts.hostname}]" if ":" in str(parts.hostname) else parts.hostname
    implied = parts.port in {None, DEFAULT_PORTS[parts.scheme]}
    return f"{parts.scheme}://{host}" if implied else f"{parts.scheme}://{host}:{parts.port}"


def _http_url(value: str) -> str:
    return _split(value).geturl()


def postgres_url(value: str) -> str:
    """Spell a Postgres URL as libpq does. Raises ValueError when it is not one."""
    scheme, separator, rest = value.partition("://")
    if not separator or scheme not in {"postgres", "postgresql", "postgresql+psycopg"}:
        raise ValueError("must start with postgres://, postgresql:// or postgresql+psycopg://")
    return f"postgresql://{rest}"


def _origins(value: str) -> list[str]:
    """Split a comma-separated list, refusing what no browser sends as an Origin, such as `*`."""
    origins = [item.strip() for item in value.split(",") if item.strip()]
    if any(_origin(origin) != origin for origin in origins):
        raise ValueError("must be origins such as https://app.example.com, separated by commas")
    return origins


HttpUrl = Annotated[str, AfterValidator(_http_url)]
PostgresUrl = Annotated[str, AfterValidator(postgres_url)]
Origins = Annotated[tuple[str, ...], BeforeValidator(_origins)]


class Settings(BaseModel):
    """What the environment says: each variable is named as its field, in capitals."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    database_url: PostgresUrl | None = Field(default=None, repr=False)
    database_secret_arn: str | None = None
    better_auth_url: HttpUrl | None = None
    jwks_url: HttpUrl | None = None
    jwt_issuer: str | None = None
    jwt_audience: str | None = None
    better_auth_secret: str | None = Field(default=None, repr=False)
    allowed_origins: Origins = ()
    max_tasks_per_user: Annotated[int, Field(ge=0)] = 10_000

    @property
    def key_set_url(self) -> str | None:
        """Where the public keys are; none in shared-secret mode."""
        if self.jwks_url or not self.better_auth_url:
            return self.jwks_url
        return _origin(self.better_auth_url) + KEY_SET_PATH

    @property
    def shared_secret(self) -> str | None:
        """The HS256 secret, used only when no key set is configured."""
        return None if self.key_set_url else self.better_auth_secret

    @property
    def issuer(self) -> str:
        """Who signs the tokens."""
        return self.jwt_issuer or _origin(str(self.better_auth_url))

    @property
    def audience(self) -> str:
        """Whom the tokens are for."""
        return self.jwt_audience or _origin(str(self.better_auth_url))

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if not self.database_url and not self.database_secret_arn:
            raise ValueError("DATABASE_URL or DATABASE_SECRET_ARN must be set")
        if not self.key_set_url and not self.better_auth_secret:
            raise ValueError(
                "BETTER_AUTH_URL, JWKS_URL or BETTER_AUTH_SECRET must be set: "
                "there is no way to verify a token"
            )
        if not self.better_auth_url and not (self.jwt_issuer and self.jwt_audience):
            raise ValueError("JWT_ISSUER and JWT_AUDIENCE must be set where BETTER_AUTH_URL is not")
        secret = self.shared_secret
        if secret is not None and len(secret.encode()) < MINIMUM_SECRET_BYTES:
            raise ValueError(f"BETTER_AUTH_SECRET must have at least {MINIMUM_SECRET_BYTES} bytes")
        return self


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Validate an environment; an empty variable counts as absent.

    Raises:
        ConfigurationError: it names every variable that is wrong.
    """
    values = {name: environment.get(name.upper(), "").strip() for name in Settings.model_fields}
    try:
        return Settings.model_validate({name: value for name, value in values.items() if value})
    except ValidationError as invalid:
        raise ConfigurationError("; ".join(_messages(invalid))) from None


def _messages(invalid: ValidationError) -> list[str]:
    return [
        " ".join([*(str(part).upper() for part in error["loc"]), str(error["ctx"]["error"])])
        for error in invalid.errors(include_input=False)
    ]


@cache
def settings() -> Settings:
    """The settings of this process. Raises `ConfigurationError` as `read_settings` does."""
    return read_settings(os.environ)
