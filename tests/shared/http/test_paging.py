"""The query of a list, and the cursor in it."""

from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any, get_args
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.http.paging import MAX_CURSOR_LENGTH, Position, Sort, TaskQuery
from shared.models import MAX_ID, Task

quickly = settings(derandomize=True, database=None, max_examples=60)

sorts = st.sampled_from(get_args(Sort))
filters = st.sampled_from((None, True, False))
ids = st.integers(1, MAX_ID)
times = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001
titles = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=255
)


def row(**values: Any) -> Any:
    return SimpleNamespace(**values)


def link(query: TaskQuery, last: Any) -> str:
    target, relation = query.next_link("/api/a%2Fb/tasks", last).split("; ")
    assert relation == 'rel="next"'
    assert target.startswith("<")
    assert target.endswith(">")
    assert target.isascii()
    return target[1:-1]


def cursor_of(query: TaskQuery, last: Any) -> str:
    [cursor] = parse_qs(urlsplit(link(query, last)).query)["cursor"]
    return cursor


class TestTaskQuery:
    def test_asks_for_the_newest_hundred_by_itself(self) -> None:
        query = TaskQuery()
        assert (query.key, query.descending, query.completed) == ("created_at", True, None)
        assert query.limit == 100
        assert query.after is None

    @pytest.mark.parametrize("sort", get_args(Sort))
    def test_has_a_key_and_a_direction(self, sort: Sort) -> None:
        query = TaskQuery(sort=sort)
        assert query.descending == sort.startswith("-")
        assert query.key in Task.model_fields

    def test_links_to_the_next_page_of_the_same_path_and_query(self) -> None:
        query = TaskQuery.model_validate({"sort": "title", "completed": "true", "limit": "5"})
        target = urlsplit(link(query, row(title="a", id=1)))
        parameters = parse_qs(target.query)
        assert target.path == "/api/a%2Fb/tasks"
        assert not target.netloc
        assert parameters.pop("cursor")
        assert parameters == {"sort": ["title"], "completed": ["true"], "limit": ["5"]}

    def test_says_nothing_in_a_link_that_was_not_said_before(self) -> None:
        target = link(TaskQuery(), row(created_at=datetime.now(UTC), id=1))
        assert parse_qs(urlsplit(target).query).keys() == {"cursor"}


class TestCursor:
    @given(sort=sorts, completed=filters, last=ids, moment=times, title=titles)
    @quickly
    def test_leads_to_where_it_was_made(
        self, sort: Sort, completed: bool | None, last: int, moment: datetime, title: str
    ) -> None:
        query = TaskQuery.model_validate({"sort": sort, "completed": completed})
        values: dict[str, Any] = {
            "created_at": moment,
            "updated_at": moment,
            "title": title,
            "id": last,
        }
        cursor = cursor_of(query, row(**values))
        further = TaskQuery.model_validate({"sort": sort, "completed": completed, "cursor": cursor})
        assert further.after == Position(values[query.key], last)
        assert len(cursor) <= MAX_CURSOR_LENGTH

    def test_tells_a_microsecond(self) -> None:
        zone = timezone(timedelta(hours=5))
        moment = datetime(2026, 1, 1, 5, 0, 0, 1, tzinfo=zone)
        cursor = cursor_of(TaskQuery(), row(created_at=moment, id=1))
        assert TaskQuery(cursor=cursor).after == Position(moment, 1)

    @given(made_for=st.tuples(sorts, filters), used_for=st.tuples(sorts, filters))
    @quickly
    def test_belongs_to_its_sort_and_filter(
        self, made_for: tuple[Sort, bool | None], used_for: tuple[Sort, bool | None]
    ) -> None:
        now = datetime.now(UTC)
        last = row(created_at=now, updated_at=now, title="a", id=1)
        made = TaskQuery.model_validate({"sort": made_for[0], "completed": made_for[1]})
        parameters: dict[str, Any] = {"sort": used_for[0], "completed": used_for[1]}
        parameters["cursor"] = cursor_of(made, last)
        if used_for == made_for:
            assert TaskQuery.model_validate(parameters).after
        else:
            with pytest.raises(ValidationError):
                TaskQuery.model_validate(parameters)

    @given(cursor=st.text() | st.binary().map(lambda text: text.decode("latin-1")))
    @quickly
    def test_is_refused_where_it_is_not_one(self, cursor: str) -> None:
        with pytest.raises(ValidationError):
            TaskQuery(cursor=cursor)

    def test_has_a_bound(self) -> None:
        with pytest.raises(ValidationError, match="at most"):
            TaskQuery(cursor="A" * (MAX_CURSOR_LENGTH + 1))
