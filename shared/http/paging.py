"""Keyset paging: what a page is asked for with, and the cursor that leads to the next one."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple
from urllib.parse import urlencode

from fastapi import Depends, Query, Request
from pydantic import (
    AwareDatetime,
    BeforeValidator,
    Field,
    StrictBool,
    TypeAdapter,
    ValidationInfo,
    field_validator,
)

from shared.http.problems import Invalid, InvalidInput
from shared.inputs import Input, whole_number
from shared.models import MAX_ID, Storable

MAX_LIMIT = 500
MAX_CURSOR_LENGTH = 4096

Sort = Literal["created_at", "-created_at", "updated_at", "-updated_at", "title", "-title"]


class Position(NamedTuple):
    """The place in a walk behind one task: its value of the sort key, and its id."""

    value: datetime | str
    id: int


def parse_bool(value: object) -> object:
    """Read `true` and `false`; anything else stays what it is, for pydantic to refuse."""
    return {"true": True, "false": False}.get(str(value), value)


class TaskQuery(Input):
    """The query of a list."""

    completed: Annotated[StrictBool, BeforeValidator(parse_bool)] | None = Field(
        default=None, description="Only tasks with this status."
    )
    sort: Sort = Field(
        default="-created_at", description="The order; descending with a minus. Ties go by id."
    )
    limit: Annotated[int, BeforeValidator(whole_number(1, MAX_LIMIT))] = Field(
        default=100,
        description="How many tasks at most.",
        json_schema_extra={"minimum": 1, "maximum": MAX_LIMIT},
    )
    cursor: str | None = Field(
        default=None,
        max_length=MAX_CURSOR_LENGTH,
        description="Where to go on: opaque, from the `Link` of the page before.",
    )

    @field_validator("cursor")
    @classmethod
    def _belongs_to_this_walk(cls, cursor: str | None, others: ValidationInfo) -> str | None:
        if cursor is not None and {"sort", "completed"} <= others.data.keys():
            _decode(cursor, others.data["sort"], others.data["completed"])
        return cursor

    @property
    def key(self) -> str:
        """The column to sort by."""
        return self.sort.removeprefix("-")

    @property
    def descending(self) -> bool:
        """Whether the order is reversed."""
        return self.sort.startswith("-")

    @property
    def after(self) -> Position | None:
        """Where the page before ended."""
        return None if self.cursor is None else _decode(self.cursor, self.sort, self.completed)

    def next_link(self, path: str, last: Any) -> str:
        """The Link to the page behind a task (RFC 8288), relative to the host."""
        position = Position(getattr(last, self.key), last.id)
        cursor = _encode(self.sort, self.completed, position)
        query = self.model_dump(mode="json", exclude_unset=True) | {"cursor": cursor}
        if self.completed is not None:
            query["completed"] = str(self.completed).lower()
        return f'<{path}?{urlencode(query)}>; rel="next"'


# What a cursor holds: the sort and the filter that made it, and the position.
BY_TIME = TypeAdapter(tuple[Sort, bool | None, AwareDatetime, Annotated[int, Field(le=MAX_ID)]])
BY_TITLE = TypeAdapter(tuple[Sort, bool | None, Storable, Annotated[int, Field(le=MAX_ID)]])


def _content(sort: str) -> TypeAdapter[Any]:
    return BY_TITLE if sort.endswith("title") else BY_TIME


def _encode(sort: str, completed: bool | None, position: Position) -> str:
    content = _content(sort).dump_json((sort, completed, *position))
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def _decode(cursor: str, sort: str, completed: bool | None) -> Position:
    """Read a cursor. Raises ValueError when it is not one, or not of this walk."""
    try:
        content = urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4))
        made_for, filtered, value, last = _content(sort).validate_json(content, strict=True)
    except ValueError:
        raise ValueError("is not from a Link of this API") from None
    if (made_for, filtered) != (sort, completed):
        raise ValueError("belongs to another sort or filter")
    return Position(value, last)


async def _task_query(request: Request, query: Annotated[TaskQuery, Query()]) -> TaskQuery:
    names = [name for name, _ in request.query_params.multi_items()]
    if repeated := [name for name in TaskQuery.model_fields if names.count(name) > 1]:
        raise Invalid(
            errors=[
                InvalidInput(parameter=name, detail="is given more than once") for name in repeated
            ]
        )
    return query


PageQuery = Annotated[TaskQuery, Depends(_task_query)]
