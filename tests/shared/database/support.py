"""What the tests of the database share."""

import pytest
from sqlalchemy import text

from shared.database import execution, sql
from shared.database.sql import Statement


def statement(source: str) -> Statement:
    """A statement of SQL."""
    return Statement(text(source))


def change_scope(patch: pytest.MonkeyPatch, old: str, new: str) -> None:
    """Let what comes before each statement say something else."""
    assert old in sql.SCOPE_SQL
    scope = statement(sql.SCOPE_SQL.replace(old, new))
    patch.setattr(execution, "SCOPE", scope)
