"""Many clients at once: four environments, a hundred behind PgBouncer, servers with sockets."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from http import HTTPStatus
from itertools import cycle
from queue import SimpleQueue
from threading import Barrier, Thread
from time import monotonic, perf_counter, sleep

from benchmarks import installed
from benchmarks.events import READS, Request, User
from benchmarks.measure import Figures, percentile
from benchmarks.peer import (
    FRAMEWORKS,
    HONO,
    RESOLVER,
    TASKS,
    USUAL,
    Crowd,
    Environment,
    Peer,
    Reply,
    environment,
)
from benchmarks.stage import API, HOST, Stage, pooler
from local.state import ROOT

MIX = ("list", "get", "list", "update", "get", "create", "list", "get", "toggle", "get")
READY_WITHIN = 60.0
LONGEST = 10.0  # seconds; then a client gives up

Ask = Callable[[Request], tuple[int, str | bytes]]
"""Gives the status and the body of a response."""


class Client:
    """A user who asks one thing after the other: 7 of 10 times to read."""

    def __init__(self, user: User, ask: Ask, pause: float = 0.0) -> None:
        self._user, self._ask, self._pause = user, ask, pause
        self.milliseconds: list[float] = []
        self.errors = 0
        self._requests: list[Request] = []

    def begin(self) -> None:
        """Have a task to work on."""
        status, body = self._try(self._user.ask("create"))
        task_id = json.loads(body)["id"] if status == HTTPStatus.CREATED else 0
        self._requests = [self._user.ask(name, task_id) for name in MIX]

    def work(self, until: float) -> None:
        """Ask until it is so late."""
        for request in cycle(self._requests):
            if monotonic() > until:
                return
            self._try(request)
            sleep(random.uniform(0, 2 * self._pause))  # noqa: S311

    def _try(self, request: Request) -> tuple[int, str | bytes]:
        """Ask once, and count what is no success."""
        began = perf_counter()
        try:
            status, body = self._ask(request)
        except OSError:
            status, body = 0, b""
        self.milliseconds.append((perf_counter() - began) * 1000)
        self.errors += not 200 <= status < 300
        return status, body


def crowd(clients: list[Client], seconds: float) -> Figures:
    """Let all of them work at once."""
    barrier = Barrier(len(clients))

    def work(client: Client) -> None:
        client.begin()
        barrier.wait(READY_WITHIN)
        client.work(monotonic() + seconds)

    threads = [Thread(target=work, args=(client,), daemon=True) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(READY_WITHIN + seconds + LONGEST)
    hung = sum(thread.is_alive() for thread in threads)
    errors = sum(client.errors for client in clients)
    times = [figure for client in clients for figure in client.milliseconds]
    return {
        "clients": len(clients),
        "responses a second": (len(times) - errors) / seconds,
        "p50": percentile(times, 0.5),
        "p95": percentile(times, 0.95),
        "p99": percentile(times, 0.99),
        "errors": errors,
        "hung": hung,
    }


class Http:
    """A keep-alive connection that knows just enough of HTTP to cost little."""

    def __init__(self, port: int) -> None:
        self._address = HOST, port
        self._socket: socket.socket | None = None

    def __call__(self, request: Request) -> tuple[int, bytes]:
        """Ask."""
        if self._socket is None:
            self._socket = socket.create_connection(self._address, LONGEST)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        lines = [f"{request.method} {request.path} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in request.headers.items()]
        lines += [f"content-length: {len(request.body)}", "", ""]
        try:
            return self._exchange(self._socket, "\r\n".join(lines).encode() + request.body)
        except OSError:
            self._socket.close()
            self._socket = None
            raise

    @staticmethod
    def _exchange(connection: socket.socket, said: bytes) -> tuple[int, bytes]:
        connection.sendall(said)
        data = b""
        while b"\r\n\r\n" not in data:
            data += _some(connection)
        head, _, body = data.partition(b"\r\n\r\n")
        status, *headers = head.decode("latin-1").split("\r\n")
        named = dict(line.lower().split(": ", 1) for line in headers)
        while len(body) < int(named.get("content-length", 0)):
            body += _some(connection)
        return int(status.split(" ")[1]), body


def _some(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise ConnectionResetError
    return data


class Pool:
    """Environments, of which each request takes one that is free, as Lambda has it."""

    def __init__(self, made: list[Environment]) -> None:
        self._free: SimpleQueue[Environment] = SimpleQueue()
        for each in made:
            self._free.put(each)

    def __call__(self, request: Request) -> tuple[int, str]:
        """Ask."""
        taken = self._free.get()
        try:
            reply = taken.ask(request)
        finally:
            self._free.put(taken)
        return reply.status, reply.response["body"]


def users(stage: Stage, prefix: str, count: int) -> list[User]:
    """So many of them."""
    return [
        User(f"{prefix}-{number}", stage.issuer.token(f"{prefix}-{number}"))
        for number in range(count)
    ]


@contextmanager
def pool(stage: Stage, peer: Peer) -> Iterator[Callable[[], Ask]]:
    """Four environments of a peer; yields what makes a client's connection to them."""
    variables = stage.environment | {"DATABASE_URL": stage.url(login=peer.login)}
    with ExitStack() as held:
        asked = Pool([held.enter_context(environment(peer, variables)) for _ in range(4)])
        yield lambda: asked


@contextmanager
def usual(stage: Stage, processes: int) -> Iterator[Callable[[], Ask]]:
    """The usual service; yields what makes a client's connection to it."""
    variables = stage.environment | USUAL.environment() | {"DATABASE_URL": stage.url()}
    with socket.create_server((HOST, 0), backlog=2048) as listener:
        # asyncio sets it only on sockets that it makes; without, a response may take 40 ms.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        number, port = listener.fileno(), listener.getsockname()[1]
        uvicorn = [
            *(installed.python(), "-m", "uvicorn", "usual:app", "--log-level", "critical"),
            *("--fd", str(number), "--workers", str(processes)),
        ]
        with served(uvicorn, variables, port, (number,)):
            sleep(3)  # it listens before it can answer
            yield lambda: Http(port)


def throughput(stage: Stage, seconds: float, rounds: int) -> dict[str, Figures]:
    """Ten clients of each service by turns: the round of each with its median of responses."""
    with ExitStack() as held:
        services = {
            f"4 environments, {peer.name}": held.enter_context(pool(stage, peer))
            for peer in (TASKS, FRAMEWORKS, RESOLVER, HONO)
        }
        services |= {
            "usual, 1 process": held.enter_context(usual(stage, 1)),
            "usual, 4 processes": held.enter_context(usual(stage, 4)),
        }
        found: dict[str, list[Figures]] = {name: [] for name in services}
        for _ in range(rounds):
            for name, connect in services.items():
                asking = [Client(user, connect()) for user in users(stage, "ten", 10)]
                found[name].append(crowd(asking, seconds))
    return {
        name: sorted(each, key=lambda figures: figures["responses a second"])[rounds // 2]
        for name, each in found.items()
    }


def collapse(stage: Stage, seconds: float) -> Figures:
    """A hundred clients of the usual service."""
    with usual(stage, 1) as connect:
        return crowd([Client(user, connect()) for user in users(stage, "many", 100)], seconds)


def development(stage: Stage, seconds: float) -> Figures:
    """A hundred keep-alive clients of `make dev`."""
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]
    variables = os.environ | stage.environment | {"DATABASE_URL": stage.url(login=API)}
    variables |= {"PORT": str(port)}
    with served([sys.executable, "-m", "local", "dev"], variables, port):
        asking = users(stage, "dev", 100)
        return crowd([Client(user, Http(port)) for user in asking], seconds)


@contextmanager
def served(
    command: list[str], variables: dict[str, str], port: int, descriptors: tuple[int, ...] = ()
) -> Iterator[None]:
    """Run a server, from when it listens."""
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        pass_fds=descriptors,
    )
    try:
        deadline = monotonic() + READY_WITHIN
        while monotonic() < deadline:
            with suppress(OSError):
                socket.create_connection((HOST, port), 1).close()
                break
            sleep(0.05)
        yield
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def crowded(
    stage: Stage, seconds: float, pauses: tuple[float, ...], connections: int = 10
) -> dict[float, Figures]:
    """A hundred environments behind a PgBouncer with few connections, and a user for each."""
    with pooler(stage, connections) as pooled, ExitStack() as held:
        crowded = Crowd(100, stage.environment | {"DATABASE_URL": pooled.url("tasks", API)})
        held.callback(crowded.stop)

        def ask(environment: Callable[[Request], Reply], request: Request) -> tuple[int, str]:
            reply = environment(request)
            return reply.status, reply.response["body"]

        asks = [partial(ask, environment) for environment in crowded.environments]
        asking = list(zip(users(stage, "crowd", len(asks)), asks, strict=True))
        return {
            pause: crowd([Client(user, ask, pause) for user, ask in asking], seconds)
            for pause in pauses
        }


assert sum(name in READS for name in MIX) == 0.7 * len(MIX)
