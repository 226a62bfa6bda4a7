"""A checkout to run things in."""

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.local.support import Server

SOURCES = (
    *("alembic.ini", "functions", "local", "migrations", "openapi.json", "scripts", "shared"),
    "template.yaml",
)


ORIGIN = "https://app.example.com"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A development server that allows one origin, for all who only ask."""
    server = Server(make_checkout(tmp_path_factory.mktemp("dev")), ALLOWED_ORIGINS=ORIGIN)
    yield server
    server.end(signal.SIGTERM)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return make_checkout(tmp_path)


def make_checkout(parent: Path) -> Path:
    """Copy a checkout into a folder with a space in its name."""
    folder = parent / "my tasks"
    folder.mkdir()
    for name in SOURCES:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    return folder
