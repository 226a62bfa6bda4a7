"""The development server: the gateway in small on a socket, with CORS and documentation."""

import asyncio
import os
import re
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from multiprocessing import connection, parent_process
from pathlib import Path
from threading import Thread
from typing import Any

import fastapi_offline
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from local.gateway import Gateway, read_cors
from local.state import DEMO_USER, DEVELOPMENT_ISSUER, development_issuer
from scripts.openapi import openapi
from shared.settings import settings

PAGE = Path(__file__).parent / "documentation.html"
STATIC = Path(fastapi_offline.__file__).parent / "static"
PAGES = re.compile(r"/(docs(/.*)?|openapi\.json)?")
LOOPBACK = ("127.0.0.1", "localhost")
CORS = {"allow_origins": settings().allowed_origins} | read_cors()


gateway = Gateway.of_template()
# One thread: as a Lambda environment does, it serves one request at a time over one connection.
environment = ThreadPoolExecutor(
    1, initializer=lambda: asyncio.set_event_loop(asyncio.new_event_loop())
)


async def invoke(scope: Scope, receive: Receive, send: Send) -> None:
    """Hand a request to its function."""
    request = Request(scope, receive)
    result = await asyncio.get_running_loop().run_in_executor(
        environment,
        gateway,
        request.method,
        scope["raw_path"].decode("latin-1"),
        scope["query_string"].decode("latin-1"),
        [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]],
        await request.body(),
    )
    response = Response(result["body"], result["statusCode"], result["headers"])
    # The middleware adds Origin, which the function's Vary has as well.
    response.headers["Vary"] = response.headers["Vary"].replace(", Origin", "")
    await response(scope, receive, send)


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document."""
    return openapi()


async def lead_to_documentation(_: Request) -> Response:
    """Answer a browser that was only given the address."""
    return RedirectResponse("/docs")


async def show_document(_: Request) -> Response:
    """Answer with the OpenAPI document.

    It imports all functions, in their own thread: a request would import them at the same time.
    """
    return JSONResponse(await asyncio.get_running_loop().run_in_executor(environment, document))


async def show_documentation(_: Request) -> Response:
    """Answer with Swagger UI, out of a package: it works offline."""
    return FileResponse(PAGE)


async def authorize(request: Request) -> Response:
    """Answer with a user and a new token of theirs, or null where another issuer makes the tokens.

    It is for the documentation only. No other origin can read it, even one that is allowed to call
    the API, nor a foreign name that was made to lead to this machine (DNS rebinding).
    """
    trusted = DEVELOPMENT_ISSUER in os.environ and request.url.hostname in LOOPBACK
    user = {"id": DEMO_USER, "token": development_issuer().token(DEMO_USER)} if trusted else None
    return JSONResponse(user, headers={"Cache-Control": "no-store"})


def die_with_parent() -> None:
    """End when the reloader is killed, so that the port is free for the next start."""
    if parent := parent_process():
        connection.wait([parent.sentinel])
        os._exit(1)


Thread(target=die_with_parent, daemon=True).start()

pages = Starlette(
    routes=[
        Route("/", lead_to_documentation),
        Route("/docs", show_documentation),
        Route("/docs/user", authorize),
        Mount("/docs/static", StaticFiles(directory=STATIC)),
        Route("/openapi.json", show_document, middleware=[Middleware(CORSMiddleware, **CORS)]),
    ],
)
api = CORSMiddleware(invoke, **CORS)


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """All paths but these are the API's. Starlette's own patterns do not match a newline."""
    ours = scope["type"] == "lifespan" or PAGES.fullmatch(scope["path"])
    await (pages if ours else api)(scope, receive, send)
