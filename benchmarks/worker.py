"""A Lambda environment in a process of its own, which only the standard library is imported for.

    python worker.py PIPE HANDLER …
    python worker.py SOCKET,SOCKET… HANDLER …

It loads the handlers, reads lines of `[handler, event]` and writes to the descriptor of a pipe what
each answers and how long it took. With sockets it forks once for each of them, and reads and writes
there. Around the forks SnapStart's hooks run, since no connection survives a fork either.
"""

import json
import os
import sys
from importlib import import_module
from time import perf_counter, process_time
from typing import Any


class Context:
    """What Lambda says of an invocation."""

    function_name = "benchmark"
    aws_request_id = "request"
    function_version = "1"
    memory_limit_in_mb = 1024
    invoked_function_arn = "arn:aws:lambda:local:000000000000:function:benchmark"

    def get_remaining_time_in_millis(self) -> int:
        """Enough."""
        return 15_000


def load(name: str) -> Any:
    """A handler, by its module and name."""
    module, _, handler = name.rpartition(".")
    return getattr(import_module(module), handler)


def serve(handlers: dict[str, Any], line: str) -> str:
    """Invoke a handler."""
    name, event = json.loads(line)
    used, started = process_time(), perf_counter()
    response = handlers[name](event, Context())
    milliseconds, cpu = (perf_counter() - started) * 1000, (process_time() - used) * 1000
    return json.dumps({"response": response, "milliseconds": milliseconds, "cpu": cpu})


def freeze() -> None:
    """Run the hooks before a snapshot."""
    from snapshot_restore_py import get_before_snapshot  # noqa: PLC0415

    for hook, arguments, options in reversed(get_before_snapshot()):
        hook(*arguments, **options)


def thaw() -> None:
    """Run the hooks of a process that is restored from one."""
    from snapshot_restore_py import get_after_restore  # noqa: PLC0415

    for hook, arguments, options in get_after_restore():
        hook(*arguments, **options)


def crowd(handlers: dict[str, Any], sockets: list[int]) -> None:
    """Make a copy of this process for each socket, and wait for the end of all."""
    for mine in sockets:
        if not os.fork():
            for other in sockets:
                if other != mine:
                    os.close(other)
            serve_all(handlers, mine)
            os._exit(0)
    for socket in sockets:
        os.close(socket)
    for _ in sockets:
        os.wait()


def serve_all(handlers: dict[str, Any], socket: int) -> None:
    """Serve until the socket is closed."""
    thaw()
    with os.fdopen(socket, "w") as responses, os.fdopen(os.dup(socket)) as requests:
        print("ready", file=responses, flush=True)
        for line in requests:
            print(serve(handlers, line), file=responses, flush=True)


def main() -> None:
    """Serve until there is nothing more to read."""
    descriptors, *names = sys.argv[1:]
    handlers = {name: load(name) for name in names}
    number, *more = map(int, descriptors.split(","))
    if more:
        freeze()
        crowd(handlers, [number, *more])
        return
    with os.fdopen(number, "w") as pipe:
        for line in sys.stdin:
            print(serve(handlers, line), file=pipe, flush=True)


if __name__ == "__main__":
    main()
