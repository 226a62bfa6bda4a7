"""What each sort key can be; a new one is found in `Sort`, and its type in its column."""

from datetime import UTC, datetime
from typing import Any, get_args

from hypothesis import strategies as st
from sqlmodel import SQLModel

from shared.http.paging import Sort
from shared.models import DESCRIPTION_LENGTH, TITLE_LENGTH

SORTS: tuple[str, ...] = get_args(Sort)
COLUMNS = SQLModel.metadata.tables["tasks"].columns

LONGEST = {"title": TITLE_LENGTH, "description": DESCRIPTION_LENGTH}
# The least, some, and the greatest value of each type of a column.
VALUES: dict[str, tuple[Any, ...]] = {
    "DATETIME": (
        datetime(1, 1, 2, tzinfo=UTC),
        datetime(2026, 1, 1, microsecond=1, tzinfo=UTC),
        datetime(9999, 12, 30, 23, 59, 59, 999999, tzinfo=UTC),
    ),
    "TEXT": ("\x01", "a", "\U0001f642"),
    "BOOLEAN": (False, True),
    "INTEGER": (1, 2, 2**31 - 1),
}


def boundaries(key: str) -> list[Any]:
    """Values of a sort key, in order; a null among them is the last one."""
    kind = str(COLUMNS[key].type).partition(" ")[0]
    assert kind in VALUES, f"say in VALUES of {__name__} what the sort key {key} can be: {kind}"
    *others, greatest = VALUES[kind]
    longest = greatest * LONGEST[key] if kind == "TEXT" else greatest
    return [*others, longest, *([None] if COLUMNS[key].nullable else [])]


def values(key: str) -> st.SearchStrategy[Any]:
    """Any value of a sort key."""
    some = st.sampled_from(boundaries(key))
    match COLUMNS[key].type.python_type.__name__:
        case "datetime":
            first, *_, last = VALUES["DATETIME"]
            return some | st.datetimes(
                first.replace(tzinfo=None), last.replace(tzinfo=None), timezones=st.just(UTC)
            )
        case "str":
            characters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
            return some | st.text(characters, min_size=1, max_size=LONGEST[key])
        case _:
            return some
