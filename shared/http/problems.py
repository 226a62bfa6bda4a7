"""Problems (RFC 9457): a class for each kind of error."""

from collections.abc import Sequence
from typing import Any, ClassVar

from fastapi import HTTPException
from pydantic import BaseModel, ConfigDict, Field

MEDIA_TYPE = "application/problem+json"
MAX_ERRORS = 10  # so that a small request has no big response
DEFERRED = ConfigDict(defer_build=True)  # until the first error: a cold start is spared it


class InvalidInput(BaseModel):
    """Where a request is wrong: a JSON pointer (RFC 6901) into the body, or a parameter's name."""

    model_config = DEFERRED

    pointer: str | None = Field(default=None, examples=["/title"])
    parameter: str | None = Field(default=None, examples=["limit"])
    detail: str

    @property
    def sentence(self) -> str:
        """Where and what, for a person."""
        if self.pointer == "":  # the whole body
            return self.detail
        member = (self.pointer or "")[1:].replace("~1", "/").replace("~0", "~")
        return f"{self.parameter or member or '(empty)'}: {self.detail}"


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
    """An error with a response. A subclass says the kind, an instance what happened.

    `detail` is one sentence for a person. It never repeats a value that the client sent. `default`
    is one where nothing more is known; `remedy` says on the page of the kind what to do.
    """

    status: ClassVar[int] = 500
    kind: ClassVar[str] = "internal-error"
    title: ClassVar[str] = "Internal error"
    default: ClassVar[str] = "Something went wrong on our side. It has been recorded."
    remedy: ClassVar[str] = (
        "Repeat a read. Look before you repeat a write. If it stays, report the request_id."
    )

    def __init__(
        self,
        detail: str | None = None,
        *,
        headers: dict[str, str] | None = None,
        errors: Sequence[InvalidInput] = (),
    ) -> None:
        super().__init__(self.status, detail or self.default, headers)
        self.errors = errors

    @classmethod
    def type_reference(cls) -> str:
        """The `type` of this kind of problem, where there is a page about it."""
        return f"/problems/{cls.kind}"

    @classmethod
    def details(
        cls, detail: str, errors: Sequence[InvalidInput] = (), *, instance: str, request_id: str
    ) -> dict[str, Any]:
        """The body of a response: this kind of problem, in a request of this path and id."""
        body = ProblemDetails(
            type=cls.type_reference(),
            title=cls.title,
            status=cls.status,
            detail=detail,
            instance=instance,
            request_id=request_id,
            errors=list(errors) or None,
        )
        return body.model_dump(exclude_none=True)


class Malformed(Problem):
    """The request cannot be read."""

    status = 400
    kind = "malformed-request"
    title = "Malformed request"
    default = "The body is not valid JSON in UTF-8."
    remedy = "Correct the request as `detail` says: JSON in UTF-8, or a header in its grammar."


class Unauthorized(Problem):
    """There is no valid token (RFC 6750, section 3).

    `reason` is for logs and metrics: a short constant, never anything of the token's.
    """

    status = 401
    kind = "unauthorized"
    title = "Unauthorized"
    default = "The exp has passed: take a new token from /api/auth/token."
    remedy = "Follow `detail`: take a new JWT, send it as `Authorization: Bearer`, repeat."

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
    remedy = "Put the token's `sub`, percent-encoded, in the path: /api/{sub}/tasks."


class UnknownUser(Problem):
    """The token is valid, but its user is not in the user table that tasks are linked to."""

    status = 403
    kind = "unknown-user"
    title = "Unknown user"
    default = "The user of the token does not exist any more."
    remedy = "Sign in again with a user who exists."


class Quota(Problem):
    """The user has as many tasks as one may have, or as many idempotency keys."""

    status = 403
    kind = "quota"
    title = "Quota exceeded"
    default = (
        "You have as many tasks as one user may have, or have made as many in a day. "
        "Delete some, or wait."
    )
    remedy = "Delete tasks, or wait for a day. The operator may raise MAX_TASKS_PER_USER."


class NotFound(Problem):
    """There is no such thing, or none that this user may know of."""

    status = 404
    kind = "not-found"
    title = "Not found"
    default = "There is no such task."
    remedy = "Look at the path, and read the list again: the task may have been deleted."


class MethodNotAllowed(Problem):
    """The path exists, the method does not (RFC 9110, section 15.5.6)."""

    status = 405
    kind = "method-not-allowed"
    title = "Method not allowed"
    default = "This path does not answer to this method."
    remedy = "Use one of the methods that `Allow` lists."

    def __init__(self, allowed: str | None = None) -> None:
        detail = f"This path answers to {allowed} only." if allowed else None
        super().__init__(detail, headers={"Allow": allowed} if allowed else None)


class InFlight(Problem):
    """Another create with the same idempotency key is not done yet."""

    status = 409
    kind = "in-flight"
    title = "In flight"
    default = "A create with this Idempotency-Key is still in flight; repeat it in a moment."
    remedy = "Send the same request with the same key again in a moment."


class KeyReused(Problem):
    """An idempotency key was sent before, with another body."""

    status = 422
    kind = "idempotency-key-reused"
    title = "Idempotency key reused"
    default = "This Idempotency-Key was used for another body; take a new one for a new task."
    remedy = "Make a new key for each new task; keep it only to repeat the same body."


class PreconditionFailed(Problem):
    """The task is not at a version that the client expects (RFC 9110, section 15.5.13)."""

    status = 412
    kind = "precondition-failed"
    title = "Precondition failed"
    default = "The task has changed since; nothing was done. ETag is its current entity tag."
    remedy = "Read the task, apply your change to it, and send its strong ETag as If-Match."

    def __init__(self, tag: str, *, weak: bool = False) -> None:
        """With the task's current tag, and whether the client sent its weak form."""
        detail = f"If-Match does not compare weak tags; use the strong tag {tag}." if weak else None
        super().__init__(detail, headers={"ETag": tag})


class TooLarge(Problem):
    """The body is larger than is read."""

    status = 413
    kind = "content-too-large"
    title = "Content too large"
    default = "The body may have at most 64 KiB."
    remedy = "Send a smaller body."


class NotJson(Problem):
    """The body says of itself that it is not JSON."""

    status = 415
    kind = "unsupported-media-type"
    title = "Unsupported media type"
    default = "The body must be sent as application/json."
    remedy = "Send `Content-Type: application/json`."


class Invalid(Problem):
    """The request can be read, but its values are not acceptable. It needs one error or more."""

    status = 422
    kind = "invalid-input"
    title = "Invalid input"
    default = "title: at most 255 characters"
    remedy = "Correct what `errors` names: a JSON pointer into the body, or a parameter."

    def __init__(self, *, errors: Sequence[InvalidInput]) -> None:
        hidden = len(errors) - MAX_ERRORS
        more = f" (and {hidden} more errors than are listed)" if hidden > 0 else ""
        super().__init__(errors[0].sentence + more, errors=errors[:MAX_ERRORS])


class Unavailable(Problem):
    """The database or the key set cannot be reached."""

    status = 503
    kind = "unavailable"
    title = "Service unavailable"
    default = "The database cannot be reached for the moment. Nothing was written."
    remedy = (
        "Wait for the seconds of `Retry-After`, then repeat; a create, with its Idempotency-Key."
    )

    def __init__(self, detail: str | None = None, *, retry_after: int = 1) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after)})


class DatabaseUnavailable(Unavailable):
    """The database cannot be reached, or cannot serve."""


class Locked(DatabaseUnavailable):
    """Another transaction holds what the statement needs, for too long."""
