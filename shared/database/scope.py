"""The scope of a statement: the role and the user that row-level security asks for."""

from sqlalchemy import text

from shared.database import budget
from shared.database.sql import SCHEMA, Statement

ROLE = "tasks_user"

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

SCOPE = Statement(text(SCOPE_SQL))
"""What comes before each statement in its transaction."""
