"""Entity tags and the conditions that clients make of them (RFC 9110, sections 8.8.3 and 13.1)."""

import re
from typing import Annotated, NamedTuple

from fastapi import Depends, Header

from shared.http.problems import Malformed

TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*+"'
# Possessive, so that no header makes it try more than once what its blanks belong to.
TAGS = re.compile(rf"[ \t]*+(?:{TAG})?+(?:[ \t]*+,[ \t]*+(?:{TAG})?+)*+[ \t]*+")
OURS = re.compile(r'(W/)?"([1-9][0-9]{0,8})"')

# What the documentation says of the two headers.
IF_MATCH = """\
The `ETag` of the task as you have read it. The request is carried out only if the task still has
this tag. If somebody has changed the task since, the response is 412: nothing was done, and its
`ETag` is the current one. Without this header, the last write wins.

A list of tags is accepted, and `*` for any version. A weak tag (`W/"1"`) never matches.
"""
IF_NONE_MATCH = """\
The `ETag` of the task as you have it already. If the task still has this tag, the response is 304
without a body, and you can go on with what you have.

A list of tags is accepted, weak ones too, and `*` for any version.
"""


class Versions(NamedTuple):
    """The versions that a condition names, by the kind of their tags."""

    strong: frozenset[int] = frozenset()
    weak: frozenset[int] = frozenset()


Condition = Versions | None
"""What a client says of a version; `None` where every one will do (`*`)."""


def entity_tag(version: int) -> str:
    """The strong tag of a version."""
    return f'"{version}"'


def matches(version: int, condition: Condition) -> bool:
    """Whether a version meets a condition by the weak comparison (RFC 9110, section 8.8.3.2)."""
    return condition is None or version in condition.strong | condition.weak


def _condition(name: str, header: str) -> Condition:
    """Read a list of tags. Only those that this API makes can ever match.

    Raises:
        Malformed: the header does not follow the grammar.
    """
    if header.strip(" \t") == "*":
        return None
    if not TAGS.fullmatch(header) or '"' not in header:
        raise Malformed(f"{name} must be * or a list of entity tags in double quotes.")
    ours = [tag for text in re.findall(TAG, header) if (tag := OURS.fullmatch(text))]
    return Versions(
        strong=frozenset(int(tag[2]) for tag in ours if not tag[1]),
        weak=frozenset(int(tag[2]) for tag in ours if tag[1]),
    )


async def _if_match(
    if_match: Annotated[str | None, Header(description=IF_MATCH)] = None,
) -> Condition:
    return None if if_match is None else _condition("If-Match", if_match)


async def _if_none_match(
    if_none_match: Annotated[str | None, Header(description=IF_NONE_MATCH)] = None,
) -> Condition:
    return Versions() if if_none_match is None else _condition("If-None-Match", if_none_match)


IfMatch = Annotated[Condition, Depends(_if_match)]
"""The versions a write may start from, strong tags alone: every one when the header is absent."""

IfNoneMatch = Annotated[Condition, Depends(_if_none_match)]
"""The versions the client has already: none when the header is absent."""
