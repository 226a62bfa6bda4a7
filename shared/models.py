"""The task: its table, and what clients send and get of it.

Bodies are plain pydantic models: SQLModel's own constructor takes the members as keyword arguments,
so that a client's `cls` or `__pydantic_self__` would be an argument of Python's, not a member.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Self

from fastapi import Path
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic import Field as BodyField
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Text,
    false,
    func,
)
from sqlmodel import Field, SQLModel

from shared.http.problems import Invalid, InvalidInput
from shared.inputs import Input, whole_number

TITLE_LENGTH = 255
DESCRIPTION_LENGTH = 1000
USER_ID_LENGTH = 255
MAX_ID = 2**63 - 1


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not have a NUL character")
    return text


def rfc3339(moment: datetime) -> str:
    """A moment in UTC, to the microsecond."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


# What JSON Schema can say of a title: its length counts without the white space around it, which is
# Unicode's.
WHITE_SPACE = r"\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
INK = rf"[^\x00{WHITE_SPACE}]"
TITLE_PATTERN = rf"^[{WHITE_SPACE}]*{INK}([^\x00]{{0,{TITLE_LENGTH - 2}}}{INK})?[{WHITE_SPACE}]*$"

WITHOUT_NUL: Any = BodyField(json_schema_extra={"pattern": r"^[^\x00]*$"})

Storable = Annotated[str, AfterValidator(_without_nul)]
Title = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=TITLE_LENGTH),
    AfterValidator(_without_nul),
    WithJsonSchema({"type": "string", "minLength": 1, "pattern": TITLE_PATTERN}),
]
Description = Annotated[
    str,
    StringConstraints(max_length=DESCRIPTION_LENGTH),
    AfterValidator(_without_nul),
    WITHOUT_NUL,
]
Timestamp = Annotated[datetime, WithJsonSchema({"type": "string", "format": "date-time"})]

TaskId = Annotated[
    int,
    Path(
        alias="id",
        description="The task's `id`.",
        json_schema_extra={"minimum": 1, "maximum": MAX_ID},
    ),
    BeforeValidator(whole_number(1, MAX_ID)),
]


# No function validates such a model, so that no cold start has to build its validator.
NEVER_VALIDATED: Any = ConfigDict(defer_build=True)


def _with_example(example: dict[str, Any], **schema: Any) -> Any:
    """The configuration of a model that the documentation shows with an example."""
    return ConfigDict(json_schema_extra={"examples": [example], **schema})


def _body(example: dict[str, Any], **schema: Any) -> Any:
    """The configuration of a request body: nothing is converted."""
    return _with_example(example, **schema) | ConfigDict(strict=True)


def _read_only(**schema: str) -> Any:
    """A member that the API sets. What is sent for it is not validated."""
    return BodyField(default=None, exclude=True, json_schema_extra={**schema, "readOnly": True})


class TaskBase(BaseModel):
    """What a task says."""

    # A factory makes a default that the schema does not show: to a generated client a member with
    # a default is always there, and it would require it in a create, too.

    title: Title
    description: Description | None = None
    completed: bool = BodyField(default_factory=bool)


class TaskCreate(TaskBase, Input):
    """The body of a create: a title, and what else is to be set.

    Without them, the `description` is null and `completed` is false.
    """

    model_config = _body({"title": "Buy milk", "description": "Two litres"})


class TaskUpdate(TaskBase, Input):
    """The body of an update: at least one member; what is absent stays as it is.

    A task may be sent back whole: its read-only members are ignored (AIP-203), but for `id` and
    `user_id`, which must be the path's.
    """

    # `model_fields_set` says what was sent. The defaults are never used.

    model_config = _body({"description": None, "completed": True}, minProperties=1)

    title: Title = BodyField(default_factory=str)
    description: Description | None = BodyField(default_factory=lambda: None)
    id: Any = _read_only(type="integer")
    user_id: Any = _read_only(type="string")
    created_at: Any = _read_only(type="string", format="date-time")
    updated_at: Any = _read_only(type="string", format="date-time")
    version: Any = _read_only(type="integer")

    @classmethod
    def known(cls) -> list[str]:
        """The members that an update sets."""
        return list(TaskBase.model_fields)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.values():
            raise ValueError(f"at least one of {', '.join(self.known())} is needed")
        return self

    def values(self) -> dict[str, Any]:
        """What it sets."""
        return {name: getattr(self, name) for name in self.known() if name in self.model_fields_set}

    def check_identity(self, **path: object) -> None:
        """Raise `Invalid` where a member of the task's identity is sent and not the path's."""
        wrong = [
            InvalidInput(pointer=f"/{name}", detail="must be the one in the path, or absent")
            for name in path.keys() & self.model_fields_set
            if not _identical(getattr(self, name), path[name])
        ]
        if wrong:
            raise Invalid(errors=wrong)


def _identical(sent: object, expected: object) -> bool:
    """Compare; `true` and 1.0 equal 1 in Python, but not in JSON."""
    return type(sent) is type(expected) and sent == expected


class TaskToggle(Input):
    """The body of a toggle: the status to set, which is safe to repeat, instead of a flip."""

    model_config = _body({"completed": True})

    completed: bool


EXAMPLE = {
    "id": 42,
    "user_id": "alice",
    "title": "Buy milk",
    "description": "Two litres",
    "completed": False,
    "created_at": "2026-11-20T08:30:00.123456Z",
    "updated_at": "2026-11-20T08:30:00.123456Z",
    "version": 1,
}


CHANGED = {"completed": True, "updated_at": "2026-11-20T09:15:00.654321Z", "version": 2}


class TaskPublic(TaskBase):
    """A task as its owner sees it."""

    model_config = _with_example(EXAMPLE) | NEVER_VALIDATED

    id: int
    user_id: str
    created_at: Timestamp
    updated_at: Timestamp
    version: int = BodyField(description="1 at creation, 1 more with every change.")


class Task(SQLModel, table=True):
    """The table. Every key begins with the owner; what a toggle changes is in none.

    `ordinal` is about the number of the owner's tasks when this one was made, itself included:
    creates at the same moment do not see each other, and count alike.
    """

    model_config = NEVER_VALIDATED

    __tablename__: ClassVar[Any] = "tasks"
    __table_args__ = (
        CheckConstraint(
            f"char_length(user_id) BETWEEN 1 AND {USER_ID_LENGTH}", name="user_id_length"
        ),
        CheckConstraint(f"char_length(title) BETWEEN 1 AND {TITLE_LENGTH}", name="title_length"),
        CheckConstraint(
            f"char_length(description) <= {DESCRIPTION_LENGTH}", name="description_length"
        ),
        CheckConstraint("version >= 1", name="version_positive"),
        PrimaryKeyConstraint("user_id", "id"),
        Index("tasks_by_created_at", "user_id", "created_at", "id"),
    )

    id: int = Field(sa_column=Column(BigInteger, Identity()))
    user_id: str = Field(sa_column=Column(Text(collation="C")))
    title: str = Field(sa_column=Column(Text(collation="C"), nullable=False))
    description: str | None = Field(sa_column=Column(Text))
    completed: bool = Field(sa_column_kwargs={"server_default": false()})
    created_at: datetime = Field(
        sa_column=Column(DateTime(timezone=True), server_default=func.now(), nullable=False)
    )
    updated_at: datetime = Field(
        sa_column=Column(DateTime(timezone=True), server_default=func.now(), nullable=False)
    )
    version: int = Field(sa_column=Column(Integer, server_default="1", nullable=False))
    ordinal: int | None = Field(sa_column=Column(Integer))


class UsedIdempotencyKey(SQLModel, table=True):
    """The first use of an `Idempotency-Key`: the body that was sent, the new task's id, the time.

    They are all that the response to the create is made of. A second request is the same where its
    body is. `ordinal` counts the owner's keys.
    """

    model_config = NEVER_VALIDATED

    __tablename__: ClassVar[Any] = "idempotency_keys"
    __table_args__ = (
        Index("idempotency_keys_by_age", "created_at"),
        Index("idempotency_keys_by_ordinal", "user_id", "ordinal"),
    )

    user_id: str = Field(sa_column=Column(Text(collation="C"), primary_key=True))
    key: str = Field(sa_column=Column(Text(collation="C"), primary_key=True))
    task_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    title: str = Field(sa_column=Column(Text, nullable=False))
    description: str | None = Field(sa_column=Column(Text))
    completed: bool
    created_at: datetime = Field(
        sa_column=Column(DateTime(timezone=True), server_default=func.now(), nullable=False)
    )
    ordinal: int | None = Field(sa_column=Column(Integer))
