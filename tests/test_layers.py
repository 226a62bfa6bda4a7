"""Imports go downwards, and nothing imports the tests."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.gateway import read_routes
from tests.conftest import ROOT

# From the bottom to the top: a module imports from layers below its own, or from its own.
LAYERS = (
    ("shared.settings", "shared.inputs", "shared.collector"),
    ("shared.secrets", "shared.http.problems"),
    ("shared.models",),
    ("shared.http",),
    ("shared.auth", "shared.observability"),
    ("shared.database",),
    ("shared.http.responses", "shared.lifecycle"),
    ("shared.app",),
    ("functions",),
)
# What each room may import besides itself. Nothing imports tests/.
ROOMS = {
    "functions": {"shared"},
    "shared": set(),
    "migrations": {"shared"},
    "local": {"scripts", "shared"},
    "scripts": {"functions", "local", "shared"},
    "benchmarks": {"functions", "local", "scripts", "shared"},
}
OURS = {*ROOMS, "tests"}


def files(*rooms: str) -> list[Path]:
    return sorted(path for room in rooms for path in (ROOT / room).rglob("*.py"))


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def module_of(path: Path) -> str:
    return relative(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def imports(path: Path) -> Iterator[str]:
    """What a file imports of this repository, also within its functions."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.ImportFrom(module=str(module), names=names):
                found = [f"{module}.{name.name}" for name in names]
            case ast.Import(names=names):
                found = [name.name for name in names]
            case _:
                continue
        yield from (name for name in found if name.partition(".")[0] in OURS)


def layer(module: str) -> int:
    """The layer of a module: that of its longest name in LAYERS."""
    found = [
        (len(name), number)
        for number, names in enumerate(LAYERS)
        for name in names
        if f"{module}.".startswith(f"{name}.")
    ]
    assert found, f"say in LAYERS of tests/test_layers.py where {module} belongs"
    return max(found)[1]


@pytest.mark.parametrize("path", files(*ROOMS), ids=relative)
def test_a_room_imports_only_what_it_may(path: Path) -> None:
    room = relative(path).partition("/")[0]
    wrong = {name.partition(".")[0] for name in imports(path)} - ROOMS[room] - {room}
    assert not wrong, f"{room}/ must not import {wrong}: move what both need to where both may"


@pytest.mark.parametrize("path", files("functions", "shared"), ids=relative)
def test_a_module_imports_downwards(path: Path) -> None:
    if module_of(path) == "shared":
        return
    own = layer(module_of(path))
    wrong = [name for name in imports(path) if "." in name and layer(name) > own]
    assert not wrong, f"{wrong[0]} is above {relative(path)}: move what both need downwards"


@pytest.mark.parametrize("path", files("shared"), ids=relative)
def test_nothing_shared_names_an_operation(path: Path) -> None:
    nodes = ast.walk(ast.parse(path.read_text()))
    texts = {node.value for node in nodes if isinstance(node, ast.Constant)}
    wrong = texts & {route.path for route in read_routes() if "fallback" not in route.handler}
    assert not wrong, f"{wrong} is a route: what knows it belongs to its file in functions/"
