"""The parts that break: a durable Postgres, and users served by processes of their own."""

from collections.abc import Iterator

import pytest

from tests.reliability.postgres import Postgres, durable


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """The server of the suite."""
    with durable(tmp_path_factory.mktemp("durable")) as server:
        yield server


@pytest.fixture
def database(postgres: Postgres) -> Iterator[str]:
    """A migrated database that is new in every test."""
    with postgres.database() as name:
        yield name
