"""A statement in SQL: written once, and prepared once per connection under a name of its own."""

from collections.abc import Callable, Mapping
from functools import cache, wraps
from hashlib import sha256
from typing import Any, ParamSpec, cast

from sqlalchemy import ClauseElement, text
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from shared.database import budget

SCHEMA = "public"
ROLE = "tasks_user"
DIALECT = PGDialect_psycopg(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]

# Local to the statement's own transaction, so that a pooler's next client inherits nothing. The
# role cannot bypass row-level security, which a Neon owner's login can. Temporary tables come last
# in the path, so that none hides a table of ours.
SCOPE_SQL = f"""
    select set_config('role', '{ROLE}', true),
           set_config('app.user_id', :subject, true),
           set_config('search_path', '{SCHEMA}, pg_temp', true),
           set_config('lock_timeout', '{budget.LOCK}s', true),
           set_config('statement_timeout', '{budget.STATEMENT}s', true)
"""

P = ParamSpec("P")
Parameters = Mapping[str, Any]


class Statement:
    """A statement's SQL, and a name derived from it: two versions of the code never share one."""

    def __init__(self, clause: ClauseElement) -> None:
        self._compiled: Any = clause.compile(
            dialect=DIALECT,
            schema_translate_map={None: SCHEMA},
            render_schema_translate=True,
        )
        self.sql: bytes = self._compiled.string.encode()
        self.name = sha256(self.sql).hexdigest()[:32].encode()

    def values(self, parameters: Parameters) -> list[Any]:
        """The values to bind, in order. Raises where one is missing."""
        values = self._compiled.construct_params(parameters)
        return [values[name] for name in self._compiled.positiontup]


def written_once(build: Callable[P, ClauseElement]) -> Callable[P, Statement]:
    """Let each variant of a statement be written once. The arguments tell how many there are."""

    @wraps(build)
    def write(*arguments: P.args, **named: P.kwargs) -> Statement:
        return Statement(build(*arguments, **named))

    return cast("Callable[P, Statement]", cache(write))


SCOPE = Statement(text(SCOPE_SQL))
"""What comes before each statement in its transaction."""
