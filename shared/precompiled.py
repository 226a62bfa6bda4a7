"""What libraries compile from text while they are imported, compiled by the build already.

The methods that `dataclasses` writes, each forward reference in an annotation, each regular
expression: some 600 texts, an eighth of a cold start. `bundle/record.py` keeps what becomes of
them; here the compilers of `dataclasses`, `typing` and `re` look for a text there first.
"""

import _sre  # type: ignore[import-not-found]
import dataclasses
import marshal
import typing
from collections.abc import Mapping
from pathlib import Path
from re import _compiler  # type: ignore[attr-defined]
from types import CodeType
from typing import Any, NamedTuple

FILE = Path(__file__).with_name("precompiled.marshal")  # only what is deployed has it
compile_pattern = _compiler.compile


class Tables(NamedTuple):
    """Code by mode ("exec" or "eval") and source; the engine's arguments by pattern and flags."""

    codes: Mapping[tuple[str, str], CodeType]
    patterns: Mapping[tuple[str | bytes, int], tuple[Any, ...]]


def load() -> Tables | None:
    """The tables of the build, whose Python is the same as the one it is for."""
    return Tables(*marshal.loads(FILE.read_bytes())) if FILE.exists() else None  # noqa: S302


def use(tables: Tables) -> None:
    """Have the compilers look into tables first."""
    codes, patterns = tables

    def execute(source: str, variables: dict[str, Any], names: dict[str, Any]) -> None:
        exec(codes.get(("exec", source), source), variables, names)  # noqa: S102

    def compile_reference(source: str, filename: str, mode: str) -> CodeType:
        return codes.get((mode, source)) or compile(source, filename, mode)

    def find_pattern(pattern: Any, flags: int = 0) -> Any:
        arguments = patterns.get((pattern, flags))
        return _sre.compile(*arguments) if arguments else compile_pattern(pattern, flags)

    # Names of a module come before the built-in ones.
    vars(dataclasses)["exec"] = execute
    vars(typing)["compile"] = compile_reference
    _compiler.compile = find_pattern


def drop() -> None:
    """Leave the compilers as they were."""
    vars(dataclasses).pop("exec", None)
    vars(typing).pop("compile", None)
    _compiler.compile = compile_pattern
