"""What Schemathesis cannot know of the API from its document."""

from typing import Any
from uuid import uuid4

import schemathesis

CURSOR, KEY, CONDITIONS = "cursor", "Idempotency-Key", ("If-Match", "If-None-Match")
TAG = '"1"'


@schemathesis.hook
def before_call(
    _: schemathesis.HookContext, case: schemathesis.Case[Any], __: dict[str, Any]
) -> None:
    """Make what is meant to be valid so: there is more to it than a pattern can say.

    A cursor is one that a page led to, a key is of one body only, and an entity tag is in quotes,
    which Schemathesis' coverage phase cannot make of a pattern.
    """
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if case.query:
        case.query.pop(CURSOR, None)
    for name in case.headers or ():
        if name == KEY:
            case.headers[name] = uuid4().hex
        elif name in CONDITIONS and not case.headers[name].endswith(('"', "*")):
            case.headers[name] = TAG
