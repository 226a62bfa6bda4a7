"""The environment: every variable of the contract, and one clear error for what is wrong."""

from collections.abc import Callable
from random import Random
from string import ascii_letters, digits, hexdigits

import pytest

from shared.settings import (
    ConfigurationError,
    check_shared_secret,
    postgres_url,
    read_settings,
    settings,
)

DATABASE = {"DATABASE_URL": "postgresql://u:p@db.example/tasks"}
AUTH = {"BETTER_AUTH_URL": "https://app.example.com"}
KEY_SET = {"JWKS_URL": "https://keys.example.com/jwks"}
SECRET = {"BETTER_AUTH_SECRET": "correct horse battery staple 2026"}


class TestDatabase:
    @pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
    def test_url_has_any_spelling(self, scheme: str) -> None:
        rest = "u:p%40ss@db-pooler.neon.tech/tasks?sslmode=require&channel_binding=require"
        read = read_settings(AUTH | {"DATABASE_URL": f"{scheme}://{rest}"})
        assert read.database_url == f"postgresql://{rest}"

    @pytest.mark.parametrize(
        "url",
        ["mysql://db/tasks", "db/tasks", "postgresql+asyncpg://db/tasks", "postgres:db", "://"],
    )
    def test_url_is_one_of_postgres(self, url: str) -> None:
        with pytest.raises(ConfigurationError, match=r"^DATABASE_URL must start with postgres://"):
            read_settings(AUTH | {"DATABASE_URL": url})
        with pytest.raises(ValueError, match="must start with"):
            postgres_url(url)

    def test_url_may_be_in_a_secret(self) -> None:
        read = read_settings(AUTH | {"DATABASE_SECRET_ARN": "arn:aws:secretsmanager:x"})
        assert read.database_secret_arn == "arn:aws:secretsmanager:x"
        assert read.database_url is None

    def test_is_needed(self) -> None:
        with pytest.raises(ConfigurationError, match="DATABASE_URL or DATABASE_SECRET_ARN"):
            read_settings(AUTH)


class TestIssuer:
    @pytest.mark.parametrize(
        ("url", "origin"),
        [
            ("https://app.example.com", "https://app.example.com"),
            ("https://app.example.com/", "https://app.example.com"),
            ("https://app.example.com/api/auth", "https://app.example.com"),
            ("https://APP.Example.com:443/x?y#z", "https://app.example.com"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("http://localhost:80", "http://localhost"),
            ("https://localhost:80", "https://localhost:80"),
            ("http://[::1]:3000/", "http://[::1]:3000"),
        ],
    )
    def test_follows_from_the_url_of_better_auth(self, url: str, origin: str) -> None:
        read = read_settings(DATABASE | {"BETTER_AUTH_URL": url})
        assert read.key_set_url == f"{origin}/api/auth/jwks"
        assert read.issuer == read.audience == origin

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("JWKS_URL", "https://keys.example.com/jwks?x=y"),
            ("JWT_ISSUER", "https://issuer.example/"),
            ("JWT_AUDIENCE", "tasks"),
        ],
    )
    def test_is_overridden_one_by_one(self, name: str, value: str) -> None:
        names = {"JWKS_URL": "key_set_url", "JWT_ISSUER": "issuer", "JWT_AUDIENCE": "audience"}
        plain, read = read_settings(DATABASE | AUTH), read_settings(DATABASE | AUTH | {name: value})
        for variable, field in names.items():
            expected = value if variable == name else getattr(plain, field)
            assert getattr(read, field) == expected

    def test_may_be_named_without_better_auth(self) -> None:
        named = {
            "JWKS_URL": "https://keys.example.com/jwks",
            "JWT_ISSUER": "issuer",
            "JWT_AUDIENCE": "audience",
        }
        read = read_settings(DATABASE | named)
        assert (read.key_set_url, read.issuer, read.audience) == tuple(named.values())

    @pytest.mark.parametrize("missing", ["JWT_ISSUER", "JWT_AUDIENCE"])
    def test_is_needed_where_better_auth_is_not_named(self, missing: str) -> None:
        environment = DATABASE | KEY_SET | {"JWT_ISSUER": "issuer", "JWT_AUDIENCE": "audience"}
        del environment[missing]
        with pytest.raises(ConfigurationError, match="JWT_ISSUER and JWT_AUDIENCE must be set"):
            read_settings(environment)

    def test_or_a_secret_is_needed(self) -> None:
        with pytest.raises(ConfigurationError, match="JWKS_URL, JWT_SECRET or BETTER_AUTH_SECRET"):
            read_settings(DATABASE)

    @pytest.mark.parametrize("name", ["BETTER_AUTH_URL", "JWKS_URL"])
    @pytest.mark.parametrize(
        "url",
        [
            *("app.example.com", "ftp://app.example.com", "https://", "//app.example.com", "x"),
            *("https://user:hidden@app.example.com", "https://app:0", "https://app:x", "https://["),
            *("https://app:99999", "file:///etc/passwd"),
        ],
    )
    def test_is_an_http_url_without_credentials(self, name: str, url: str) -> None:
        with pytest.raises(ConfigurationError, match=f"^{name} ") as error:
            read_settings(DATABASE | AUTH | {name: url})
        assert "hidden" not in str(error.value)


class TestSharedSecret:
    def test_is_used_where_no_key_set_is_configured(self) -> None:
        read = read_settings(DATABASE | SECRET)
        assert read.shared_secret == ("BETTER_AUTH_SECRET", SECRET["BETTER_AUTH_SECRET"])
        assert read.key_set_url is None

    def test_needs_neither_issuer_nor_audience(self) -> None:
        read = read_settings(DATABASE | SECRET)
        assert (read.issuer, read.audience) == (None, None)
        named = {"JWT_ISSUER": "https://issuer.example", "JWT_AUDIENCE": "tasks"}
        read = read_settings(DATABASE | SECRET | named)
        assert (read.issuer, read.audience) == tuple(named.values())

    @pytest.mark.parametrize("key_set", [AUTH, KEY_SET | {"JWT_ISSUER": "i", "JWT_AUDIENCE": "a"}])
    def test_gives_way_to_a_key_set(self, key_set: dict[str, str]) -> None:
        assert read_settings(DATABASE | SECRET | key_set).key_set_url

    def test_of_its_own_wins_over_the_one_of_better_auth(self) -> None:
        own = {"JWT_SECRET": "another one, of thirty-two bytes and more"}
        arns = {"JWT_SECRET_ARN": "arn:1", "BETTER_AUTH_SECRET_ARN": "arn:2"}
        order = [*own, "JWT_SECRET_ARN", *SECRET, "BETTER_AUTH_SECRET_ARN"]
        environment = own | arns | SECRET
        for name in order:
            read = read_settings(DATABASE | environment)
            assert read.shared_secret == (name, environment.pop(name))

    @pytest.mark.parametrize("name", ["JWT_SECRET", "BETTER_AUTH_SECRET"])
    @pytest.mark.parametrize("secret", ["correct horse battery staple 26", "x", "\u00e9" * 15])
    def test_has_32_bytes(self, name: str, secret: str) -> None:
        with pytest.raises(ConfigurationError, match=f"^ ?{name} must have at least") as error:
            read_settings(DATABASE | {name: secret})
        assert secret not in str(error.value).replace(name, "").split()

    def test_is_measured_in_bytes(self) -> None:
        secret = "".join(map(chr, range(0xE0, 0xF0)))  # 16 letters of two bytes each
        assert read_settings(DATABASE | {"JWT_SECRET": secret})

    @pytest.mark.parametrize(
        "secret",
        [
            "a" * 32,
            "a" * 64,
            "0123456701234567" * 2,
            "secret" * 8,
            "abcdefg" * 4 + "gfed",
            "12345678901234567890123456789012",
            "01234567890123456789012345678901",
            "00000000000000000000000001234567",
            "a" * 24 + "bcdefgh1",
            "0123456789abcdef" * 256,
            "changemechangemechangemechangeme!",
            "password1password1password1passwo",
            "your-256-bit-secret-your-256-bit",
            "better-auth-secret-12345678901234567890",
            "BETTER-AUTH-SECRET-12345678901234567890",
            "your-super-secret-jwt-token-with-at-least-32-characters-long",
            "your-super-secret-and-long-jwt-secret",
            "a-string-secret-at-least-256-bits-long",
            "this-is-a-secret-key-for-development",
            "abcdefghijklmnopqrstuvwxyz123456",
        ],
    )
    def test_cannot_be_guessed(self, secret: str) -> None:
        with pytest.raises(ConfigurationError, match="JWT_SECRET can be guessed") as error:
            read_settings(DATABASE | {"JWT_SECRET": secret})
        assert secret not in str(error.value)

    @pytest.mark.parametrize(
        "alphabet", [digits, hexdigits[:16], ascii_letters + digits], ids=["10", "16", "62"]
    )
    def test_may_be_any_random_one(self, alphabet: str) -> None:
        random = Random(32)
        for _ in range(1000):
            check_shared_secret("JWT_SECRET", "".join(random.choices(alphabet, k=32)))

    @pytest.mark.parametrize(
        "key",
        ["-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5"],
    )
    def test_is_no_public_key(self, key: str) -> None:
        with pytest.raises(ConfigurationError, match="JWT_SECRET must be a secret, not a key"):
            read_settings(DATABASE | {"JWT_SECRET": key})

    def test_that_is_not_used_is_not_checked(self) -> None:
        assert read_settings(DATABASE | AUTH | {"BETTER_AUTH_SECRET": "x"})


class TestNumbers:
    def test_have_defaults(self) -> None:
        read = read_settings(DATABASE | AUTH)
        assert (read.jwt_max_lifetime, read.max_tasks_per_user) == (86_400, 10_000)

    def test_are_whole(self) -> None:
        numbers = {"JWT_MAX_LIFETIME": "604800", "MAX_TASKS_PER_USER": "0"}
        read = read_settings(DATABASE | AUTH | numbers)
        assert (read.jwt_max_lifetime, read.max_tasks_per_user) == (604_800, 0)

    @pytest.mark.parametrize("value", ["-1", "1.5", "1e3", "x", "\u0661", "1_000"])
    @pytest.mark.parametrize(
        ("name", "least"), [("JWT_MAX_LIFETIME", "1"), ("MAX_TASKS_PER_USER", "0")]
    )
    def test_are_refused_otherwise(self, name: str, least: str, value: str) -> None:
        with pytest.raises(
            ConfigurationError, match=f"^{name} must be a whole number from {least}"
        ):
            read_settings(DATABASE | AUTH | {name: value})

    def test_a_lifetime_is_not_zero(self) -> None:
        with pytest.raises(ConfigurationError, match="JWT_MAX_LIFETIME"):
            read_settings(DATABASE | AUTH | {"JWT_MAX_LIFETIME": "0"})


class TestOrigins:
    @pytest.mark.parametrize(
        ("value", "origins"),
        [
            ("", ()),
            ("https://app.example.com", ("https://app.example.com",)),
            (
                " https://a.example , http://localhost:3000,",
                ("https://a.example", "http://localhost:3000"),
            ),
        ],
    )
    def test_are_separated_by_commas(self, value: str, origins: tuple[str, ...]) -> None:
        read = read_settings(DATABASE | AUTH | {"ALLOWED_ORIGINS": value})
        assert read.allowed_origins == origins

    @pytest.mark.parametrize(
        "value",
        ["*", "null", "app.example.com", "https://app.example.com/", "https://App.example.com"],
    )
    def test_are_what_a_browser_sends(self, value: str) -> None:
        with pytest.raises(ConfigurationError, match=r"^ALLOWED_ORIGINS "):
            read_settings(DATABASE | AUTH | {"ALLOWED_ORIGINS": value})


class TestConfiguration:
    def test_takes_an_empty_variable_for_none(self) -> None:
        empty = {"DATABASE_SECRET_ARN": "", "BETTER_AUTH_SECRET": " ", "JWKS_URL": "\t"}
        assert read_settings(DATABASE | AUTH | empty) == read_settings(DATABASE | AUTH)

    def test_strips_blanks_around_a_variable(self) -> None:
        read = read_settings(DATABASE | {"BETTER_AUTH_URL": " https://app.example.com\n"})
        assert read.issuer == "https://app.example.com"

    def test_ignores_what_it_does_not_know(self) -> None:
        assert read_settings(DATABASE | AUTH | {"HOME": "/root"})

    def test_names_every_variable_that_is_wrong(self) -> None:
        wrong = {"DATABASE_URL": "x", "BETTER_AUTH_URL": "x", "ALLOWED_ORIGINS": "x"}
        with pytest.raises(ConfigurationError) as error:
            read_settings(wrong)
        assert all(name in str(error.value) for name in wrong)

    @pytest.mark.parametrize("show", [repr, str])
    def test_shows_no_secret(self, show: Callable[[object], str]) -> None:
        shown = show(read_settings(DATABASE | SECRET))
        assert "u:p@" not in shown
        assert SECRET["BETTER_AUTH_SECRET"] not in shown

    def test_says_no_secret_in_an_error(self) -> None:
        with pytest.raises(ConfigurationError) as error:
            read_settings({"DATABASE_URL": "mysql://u:hidden@db", "BETTER_AUTH_SECRET": "hidden"})
        assert "hidden" not in str(error.value)
        assert error.value.__suppress_context__

    def test_is_read_once(self) -> None:
        assert settings() is settings()
        assert settings().database_url
