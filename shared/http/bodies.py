"""Request bodies: JSON objects in UTF-8 (RFC 8259), of bounded size."""

import json
from collections.abc import Callable, Coroutine
from email.message import Message
from functools import lru_cache
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from shared.http.problems import Invalid, InvalidInput, Malformed, NotJson, TooLarge

MAX_BODY_BYTES = 64 * 1024
MAX_MEDIA_TYPE = 256


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
            raise Invalid(
                errors=[InvalidInput(pointer="", detail="the body must be a JSON object")]
            )
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
    if len(content_type) > MAX_MEDIA_TYPE:  # to parse it takes time by the square of its length
        return False
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
