"""What the build has compiled is found by those who compile it otherwise."""

import dataclasses
import marshal
import re
import sys
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared import imports, precompiled
from shared.precompiled import Tables


class Asked(dict[Any, Any]):
    """Notes what is looked up."""

    def get(self, key: Any, default: Any = None) -> Any:
        return self.setdefault(key) or default


@pytest.fixture(autouse=True)
def compilers_as_before() -> Iterator[None]:
    re.purge()  # it has a memory of its own
    yield
    precompiled.drop()


@pytest.fixture
def tables() -> Tables:
    """Empty tables, in use."""
    tables = Tables(Asked(), Asked())
    precompiled.use(tables)
    return tables


def point() -> Any:
    return dataclasses.make_dataclass("Point", ["x", "y"])(1, 2)


class TestUse:
    """Where a compiler is elsewhere by now, it asks for nothing, and the test fails."""

    def test_has_the_methods_of_a_dataclass_looked_up(self, tables: Tables) -> None:
        assert point().y == 2
        assert [mode for mode, source in tables.codes if "def __init__" in source] == ["exec"]

    def test_has_a_forward_reference_looked_up(self, tables: Tables) -> None:
        assert typing.ForwardRef("int | None").__forward_arg__ == "int | None"
        parsed_at_once = sys.version_info < (3, 14)  # PEP 649
        assert list(tables.codes) == [("eval", "int | None")] * parsed_at_once

    def test_has_a_regular_expression_looked_up(self, tables: Tables) -> None:
        assert re.compile("a+b", re.IGNORECASE).fullmatch("AAb")
        assert list(tables.patterns) == [("a+b", re.IGNORECASE)]

    def test_takes_the_code_of_the_table(self) -> None:
        codes = Asked()
        precompiled.use(Tables(codes, {}))
        point()
        [key] = [key for key in codes if "def __init__" in key[1]]
        codes[key] = compile(key[1].replace("self.y=y", "self.y=x"), "<string>", "exec")
        assert point().y == 1

    def test_takes_the_pattern_of_the_table(self) -> None:
        always = [1]  # the engine's code for success
        precompiled.use(Tables({}, {("a+b", 0): ("a+b", 0, always, 0, {}, (None,))}))
        assert re.compile("a+b").match("c")

    def test_is_over_after_a_functions_imports(self, tables: Tables) -> None:
        imports.end()
        assert point().y == 2
        assert re.compile("a+b").fullmatch("aab")
        assert typing.ForwardRef("int | None").__forward_arg__ == "int | None"
        assert tables == ({}, {})


class TestLoad:
    def test_finds_nothing_where_nothing_was_built(self) -> None:
        assert precompiled.load() is None

    def test_finds_what_the_build_has_written(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        built = {("eval", "1"): compile("1", "<string>", "eval")}, {("a", 0): ("a", 0, [1], 0)}
        monkeypatch.setattr(precompiled, "FILE", tmp_path / "precompiled.marshal")
        precompiled.FILE.write_bytes(marshal.dumps(built))
        assert precompiled.load() == built

    def test_is_used_by_what_begins_the_imports(self, monkeypatch: pytest.MonkeyPatch) -> None:
        tables = Tables(Asked(), Asked())
        monkeypatch.setattr(precompiled, "load", lambda: tables)
        imports.begin()
        assert re.compile("a+b").fullmatch("aab")
        assert ("a+b", 0) in tables.patterns
