"""`make dev`: the API on an embedded Postgres, with a token to try it.

What the environment names, a database or an issuer of tokens, is used instead of its own.
"""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import uvicorn
from uvicorn.supervisors.watchfilesreload import WatchFilesReload

from local.command import alone, is_set, listen, say
from local.issuer import serving
from local.services import (
    DATABASES,
    allow_frontends,
    migrate,
    start_database,
    start_issuer,
)
from local.state import DEVELOPMENT_ISSUER, ROOT, STATE
from local.welcome import answers, say_when, welcome
from shared.settings import read_settings

RELOADED = ("functions", "local", "scripts", "shared")
RELOADS = "The server starts anew when a file is saved."
DEMO = "`make demo` shows a page with accounts that uses the API."


def set_up_database(held: ExitStack) -> None:
    """Start Postgres and bring it up to date."""
    url = start_database(held, STATE / "postgres").database_url()
    migrate(url)
    os.environ["DATABASE_URL"] = url


def see_to_database(url: str) -> None:
    """See that the database of the environment can be used. Exits with a message if not."""
    # Here, because it brings the models, which take longer to import than all else.
    from local.check import check_database  # noqa: PLC0415

    say("Database: the environment's, as it is")
    check_database(url)


class Reloader(WatchFilesReload):
    """Its processes get no Ctrl-C, not even while they start: this one does, and ends them."""

    def startup(self) -> None:
        with without_ctrl_c():
            super().startup()

    def restart(self) -> None:
        with without_ctrl_c():
            super().restart()


@contextmanager
def without_ctrl_c() -> Iterator[None]:
    """Hold it back, also from what is started in here."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def serve(listener: socket.socket) -> None:
    """Serve until Ctrl-C, and start anew when a file changes."""
    config = uvicorn.Config(
        "local.server:app",
        reload=True,
        reload_dirs=[str(ROOT / name) for name in RELOADED],
        access_log=False,  # each function writes its own line, without what clients sent
        log_level="warning",
    )
    Reloader(config, target=uvicorn.Server(config).run, sockets=[listener]).run()


def main() -> None:
    """Run until Ctrl-C."""
    embedded = not is_set(*DATABASES)
    with ExitStack() as held:
        if embedded:
            held.enter_context(alone("dev"))
        listener = held.enter_context(listen())
        if embedded:
            set_up_database(held)
        if issuer := start_issuer():
            os.environ["JWKS_URL"] = held.enter_context(serving(issuer))
            os.environ[DEVELOPMENT_ISSUER] = "1"
        origins = allow_frontends()
        settings = read_settings(os.environ)
        if settings.database_url and not embedded:
            see_to_database(settings.database_url)
        place = listener.getsockname()
        address = "http://{}:{}".format(*place)
        documentation = f"Documentation: {address}/docs"
        text = welcome(documentation, address, issuer, origins, DEMO, RELOADS)
        say_when(answers(place), text)
        serve(listener)
