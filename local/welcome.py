"""What a developer needs to begin, said once everything runs."""

import shlex
import socket
import time
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException
from threading import Thread
from urllib.parse import quote

from local.command import is_set, say
from local.issuer import LIFETIME, Issuer
from local.services import ISSUERS
from local.state import DEMO_USER

Probe = Callable[[], object]


def welcome(first_line: str, address: str, issuer: Issuer | None, origins: str, *more: str) -> str:
    """An address, a request that works, how to stop, and in few words what else there is."""
    lines = [
        first_line,
        *(["", first_request(address, issuer)] if issuer else []),
        "",
        "Ctrl-C stops it.",
        "",
        tokens() if issuer else foreign_tokens(),
        *more,
        f"Frontends may be on {origins.replace(',', ', ')} (ALLOWED_ORIGINS).",
    ]
    return "\n" + "\n".join(lines) + "\n"


def tokens() -> str:
    """What the token of the first request is, and where another one is."""
    hours = LIFETIME.total_seconds() / 3600
    token = f"The token is for the user {DEMO_USER} and lasts {hours:.0f} hours"
    return f"{token}; `make token` prints another."


def foreign_tokens() -> str:
    """What says which tokens are accepted, where they are not made here."""
    variable = next(name for name in ISSUERS if is_set(name))
    return f"Tokens are made elsewhere, and checked with {variable}."


def first_request(address: str, issuer: Issuer) -> str:
    """A line for the shell that creates a task."""
    request = [
        *("curl", "-i", f"{address}/api/{quote(DEMO_USER)}/tasks"),
        *("-H", f"Authorization: Bearer {issuer.token(DEMO_USER)}"),
        *("-H", "Content-Type: application/json"),
        *("-d", '{"title": "Buy milk"}'),
        *("-w", r"\n"),
    ]
    return shlex.join(request)


def answers(address: tuple[str, int]) -> Probe:
    """Whether the development server is up, with all of its functions imported."""

    def ask() -> None:
        request = HTTPConnection(*address)
        request.request("GET", "/openapi.json")  # the socket takes it at once
        request.getresponse().read()

    return ask


def listens(address: tuple[str, int]) -> Probe:
    """Whether something listens there."""
    return lambda: socket.create_connection(address, 1).close()


def say_when(ready: Probe, text: str) -> None:
    """Say it in the background, as soon as the probe finds its server ready; never if that ends."""

    def wait() -> None:
        while True:
            try:
                ready()
            except ConnectionRefusedError:
                time.sleep(0.1)
            except (OSError, HTTPException):
                return
            else:
                say(text)
                return

    Thread(target=wait, daemon=True).start()
