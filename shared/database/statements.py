"""The statements on tasks: each scoped to its owner, each takes one round trip.

They decide by themselves between "not there", "not as expected" and "done", and are built once.
Their parameters: `owner`, always; `task_id` and `versions`, where a task is named; what is sent.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ARRAY,
    CTE,
    BindParameter,
    ClauseElement,
    ColumnElement,
    Delete,
    FromClause,
    Integer,
    Interval,
    Select,
    Text,
    Update,
    and_,
    bindparam,
    case,
    cast,
    collate,
    delete,
    exists,
    false,
    func,
    insert,
    literal_column,
    or_,
    select,
    true,
    tuple_,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.dml import ReturningInsert
from sqlmodel import SQLModel

from shared.database.sql import SCHEMA, written_once
from shared.models import TaskCreate, TaskPublic

table, keys = (SQLModel.metadata.tables[name] for name in ("tasks", "idempotency_keys"))
columns = table.columns
public_columns = [columns[name] for name in TaskPublic.model_fields]

# `updated_at` grows by at least this, also where the server's clock was set back.
TICK: ColumnElement[timedelta] = literal_column("interval '1 microsecond'", Interval)

# How long a key is good for.
LIFE: ColumnElement[timedelta] = literal_column("interval '24 hours'", Interval)

# A constant in the SQL: a plan for a bound limit has to suit any value.
ONE: ColumnElement[int] = literal_column("1", Integer)

# The sequence is found by its column: where the table was replaced, it has another name.
IDS: ColumnElement[Any] = literal_column(f"pg_get_serial_sequence('{SCHEMA}.tasks', 'id')")


class Outcome(StrEnum):
    """What became of a write."""

    CHANGED = "changed"
    COMPLETED = "completed"
    UNCHANGED = "unchanged"
    PRECONDITION_FAILED = "precondition failed"
    RACED = "raced"

    @property
    def sql(self) -> ColumnElement[str]:
        """A constant of the statement, not a parameter to send."""
        return literal_column(f"'{self}'", Text)


def owned(rows: FromClause = table) -> ColumnElement[bool]:
    """The owner filter: every statement on a table has it."""
    return rows.c.user_id == bindparam("owner")


def _order(key: str, title: ColumnElement[Any], others: Iterable[ColumnElement[Any]]) -> Any:
    """The parts of an order: titles go without regard to case first."""
    if key != "title":
        return tuple(others)
    return func.lower(collate(title, "default")).collate("C"), *others


@written_once
def read_page(key: str, descending: bool, completed: bool | None, has_cursor: bool) -> Select[Any]:
    """One page of the owner's tasks, in order, from the start or from behind a position."""
    order = _order(key, columns.title, (columns[key], columns.id))
    statement = select(*public_columns).where(owned()).limit(bindparam("limit"))
    if completed is not None:
        statement = statement.where(columns.completed.is_(completed))
    if has_cursor:
        value = _bound("value", columns[key])
        position = tuple_(*_order(key, value, (value, bindparam("id"))))
        place = tuple_(*order)
        statement = statement.where(place < position if descending else place > position)
    return statement.order_by(*(column.desc() if descending else column for column in order))


def _sent() -> dict[str, ColumnElement[Any]]:
    """What the client sends of a new task, each of its column's type."""
    return {
        name: cast(_bound(name, columns[name]), columns[name].type)
        for name in TaskCreate.model_fields
    }


def _ordinal() -> CTE:
    """The new task's ordinal: the last one's and 1, or counted where that may be too much.

    Creates at the same moment take the same one. It is counted every hundredth time, too, so that
    such errors do not add up. Materialized, or Postgres would look for it in each place that it
    stands in.
    """
    newest = columns.created_at.desc(), columns.id.desc()
    most = cast(bindparam("most"), Integer)
    last = select(columns.ordinal).where(owned()).order_by(*newest).limit(ONE).subquery()
    following = last.c.ordinal + ONE
    is_due = following % literal_column("100") == literal_column("0")
    usual = select(following).where(following <= most, ~is_due).scalar_subquery()
    counted = getattr(func, SCHEMA).count_tasks(bindparam("owner"), most) + ONE
    ordinal = func.coalesce(usual, counted).label("ordinal")
    return select(ordinal, most.label("most")).cte("numbered").prefix_with("MATERIALIZED")


@written_once
def insert_task() -> ClauseElement:
    """A new task; nothing where the owner has enough."""
    sent, numbered = _sent(), _ordinal()
    row = {"user_id": bindparam("owner"), **sent, "ordinal": numbered.c.ordinal}
    new = select(*row.values()).where(numbered.c.ordinal <= numbered.c.most)
    return (
        insert(table)
        .from_select(list(row), new)
        .returning(*public_columns, false().label("replayed"))
    )


@written_once
def insert_task_once() -> ClauseElement:
    """Claim the key with an id drawn for the task; insert the task if the claim is ours.

    A key that is there already, though it may not have been when the statement began, is locked and
    comes back with its first id, unless it is a day old. An owner at the limit, of tasks or of
    keys, claims no key; one that is there already is found all the same.
    """
    sent, numbered, ends = _sent(), _ordinal(), _ends_of_keys()
    drawn = select(func.nextval(cast(IDS, postgresql.REGCLASS)).label("id")).cte("drawn")
    number = func.coalesce(ends.c.newest - ends.c.oldest + ONE, literal_column("0"))
    has_room = and_(numbered.c.ordinal <= numbered.c.most, number < numbered.c.most)
    claimed = _claim(drawn, ends, sent, has_room).cte("claimed")
    known = select(*keys.c).where(
        owned(keys), keys.c.key == bindparam("key"), ~_is_old(), ~has_room
    )
    found = union_all(select(claimed), known).cte("found")
    ours = claimed.c.task_id == drawn.c.id
    row = {
        "id": drawn.c.id,
        "user_id": bindparam("owner"),
        **{name: claimed.c[name] for name in sent},
        "ordinal": numbered.c.ordinal,
    }
    created = insert(table).from_select(list(row), select(*row.values()).where(ours))
    same = and_(*(found.c[name].is_not_distinct_from(value) for name, value in sent.items()))
    response = (
        found.c.task_id.label("id"),
        found.c.user_id,
        *(found.c[name] for name in sent),
        found.c.created_at,
        found.c.created_at.label("updated_at"),
        ONE.label("version"),
        (found.c.task_id != drawn.c.id).label("replayed"),
        same.label("same_body"),
    )
    return select(*response).select_from(found.join(drawn, true())).add_cte(created.cte("created"))


def _ends_of_keys() -> CTE:
    """The ordinals of the owner's oldest and newest keys: their difference is about the number.

    Old keys are deleted first, and keys of the same moment have the same ordinal.
    """
    oldest, newest = (
        select(keys.c.ordinal)
        .where(owned(keys), keys.c.ordinal.is_not(None))
        .order_by(order)
        .limit(ONE)
        .scalar_subquery()
        for order in (keys.c.ordinal, keys.c.ordinal.desc())
    )
    ends = select(oldest.label("oldest"), newest.label("newest"))
    return ends.cte("ends").prefix_with("MATERIALIZED")


def _is_old() -> ColumnElement[bool]:
    return keys.c.created_at < func.now() - LIFE


def _claim(
    drawn: CTE, ends: CTE, sent: Mapping[str, ColumnElement[Any]], has_room: ColumnElement[bool]
) -> ReturningInsert[Any]:
    values = {
        "task_id": drawn.c.id,
        "ordinal": func.coalesce(ends.c.newest + ONE, ONE),
        **sent,
    }
    new = select(bindparam("owner"), bindparam("key"), *values.values()).where(has_room)
    claim = postgresql.insert(keys).from_select(["user_id", "key", *values], new)
    renewed = {
        name: case((_is_old(), claim.excluded[name]), else_=keys.c[name])
        for name in ("created_at", *values)
    }
    return claim.on_conflict_do_update(
        index_elements=[keys.c.user_id, keys.c.key], set_=renewed
    ).returning(*keys.c)


@written_once
def forget_old_keys() -> ClauseElement:
    """Delete a batch of old keys, those of all users; their number."""
    batch = cast(bindparam("batch"), Integer)
    return select(getattr(func, SCHEMA).forget_old_idempotency_keys(batch).label("forgotten"))


@written_once
def read_task() -> Select[Any]:
    """The named task."""
    return select(*public_columns).where(owned(), _named())


@written_once
def update_task(names: frozenset[str]) -> ClauseElement:
    """Set some columns of the named task."""
    return _change({name: _bound(f"new_{name}", columns[name]) for name in names})


@written_once
def toggle_task() -> ClauseElement:
    """Set the named task's status, or flip it where none is sent."""
    sent = _bound("new_completed", columns.completed)
    return _change({"completed": func.coalesce(sent, ~columns.completed)})


@written_once
def delete_task() -> ClauseElement:
    """Delete the named task."""
    return _returning_current(
        delete(table).where(owned(), _named(), _expected()), true(), Outcome.CHANGED.sql
    )


def _bound(name: str, column: ColumnElement[Any]) -> BindParameter[Any]:
    return bindparam(name, type_=column.type)


def _named() -> ColumnElement[bool]:
    return columns.id == bindparam("task_id")


def _expected() -> ColumnElement[bool]:
    """Whether the task is at a version that the write may start from."""
    versions = bindparam("versions", type_=ARRAY(Integer))
    return func.coalesce(columns.version == func.any(versions), true())


def _change(new: Mapping[str, ColumnElement[Any]]) -> ClauseElement:
    """Write what is new to the task; nothing where all of it is so already."""
    differs = or_(*(columns[name].is_distinct_from(value) for name, value in new.items()))
    moved = {
        "version": columns.version + ONE,
        "updated_at": func.greatest(func.clock_timestamp(), columns.updated_at + TICK),
    }
    change = update(table).where(owned(), _named(), _expected(), differs).values(**new, **moved)
    return _returning_current(change, differs, _changed(new.keys()))


def _changed(names: Collection[str]) -> ColumnElement[str]:
    """The outcome of a change of these columns. RETURNING sees only the new row."""
    if "completed" not in names:
        return Outcome.CHANGED.sql
    if len(names) == 1:  # it is this one that differs
        return case((columns.completed, Outcome.COMPLETED.sql), else_=Outcome.CHANGED.sql)
    before = table.alias("before")
    named = before.c.user_id == bindparam("owner"), before.c.id == bindparam("task_id")
    was_open = ~select(before.c.completed).where(*named).scalar_subquery()
    return case(
        (and_(columns.completed, was_open), Outcome.COMPLETED.sql), else_=Outcome.CHANGED.sql
    )


def _returning_current(
    write: Update | Delete, differs: ColumnElement[bool], done: ColumnElement[str]
) -> ClauseElement:
    """Return the task as written or, where it was not written, as it is now.

    Another write may commit after this one has looked at the task, and before the task is locked.
    Then it was not written although it could be now. The outcome is RACED: the caller tries again.
    """
    written = write.returning(*public_columns, done.label("outcome")).cte("written")
    found = case(
        (~_expected(), Outcome.PRECONDITION_FAILED.sql),
        (differs, Outcome.RACED.sql),
        else_=Outcome.UNCHANGED.sql,
    )
    current = (
        select(*public_columns, found.label("outcome"))
        .where(owned(), _named(), ~exists().select_from(written))
        .with_for_update(key_share=True)
        .cte("current")
    )
    return union_all(select(written), select(current))
