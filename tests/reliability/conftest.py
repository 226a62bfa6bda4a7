"""The parts that break: a durable Postgres, and users served by processes of their own."""

from collections.abc import Callable, Iterator

import pytest

from tests.reliability.postgres import Postgres, durable

Note = Callable[[str], None]


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


@pytest.fixture
def note(request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> Note:
    """Notes a figure for the report, under the title that the test's docstring is."""
    assert request.function.__doc__, "what is noted needs a title: the test's docstring"
    title = request.function.__doc__.removesuffix(".")
    parameters = request.node.name.partition("[")[2].removesuffix("]")
    record_property("title", f"{title} ({parameters})" if parameters else title)
    return lambda figure: record_property("figure", figure)
