"""Every other path and method: 308 for a slash too many, 405 for another method, 404 otherwise.

The pages that problems lead to are here, too.
"""

import json
import re
from pathlib import Path
from string import punctuation
from urllib.parse import quote, unquote

from starlette.responses import RedirectResponse
from starlette.types import Receive, Scope, Send

from shared.app import create_app, lambda_handler
from shared.http.problem_pages import ProblemPagesMiddleware
from shared.http.problems import MethodNotAllowed, NotFound

# The operations stand in the API's description, which is deployed, too.
DESCRIPTION = json.loads((Path(__file__).parent.parent / "openapi.json").read_text())
METHODS = {
    path: ", ".join(sorted(method.upper() for method in operations))
    for path, operations in DESCRIPTION["paths"].items()
}
PARAMETER = re.compile(r"\{(\w+)\}")

app = create_app()
app.add_middleware(ProblemPagesMiddleware)


async def answer_other_paths(scope: Scope, receive: Receive, send: Send) -> None:
    """Redirect to the path without its last slash, or say why there is no operation."""
    for path, methods in METHODS.items():
        match = re.fullmatch(PARAMETER.sub(r"(?P<\1>[^/]+)", path) + "(?P<slash>/?)", scope["path"])
        if match and match["slash"]:
            await _redirect(path, match, scope)(scope, receive, send)
            return
        if match:
            raise MethodNotAllowed(methods)
    raise NotFound("There is nothing at this path.")


def _redirect(path: str, match: re.Match[str], scope: Scope) -> RedirectResponse:
    """Lead to a route. Made of the route and not of the path, it cannot lead to another host."""
    location = PARAMETER.sub(lambda name: quote(unquote(match[name[1]]), safe=""), path)
    query = quote(scope["query_string"], safe=punctuation)
    return RedirectResponse(f"{location}?{query}" if query else location, 308)


app.router.default = answer_other_paths
handler = lambda_handler(app, asks_database=False)
