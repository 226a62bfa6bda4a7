"""Runs a command of `make` in a checkout of its own, and sees what it does and leaves behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2

from local.gateway import read_cors
from local.network import closed_port
from local.postgres import NOBODY

CORS = read_cors()
HOST = "127.0.0.1"
CONFIGURATION = {
    *("DATABASE_URL", "DATABASE_SECRET_ARN", "MIGRATION_DATABASE_URL"),
    *("BETTER_AUTH_URL", "JWKS_URL", "JWT_ISSUER", "JWT_AUDIENCE", "BETTER_AUTH_SECRET"),
    *("JWT_SECRET", "ALLOWED_ORIGINS", "SUBJECT"),
}
WELCOMED = "(ALLOWED_ORIGINS)."
"""How the welcome ends."""
PATIENCE = 30  # seconds
CONNECT = f"""
import os, sys, psycopg
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid({NOBODY})
    os.setuid({NOBODY})
for url in sys.argv[1:]:
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError:
        continue
    print(url)
"""
LISTENS = "0A"  # TCP_LISTEN in the kernel's include/net/tcp_states.h


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def let_in(*urls: str) -> list[str]:
    """The URLs over which a Postgres lets in another account of the machine (ours, if not root)."""
    command = [sys.executable, "-c", CONNECT, *urls]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split()


class Program:
    """A command that runs in a checkout, in a session of its own as in a terminal."""

    def __init__(self, checkout: Path, command: str, ready: str, **variables: str) -> None:
        """Start it, and wait until it says that it is ready, or ends."""
        environment = {k: v for k, v in os.environ.items() if k not in CONFIGURATION}
        self.log = checkout / f"{command}.{time.monotonic_ns()}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "local", command],
                cwd=checkout,
                env=environment | variables,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            wait_until(lambda: ready in self.output or self.process.poll() is not None)
        except BaseException:
            self.process.kill()
            raise

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return self.log.read_text()

    def end(self, how: signal.Signals) -> None:
        """End it as this signal does, and wait."""
        self.process.send_signal(how)
        self.process.wait(PATIENCE)

    def press_ctrl_c(self) -> None:
        """Send what a terminal sends, to all processes of the session, and wait."""
        os.killpg(self.process.pid, signal.SIGINT)
        self.process.wait(PATIENCE)


class Server(Program):
    """A development server."""

    def __init__(self, checkout: Path, **variables: str) -> None:
        self.port = closed_port()
        port = {"PORT": str(self.port)}
        super().__init__(checkout, "dev", WELCOMED, **(port | variables))

    @property
    def curl(self) -> str:
        """The line to paste."""
        return next(line for line in self.output.splitlines() if line.startswith("curl "))

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self.port}"


def preflight(server: Server, origin: str) -> httpx2.Response:
    """What a browser asks before an update with everything that the template allows."""
    return httpx2.options(
        f"{server.address}/api/demo/tasks/1",
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": "PUT",
            "Access-Control-Request-Headers": ",".join(CORS["allow_headers"]).lower(),
        },
    )


def listening(pid: int) -> set[tuple[str, int]]:
    """The TCP addresses and ports that a process and its descendants listen on."""
    found = set()
    for process in (pid, *descendants(pid)):
        inodes = {str(file.readlink()) for file in Path(f"/proc/{process}/fd").iterdir()}
        for family, table in ((socket.AF_INET, "tcp"), (socket.AF_INET6, "tcp6")):
            lines = Path(f"/proc/{process}/net/{table}").read_text().splitlines()[1:]
            for line in lines:
                _, local, _, state, *_, inode = line.split()[:10]
                if state == LISTENS and f"socket:[{inode}]" in inodes:
                    address, port = local.split(":")
                    words = [
                        bytes.fromhex(address[i : i + 8])[::-1] for i in range(0, len(address), 8)
                    ]
                    found.add((socket.inet_ntop(family, b"".join(words)), int(port, 16)))
    return found


def descendants(pid: int) -> Iterator[int]:
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in map(int, (task / "children").read_text().split()):
            yield child
            yield from descendants(child)


def postgres_of(checkout: Path) -> list[int]:
    """The processes of the checkout's Postgres that are alive."""
    pids = []
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(checkout) in command.read_text() and "postgres" in command.read_text():
                pids.append(int(command.parent.name))
        except OSError:
            continue
    return pids


def refuses(port: int) -> bool:
    """Whether nobody listens any more."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return True
    return False
