"""`make dev`: the API on an embedded Postgres, with a token to try it.

What the environment names, a database or an issuer of tokens, is used instead of its own.
"""

import os
import shlex
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from threading import Thread
from urllib.parse import quote

import uvicorn

from local.issuer import Issuer, serving
from local.postgres import PostgresError, running
from local.state import DEMO_USER, ROOT, STATE, development_issuer
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


def free_port() -> int:
    """The port to listen on. Exits where it is none, or taken."""
    given = os.environ.get("PORT") or "8000"
    try:
        port = int(given)
        with socket.create_server((HOST, port)):
            return port
    except (ValueError, OverflowError):
        sys.exit("PORT must be a number from 1 to 65535")
    except OSError as error:
        sys.exit(f"Port {port} cannot be had ({error.strerror}); PORT=8001 make dev takes another")


def set_up_database(held: ExitStack) -> None:
    """Start Postgres and bring it up to date, unless the environment names a database."""
    if is_set(*DATABASES):
        say("Database: the environment's, as it is (make migrate brings it up to date)")
        return
    say("Database: embedded Postgres, its data in .local/postgres")
    server = held.enter_context(running(STATE / "postgres"))
    os.environ["DATABASE_URL"] = server.database_url("postgres")
    environment = os.environ | {"MIGRATION_DATABASE_URL": ""}
    alembic = [sys.executable, "-m", "alembic", "upgrade", "head"]
    subprocess.run(alembic, cwd=ROOT, env=environment, check=True)


def set_up_issuer(held: ExitStack) -> Issuer | None:
    """Start the development issuer, unless the environment names another."""
    if is_set(*ISSUERS):
        say("Tokens:   from the environment's issuer")
        return None
    say("Tokens:   from the development issuer (make token USER=bob)")
    issuer = development_issuer()
    os.environ["JWKS_URL"] = held.enter_context(serving(issuer))
    os.environ.update(JWT_ISSUER=issuer.name, JWT_AUDIENCE=issuer.audience)
    return issuer


def welcome(address: str, issuer: Issuer | None) -> str:
    """What a developer needs to begin."""
    lines = ["", f"Documentation: {address}/docs"]
    if issuer:
        token = issuer.token(DEMO_USER)
        request = [
            *("curl", "-i", f"{address}/api/{quote(DEMO_USER)}/tasks"),
            *("-H", f"Authorization: Bearer {token}"),
            *("-H", "Content-Type: application/json"),
            *("-d", '{"title": "Buy milk"}'),
        ]
        lines += ["", f"Token of {DEMO_USER}:", token, "", "Try:", shlex.join(request)]
    return "\n".join([*lines, ""])


def say_when_ready(port: int, text: str) -> None:
    """Wait until the server listens."""
    while True:
        try:
            socket.create_connection((HOST, port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return say(text)


def main() -> None:
    """Run until Ctrl-C."""
    port = free_port()
    with ExitStack() as held:
        set_up_database(held)
        issuer = set_up_issuer(held)
        read_settings(os.environ)
        text = welcome(f"http://{HOST}:{port}", issuer)
        Thread(target=say_when_ready, args=(port, text), daemon=True).start()
        uvicorn.run(
            "local.server:app",
            host=HOST,
            port=port,
            reload=True,
            reload_dirs=[str(ROOT / name) for name in RELOADED],
            access_log=False,  # each function writes its own line, without what clients sent
            log_level="warning",
        )


if __name__ == "__main__":
    try:
        main()
    except (ConfigurationError, PostgresError) as error:
        sys.exit(str(error))
