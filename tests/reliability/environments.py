"""Processes that are each a Lambda environment: one request at a time, over one connection.

`python -m tests.reliability.environments FD …` imports the functions once and forks a process for
each descriptor of a pipe, which serves requests until its pipe is closed.
"""

import asyncio
import faulthandler
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing.connection import Connection, Pipe
from time import sleep
from typing import Any

from local.gateway import Gateway
from shared.auth.tokens import verifier
from shared.lifecycle import initialise
from tests.conftest import ROOT

LONGEST = 30  # seconds for a response: the gateway's own limit
STOPPED_WITHIN = 15


class Environment:
    """One of the processes, to be called as a gateway is."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def __call__(
        self,
        method: str,
        path: str,
        query: str = "",
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> dict[str, Any]:
        """The response of the function behind the route."""
        self._pipe.send((method, path, query, list(headers), body))
        assert self._pipe.poll(LONGEST), "a request has no response"
        response: dict[str, Any] = self._pipe.recv()
        return response


@contextmanager
def environments(count: int, variables: Mapping[str, str]) -> Iterator[list[Environment]]:
    """So many processes, in an environment with these variables besides our own."""
    with ExitStack() as held:
        ours, theirs = [], []
        for _ in range(count):
            here, there = Pipe()
            ours.append(held.enter_context(here))
            theirs.append(held.enter_context(there))
        descriptors = [pipe.fileno() for pipe in theirs]
        process = subprocess.Popen(
            [sys.executable, "-m", __name__, *map(str, descriptors)],
            cwd=ROOT,
            env=os.environ | dict(variables),
            pass_fds=descriptors,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # the functions' own log
            start_new_session=True,
        )
        for pipe in theirs:
            pipe.close()
        try:
            assert all(pipe.poll(LONGEST) and pipe.recv() == "ready" for pipe in ours)
            yield [Environment(pipe) for pipe in ours]
        finally:
            for pipe in ours:
                pipe.close()
            end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Wait for the end of the processes, whose pipes are closed. One that hangs prints where."""
    try:
        assert process.wait(STOPPED_WITHIN) == 0
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGUSR1)
        sleep(1)
        raise
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def serve(pipe: Connection) -> None:
    """Be one environment until the pipe is closed."""
    asyncio.set_event_loop(asyncio.new_event_loop())
    gateway = Gateway.of_template()
    initialise(authenticated=True)
    pipe.send("ready")
    while True:
        try:
            request = pipe.recv()
        except EOFError:
            return
        pipe.send(gateway(*request))


def fork(pipes: Sequence[Connection]) -> list[int]:
    """Make a process for each pipe, which closes all the others."""
    children = []
    for mine in pipes:
        child = os.fork()
        if not child:
            for pipe in pipes:
                if pipe is not mine:
                    pipe.close()
            serve(mine)
            os._exit(0)
        children.append(child)
    return children


if __name__ == "__main__":
    faulthandler.register(signal.SIGUSR1)
    for route in Gateway.of_template().routes:
        _ = route.call
    verifier().keys.warm()  # one request to the issuer instead of one for each process
    pipes = [Connection(int(descriptor)) for descriptor in sys.argv[1:]]
    children = fork(pipes)
    for pipe in pipes:
        pipe.close()
    os._exit(max(os.waitpid(child, 0)[1] for child in children) and 1)
