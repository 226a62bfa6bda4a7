"""The environment: every variable of the contract, and one clear error for what is wrong."""

import pytest

from shared.settings import ConfigurationError, postgres_url, read_settings, settings

DATABASE = {"DATABASE_URL": "postgresql://u:p@db.example/tasks"}
AUTH = {"BETTER_AUTH_URL": "https://app.example.com"}
SECRET = {
    "BETTER_AUTH_SECRET": "s" * 32,
    "JWT_ISSUER": "https://issuer.example",
    "JWT_AUDIENCE": "tasks",
}


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
        assert read.shared_secret is None

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
        environment = DATABASE | SECRET
        del environment[missing]
        with pytest.raises(ConfigurationError, match="JWT_ISSUER and JWT_AUDIENCE must be set"):
            read_settings(environment)

    def test_or_a_secret_is_needed(self) -> None:
        with pytest.raises(ConfigurationError, match="BETTER_AUTH_URL, JWKS_URL or BETTER_AUTH_"):
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
        assert read.shared_secret == SECRET["BETTER_AUTH_SECRET"]
        assert read.key_set_url is None

    @pytest.mark.parametrize("key_set", [AUTH, {"JWKS_URL": "https://keys.example.com/jwks"}])
    def test_gives_way_to_a_key_set(self, key_set: dict[str, str]) -> None:
        read = read_settings(DATABASE | SECRET | key_set)
        assert read.shared_secret is None
        assert read.key_set_url

    @pytest.mark.parametrize("secret", ["s" * 31, "x", "\u00e9" * 15])
    def test_has_32_bytes(self, secret: str) -> None:
        with pytest.raises(ConfigurationError, match="BETTER_AUTH_SECRET") as error:
            read_settings(DATABASE | SECRET | {"BETTER_AUTH_SECRET": secret})
        assert secret not in str(error.value).replace("BETTER_AUTH_SECRET", "").split()
        bytes_count = SECRET | {"BETTER_AUTH_SECRET": "\u00e9" * 16}
        assert read_settings(DATABASE | bytes_count).shared_secret == "\u00e9" * 16

    def test_of_any_length_is_no_matter_where_it_is_not_used(self) -> None:
        assert read_settings(DATABASE | AUTH | {"BETTER_AUTH_SECRET": "x"}).shared_secret is None


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

    def test_shows_no_secret(self) -> None:
        read = read_settings(DATABASE | SECRET)
        for shown in (repr(read), str(read)):
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
