"""Every statement of the code, found in what is deployed: a new one is looked at, too."""

import inspect
import pkgutil
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from itertools import combinations, product
from types import ModuleType
from typing import Any, get_args, get_type_hints

from sqlalchemy import ClauseElement

import functions
import shared
from shared.http.paging import Sort
from shared.models import TaskUpdate


def modules() -> Iterator[ModuleType]:
    """All that is deployed, imported, so that no model is missing in the metadata."""
    for package in (shared, functions):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            yield import_module(found.name)


DEPLOYED = list(modules())

# What each parameter of a statement can be. A statement is built for each combination.
ARGUMENTS: dict[object, list[Any]] = {
    bool: [True, False],
    bool | None: [True, False, None],
    str: sorted({sort.removeprefix("-") for sort in get_args(Sort)}),
    frozenset[str]: [
        frozenset(names)
        for size in range(1, len(TaskUpdate.known()) + 1)
        for names in combinations(TaskUpdate.known(), size)
    ],
}


def named(argument: Any) -> str:
    return " and ".join(sorted(argument)) if isinstance(argument, frozenset) else str(argument)


@cache
def statements() -> dict[str, ClauseElement]:
    """Every variant of every statement of the code."""
    found = {}
    for module in DEPLOYED:
        for name, function in vars(module).items():
            if not hasattr(function, "cache_info") or function.__module__ != module.__name__:
                continue
            hints = get_type_hints(function)
            if not issubclass(hints.pop("return", object), ClauseElement):
                continue
            assert set(hints.values()) <= ARGUMENTS.keys(), (
                f"say in ARGUMENTS of {__name__} what the parameters of {name} can be"
            )
            for arguments in product(*(ARGUMENTS[kind] for kind in hints.values())):
                shown = ", ".join(map(named, arguments))
                found[f"{name}({shown})"] = inspect.unwrap(function)(*arguments)
    return found
