"""A PgBouncer before a Postgres, as Neon has it: in transaction mode, with a small pool."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

HOST = "127.0.0.1"
# It refuses root. No account has this number, so that no other account reads the passwords.
ACCOUNT = 61000
SEARCHED = f"{os.environ['PATH']}:/usr/sbin"
READY_WITHIN = 5
CONFIGURATION = """
[databases]
* = host={host} port={port}

[pgbouncer]
listen_addr = {host}
listen_port = {listen}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = {size}
max_client_conn = 300
server_login_retry = 1
"""
RELEASE = "trixie"
DEBIAN = Path(__file__).parent.parent / ".local" / "pgbouncer"


class MissingError(Exception):
    """There is no PgBouncer here."""


@dataclass(frozen=True)
class Installed:
    """A PgBouncer, and the root of the file system that it is installed in."""

    program: str
    root: Path = Path("/")

    def command(self, configuration: str) -> list[str]:
        """The command that runs it; it ends with its parent."""
        command = ["setpriv", "--pdeathsig=KILL"]
        if os.geteuid() == 0:
            command += [f"--reuid={ACCOUNT}", f"--regid={ACCOUNT}", "--clear-groups"]
        if self.root != Path("/"):
            command = ["chroot", str(self.root), *command]
        return [*command, self.program, configuration]


def of_the_system() -> Installed:
    """The system's own. Debian 12's (1.18) does not know prepared statements.

    Raises:
        MissingError: there is none.
    """
    found = shutil.which("pgbouncer", path=SEARCHED)
    if found is None:
        raise MissingError("PgBouncer is missing: apt-get install pgbouncer")
    return Installed(found)


def of_debian_13() -> Installed:
    """Debian 13's (1.24), which follows prepared statements from server to server, as Neon's does.

    It lives in a small Debian of its own, a folder that is made once: 45 s, 290 MB.

    Raises:
        MissingError: it cannot be made here.
    """
    if not DEBIAN.exists():
        debootstrap = shutil.which("debootstrap", path=SEARCHED)
        if os.geteuid() != 0 or debootstrap is None:
            raise MissingError("A newer PgBouncer needs root and apt-get install debootstrap")
        print(f"Installing PgBouncer of Debian {RELEASE} into {DEBIAN} …", file=sys.stderr)
        DEBIAN.parent.mkdir(exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=DEBIAN.parent, prefix="pgbouncer."))
        made.chmod(0o755)
        subprocess.run(
            [debootstrap, "--variant=minbase", "--include=pgbouncer", RELEASE, str(made)],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        made.rename(DEBIAN)
    return Installed("pgbouncer", DEBIAN)


class Upstream(Protocol):
    """A Postgres of this machine, with logins that have passwords."""

    @property
    def port(self) -> int: ...

    @property
    def passwords(self) -> Mapping[str, str]: ...


class PgBouncer:
    """A pooler on a port that stays the same, before a Postgres of this machine.

    Between a stop and a start another one may be `installed`.
    """

    def __init__(
        self,
        upstream: Upstream,
        installed: Installed,
        size: int,
        more: str,
        files: Mapping[str, bytes],
    ) -> None:
        with socket.create_server((HOST, 0)) as listener:
            self.port = listener.getsockname()[1]
        self.installed = installed
        self._configuration = partial(
            f"{CONFIGURATION}{more}\n".format,
            host=HOST,
            port=upstream.port,
            listen=self.port,
            size=size,
        )
        self._passwords = upstream.passwords
        users = "".join(f'"{login}" "{it}"\n' for login, it in self._passwords.items())
        self._files = {"users": users.encode(), **files}
        self.start()

    def url(self, database: str, login: str = "api") -> str:
        """The URL of a database."""
        password = self._passwords[login]
        return f"postgresql://{login}:{password}@{HOST}:{self.port}/{database}"

    def start(self) -> None:
        """Start it, and wait until it listens."""
        self._folder = Path(tempfile.mkdtemp(dir=self.installed.root / "tmp"))
        if os.geteuid() == 0:
            os.chown(self._folder, ACCOUNT, ACCOUNT)
        inside = f"/{self._folder.relative_to(self.installed.root)}"
        for name, content in self._files.items():
            (self._folder / name).write_bytes(content)
        (self._folder / "pgbouncer.ini").write_text(self._configuration(folder=inside))
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                self.installed.command(f"{inside}/pgbouncer.ini"),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + READY_WITHIN
        while True:
            try:
                return socket.create_connection((HOST, self.port), 1).close()
            except OSError:
                assert time.monotonic() < deadline, (self._folder / "log").read_text()
                time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGKILL) -> None:
        """Stop it: at once, or with SIGTERM as Debian's service does."""
        self._process.send_signal(how)
        try:
            self._process.wait(READY_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._folder)


@contextmanager
def pgbouncer(
    upstream: Upstream,
    size: int = 4,
    more: str = "",
    installed: Installed | None = None,
    files: Mapping[str, bytes] = MappingProxyType({}),
) -> Iterator[PgBouncer]:
    """A pooler for the length of a block, for the logins of a Postgres that have passwords.

    `more` are lines of its configuration, in which `{folder}` is where its `files` are.
    """
    made = PgBouncer(upstream, installed or of_the_system(), size, more, files)
    try:
        yield made
    finally:
        made.stop()
