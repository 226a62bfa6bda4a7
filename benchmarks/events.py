"""The six operations as API Gateway events."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from local.gateway import Event, make_event, read_routes

ROUTES = read_routes()
OPERATIONS = ("list", "create", "get", "update", "toggle", "delete")
READS = ("list", "get")
HEADERS = {
    "accept": "application/json",
    "accept-encoding": "gzip, deflate, br",
    "content-type": "application/json",
    "host": "abcdef0123.execute-api.eu-central-1.amazonaws.com",
    "origin": "https://app.example.com",
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    "x-amzn-trace-id": "Root=1-691eb1f2-0123456789abcdef01234567",
    "x-forwarded-for": "203.0.113.7",
    "x-forwarded-port": "443",
    "x-forwarded-proto": "https",
}


@dataclass(frozen=True)
class Request:
    """What a client asks for."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""
    query: str = ""

    @property
    def handler(self) -> str:
        """The handler of ours that answers it."""
        return self._routed[0]

    @property
    def event(self) -> Event:
        """What API Gateway makes of it."""
        return self._routed[1]

    @cached_property
    def text(self) -> str:
        """The event as JSON, made once: who asks often must not be what is measured."""
        return json.dumps(self.event)

    @cached_property
    def _routed(self) -> tuple[str, Event]:
        for route in ROUTES:
            named = route.match(self.method, self.path)
            if named is not None:
                headers = self.headers.items()
                event = make_event(
                    route, named, self.method, self.path, self.query, headers, self.body
                )
                return route.handler, event
        raise LookupError(self.path)


@dataclass(frozen=True)
class User:
    """Somebody with a token."""

    subject: str
    token: str

    @property
    def tasks(self) -> str:
        """The path of the user's tasks."""
        return f"/api/{self.subject}/tasks"

    def ask(self, operation: str, task_id: int = 0, query: str = "") -> Request:
        """One of the six operations."""
        one = f"{self.tasks}/{task_id}"
        match operation:
            case "list":
                return self.request("GET", self.tasks, query=query)
            case "create":
                return self.request(
                    "POST", self.tasks, {"title": "Buy milk", "description": "Two litres"}
                )
            case "get":
                return self.request("GET", one)
            case "update":
                return self.request("PUT", one, {"title": "Buy bread"})
            case "toggle":
                return self.request("PATCH", f"{one}/complete", {"completed": True})
            case _:
                return self.request("DELETE", one)

    def request(
        self, method: str, path: str, content: dict[str, Any] | None = None, query: str = ""
    ) -> Request:
        """Any request with the token."""
        body = b"" if content is None else json.dumps(content).encode()
        return Request(
            method, path, HEADERS | {"authorization": f"Bearer {self.token}"}, body, query
        )
