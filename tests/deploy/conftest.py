"""The API of the tests that stand here: the built functions behind the gateway."""

from collections.abc import Iterator

import httpx2
import pytest

from tests.deploy.lambda_runtime import Functions, deployed

Deployed = tuple[Functions, httpx2.Client]


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
