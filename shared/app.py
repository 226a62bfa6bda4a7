"""From a gateway event to a FastAPI app and back: the app factory and the Lambda adapter."""

import json
import os
from collections.abc import Callable, Coroutine
from email.message import Message
from functools import lru_cache
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute
from mangum import Mangum

from shared import imports, problems
from shared.auth import Authentication
from shared.events import GatewayEvent
from shared.lifecycle import initialise
from shared.observability import Observed
from shared.problems import Invalid, InvalidInput, Malformed, NotJson, TooLarge

MAX_BODY_BYTES = 64 * 1024

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


class JsonRequest(Request):
    """A request whose body is a JSON object in UTF-8 (RFC 8259), or empty."""

    async def body(self) -> bytes:
        """The body. Raises TooLarge or NotJson."""
        body = await super().body()
        if len(body) > MAX_BODY_BYTES:
            raise TooLarge
        if body and not _is_json(self.headers.get("content-type", "")):
            raise NotJson
        return body

    async def json(self) -> dict[str, Any]:
        """The object. Raises Malformed, or Invalid where it is another JSON value."""
        try:
            value = json.loads(
                (await self.body()).decode(),
                object_pairs_hook=_unique_members,
                parse_constant=_refuse_constant,
            )
        except (ValueError, RecursionError):
            raise Malformed from None
        if not isinstance(value, dict):
            raise Invalid(errors=[InvalidInput(pointer="", detail="The body must be an object.")])
        return value


class JsonRoute(APIRoute):
    """A route that reads its request as a `JsonRequest`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the handler of FastAPI's."""
        handle = super().get_route_handler()

        async def handle_json(request: Request) -> Response:
            return await handle(JsonRequest(request.scope, request.receive))

        return handle_json


@lru_cache(maxsize=16)  # FastAPI reads the body, then its JSON
def _is_json(content_type: str) -> bool:
    message = Message()
    message["Content-Type"] = content_type
    charset = message.get_content_charset("utf-8")
    return message.get_content_type() == "application/json" and charset == "utf-8"


def _unique_members(members: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(members)
    if len(value) < len(members):
        raise ValueError("an object has two members of the same name")
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def create_app(*, public: bool = False) -> FastAPI:
    """An app for one operation, with problems for errors; without a token only where `public`."""
    app = FastAPI(
        openapi_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False},
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )
    app.router.route_class = JsonRoute
    app.state.public = public
    problems.install(app)
    if not public:
        app.add_middleware(Authentication)
    return app


def lambda_handler(app: FastAPI) -> Handler:
    """The Lambda function of an app, for events of an API Gateway HTTP API (payload format 2.0)."""
    if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
        initialise(authenticated=not app.state.public)
    imports.end()
    return Mangum(Observed(app), lifespan="off", custom_handlers=[GatewayEvent])
