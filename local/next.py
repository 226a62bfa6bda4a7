"""`make next`: the Next.js application of `examples/next`, with the API and Postgres.

Better Auth is part of the application, and keeps its users in the database of the tasks.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from local.command import HOST, alone, free_port, listen, say
from local.demo import CONFIGURATION, LINK_USERS, secret, serving_api
from local.services import migrate, start_database
from local.state import ROOT, STATE

FOLDER = STATE / "next"
APPLICATION = ROOT / "examples/next"
READY_WITHIN = 60.0  # seconds
STOPPED_WITHIN = 5.0
# It ends with us, even where we are killed.
DIE_WITH_PARENT = ("setpriv", "--pdeathsig=TERM")
Process = subprocess.Popen[bytes]


@dataclass(frozen=True)
class Running:
    """What runs."""

    url: str
    api: str
    next: Process


@contextmanager
def running(
    folder: Path,
    *command: str,
    application: Path = APPLICATION,
    through: Callable[[str], str] = lambda api: api,
) -> Iterator[Running]:
    """Run it for the length of a block, on a folder for its data.

    `command` is Next's, such as `dev`; `through` gives the address that clients of the API are
    told instead of its own. It listens on the ports of the environment, or on the usual ones, or
    on others if those are taken. Exits with a message where a port of the environment is taken, or
    Next does not start. Raises `PostgresError`.
    """
    for name in CONFIGURATION:  # whatever database and issuer there are elsewhere
        os.environ.pop(name, None)
    with ExitStack() as held:
        listener = held.enter_context(listen(or_any=True))
        api = through(f"http://{HOST}:{listener.getsockname()[1]}")
        port = free_port("NEXT_PORT", 3000, or_any=True)
        url = f"http://localhost:{port}"
        database = start_database(held, folder / "postgres").database_url()
        migrate(database)
        variables = {
            "API_URL": api,
            "BETTER_AUTH_SECRET": secret(folder),
            "BETTER_AUTH_URL": url,
            "DATABASE_URL": database,
        }
        place = ("--hostname", HOST, "--port", str(port))
        process = held.enter_context(serving(application, (*command, *place), variables))
        wait_for(process, port)
        migrate(database, LINK_USERS)  # the users' table is there now
        os.environ.update(DATABASE_URL=database, BETTER_AUTH_URL=url, ALLOWED_ORIGINS=url)
        held.enter_context(serving_api(listener))
        yield Running(url, api, process)


def next_command(application: Path, *arguments: str) -> list[str]:
    """A command of Next, as the application has it installed."""
    return [str(application / "node_modules/.bin/next"), *arguments]


@contextmanager
def serving(
    application: Path, arguments: tuple[str, ...], variables: dict[str, str]
) -> Iterator[Process]:
    """Run Next in a session of its own: Ctrl-C is for us, who stop it before Postgres."""
    die_with_parent = DIE_WITH_PARENT if shutil.which(DIE_WITH_PARENT[0]) else ()
    process = subprocess.Popen(
        [*die_with_parent, *next_command(application, *arguments)],
        cwd=application,
        env=os.environ | variables,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        stop(process)


def stop(process: Process) -> None:
    """End a process and those that it started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(STOPPED_WITHIN)
        except subprocess.TimeoutExpired:
            continue
        except ProcessLookupError:
            break


def wait_for(process: Process, port: int) -> None:
    """Wait until Better Auth answers. Exits where Next ends, or takes too long."""
    deadline = time.monotonic() + READY_WITHIN
    while process.poll() is None and time.monotonic() < deadline:
        request = HTTPConnection(HOST, port, timeout=READY_WITHIN)
        try:
            request.request("GET", "/api/auth/ok")
            if request.getresponse().status == 200:  # noqa: PLR2004 (OK)
                return
        except OSError:
            time.sleep(0.1)
        finally:
            request.close()
    sys.exit("Next does not start.")


def main() -> None:
    """Run until Ctrl-C, or until Next ends."""
    with alone("next"), running(FOLDER, "dev") as it:
        say(f"API:      {it.api}/docs")
        say(f"\n{it.url} is the application: create an account, it stays on this machine.")
        say("\nCtrl-C stops it.\n")
        sys.exit(it.next.wait())
