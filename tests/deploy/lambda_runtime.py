"""Built functions in Lambda's own runtime client, under the runtime interface emulator.

Both are what Lambda and `sam local` run; the emulator comes with the SAM CLI, the client is the
package awslambdaric. A function sees its artifact, what the runtime brings, and nothing else.
"""

import os
import platform
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Protocol

import httpx2
import yaml

from local.gateway import Event, Gateway, GatewayTransport, Route, read_routes
from local.network import closed_port
from tests.conftest import ROOT

ARCHITECTURE = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
ARTIFACTS = ROOT / ".local/artifact"
RUNTIME = ROOT / ".local/lambda-runtime"
INVOCATIONS = "/2015-03-31/functions/function/invocations"
READY_WITHIN = 10.0  # seconds
STOPPED_WITHIN = 10.0


@cache
def python() -> str:
    """Lambda's Python itself, not a shim that needs its environment to find it."""
    command = [str(ROOT / "bundle/python"), "-c", "import sys; print(sys.executable)"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@cache
def template() -> dict[str, Any]:
    """The template that `sam build` leaves beside the artifacts."""
    content = yaml.safe_load((ARTIFACTS / "template.yaml").read_text())
    assert isinstance(content, dict)
    return content


def artifact(function: str) -> Path:
    """The folder that a function deploys."""
    return ARTIFACTS / str(template()["Resources"][function]["Properties"]["CodeUri"])


def declared_environment() -> dict[str, str]:
    """The variables that the template declares, and no others, as `sam local` fills them in."""
    declared = template()["Globals"]["Function"]["Environment"]["Variables"]
    defaults = {name: value if isinstance(value, str) else "" for name, value in declared.items()}
    return {name: os.environ.get(name, default) for name, default in defaults.items()}


@dataclass(frozen=True)
class Function:
    """A function that answers invocations."""

    url: str
    log: Path

    def invoke(self, event: Event) -> dict[str, Any]:
        """What it returns. Raises HTTPStatusError where it does not."""
        response = httpx2.post(self.url, json=event, timeout=30)
        response.raise_for_status()
        returned = response.json()
        assert isinstance(returned, dict)
        return returned

    def lines(self) -> list[str]:
        """What it has logged."""
        return self.log.read_text().splitlines()


def client(name: str) -> list[str]:
    """The command of the runtime client for a function, with what runtime and artifact have."""
    handler = template()["Resources"][name]["Properties"]["Handler"]
    return [python(), "-S", "-m", "awslambdaric", handler]


def environment_of(name: str) -> dict[str, str]:
    """The environment of a function, as Lambda makes it."""
    return declared_environment() | {
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_TIMEOUT": "15",
        "AWS_LAMBDA_LOG_FORMAT": "JSON",
        "AWS_REGION": "us-east-1",
        "LAMBDA_TASK_ROOT": str(artifact(name)),
        "PYTHONPATH": f"{artifact(name)}:{RUNTIME}",
    }


@contextmanager
def started(name: str, command: list[str], log: Path, **environment: str) -> Iterator[None]:
    """Run a command in the folder of a function, for the length of a block."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=artifact(name),
            env=environment_of(name) | environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait(STOPPED_WITHIN)


@contextmanager
def running(name: str, log: Path, **environment: str) -> Iterator[Function]:
    """Run a function under the emulator; `environment` goes before what the template declares."""
    port = closed_port()
    [emulator] = ROOT.glob(
        f".local/sam/lib/python*/site-packages/samcli/local/rapid/aws-lambda-rie-{ARCHITECTURE}"
    )
    command = [
        *(str(emulator), "--log-level", "warn"),
        *("--runtime-interface-emulator-address", f"127.0.0.1:{port}"),
        *("--runtime-api-address", f"127.0.0.1:{closed_port()}"),
        *client(name),
    ]
    with started(name, command, log, **environment):
        wait_for(port)
        yield Function(f"http://127.0.0.1:{port}{INVOCATIONS}", log)


def wait_for(port: int) -> None:
    """Wait until something listens. Raises OSError when nothing does in time."""
    deadline = time.monotonic() + READY_WITHIN
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


@dataclass
class Functions:
    """The functions of the template, each started by its first invocation."""

    logs: Path
    held: ExitStack
    environment: dict[str, str] = field(default_factory=dict)
    started: dict[str, Function] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Function:
        if name not in self.started:
            function = running(name, self.logs / f"{name}.log", **self.environment)
            self.started[name] = self.held.enter_context(function)
        return self.started[name]


class Invocable(Protocol):
    """What answers an event."""

    def invoke(self, event: Event) -> dict[str, Any]: ...


class ByName(Protocol):
    """What has a function for a name."""

    def __getitem__(self, name: str, /) -> Invocable: ...


@dataclass(frozen=True)
class BuiltRoute(Route):
    """A route to a function that runs elsewhere."""

    functions: ByName

    @cached_property
    def call(self) -> Callable[[Event, object], dict[str, Any]]:
        return lambda event, _context: self.functions[self.function].invoke(event)


@contextmanager
def behind_the_gateway(functions: ByName) -> Iterator[httpx2.Client]:
    """Put functions behind the gateway; yields a client without a token."""
    routes = tuple(
        BuiltRoute(route.method, route.path, route.function, route.handler, functions)
        for route in read_routes(ARTIFACTS / "template.yaml")
    )
    transport = GatewayTransport(Gateway(routes))
    with httpx2.Client(transport=transport, base_url="https://api.test") as client:
        yield client


@contextmanager
def deployed(logs: Path, **environment: str) -> Iterator[tuple[Functions, httpx2.Client]]:
    """Run the functions behind the gateway, for the length of a block."""
    with ExitStack() as held:
        functions = Functions(logs, held, environment)
        yield functions, held.enter_context(behind_the_gateway(functions))
