"""Names that come back: what cannot be seen in them is escaped."""

import pytest

from shared.inputs import LONGEST_NAME, printable


@pytest.mark.parametrize(
    "name",
    [
        *("\0", "\n", "\x7f", "\x85", "\xa0", "\xad", "\u2028", "\ufeff", "\ud800", "\U000e0001"),
        *("\u200b", "\u200d", "\u202e", "\u2066", "\u061c"),
        *("\u034f", "\u180b", "\u17b4", "\ufe0f", "\U000e0100"),
        *("\u115f", "\u1160", "\u2800", "\u3164", "\uffa0"),
        *("\u0301", "\u20d0", "\u05b0"),
    ],
    ids=ascii,
)
def test_what_cannot_be_seen_is_escaped(name: str) -> None:
    assert printable(f"a{name}b") == "a" + name.encode("unicode_escape").decode() + "b"


@pytest.mark.parametrize("name", ["title", "a b", "é", "标题", "ключ", "🙂", "~/", ""])
def test_what_can_be_seen_stays(name: str) -> None:
    assert printable(name) == name


def test_a_name_is_of_64_characters() -> None:
    assert printable("x" * 65) == "x" * LONGEST_NAME
    assert printable("\u3164" * 64) == ("\\u3164" * 11)[: LONGEST_NAME - 1] + "…"
