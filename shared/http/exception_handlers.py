"""The one place where errors become responses: problems, as the contract has them (RFC 9457)."""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as StarletteHTTPException

from shared.http.problems import MEDIA_TYPE, MethodNotAllowed, NotFound, Problem
from shared.http.validation import invalid


def as_problem(error: Exception) -> Problem:
    """The problem that an exception amounts to: ours, FastAPI's, Starlette's, or a defect."""
    match error:
        case Problem():
            return error
        case RequestValidationError():
            return invalid(error)
        case StarletteHTTPException(status_code=404):
            return NotFound("There is nothing at this path.")
        case StarletteHTTPException(status_code=405):
            return MethodNotAllowed((error.headers or {}).get("Allow"))
        case _:
            return Problem()


def problem_response(request: Request, error: Exception) -> JSONResponse:
    """Render an exception, and leave it in the scope for the request's line in the log."""
    problem = as_problem(error)
    request.scope["error"] = error
    details = problem.details(
        problem.detail,
        problem.errors,
        instance=request.scope["path"],
        request_id=request.scope["request_id"],
    )
    return JSONResponse(details, problem.status, problem.headers, MEDIA_TYPE)


async def _answer(request: Request, error: Exception) -> JSONResponse:
    return problem_response(request, error)


def install(app: FastAPI) -> None:
    """Let every error of an app, FastAPI's and Starlette's own included, end as a problem."""
    for kind in (StarletteHTTPException, RequestValidationError, Exception):
        app.add_exception_handler(kind, _answer)
