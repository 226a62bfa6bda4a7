"""Where the time of a warm call goes, layer by layer, measured at their borders.

    python layers.py EVENTS ROUNDS RESULT

It runs among the deployed code, and writes the microseconds of each layer by itself.
"""

import inspect
import json
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

layers: list[str] = []
spent: dict[str, float] = {}
last = 0.0


def enter(layer: str) -> None:
    """Stop the clock of the layer above, start that of this one."""
    charge()
    layers.append(layer)


def leave() -> None:
    """Go back to the layer above."""
    charge()
    layers.pop()


def charge() -> None:
    """Put the time since the last border down to the layer that it passed in."""
    global last  # noqa: PLW0603
    now = perf_counter()
    if layers:
        spent[layers[-1]] = spent.get(layers[-1], 0.0) + now - last
    last = now


def timed(layer: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that is a layer."""
    if inspect.iscoroutinefunction(function):

        async def call_async(*arguments: Any, **options: Any) -> Any:
            enter(layer)
            try:
                return await function(*arguments, **options)
            finally:
                leave()

        return call_async

    def call(*arguments: Any, **options: Any) -> Any:
        enter(layer)
        try:
            return function(*arguments, **options)
        finally:
            leave()

    return call


BORDERS = (
    ("Log line and metrics", "shared.observability", "RequestLogMiddleware", "__call__"),
    ("FastAPI and Starlette", "fastapi", "FastAPI", "__call__"),
    ("Token", "shared.auth.middleware", None, "authenticate"),
    ("Operation and repository", "shared.database.tasks", "TaskRepository", "page"),
    ("Operation and repository", "shared.database.tasks", "TaskRepository", "get"),
    ("Operation and repository", "shared.database.tasks", "TaskRepository", "create"),
    ("Operation and repository", "shared.database.tasks", "TaskRepository", "update"),
    ("Operation and repository", "shared.database.tasks", "TaskRepository", "toggle"),
    ("Operation and repository", "shared.database.tasks", "TaskRepository", "delete"),
    ("Database", "shared.database.database", "Database", "_send"),
    ("Execution", "shared.database.database", None, "execute"),
    ("Sending, Postgres, waiting", "shared.database.execution", None, "_results"),
    ("JSON", "shared.http.responses", None, "task_response"),
    ("JSON", "shared.http.responses", None, "tasks_response"),
)


def main() -> None:
    """Measure."""
    import functions  # noqa: F401, PLC0415

    for layer, module, owner, name in BORDERS:
        place = import_module(module)
        place = getattr(place, owner) if owner else place
        setattr(place, name, timed(layer, getattr(place, name)))
    events, rounds = json.loads(Path(sys.argv[1]).read_text()), int(sys.argv[2])
    found = {}
    for operation, (handler, event) in events.items():
        module, _, name = handler.rpartition(".")
        call = timed("Mangum and the event", getattr(import_module(module), name))
        calls: list[dict[str, float]] = []
        for _ in range(rounds):
            spent.clear()
            call(event, None)
            calls.append({layer: seconds * 1e6 for layer, seconds in spent.items()})
        rest = calls[rounds // 5 :]
        found[operation] = {
            layer: median(each.get(layer, 0.0) for each in rest) for layer in rest[-1]
        }
    Path(sys.argv[3]).write_text(json.dumps(found))


if __name__ == "__main__":
    main()
