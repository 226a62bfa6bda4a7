"""`make dev`: the API on an embedded Postgres, with a token to try it.

What the environment names, a database or an issuer of tokens, is used instead of its own.
"""

import os
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from threading import Thread
from urllib.parse import quote

import uvicorn
from uvicorn.supervisors import ChangeReload

from local.issuer import Issuer, serving
from local.postgres import PostgresError, Server, running
from local.state import DEMO_USER, DEVELOPMENT_ISSUER, ROOT, STATE, development_issuer
from shared.settings import ConfigurationError, read_settings

HOST = "127.0.0.1"
DATABASES = ("DATABASE_URL", "DATABASE_SECRET_ARN")
ISSUERS = ("BETTER_AUTH_URL", "JWKS_URL", "BETTER_AUTH_SECRET")
RELOADED = ("functions", "local", "shared")


def is_set(*names: str) -> bool:
    """Whether the environment has one of these."""
    return any(os.environ.get(name) for name in names)


def say(text: str) -> None:
    """Tell the developer what is going on."""
    print(text, flush=True)


def listen(variable: str = "PORT", default: int = 8000) -> socket.socket:
    """The socket to serve on. Exits where the variable is no port, or names one that is taken."""
    try:
        port = int(os.environ.get(variable) or default)
        server = socket.create_server((HOST, port))
    except (ValueError, OverflowError):
        sys.exit(f"{variable} must be a number from 1 to 65535")
    except OSError as error:
        sys.exit(f"Port {port} cannot be had ({error.strerror}); {variable}={port + 1} is another")
    # asyncio sets it only where it knows the protocol; without, each answer waits 40 ms for an ACK.
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return server


def free_port(variable: str, default: int) -> int:
    """A port for somebody else to listen on. Exits as `listen` does."""
    with listen(variable, default) as listener:
        port: int = listener.getsockname()[1]
    return port


def start_database(held: ExitStack, data: Path, address: str | None = None) -> Server:
    """Start Postgres, on this address too if there is one, and bring it up to date."""
    say(f"Database: embedded Postgres, its data in {os.path.relpath(data)}")
    server = held.enter_context(running(data, listen=address))
    migrate(server.database_url())
    return server


def migrate(url: str, *options: str) -> None:
    """Bring a database up to date; options choose another line of migrations."""
    environment = os.environ | {"DATABASE_URL": url, "MIGRATION_DATABASE_URL": ""}
    alembic = [sys.executable, "-m", "alembic", *options, "upgrade", "head"]
    subprocess.run(alembic, cwd=ROOT, env=environment, check=True)


def set_up_database(held: ExitStack) -> None:
    """Start Postgres, unless the environment names a database."""
    if is_set(*DATABASES):
        say("Database: the environment's, as it is (make migrate brings it up to date)")
        return
    os.environ["DATABASE_URL"] = start_database(held, STATE / "postgres").database_url()


def set_up_issuer(held: ExitStack) -> Issuer | None:
    """Start the development issuer, unless the environment names another."""
    if is_set(*ISSUERS):
        say("Tokens:   from the environment's issuer")
        return None
    say("Tokens:   from the development issuer (make token USER=bob)")
    issuer = development_issuer()
    os.environ["JWKS_URL"] = held.enter_context(serving(issuer))
    os.environ.update(JWT_ISSUER=issuer.name, JWT_AUDIENCE=issuer.audience)
    os.environ[DEVELOPMENT_ISSUER] = "1"
    return issuer


def first_request(address: str, issuer: Issuer) -> str:
    """A token, and a request that works."""
    token = issuer.token(DEMO_USER)
    request = [
        *("curl", "-i", f"{address}/api/{quote(DEMO_USER)}/tasks"),
        *("-H", f"Authorization: Bearer {token}"),
        *("-H", "Content-Type: application/json"),
        *("-d", '{"title": "Buy milk"}'),
    ]
    return f"\nToken of {DEMO_USER}:\n{token}\n\nTry:\n{shlex.join(request)}\n"


def welcome(address: str, issuer: Issuer | None) -> str:
    """What a developer needs to begin."""
    documentation = f"\nDocumentation: {address}/docs\n"
    return documentation + (first_request(address, issuer) if issuer else "")


def say_when_ready(address: tuple[str, int], text: str) -> None:
    """Wait until the server answers."""
    request = HTTPConnection(*address)
    request.request("GET", "/health")  # the socket takes it at once, the server when it is up
    request.getresponse()
    say(text)


def serve(listener: socket.socket) -> None:
    """Serve until Ctrl-C, and start anew when a file changes."""
    config = uvicorn.Config(
        "local.server:app",
        reload=True,
        reload_dirs=[str(ROOT / name) for name in RELOADED],
        access_log=False,  # each function writes its own line, without what clients sent
        log_level="warning",
    )
    ChangeReload(config, target=uvicorn.Server(config).run, sockets=[listener]).run()


def main() -> None:
    """Run until Ctrl-C."""
    with ExitStack() as held:
        listener = held.enter_context(listen())
        set_up_database(held)
        issuer = set_up_issuer(held)
        read_settings(os.environ)
        address = listener.getsockname()
        text = welcome("http://{}:{}".format(*address), issuer)
        Thread(target=say_when_ready, args=(address, text), daemon=True).start()
        serve(listener)


def run(command: Callable[[], None]) -> None:
    """Run a command of `make` until it ends or is told to; a known error is one line."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        command()
    except KeyboardInterrupt:
        sys.exit(130)
    except (ConfigurationError, PostgresError) as error:
        sys.exit(str(error))
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)  # it has said why


if __name__ == "__main__":
    run(main)
