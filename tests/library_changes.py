"""What importing modules of ours changes in libraries: `python -m tests.library_changes NAME …`.

It runs in an interpreter of its own. All that our files import of libraries is imported first, so
that then only code of ours is executed. Printed is each name of a module or class that is new, gone
or something else, and each container that has other contents.
"""

import ast
import json
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).parent.parent
DEPLOYED = ("functions", "shared")

# These grow with every import; and Powertools' Logger, which no line of ours needs a task in.
EXPECTED = {"sys.modules", "sys.path_importer_cache", "linecache.cache", "logging.logAsyncioTasks"}

kept: list[Any] = []
"""All that was looked at, so that no identity is another object's later."""


def import_libraries() -> None:
    """Import each name that our files import of libraries: some are made only when asked for."""
    for path in (path for room in DEPLOYED for path in (ROOT / room).rglob("*.py")):
        for node in ast.parse(path.read_text()).body:
            match node:
                case ast.ImportFrom(module=str(module), names=names) if is_library(module):
                    library = import_module(module)
                    for name in names:
                        if not hasattr(library, name.name):  # a module of the package
                            import_module(f"{module}.{name.name}")
                case ast.Import(names=names):
                    for each in filter(is_library, (name.name for name in names)):
                        import_module(each)


def is_library(name: str) -> bool:
    return name.partition(".")[0] not in DEPLOYED


def identity(value: Any) -> Any:
    """Tell an object from others, a container also by what is in it."""
    kept.append(value)
    match value:
        case dict():
            return id(value), *((id(key), id(each)) for key, each in value.items())
        case list() | set():
            return id(value), *sorted(map(id, value))
    return id(value)


def names(modules: list[str]) -> Iterator[tuple[str, Any]]:
    """The names in modules, and in their classes."""
    for module in modules:
        for name, value in list(vars(sys.modules[module]).items()):
            yield f"{module}.{name}", value
            if isinstance(value, type) and value.__module__ == module:
                for member, content in list(vars(value).items()):
                    yield f"{module}.{name}.{member}", content


def look(modules: list[str]) -> dict[str, Any]:
    return {path: (identity(value), value) for path, value in names(modules)}


def is_expected(path: str, old: Any, new: Any) -> bool:
    """A module within a package is a name of it; a private name is a library's own state.

    Unless it is code: that is replaced, but for the methods that SQLAlchemy writes when asked.
    """
    name = path.rpartition(".")[2]
    is_code = callable(old) or callable(new) or isinstance(old, ModuleType)
    return (
        path in EXPECTED
        or (old is None and sys.modules.get(path, path) is new)
        or (name.startswith("_") and not is_code)
        or name.startswith("_generated_")
    )


def changes(imported: list[str]) -> Iterator[str]:
    """The names whose meaning changes when modules are imported."""
    import_libraries()
    modules = [name for name in sys.modules if name != "__main__"]
    before = look(modules)
    for name in imported:
        import_module(name)
    after = look(modules)
    for path in sorted(before.keys() | after.keys()):
        was, old = before.get(path, (None, None))
        now, new = after.get(path, (None, None))
        if was != now and not is_expected(path, old, new):
            yield path


if __name__ == "__main__":
    sys.stdout.write(json.dumps(list(changes(sys.argv[1:]))))
