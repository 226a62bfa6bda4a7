"""Problems (RFC 9457): a class per kind of error, and the one place they become answers."""

from collections.abc import Sequence
from typing import Any, ClassVar

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException as StarletteHTTPException

MEDIA_TYPE = "application/problem+json"
MAX_ERRORS = 10  # so that a small request has no big response
DEFERRED = ConfigDict(defer_build=True)  # until the first error: a cold start is spared it


class InvalidInput(BaseModel):
    """Where a request is wrong: a JSON pointer (RFC 6901) into the body, or a parameter's name."""

    model_config = DEFERRED

    pointer: str | None = Field(default=None, examples=["/title"])
    parameter: str | None = Field(default=None, examples=["limit"])
    detail: str


class ProblemDetails(BaseModel):
    """The body of every error (RFC 9457)."""

    model_config = DEFERRED

    type: str = Field(description="A stable URI reference for this kind of problem.")
    title: str
    status: int
    detail: str
    instance: str = Field(description="The path of the request.")
    request_id: str
    errors: list[InvalidInput] | None = Field(default=None, description="What is invalid.")


class Problem(HTTPException):
    """An error with an answer. A subclass says the kind, an instance what happened.

    `detail` is one sentence for a person. It never repeats what the client sent.
    """

    status: ClassVar[int] = 500
    kind: ClassVar[str] = "internal-error"
    title: ClassVar[str] = "Internal error"
    default: ClassVar[str] = "Something went wrong on our side. It has been recorded."

    def __init__(
        self,
        detail: str | None = None,
        *,
        headers: dict[str, str] | None = None,
        errors: Sequence[InvalidInput] = (),
    ) -> None:
        super().__init__(self.status, detail or self.default, headers)
        self.errors = errors


class Malformed(Problem):
    """The request cannot be read."""

    status = 400
    kind = "malformed-request"
    title = "Malformed request"
    default = "The body is not valid JSON in UTF-8."


class Unauthorized(Problem):
    """There is no valid token (RFC 6750, section 3).

    `reason` is for logs and metrics: a short constant, never anything of the token's.
    """

    status = 401
    kind = "unauthorized"
    title = "Unauthorized"
    default = "The token is not valid."

    def __init__(self, detail: str, *, reason: str, error: str | None = "invalid_token") -> None:
        challenge = f'Bearer error="{error}"' if error else "Bearer"
        super().__init__(detail, headers={"WWW-Authenticate": challenge})
        self.reason = reason


class Forbidden(Problem):
    """The path belongs to another user."""

    status = 403
    kind = "forbidden"
    title = "Forbidden"
    default = "The user in the path is not the user of the token."


class UnknownUser(Problem):
    """The token is valid, but its user is not in the user table that tasks are linked to."""

    status = 403
    kind = "unknown-user"
    title = "Unknown user"
    default = "The user of the token does not exist any more."


class NotFound(Problem):
    """There is no such thing, or none that this user may know of."""

    status = 404
    kind = "not-found"
    title = "Not found"
    default = "There is no such task."


class MethodNotAllowed(Problem):
    """The path exists, the method does not (RFC 9110, section 15.5.6)."""

    status = 405
    kind = "method-not-allowed"
    title = "Method not allowed"
    default = "This path does not answer to this method."


class InFlight(Problem):
    """Another create with the same idempotency key is not done yet."""

    status = 409
    kind = "in-flight"
    title = "In flight"
    default = "A create with this Idempotency-Key is still in flight; repeat it in a moment."


class KeyReused(Problem):
    """An idempotency key was sent before, with another body."""

    status = 422
    kind = "idempotency-key-reused"
    title = "Idempotency key reused"
    default = "This Idempotency-Key was used for another body; take a new one for a new task."


class PreconditionFailed(Problem):
    """The task is not at a version that the client expects (RFC 9110, section 15.5.13)."""

    status = 412
    kind = "precondition-failed"
    title = "Precondition failed"
    default = "The task has changed since; nothing was done. ETag is its current entity tag."


class TooLarge(Problem):
    """The body is larger than is read."""

    status = 413
    kind = "content-too-large"
    title = "Content too large"
    default = "The body may have at most 64 KiB."


class NotJson(Problem):
    """The body says of itself that it is not JSON."""

    status = 415
    kind = "unsupported-media-type"
    title = "Unsupported media type"
    default = "The body must be sent as application/json."


class Invalid(Problem):
    """The request can be read, but its values are not acceptable."""

    status = 422
    kind = "invalid-input"
    title = "Invalid input"
    default = "Some of the values are not valid; see errors."


class Unavailable(Problem):
    """The database or the key set cannot be reached."""

    status = 503
    kind = "unavailable"
    title = "Service unavailable"
    default = "The service cannot be reached for the moment. Nothing was written."

    def __init__(self, detail: str | None = None, *, retry_after: int = 1) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after)})


class DatabaseUnavailable(Unavailable):
    """The database cannot be reached, or cannot serve."""


class Locked(DatabaseUnavailable):
    """Somebody else holds what the statement needs, and does not let go."""


def as_problem(error: Exception) -> Problem:
    """The problem that an exception amounts to: ours, FastAPI's, Starlette's, or a defect."""
    match error:
        case Problem():
            return error
        case RequestValidationError():
            return _invalid(error)
        case StarletteHTTPException(status_code=404):
            return NotFound("There is nothing at this path.")
        case StarletteHTTPException(status_code=405):
            return MethodNotAllowed(headers=dict(error.headers or {}))
        case _:
            return Problem()


def _invalid(error: RequestValidationError) -> Problem:
    found = [_invalid_input(item) for item in error.errors()]
    hidden = len(found) - MAX_ERRORS
    more = f"{Invalid.default} There are {hidden} more than these." if hidden > 0 else None
    return Invalid(more, errors=found[:MAX_ERRORS])


def _invalid_input(item: dict[str, Any]) -> InvalidInput:
    """Say where and what, in words of ours: an unknown member's name is the client's own text."""
    place, *names = item["loc"]
    unknown = item["type"] == "extra_forbidden"
    name = str(names[0]) if names and not unknown else ""
    reason = "no such member or parameter is known" if unknown else item["msg"]
    detail = str(item.get("ctx", {}).get("error", reason))
    if place == "body":
        return InvalidInput(pointer=name and f"/{name}", detail=detail)
    return InvalidInput(parameter=name, detail=detail)


def problem_response(request: Request, error: Exception) -> JSONResponse:
    """Render an exception, and leave it in the scope for the request's line in the log."""
    problem = as_problem(error)
    request.scope["error"] = error
    details = ProblemDetails(
        type=f"/problems/{problem.kind}",
        title=problem.title,
        status=problem.status,
        detail=problem.detail,
        instance=request.scope["path"],
        request_id=request.scope["request_id"],
        errors=list(problem.errors) or None,
    )
    return JSONResponse(
        details.model_dump(exclude_none=True), problem.status, problem.headers, MEDIA_TYPE
    )


async def _answer(request: Request, error: Exception) -> JSONResponse:
    return problem_response(request, error)


def install(app: FastAPI) -> None:
    """Let every error of an app, FastAPI's and Starlette's own included, end as a problem."""
    for kind in (StarletteHTTPException, RequestValidationError, Exception):
        app.add_exception_handler(kind, _answer)
