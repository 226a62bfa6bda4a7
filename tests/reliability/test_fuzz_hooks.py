"""What `make fuzz` sends beside what Schemathesis invents."""

from types import SimpleNamespace
from typing import Any

import pytest

from tests.functions.support import INPUTS, PYTHONS_NAMES
from tests.reliability.fuzz_hooks import EVERY, before_call


def case(body: dict[str, object], *, positive: bool) -> Any:
    mode = SimpleNamespace(is_positive=positive)
    meta = SimpleNamespace(generation=SimpleNamespace(mode=mode))
    return SimpleNamespace(meta=meta, body=body, query={"limit": 1}, headers={})


def called(*, positive: bool) -> tuple[set[str], set[str]]:
    """The names that came into bodies and queries of as many cases as there are names."""
    body: dict[str, object] = {}
    cases = [case(body, positive=positive) for _ in range(EVERY * len(PYTHONS_NAMES))]
    for each in cases:
        before_call(None, each, {})
    assert body == {}  # Schemathesis' cases share it
    bodies = {name for each in cases for name in each.body}
    return bodies, {name for each in cases for name in each.query if name != "limit"}


def test_every_name_of_python_is_sent_in_turn() -> None:
    names = set(PYTHONS_NAMES)
    assert called(positive=False) == (names, names)


def test_what_is_meant_to_be_valid_stays_so() -> None:
    assert called(positive=True) == (set(), set())


@pytest.mark.parametrize("model", INPUTS)
def test_the_names_are_those_of_every_model(model: type) -> None:
    assert "known" in PYTHONS_NAMES
    assert set(dir(model)) <= set(PYTHONS_NAMES)
