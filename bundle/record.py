"""Import each function, and write down what libraries compile from text meanwhile.

    bundle/python -S bundle/record.py LIBRARIES FILE

`shared/precompiled.py` says what for. The libraries have to run on this machine.
"""

# ruff: noqa: INP001 (a script)

import _sre  # type: ignore[import-not-found]
import marshal
import sys
from importlib import import_module
from pathlib import Path
from types import CodeType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


class Codes(dict[tuple[str, str], CodeType]):
    """Compiles what is asked for, and keeps it."""

    def get(self, key: tuple[str, str], _default: object = None) -> CodeType:
        """The code of a source."""
        mode, source = key
        return self.setdefault(key, compile(source, "<string>", mode))


class Patterns(dict[tuple[str | bytes, int], tuple[Any, ...]]):
    """Keeps what `re` gives to its engine."""

    def get(self, key: tuple[str | bytes, int], _default: object = None) -> tuple[Any, ...]:
        """The engine's arguments for a pattern."""
        pattern, flags = key
        return self.setdefault((pattern, int(flags)), arguments(pattern, flags))


def arguments(pattern: str | bytes, flags: int) -> tuple[Any, ...]:
    """What `re` gives to its engine for a pattern, in plain types."""
    compile_code, _sre.compile = _sre.compile, lambda *given: given
    try:
        same, all_flags, code, *more = precompiled.compile_pattern(pattern, flags)
    finally:
        _sre.compile = compile_code
    return (same, int(all_flags), [int(word) for word in code], *more)


def main(file: str) -> None:
    """Write the file."""
    tables = precompiled.Tables(Codes(), Patterns())
    for path in sorted((ROOT / "functions").glob("[!_]*.py")):
        precompiled.use(tables)  # each function drops them
        import_module(f"functions.{path.stem}")
    Path(file).write_bytes(marshal.dumps(tuple(map(dict, tables))))


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), sys.argv[1]]
    sys.dont_write_bytecode = True
    from shared import precompiled

    main(sys.argv[2])
