"""Entity tags (RFC 9110): read strictly, compared as each header says, in no time."""

from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.http.preconditions import Condition, Versions, _condition, entity_tag, matches
from shared.http.problems import Malformed
from tests.functions.support import MALFORMED_TAGS, MATCHING_TAGS, OTHER_TAGS, WEAK_TAGS, short


def read(header: str) -> Condition:
    return _condition("If-Match", header)


def matches_strongly(version: int, condition: Condition) -> bool:
    return condition is None or version in condition.strong


class TestTags:
    @given(version=st.integers(1, 10**9 - 1))
    @settings(derandomize=True, database=None)
    def test_mean_their_version(self, version: int) -> None:
        condition = read(entity_tag(version))
        assert matches_strongly(version, condition)
        assert not matches(version + 1, condition)

    @pytest.mark.parametrize("header", MATCHING_TAGS, ids=short)
    def test_match(self, header: str) -> None:
        assert matches_strongly(1, read(header))

    @pytest.mark.parametrize("header", [*OTHER_TAGS, *WEAK_TAGS], ids=short)
    def test_do_not_match(self, header: str) -> None:
        assert not matches_strongly(1, read(header))

    @pytest.mark.parametrize("header", [*MATCHING_TAGS, *WEAK_TAGS], ids=short)
    def test_match_weakly(self, header: str) -> None:
        assert matches(1, read(header))

    def test_are_all_that_are_listed(self) -> None:
        assert read('"1", W/"2" ,"3"') == Versions(strong=frozenset({1, 3}), weak=frozenset({2}))

    def test_of_others_are_read_and_never_match(self) -> None:
        assert read('"", "abc", "1-2", "\u00e9", "W/", "\x21\x23~"') == Versions()

    def test_are_every_version_with_a_star(self) -> None:
        assert read("*") is read(" *\t") is None
        assert matches(7, None)

    @pytest.mark.parametrize("header", MALFORMED_TAGS, ids=short)
    def test_are_refused_when_malformed(self, header: str) -> None:
        with pytest.raises(Malformed) as error:
            read(header)
        assert error.value.detail.startswith("If-Match")

    @pytest.mark.parametrize(
        "header",
        [
            '"1"' + " ," * 50_000 + "x",
            '"1" ' + ", " * 50_000 + '"',
            "," * 100_000,
            " " * 100_000,
            " \t" * 50_000 + "x",
            '"' + "x" * 100_000,
            '"1",' * 30_000 + "x",
            'W/"1" , ' * 20_000 + "W/",
            "W/" * 50_000,
        ],
        ids=short,
    )
    def test_take_no_time_to_refuse(self, header: str) -> None:
        started = process_time()
        with pytest.raises(Malformed):
            read(header)
        assert process_time() - started < 2
