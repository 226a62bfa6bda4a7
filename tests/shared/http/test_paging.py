"""The query of a list, and the cursor in it."""

import json
from base64 import urlsafe_b64decode
from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from shared.http.paging import MAX_CURSOR_LENGTH, Position, Sort, TaskQuery
from shared.models import MAX_ID, Task
from tests.shared.sort_keys import SORTS, boundaries, values

quickly = settings(derandomize=True, database=None, deadline=None, max_examples=60)

sorts = st.sampled_from(SORTS)
filters = st.sampled_from((None, True, False))
ids = st.integers(1, MAX_ID)


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

    @pytest.mark.parametrize("sort", SORTS)
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
    @pytest.mark.parametrize("sort", SORTS)
    @given(completed=filters, last=ids, data=st.data())
    @quickly
    def test_leads_to_where_it_was_made(
        self, sort: Sort, completed: bool | None, last: int, data: st.DataObject
    ) -> None:
        query = TaskQuery.model_validate({"sort": sort, "completed": completed})
        value = data.draw(values(query.key))
        cursor = cursor_of(query, row(**{query.key: value}, id=last))
        further = TaskQuery.model_validate({"sort": sort, "completed": completed, "cursor": cursor})
        assert further.after == Position(value, last)
        assert len(cursor) <= MAX_CURSOR_LENGTH

    @pytest.mark.parametrize("sort", SORTS)
    def test_is_read_by_the_version_that_is_deployed_beside_this_one(self, sort: Sort) -> None:
        query = TaskQuery.model_validate({"sort": sort, "completed": False})
        value, *_ = boundaries(query.key)
        cursor = cursor_of(query, row(**{query.key: value}, id=42))
        content = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        written = TypeAdapter(type(value)).dump_python(value, mode="json")
        assert content == [sort, False, written, 42], (
            "during a canary each version reads the other's cursors: let one deployment read what"
            " the next one writes"
        )

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
        made = TaskQuery.model_validate({"sort": made_for[0], "completed": made_for[1]})
        parameters: dict[str, Any] = {"sort": used_for[0], "completed": used_for[1]}
        value, *_ = boundaries(made.key)
        parameters["cursor"] = cursor_of(made, row(**{made.key: value}, id=1))
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
