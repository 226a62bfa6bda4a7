"""Invalid input in words: pydantic's errors as a person can read them, without a value in them."""

from collections.abc import Callable, Mapping
from typing import Any

from fastapi.exceptions import RequestValidationError

from shared.http.problems import Invalid, InvalidInput
from shared.inputs import UNKNOWN_NAME

Item = Mapping[str, Any]

# What an error of a type says of the context that pydantic gives with it.
WORDS: Mapping[str, Callable[[Item], str]] = {
    "missing": lambda _: "is required",
    "string_type": lambda _: "must be text",
    "string_unicode": lambda _: "must be valid Unicode",
    "string_too_short": lambda _: "at least 1 character that is no white space",
    "string_too_long": lambda context: f"at most {context['max_length']} characters",
    "bool_type": lambda _: "must be true or false",
    "literal_error": lambda context: f"one of {context['expected'].replace(chr(39), '')}",
    "value_error": lambda context: str(context["error"]),
}


def invalid(error: RequestValidationError) -> Invalid:
    """The problem of a request that FastAPI has refused."""
    return Invalid(errors=[_invalid_input(item) for item in error.errors()])


def _invalid_input(item: Item) -> InvalidInput:
    place, *names = item["loc"]
    kind, context = item["type"], item.get("ctx", {})
    if place == "body" and not names and kind == "missing":
        return InvalidInput(pointer="", detail="a JSON body is required")
    if kind == UNKNOWN_NAME:
        noun = "member" if place == "body" else "parameter"
        detail = f"there is no such {noun}; there are {context['known']}"
    else:
        detail = WORDS[kind](context) if kind in WORDS else "is not valid"
    name = str(names[0]) if names else ""
    if place == "body":
        return InvalidInput(pointer=_pointer(name) if names else "", detail=detail)
    return InvalidInput(parameter=name, detail=detail)


def _pointer(name: str) -> str:
    """A JSON pointer to a member (RFC 6901)."""
    return "/" + name.replace("~", "~0").replace("/", "~1")
