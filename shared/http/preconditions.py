"""Entity tags and the conditions that clients make of them (RFC 9110, sections 8.8.3 and 13.1)."""

import re
from typing import Annotated, NamedTuple

from fastapi import Depends, Header

from shared.http.problems import Malformed

TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*+"'
# Possessive, so that no header makes it try more than once what its blanks belong to.
TAGS = re.compile(rf"[ \t]*+(?:{TAG})?+(?:[ \t]*+,[ \t]*+(?:{TAG})?+)*+[ \t]*+")
OURS = re.compile(r'(W/)?"([1-9][0-9]{0,8})"')

Versions = frozenset[int] | None
"""The versions that meet a condition; `None` where every one does (`*`)."""


class Expectation(NamedTuple):
    """The versions that a write may start from, and those that would do if weak tags counted."""

    strongly: Versions = None
    weakly: Versions = None


def entity_tag(version: int) -> str:
    """The strong tag of a version."""
    return f'"{version}"'


def matches(version: int, versions: Versions) -> bool:
    """Whether a version meets a condition."""
    return versions is None or version in versions


def _versions(name: str, header: str, *, weak: bool) -> Versions:
    """Read a list of tags. Only those that this API makes can ever match.

    Raises:
        Malformed: the header does not follow the grammar.
    """
    if header.strip(" \t") == "*":
        return None
    if not TAGS.fullmatch(header) or '"' not in header:
        raise Malformed(f"{name} must be * or a list of entity tags in double quotes.")
    tags = (OURS.fullmatch(tag) for tag in re.findall(TAG, header))
    return frozenset(int(tag[2]) for tag in tags if tag and (weak or not tag[1]))


async def _if_match(if_match: Annotated[str | None, Header()] = None) -> Expectation:
    if if_match is None:
        return Expectation()
    return Expectation(*(_versions("If-Match", if_match, weak=weak) for weak in (False, True)))


async def _if_none_match(if_none_match: Annotated[str | None, Header()] = None) -> Versions:
    return (
        frozenset()
        if if_none_match is None
        else _versions("If-None-Match", if_none_match, weak=True)
    )


IfMatch = Annotated[Expectation, Depends(_if_match)]
"""The versions a write may start from: every one when the header is absent."""

IfNoneMatch = Annotated[Versions, Depends(_if_none_match)]
"""The versions the client has already: none when the header is absent."""
