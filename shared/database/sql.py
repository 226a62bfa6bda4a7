"""A statement in SQL: written once, and prepared once per connection under a name of its own."""

from collections.abc import Callable, Mapping
from functools import cache, wraps
from hashlib import sha256
from typing import Any, ParamSpec, cast

from sqlalchemy import ClauseElement
from sqlalchemy.dialects import postgresql

SCHEMA = "public"
DIALECT = postgresql.dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]

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
    """Build each variant of a statement once: one for each combination of arguments."""

    @wraps(build)
    def write(*arguments: P.args, **named: P.kwargs) -> Statement:
        return Statement(build(*arguments, **named))

    return cast("Callable[P, Statement]", cache(write))
