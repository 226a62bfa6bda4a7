"""API Gateway HTTP API events (payload format 2.0) as Mangum hands them to the app, and back.

Mangum's own class for them checks no field and decodes the path once more than the gateway did.
"""

import binascii
import re
from base64 import b64decode
from typing import Any
from urllib.parse import quote, unquote

from mangum.types import LambdaConfig, LambdaContext, LambdaEvent, Response, Scope

MALFORMED = b"{"  # what stands for a body that is not the base64 it says it is
ON_EVERY_RESPONSE = {
    "cache-control": "no-store",  # tasks are private: no browser's disk and no CDN may keep them
    "x-content-type-options": "nosniff",
    "vary": "Authorization, Origin",
}
PARAMETER = re.compile(r"\{(\w+)(\+?)\}")


class GatewayEvent:
    """One event. Whatever is missing or odd in it becomes something that the app refuses."""

    def __init__(self, event: LambdaEvent, context: LambdaContext, config: LambdaConfig) -> None:
        self.event = _mapping(event)
        self.request_context = _mapping(self.event.get("requestContext"))
        self.request_id = _printed(self.request_context.get("requestId"))

    @classmethod
    def infer(cls, event: LambdaEvent, context: LambdaContext, config: LambdaConfig) -> bool:
        """Claim every event: nothing but the gateway invokes these functions."""
        return True

    @property
    def body(self) -> bytes:
        """The body's bytes."""
        body = _octets(_text(self.event.get("body")))
        if not self.event.get("isBase64Encoded"):
            return body
        try:
            return b64decode(body, validate=True)
        except binascii.Error:
            return MALFORMED

    @property
    def scope(self) -> Scope:
        """The ASGI scope, with a path that is still percent-encoded."""
        http = _mapping(self.request_context.get("http"))
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": _text(http.get("method")),
            "scheme": "https",
            "path": self._path(_text(http.get("path"))),
            "raw_path": None,
            "root_path": "",
            "query_string": _octets(_text(self.event.get("rawQueryString"))),
            "headers": [
                (_octets(name.lower()), _octets(value))
                for name, value in _mapping(self.event.get("headers")).items()
                if isinstance(value, str)
            ],
            "client": None,
            "server": None,
            "request_id": self.request_id,
            "route_key": _printed(self.event.get("routeKey")),
        }

    def _path(self, decoded: str) -> str:
        """The path with each parameter in one segment, whatever characters it is made of.

        The gateway decodes the path: a slash in a user id looks like one between segments. Only
        the path parameters still say where each of them begins and ends.
        """
        template = _text(self.event.get("routeKey")).partition(" ")[2]
        parameters = _mapping(self.event.get("pathParameters"))
        named = [name for name, _ in PARAMETER.findall(template)]
        if named and all(isinstance(parameters.get(name), str) for name in named):
            return PARAMETER.sub(lambda name: _quote(parameters[name[1]], name[2]), template)
        return _quote(unquote(decoded), "+")

    def __call__(self, response: Response) -> dict[str, Any]:
        """The gateway's form of a response; all of ours are text."""
        headers: dict[str, str] = {"x-request-id": self.request_id, **ON_EVERY_RESPONSE}
        for name, value in response["headers"]:
            headers[name.decode("latin-1").lower()] = value.decode("latin-1")
        body = response["body"].decode()
        if not body:
            headers.pop("content-type", None)
        return {
            "statusCode": response["status"],
            "headers": headers,
            "body": body,
            "isBase64Encoded": False,
        }


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _printed(value: object) -> str:
    """Text for responses and the log, which cannot hold half of a surrogate pair."""
    return _text(value).encode(errors="replace").decode()


def _octets(text: str) -> bytes:
    """The text as bytes, each text as others: what became `?` would make two keys one."""
    return text.encode(errors="surrogatepass")


def _quote(value: str, greedy: str) -> str:
    """Quote a parameter, which is one segment unless it is greedy."""
    return quote(value, safe="/" if greedy else "", errors="surrogatepass")
