"""The API of the tests that stand here: the built functions behind the gateway.

`make test-artifact` builds them and asks for these tests; a run that does not ask goes without.
"""

from collections.abc import Iterator

import httpx2
import pytest

from tests.deploy.lambda_runtime import Functions, deployed

Deployed = tuple[Functions, httpx2.Client]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave them out unless `-m artifact` asks for them."""
    if "artifact" not in config.option.markexpr:
        here = [item for item in items if item.get_closest_marker("artifact")]
        config.hook.pytest_deselected(items=here)
        items[:] = [item for item in items if item not in here]


@pytest.fixture(scope="session")
def running_functions(
    environment: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployed]:
    """The functions with the environment of the tests, and a client of theirs."""
    with deployed(tmp_path_factory.mktemp("functions")) as functions_and_client:
        yield functions_and_client


@pytest.fixture(scope="session")
def functions(running_functions: Deployed) -> Functions:
    """The functions."""
    return running_functions[0]


@pytest.fixture(scope="session")
def api(running_functions: Deployed) -> httpx2.Client:
    """A client without a token."""
    return running_functions[1]
