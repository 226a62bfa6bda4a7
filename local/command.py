"""What the commands of `make` share: what they print, where they listen, and how they end."""

import fcntl
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from local.postgres import PostgresError
from local.state import STATE
from shared.settings import ConfigurationError

HOST = "127.0.0.1"


def run(command: Callable[[], None]) -> None:
    """Run a command until it ends or is told to; a known error is one line."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        command()
    except KeyboardInterrupt:
        sys.exit(130)
    except (ConfigurationError, PostgresError) as error:
        sys.exit(str(error))
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)  # it has said why
    except OSError as error:
        path = Path(os.fsdecode(error.filename or "/"))
        if STATE not in (path, *path.parents):
            raise
        sys.exit(
            f"{path} cannot be written ({error.strerror}). What runs here is kept in {STATE.name}: "
            "make it a folder of yours, or remove it."
        )


def say(text: str) -> None:
    """Tell the developer what is going on."""
    print(text, flush=True)


def is_set(*names: str) -> bool:
    """Whether the environment has one of these."""
    return any(os.environ.get(name) for name in names)


@contextmanager
def alone(command: str) -> Iterator[None]:
    """Be the only one of this command in this checkout. Exits where another one runs."""
    STATE.mkdir(exist_ok=True)
    with (STATE / f"{command}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(f"Another `make {command}` runs in this checkout; stop it with Ctrl-C.")
        yield


def listen(variable: str = "PORT", default: int = 8000, *, or_any: bool = False) -> socket.socket:
    """The socket to serve on, where the variable says, or at the default.

    With `or_any` it is at any free port if the default is taken. Exits where the variable is no
    port, or the port is taken.
    """
    chosen = os.environ.get(variable)
    try:
        port = int(chosen or default)
        return _listener(port)
    except (ValueError, OverflowError):
        sys.exit(f"{variable} must be a number from 1 to 65535")
    except OSError as error:
        if or_any and not chosen:
            return _listener(0)
        sys.exit(
            f"Port {port} is not available ({error.strerror}). "
            f"Choose another one, such as {variable}={port + 1}."
        )


def _listener(port: int) -> socket.socket:
    listener = socket.create_server((HOST, port))
    # asyncio sets it only where it knows the protocol; without, a response waits 40 ms for an ACK.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def free_port(variable: str, default: int, *, or_any: bool = False) -> int:
    """A port for another process to listen on. Exits as `listen` does."""
    with listen(variable, default, or_any=or_any) as listener:
        port: int = listener.getsockname()[1]
    return port
