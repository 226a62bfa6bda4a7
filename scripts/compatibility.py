"""`python -m scripts.compatibility`: whether clients of the last API can go on with this one.

What they send must still be taken, and what is answered must be what they were promised. A change
that breaks them needs the next major version.
"""

import json
import subprocess
import sys
from collections.abc import Collection, Iterator
from itertools import chain
from typing import Any

from local.state import ROOT
from scripts.openapi import openapi

FILE = "openapi.json"
CHANGELOG = "CHANGELOG.md"
AT_LEAST = ("minimum", "minLength", "minProperties", "minItems")
AT_MOST = ("maximum", "maxLength", "maxProperties", "maxItems")
LIMITS = {*AT_LEAST, *AT_MOST, "pattern"}

Document = dict[str, Any]


def last_committed(document: Document) -> tuple[str, Document] | None:
    """The document before this one, and its commit; None where there is none.

    HEAD has it until this one is committed. From then on, as in CI, it is one of the commits before
    on the main branch: for the merge commit of a pull request, what is merged into.
    """
    commits = _git("log", "--first-parent", "--format=%H", "--", FILE).split()
    documents = ((commit, json.loads(_git("show", f"{commit}:{FILE}"))) for commit in commits)
    return next(((commit, other) for commit, other in documents if other != document), None)


def is_told(commit: str) -> bool:
    """Whether the changelog has changed since a commit."""
    return bool(_git("diff", "--name-only", commit, "--", CHANGELOG))


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(ROOT), *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def breaks(old: Document, new: Document) -> list[str]:
    """What breaks clients of the old API, as sentences; nothing where the major version grew."""
    if _major(new) > _major(old):
        return []
    return list(dict.fromkeys(Comparison(old, new).operations()))


def _major(document: Document) -> int:
    return int(document["info"]["version"].partition(".")[0])


class Comparison:
    """Of two documents, the second of which has the newer API."""

    def __init__(self, old: Document, new: Document) -> None:
        self.old = old
        self.new = new

    def operations(self) -> Iterator[str]:
        """What breaks, in all operations."""
        for path, methods in self.old["paths"].items():
            for method, operation in methods.items():
                name = f"{method.upper()} {path}"
                if counterpart := self.new["paths"].get(path, {}).get(method):
                    yield from self._operation(name, operation, counterpart)
                else:
                    yield f"{name} is gone"

    def _operation(self, name: str, old: Document, new: Document) -> Iterator[str]:
        if new["operationId"] != old["operationId"]:
            yield f"{name} has another operationId"
        if new["security"] and not old["security"]:
            yield f"{name} needs a token"
        yield from self._parameters(name, _parameters(old), _parameters(new))
        yield from self._body(f"{name}: the body", old.get("requestBody"), new.get("requestBody"))
        for status, response in old["responses"].items():
            if status in new["responses"]:
                yield from self._response(f"{name}: {status}", response, new["responses"][status])
            else:
                yield f"{name}: {status} is gone"

    def _parameters(self, name: str, old: Document, new: Document) -> Iterator[str]:
        for key, parameter in old.items():
            if key in new:
                yield from self._taken(f"{name}: {key}", parameter["schema"], new[key]["schema"])
            else:
                yield f"{name}: {key} is gone"
        for key, parameter in new.items():
            if parameter["required"] and not old.get(key, {}).get("required"):
                yield f"{name}: {key} is required"

    def _body(self, where: str, old: Document | None, new: Document | None) -> Iterator[str]:
        if new and new.get("required") and not (old and old.get("required")):
            yield f"{where} is required"
        if old and not new:
            yield f"{where} is gone"
        elif old and new:
            for media_type, content in old["content"].items():
                if media_type in new["content"]:
                    taken = new["content"][media_type]["schema"]
                    yield from self._taken(where, content["schema"], taken)
                else:
                    yield f"{where}: {media_type} is gone"

    def _response(self, where: str, old: Document, new: Document) -> Iterator[str]:
        for header, promised in old["headers"].items():
            given = new["headers"].get(header)
            if not given or (promised["required"] and not given["required"]):
                yield f"{where}: {header} is gone, or need not be there"
        for media_type, content in old.get("content", {}).items():
            if media_type in new.get("content", {}):
                given = new["content"][media_type]["schema"]
                yield from self._given(where, given, content["schema"])
            else:
                yield f"{where}: {media_type} is gone"

    def _taken(self, where: str, sent: Document, taken: Document) -> Iterator[str]:
        """What old clients send that the new API does not take."""
        return _misfits(where, _Schema(sent, self.old), _Schema(taken, self.new))

    def _given(self, where: str, given: Document, expected: Document) -> Iterator[str]:
        """What the new API answers that old clients do not expect; a longer text they can take."""
        place = _Schema(expected, self.old, without=LIMITS)
        return _misfits(where, _Schema(given, self.new), place)


def _parameters(operation: Document) -> Document:
    return {f"{each['in']} {each['name']}": each for each in operation.get("parameters", [])}


class _Schema:
    """A JSON schema: the types that a value may have, each with what holds for it."""

    def __init__(
        self, schema: Document, document: Document, *, without: Collection[str] = ()
    ) -> None:
        self.types: dict[str, Document] = {}
        self.document = document
        self.without = without
        self._add(schema)

    def _add(self, schema: Document) -> None:
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            self._add(self.document["components"]["schemas"][name])
        elif "anyOf" in schema:
            for alternative in schema["anyOf"]:
                self._add(alternative)
        else:
            known = {key: value for key, value in schema.items() if key not in self.without}
            self.types[schema["type"]] = known

    def part(self, schema: Document) -> "_Schema":
        """The schema of what is inside."""
        return _Schema(schema, self.document, without=self.without)


def _misfits(where: str, value: _Schema, place: _Schema) -> Iterator[str]:
    """What of the values does not fit into the place."""
    for name, schema in value.types.items():
        if name in place.types:
            other = place.types[name]
            yield from _values(where, schema, other)
            yield from _members(where, value, schema, place, other)
            if "items" in schema and "items" in other:
                items = value.part(schema["items"]), place.part(other["items"])
                yield from _misfits(f"{where}[]", *items)
        else:
            yield f"{where} cannot be {name} on both sides"


def _values(where: str, value: Document, place: Document) -> Iterator[str]:
    choices, others = _choices(value), _choices(place)
    if others is not None and (choices is None or not choices <= others):
        yield f"{where} is not one of the same values"
    fits = chain(
        (key not in place or value.get(key, float("-inf")) >= place[key] for key in AT_LEAST),
        (key not in place or value.get(key, float("inf")) <= place[key] for key in AT_MOST),
        (key not in place or value.get(key) == place[key] for key in ("pattern", "format")),
    )
    if not all(fits):
        yield f"{where} is limited further"


def _choices(schema: Document) -> set[str] | None:
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    return None if values is None else set(map(json.dumps, values))


def _members(
    where: str, value: _Schema, schema: Document, place: _Schema, other: Document
) -> Iterator[str]:
    for name in sorted(set(other.get("required", [])) - set(schema.get("required", []))):
        yield f"{where}/{name} is required on one side only"
    members = other.get("properties", {})
    for name, member in schema.get("properties", {}).items():
        if name in members:
            parts = value.part(member), place.part(members[name])
            yield from _misfits(f"{where}/{name}", *parts)
        elif other.get("additionalProperties") is False:
            yield f"{where}/{name} is not known"


def main() -> int:
    """Compare; the exit status."""
    document = openapi()
    if not (ROOT / ".git").exists() or not (before := last_committed(document)):
        print("There is no earlier OpenAPI document to compare with.")
        return 0
    commit, old = before
    found = breaks(old, document)
    for text in found:
        print(text)
    if found:
        print("This breaks clients: it needs the next major version in scripts/openapi.py.")
    # Without what is new, its clients would break.
    untold = bool(breaks(document, old)) and not is_told(commit)
    if untold:
        print(f"The API can do more than at {commit:.7}: say what in {CHANGELOG}, as Unreleased.")
    return int(bool(found) or untold)


if __name__ == "__main__":
    sys.exit(main())
