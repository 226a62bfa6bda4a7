"""What Schemathesis cannot know of the API from its document."""

from itertools import count, cycle
from typing import Any
from uuid import uuid4

import schemathesis

from tests.functions.support import PYTHONS_NAMES

CURSOR, KEY, CONDITIONS = "cursor", "Idempotency-Key", ("If-Match", "If-None-Match")
TAG = '"1"'
IN_BODY, IN_QUERY = cycle(PYTHONS_NAMES), cycle(PYTHONS_NAMES)
TURN, EVERY = count(), 4  # a name that is refused hides what else is wrong


@schemathesis.hook
def before_call(
    _: schemathesis.HookContext, case: schemathesis.Case[Any], __: dict[str, Any]
) -> None:
    """Make what is meant to be valid so: there is more to it than a pattern can say.

    A cursor is one that a page led to, a key is of one body only, and an entity tag is in quotes,
    which Schemathesis' coverage phase cannot make of a pattern. Some of what is meant to be invalid
    gets a name of Python's, in turn: Schemathesis invents values rather than names.
    """
    if case.meta is None:
        return
    if not case.meta.generation.mode.is_positive:
        if next(TURN) % EVERY == 0:
            name_members(case)
        return
    if case.query:
        case.query.pop(CURSOR, None)
    for name in case.headers or ():
        if name == KEY:
            case.headers[name] = uuid4().hex
        elif name in CONDITIONS and not case.headers[name].endswith(('"', "*")):
            case.headers[name] = TAG


def name_members(case: schemathesis.Case[Any]) -> None:
    """Add the next of Python's names to the body and to the query, which other cases share."""
    if isinstance(case.body, dict):
        case.body = case.body | {next(IN_BODY): 0}
    if case.query:
        case.query = case.query | {next(IN_QUERY): 0}
