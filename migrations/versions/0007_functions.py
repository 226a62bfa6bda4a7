"""Functions find their tables by name when they are called; a user's tasks and keys are counted.

A table that is replaced by one in partitions keeps its name. The functions before held on to the
table itself: they would have gone on cleaning the old one, and it could not have been dropped.
"""

from alembic import op

revision = "0007"
down_revision = "0006"

ROLE = "tasks_user"

# Temporary tables come last, so that none is taken for one of ours.
FOUND_IN = "SET search_path = public, pg_temp"

# As a part of the create's own statement, the count would be set up each time, and it is seldom
# needed. The function has the rights of the role that calls it, and row-level security holds in it.
COUNT = f"""
CREATE FUNCTION count_tasks(owner text, most integer) RETURNS integer
LANGUAGE sql STABLE {FOUND_IN}
AS $$
    SELECT count(*)::integer FROM (SELECT FROM tasks WHERE user_id = owner LIMIT most) AS own
$$;
REVOKE EXECUTE ON FUNCTION count_tasks(text, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION count_tasks(text, integer) TO {ROLE};
"""

OLD_KEYS = """
    DELETE FROM idempotency_keys WHERE (user_id, key) IN (
        SELECT user_id, key FROM idempotency_keys
        WHERE created_at < now() - interval '24 hours'
        ORDER BY created_at LIMIT {} FOR UPDATE SKIP LOCKED
    )
"""
BATCH = f"WITH forgotten AS ({OLD_KEYS.format('batch')} RETURNING 1) SELECT count(*) FROM forgotten"
FUNCTIONS = (("batch integer", "bigint", BATCH), ("", "void", OLD_KEYS.format(10)))

# The table is emptied each day. By default a fifth of it may be dead before it is vacuumed.
STORAGE = """
ALTER TABLE idempotency_keys SET (
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_insert_scale_factor = 0.02,
    autovacuum_analyze_scale_factor = 0.02
)
"""
DEFAULTS = """
ALTER TABLE idempotency_keys RESET (
    autovacuum_vacuum_scale_factor,
    autovacuum_vacuum_insert_scale_factor,
    autovacuum_analyze_scale_factor
)
"""


def define(form: str, found_in: str) -> None:
    """Define the functions that forget keys, their bodies in one of SQL's two forms."""
    for parameters, result, body in FUNCTIONS:
        op.execute(
            f"CREATE OR REPLACE FUNCTION forget_old_idempotency_keys({parameters})"
            f" RETURNS {result} LANGUAGE sql SECURITY DEFINER {found_in} {form.format(body)}"
        )


def upgrade() -> None:
    op.execute(COUNT)
    define("AS $$ {} $$", FOUND_IN)
    op.execute(STORAGE)
    op.execute("ALTER TABLE idempotency_keys ADD COLUMN ordinal integer")


def downgrade() -> None:
    op.execute("ALTER TABLE idempotency_keys DROP COLUMN ordinal")
    op.execute(DEFAULTS)
    define("BEGIN ATOMIC {}; END", "SET search_path FROM CURRENT")
    op.execute("DROP FUNCTION count_tasks(text, integer)")
