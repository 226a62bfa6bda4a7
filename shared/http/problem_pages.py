"""What a problem's `type` leads to: a short page for each kind (RFC 9457, section 3.1.1).

It is documentation, the same in every deployment and for everybody, so that it needs no token.
"""

import json
from collections.abc import Iterator, Sequence
from html import escape
from inspect import cleandoc
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.http.problems import Invalid, InvalidInput, Problem

TEXT = """\
{status} {title}

{meaning}

What to do: {remedy}

An example:

{example}
"""
HTML = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<h1>{status} {title}</h1>
<p>{meaning}</p>
<h2>What to do</h2>
<p>{remedy}</p>
<h2>An example</h2>
<pre>{example}</pre>
</html>
"""
NOTHING_ELSE = {"Content-Security-Policy": "default-src 'none'"}


def _kinds(problem: type[Problem]) -> Iterator[type[Problem]]:
    """A class and those below it, without those that share its kind."""
    yield problem
    for narrower in problem.__subclasses__():
        if narrower.kind != problem.kind:
            yield from _kinds(narrower)


PAGES = {problem.type_reference(): problem for problem in _kinds(Problem)}


class ProblemPagesMiddleware:
    """Middleware in front of authentication: it answers a GET of a problem's type by itself."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a page, or hand the request on."""
        problem = PAGES.get(scope["path"])
        if problem and scope["method"] == "GET":
            accepted = Headers(scope=scope).get("accept", "")
            await page(problem, html="text/html" in accepted)(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def page(problem: type[Problem], *, html: bool) -> Response:
    """What a kind of problem means and what to do, with an example; for a browser, or as text."""
    said = {
        "status": str(problem.status),
        "title": problem.title,
        "meaning": cleandoc(problem.__doc__ or "").partition("\n")[0],
        "remedy": problem.remedy,
        "example": json.dumps(example(problem), indent=2),
    }
    if not html:
        return PlainTextResponse(TEXT.format_map(said))
    escaped = {name: escape(text, quote=False) for name, text in said.items()}
    return HTMLResponse(HTML.format_map(escaped), headers=NOTHING_ELSE)


def example(
    problem: type[Problem],
    path: str = "/api/alice/tasks/42",
    detail: str | None = None,
    errors: Sequence[InvalidInput] = (),
) -> dict[str, Any]:
    """The body of such a problem, where a request of this path meets it."""
    if problem is Invalid and not errors:
        errors = [InvalidInput(pointer="/title", detail="at most 255 characters")]
    said = detail or problem.default
    return problem.details(said, errors, instance=path, request_id="Jx1MhhbpIAMEMBg=")
