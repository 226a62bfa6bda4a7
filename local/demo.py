"""`make demo`: the whole of it on this machine: Postgres, Better Auth, the API and a page.

As in a Next.js app, one server brings the page and has Better Auth on the page's own origin. The
API is another origin, which the page calls with the user's token.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_urlsafe
from socket import socket
from threading import Thread

import uvicorn

from local.command import HOST, alone, free_port, listen, say
from local.services import migrate, start_database
from local.state import ROOT, STATE
from shared.settings import Settings

FOLDER = STATE / "demo"
WEB = ROOT / "examples/web"
CONFIGURATION = tuple(name.upper() for name in Settings.model_fields)
LINK_USERS = "link_users"
STOPPED_WITHIN = 5.0  # seconds


@dataclass(frozen=True)
class Page:
    """The server of the page, with Better Auth."""

    url: str
    process: subprocess.Popen[bytes]


@dataclass(frozen=True)
class Demo:
    """What runs."""

    page: Page
    api: str


@contextmanager
def running(folder: Path) -> Iterator[Demo]:
    """Run it for the length of a block, on a folder for its data.

    It listens on the ports of the environment, or on the usual ones, or on others if those are
    taken. Exits with a message where a port of the environment is taken. Raises `PostgresError`.
    """
    for name in CONFIGURATION:  # whatever database and issuer there are elsewhere
        os.environ.pop(name, None)
    with ExitStack() as held:
        listener = held.enter_context(listen(or_any=True))
        api = f"http://{HOST}:{listener.getsockname()[1]}"
        port = free_port("WEB_PORT", 5173, or_any=True)
        database = start_database(held, folder / "postgres").database_url()
        migrate(database)
        say("Page:     examples/web, with Better Auth")
        page = held.enter_context(serving_page(folder, port, DATABASE_URL=database, API_URL=api))
        migrate(database, LINK_USERS)
        os.environ.update(DATABASE_URL=database)
        os.environ.update(BETTER_AUTH_URL=page.url, ALLOWED_ORIGINS=page.url)
        held.enter_context(serving_api(listener))
        yield Demo(page, api)


@contextmanager
def serving_page(folder: Path, port: int, **variables: str) -> Iterator[Page]:
    """Build the page and serve it."""
    npm = shutil.which("npm") or sys.exit("The page needs npm: run `make demo`, which installs it.")
    process = subprocess.Popen(
        [npm, "run", "--silent", "demo"],
        cwd=WEB,
        env=os.environ | {"BETTER_AUTH_SECRET": secret(folder), "PORT": str(port)} | variables,
        stdin=subprocess.PIPE,  # it ends with this, so that it cannot outlive us
        stdout=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for us, who stop the page before Postgres
    )
    try:
        assert process.stdout
        line = process.stdout.readline() or sys.exit("The page does not start.")
        yield Page(json.loads(line)["url"], process)
    finally:
        stop(process)


def secret(folder: Path) -> str:
    """What Better Auth signs with, and encrypts its keys in the database with: kept beside it."""
    file = folder / "secret"
    file.touch(mode=0o600)
    kept = file.read_text() or token_urlsafe(32)
    file.write_text(kept)
    return kept


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process that ends with its standard input."""
    assert process.stdin
    process.stdin.close()
    try:
        process.wait(STOPPED_WITHIN)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def serving_api(listener: socket) -> Iterator[None]:
    """Serve the API in the environment as it is now."""
    config = uvicorn.Config("local.server:app", access_log=False, log_level="warning")
    config.load()
    server = uvicorn.Server(config)
    thread = Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()


def main() -> None:
    """Run until Ctrl-C, or until the page's server ends."""
    with alone("demo"), running(FOLDER) as demo:
        say(f"API:      {demo.api}/docs")
        say(f"\n{demo.page.url} is the page: create an account, it stays on this machine.")
        say("\nCtrl-C stops it.\n")
        sys.exit(demo.page.process.wait())
