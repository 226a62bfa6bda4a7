"""An API Gateway HTTP API in small: routes by template.yaml and calls the real Lambda handlers."""

import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, Self, cast
from urllib.parse import unquote
from uuid import uuid4

import httpx2
import yaml

TEMPLATE = Path(__file__).parent.parent / "template.yaml"
TEXT_TYPES = re.compile(r"text/|application/(json|javascript|xml)\b")

Event = dict[str, Any]


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms, such as `!Ref`, as nothing: no route is made of them.

    `!If` is the list of its condition and its two values.
    """

    def construct_condition(self, node: yaml.SequenceNode) -> list[Any]:
        return self.construct_sequence(node, deep=True)


_Loader.add_multi_constructor("!", lambda *_: None)
_Loader.add_constructor("!If", _Loader.construct_condition)


@dataclass(frozen=True)
class Route:
    """A method and a path of the API, and the function behind it."""

    method: str
    path: str
    function: str
    handler: str

    @property
    def key(self) -> str:
        return f"{self.method} {self.path}"

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What the percent-encoded path looks like."""
        greedy = re.sub(r"\{(\w+)\+\}", r"(?P<\1>.+)", self.path)
        return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", greedy))

    @cached_property
    def call(self) -> Callable[[Event, object], dict[str, Any]]:
        """The Lambda handler."""
        module, name = self.handler.rsplit(".", 1)
        return getattr(import_module(module), name)  # type: ignore[no-any-return]

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """The path's parameters, decoded, where this is its route."""
        if self.method not in {method, "ANY"}:
            return None
        found = self.pattern.fullmatch(path)
        return found and {name: unquote(value) for name, value in found.groupdict().items()}


def _resources(template: Path) -> dict[str, Any]:
    resources = yaml.load(template.read_text(), _Loader)["Resources"]  # noqa: S506 (a SafeLoader)
    return cast("dict[str, Any]", resources)


def read_cors(template: Path = TEMPLATE) -> dict[str, Any]:
    """What a SAM template lets browsers do, by the names of Starlette's `CORSMiddleware`.

    The origins are missing: they are a parameter of the template.
    """
    [cors] = [
        resource["Properties"]["CorsConfiguration"]
        for resource in _resources(template).values()
        if "CorsConfiguration" in resource.get("Properties", {})
    ]
    if isinstance(cors, list):  # the first value of an !If
        cors = cors[1]
    return {
        "allow_methods": cors["AllowMethods"],
        "allow_headers": cors["AllowHeaders"],
        "allow_credentials": cors.get("AllowCredentials", False),
        "expose_headers": cors["ExposeHeaders"],
        "max_age": cors["MaxAge"],
    }


def read_routes(template: Path = TEMPLATE) -> list[Route]:
    """The routes of a SAM template, the more specific ones first, as the gateway prefers them."""
    resources = _resources(template)
    routes = [
        Route(event["Properties"]["Method"], event["Properties"]["Path"], name, handler)
        for name, resource in resources.items()
        for handler in [resource.get("Properties", {}).get("Handler")]
        for event in resource.get("Properties", {}).get("Events", {}).values()
        if event["Type"] == "HttpApi"
    ]
    return sorted(routes, key=lambda route: (route.method == "ANY", "+" in route.path))


@dataclass(frozen=True)
class Context:
    """What Lambda says of an invocation."""

    function_name: str
    aws_request_id: str
    function_version: str = "$LATEST"
    memory_limit_in_mb: int = 1024
    invoked_function_arn: str = "arn:aws:lambda:local:000000000000:function:local"

    def get_remaining_time_in_millis(self) -> int:
        return 15_000


@dataclass(frozen=True)
class Gateway:
    """Calls the function of a request with the event that API Gateway would make of it."""

    routes: tuple[Route, ...]

    @classmethod
    def of_template(cls, template: Path = TEMPLATE) -> Self:
        return cls(tuple(read_routes(template)))

    def __call__(
        self,
        method: str,
        path: str,
        query: str = "",
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> dict[str, Any]:
        """The function's response; `path` is percent-encoded."""
        route, parameters = self._match(method, path)
        event = make_event(route, parameters, method, path, query, headers, body)
        return route.call(event, Context(route.function, event["requestContext"]["requestId"]))

    def _match(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        """The most specific route, or else the last one, which answers for what is not there.

        The last resort are methods that API Gateway answers itself (OPTIONS, for CORS) or has no
        routes for (TRACE).
        """
        for route in self.routes:
            parameters = route.match(method, path)
            if parameters is not None:
                return route, parameters
        return self.routes[-1], {}


def make_event(  # noqa: PLR0913, PLR0917 (the parts of a request)
    route: Route,
    parameters: Mapping[str, str],
    method: str,
    path: str,
    query: str,
    headers: Iterable[tuple[str, str]],
    body: bytes,
) -> Event:
    """An event of payload format 2.0. Like the gateway, it decodes the path."""
    joined: dict[str, str] = {}
    for name, value in headers:
        lower = name.lower()
        joined[lower] = f"{joined[lower]},{value}" if lower in joined else value
    cookies = joined.pop("cookie", None)
    text = _as_text(body, joined.get("content-type", ""))
    return {
        "version": "2.0",
        "routeKey": route.key,
        "rawPath": unquote(path),
        "rawQueryString": query,
        "headers": joined,
        "pathParameters": dict(parameters),
        "requestContext": {
            "apiId": "local",
            "domainName": joined.get("host", "localhost"),
            "http": {
                "method": method,
                "path": unquote(path),
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": joined.get("user-agent", ""),
            },
            "requestId": str(uuid4()),
            "routeKey": route.key,
            "stage": "$default",
        },
        "isBase64Encoded": bool(body) and text is None,
        **({"cookies": cookies.split("; ")} if cookies else {}),
        **({"body": b64encode(body).decode() if text is None else text} if body else {}),
    }


def _as_text(body: bytes, content_type: str) -> str | None:
    """The body as the gateway hands on text; what it takes for binary it encodes."""
    if not TEXT_TYPES.match(content_type):
        return None
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None


class GatewayTransport(httpx2.BaseTransport):
    """Lets an httpx2 client talk to the functions without a socket."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        path, _, query = request.url.raw_path.decode("ascii").partition("?")
        headers = [
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw
        ]
        response = self.gateway(request.method, path, query, headers, request.read())
        return httpx2.Response(
            response["statusCode"], headers=response["headers"], content=response["body"].encode()
        )
