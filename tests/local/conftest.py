"""A checkout to run things in."""

import shutil
from pathlib import Path

import pytest

from tests.conftest import ROOT

SOURCES = (
    *("alembic.ini", "functions", "local", "migrations", "openapi.json", "scripts", "shared"),
    "template.yaml",
)


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
