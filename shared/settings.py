"""The environment, as one validated model."""

import os
import zlib
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
# What zlib makes of the start of a secret: repeats and padding give less, random digits do not.
MINIMUM_COMPRESSED_BYTES = 32
COMPRESSED_START = 64  # bytes; the compressed repeats of a long text would add up
# In lower case: defaults, and texts of tutorials. They are what is guessed first.
KNOWN_SECRETS = {
    "a-string-secret-at-least-256-bits-long",
    "abcdefghijklmnopqrstuvwxyz0123456789",
    "abcdefghijklmnopqrstuvwxyz123456",
    "better-auth-secret-12345678901234567890",
    "super-secret-jwt-token-with-at-least-32-characters-long",
    "this-is-a-secret-key-for-development",
    "your-super-secret-and-long-jwt-secret",
    "your-super-secret-jwt-token-with-at-least-32-characters-long",
}
SHARED_SECRETS = ("jwt_secret", "jwt_secret_arn", "better_auth_secret", "better_auth_secret_arn")
DEFAULT_PORTS = {"http": 80, "https": 443}


class ConfigurationError(Exception):
    """The environment is wrong or incomplete. The message names variables, never their values."""


class UnreadableSecretError(ConfigurationError):
    """Secrets Manager does not give the secret that a variable names."""


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


def check_shared_secret(name: str, secret: str) -> None:
    """Refuse a secret that can be guessed. Raises ConfigurationError, which names the variable."""
    if len(secret.encode()) < MINIMUM_SECRET_BYTES:
        raise ConfigurationError(f"{name} must have at least {MINIMUM_SECRET_BYTES} bytes")
    if secret.lstrip().startswith(("-----BEGIN", "ssh-")):
        raise ConfigurationError(f"{name} must be a secret, not a key")
    compressed = zlib.compress(secret.encode()[:COMPRESSED_START], 9)
    if secret.lower() in KNOWN_SECRETS or len(compressed) < MINIMUM_COMPRESSED_BYTES:
        raise ConfigurationError(f"{name} can be guessed; `openssl rand -base64 32` makes a secret")


def _seconds(value: str) -> int:
    return _number(value, 1)


def _number(value: str, least: int = 0) -> int:
    if not (value.isascii() and value.isdigit()) or int(value) < least:
        raise ValueError(f"must be a whole number from {least}")
    return int(value)


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
    jwt_secret: str | None = Field(default=None, repr=False)
    jwt_secret_arn: str | None = None
    better_auth_secret: str | None = Field(default=None, repr=False)
    better_auth_secret_arn: str | None = None
    jwt_max_lifetime: Annotated[int, BeforeValidator(_seconds)] = 24 * 60 * 60
    pseudonym_key_secret_arn: str | None = None
    allowed_origins: Origins = ()
    max_tasks_per_user: Annotated[int, BeforeValidator(_number)] = 10_000

    @property
    def key_set_url(self) -> str | None:
        """Where the public keys are; none in shared-secret mode."""
        if self.jwks_url or not self.better_auth_url:
            return self.jwks_url
        return _origin(self.better_auth_url) + KEY_SET_PATH

    @property
    def shared_secret(self) -> tuple[str, str]:
        """The variable of the HS256 secret and its value; used where there is no key set.

        A secret of its own comes first: with Better Auth's, a token for this API would also pass
        for what Better Auth signs with it, such as the link of an e-mail.
        """
        found = ((name.upper(), getattr(self, name)) for name in SHARED_SECRETS)
        return next(((name, value) for name, value in found if value), ("", ""))

    @property
    def issuer(self) -> str | None:
        """The `iss` of the tokens."""
        return self.jwt_issuer or (_origin(self.better_auth_url) if self.better_auth_url else None)

    @property
    def audience(self) -> str | None:
        """The `aud` of the tokens."""
        return self.jwt_audience or (
            _origin(self.better_auth_url) if self.better_auth_url else None
        )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if not self.database_url and not self.database_secret_arn:
            raise ValueError("DATABASE_URL or DATABASE_SECRET_ARN must be set")
        name, secret = self.shared_secret
        if not self.key_set_url and not secret:
            raise ValueError(
                "BETTER_AUTH_URL, JWKS_URL, JWT_SECRET or BETTER_AUTH_SECRET must be set: "
                "there is no way to verify a token"
            )
        if self.key_set_url and not (self.issuer and self.audience):
            raise ValueError("JWT_ISSUER and JWT_AUDIENCE must be set where BETTER_AUTH_URL is not")
        if not self.key_set_url and not name.endswith("_ARN"):
            check_shared_secret(name, secret)
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
