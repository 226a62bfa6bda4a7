"""The development server: the gateway in small on a socket, with CORS and documentation."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from multiprocessing import connection, parent_process
from pathlib import Path
from threading import Thread
from typing import Any

import fastapi_offline
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from local.gateway import Gateway
from local.openapi import openapi
from shared.settings import settings

STATIC = Path(fastapi_offline.__file__).parent / "static"
CORS = Middleware(
    CORSMiddleware,
    allow_origins=settings().allowed_origins,
    allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
    allow_headers=["Authorization", "Idempotency-Key", "If-Match", "If-None-Match"],
    expose_headers=[
        "ETag", "Idempotency-Replayed", "Link", "Location", "Retry-After", "X-Request-Id",
    ],
)  # fmt: skip

gateway = Gateway.of_template()

# One thread: as a Lambda environment does, it serves one request at a time over one connection.
environment = ThreadPoolExecutor(
    1, initializer=lambda: asyncio.set_event_loop(asyncio.new_event_loop())
)


async def invoke(scope: Scope, receive: Receive, send: Send) -> None:
    """Hand a request to its function."""
    request = Request(scope, receive)
    answer = await asyncio.get_running_loop().run_in_executor(
        environment,
        gateway,
        request.method,
        scope["raw_path"].decode("latin-1"),
        scope["query_string"].decode("latin-1"),
        [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]],
        await request.body(),
    )
    response = Response(answer["body"], answer["statusCode"], answer["headers"])
    await response(scope, receive, send)


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document."""
    return openapi()


async def show_document(_: Request) -> Response:
    """Answer with the OpenAPI document."""
    return JSONResponse(document())


async def show_documentation(_: Request) -> Response:
    """Answer with Swagger UI, out of a package: it works offline."""
    return get_swagger_ui_html(
        openapi_url="/openapi.json",
        title="Task API",
        swagger_js_url="/docs/static/swagger-ui-bundle.js",
        swagger_css_url="/docs/static/swagger-ui.css",
        swagger_favicon_url="/docs/static/favicon.png",
        swagger_ui_parameters={"persistAuthorization": True},
    )


def die_with_parent() -> None:
    """End when the reloader is killed, so that the port is free for the next start."""
    if parent := parent_process():
        connection.wait([parent.sentinel])
        os._exit(1)


Thread(target=die_with_parent, daemon=True).start()

app = Starlette(
    routes=[
        Route("/docs", show_documentation),
        Route("/openapi.json", show_document),
        Mount("/docs/static", StaticFiles(directory=STATIC)),
        Mount("/", invoke),
    ],
    middleware=[CORS],
)
