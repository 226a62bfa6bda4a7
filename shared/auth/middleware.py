"""Who is asking: settled before anything about the request can be learned."""

import re
from collections.abc import Callable
from typing import Annotated, Any
from urllib.parse import unquote

from fastapi import Path, Request
from fastapi.openapi.models import HTTPBearer as BearerScheme
from fastapi.security.base import SecurityBase
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.auth.tokens import verifier
from shared.http.exception_handlers import problem_response
from shared.http.problems import Forbidden, Problem, Unauthorized

OWNED_PATH = re.compile(r"/api/([^/]+)(?:/|$)")
CREDENTIALS = re.compile(r"bearer +([^ ,]+) *", re.IGNORECASE)


class AuthenticationMiddleware:
    """Middleware in front of the router: 401 without a valid token, 403 under another user's path.

    It leaves the subject in the scope. Unlike a dependency, it runs before the body is read and
    before the path is matched.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""
        request = Request(scope, receive)
        try:
            scope["subject"] = authenticate(request)
        except Problem as problem:
            await problem_response(request, problem)(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def authenticate(request: Request) -> str:
    """The subject of the request's token (RFC 6750, RFC 7519).

    Raises:
        Unauthorized: there is no valid token.
        Forbidden: the path belongs to another user.
        Unavailable: the key set cannot be reached.
    """
    subject = verifier().verify(bearer_token(request))
    owner = OWNED_PATH.match(request.scope["path"])
    if owner and unquote(owner[1], errors="surrogateescape") != subject:
        raise Forbidden
    return subject


def bearer_token(request: Request) -> str:
    """The token of exactly one Authorization header. The gateway joins several with a comma."""
    headers = request.headers.getlist("authorization")
    if not headers:
        raise Unauthorized("A bearer token is needed.", reason="no_token", error=None)
    credentials = CREDENTIALS.fullmatch(headers[0])
    if len(headers) > 1 or not credentials:
        raise Unauthorized(
            "The Authorization header must be: Bearer, one space, one token.",
            reason="not_bearer",
            error="invalid_request",
        )
    return credentials[1]


class Bearer(SecurityBase):
    """What a function may touch: something of the verified user's, made from the subject alone.

    It is a dependency, and what the OpenAPI document says of the token, which the middleware has
    verified by now.
    """

    model = BearerScheme(
        bearerFormat="JWT",
        description="A JWT of Better Auth, from `/api/auth/token`; not the session token.",
    )
    scheme_name = "bearer"

    def __init__(self, of: Callable[[str], Any]) -> None:
        self._of = of

    async def __call__(
        self,
        request: Request,
        user_id: Annotated[str, Path(description="Whose tasks these are: the token's `sub`.")],
    ) -> Any:
        """Make it."""
        return self._of(request.scope["subject"])
