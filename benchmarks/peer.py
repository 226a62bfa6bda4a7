"""Handlers, ours and the peers', each in a process like a Lambda environment."""

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from socket import socketpair
from time import perf_counter
from typing import Any, TextIO

from benchmarks import installed
from benchmarks.events import ROUTES, Request
from benchmarks.stage import API, OWNER

WORKER = Path(__file__).with_name("worker.py")
STOPPED_WITHIN = 10
OURS = sorted({route.handler for route in ROUTES})


@dataclass(frozen=True)
class Peer:
    """A service that answers events, under the name that the figures have."""

    name: str
    path: tuple[Path, ...] = ()
    handler: str | None = None  # ours are one for each operation
    options: tuple[tuple[str, str], ...] = ()

    @property
    def login(self) -> str:
        """Ours is the only one with row-level security; the others' login walks past it."""
        return API if self.handler is None else OWNER

    def answers(self, request: Request) -> str:
        """The handler that answers a request."""
        return self.handler or request.handler

    def command(self, pipe: int, handlers: Sequence[str]) -> list[str]:
        """The command of an environment."""
        if self.name == "hono":
            return ["node", str(installed.HONO / "worker.mjs"), str(pipe), *handlers]
        return [installed.python(), "-S", str(WORKER), str(pipe), *handlers]

    def environment(self) -> dict[str, str]:
        """What Lambda would set, and where the code is."""
        return {
            "AWS_LAMBDA_FUNCTION_NAME": "benchmark",
            "AWS_REGION": "eu-central-1",
            "PYTHONPATH": ":".join(map(str, self.path)),
            **dict(self.options),
        }


TASKS = Peer("tasks", (installed.ARTIFACT,))
FLOOR = Peer("floor", (installed.PEERS, installed.ARTIFACT), "floor.handler")
FRAMEWORKS = Peer("frameworks", (installed.PEERS, installed.ARTIFACT), "frameworks.handler")
RESOLVER = Peer("resolver", (installed.PEERS, installed.LIBRARIES), "resolver.handler")
USUAL = Peer("usual", (installed.PEERS, installed.LIBRARIES), "usual.handler")
HONO = Peer("hono", handler=str(installed.HONO / "bundle.mjs"))
ALL = (FLOOR, FRAMEWORKS, TASKS, RESOLVER, HONO, USUAL)

UNCOMPILED = Peer(
    "tasks without byte code", (installed.SOURCES,), options=(("PYTHONDONTWRITEBYTECODE", "1"),)
)
FORKED = Peer(
    "tasks forked",
    (installed.ARTIFACT, installed.LIBRARIES),
    options=(("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start"),),
)


@dataclass(frozen=True)
class Reply:
    """What a handler answered, and what that took, by the clock and of the processor."""

    response: dict[str, Any]
    milliseconds: float
    cpu: float

    @property
    def status(self) -> int:
        """The status of the response."""
        return int(self.response["statusCode"])

    @property
    def content(self) -> Any:
        """What is in the response's JSON."""
        return json.loads(self.response["body"])


def end(process: subprocess.Popen[Any]) -> None:
    """Wait until a process that has nothing more to read is gone."""
    try:
        process.wait(STOPPED_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Environment:
    """A process that answers events one at a time."""

    def __init__(self, peer: Peer, variables: dict[str, str], handlers: Sequence[str]) -> None:
        self.peer = peer
        read, write = os.pipe()
        self.started = perf_counter()
        self._process = subprocess.Popen(
            peer.command(write, handlers),
            env=variables | peer.environment(),
            pass_fds=[write],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,  # the log
            text=True,
        )
        os.close(write)
        self._pipe = os.fdopen(read)

    def ask(self, request: Request) -> Reply:
        """Have a request answered."""
        assert self._process.stdin
        handler = json.dumps(self.peer.answers(request))
        print(f"[{handler}, {request.text}]", file=self._process.stdin, flush=True)
        line = self._pipe.readline()
        assert line, f"{self.peer.name} has ended"
        return Reply(**json.loads(line))

    @property
    def peak(self) -> float:
        """The most memory that the process has had at once, in MB."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        [kilobytes] = re.findall(r"VmHWM:\s+(\d+)", status)
        return int(kilobytes) / 1024

    def stop(self) -> None:
        """End it."""
        assert self._process.stdin
        self._process.stdin.close()
        self._pipe.close()
        end(self._process)


class Crowd:
    """So many environments of ours, forks of one process: each runs SnapStart's hooks."""

    def __init__(self, count: int, variables: dict[str, str]) -> None:
        pairs = [socketpair() for _ in range(count)]
        descriptors = [theirs.fileno() for _, theirs in pairs]
        self._process = subprocess.Popen(
            [installed.python(), "-S", str(WORKER), ",".join(map(str, descriptors)), *OURS],
            env=variables | FORKED.environment(),
            pass_fds=descriptors,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # the log
        )
        for _, theirs in pairs:
            theirs.close()
        self._files = [ours.makefile("rw") for ours, _ in pairs]
        for ours, _ in pairs:
            ours.close()  # when its file is
        assert all(file.readline() == "ready\n" for file in self._files), "they have ended"

    @property
    def environments(self) -> list[Callable[[Request], Reply]]:
        """Each of them, to be asked."""
        return [partial(self._ask, file) for file in self._files]

    @staticmethod
    def _ask(file: TextIO, request: Request) -> Reply:
        print(f'["{request.handler}", {request.text}]', file=file, flush=True)
        return Reply(**json.loads(file.readline()))

    def stop(self) -> None:
        """End all of them."""
        for file in self._files:
            file.close()
        end(self._process)


@contextmanager
def environment(
    peer: Peer, variables: dict[str, str], handlers: Sequence[str] = OURS
) -> Iterator[Environment]:
    """An environment for the length of a block; a peer has only one handler."""
    made = Environment(peer, variables, [peer.handler] if peer.handler else handlers)
    try:
        yield made
    finally:
        made.stop()
