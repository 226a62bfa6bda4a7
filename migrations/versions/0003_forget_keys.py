"""Old idempotency keys go by a schedule; the API's login makes no temporary tables."""

from alembic import op

revision = "0003"
down_revision = "0002"

ROLE = "tasks_user"

# Row-level security hides all keys from the schedule, so that a function deletes them, with the
# rights of the tables' owner, and returns their number. The older function without a batch
# stays while functions of the release before this one still call it.
FORGET = f"""
CREATE FUNCTION forget_old_idempotency_keys(batch integer) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path FROM CURRENT
BEGIN ATOMIC
    WITH forgotten AS (
        DELETE FROM idempotency_keys WHERE (user_id, key) IN (
            SELECT user_id, key FROM idempotency_keys
            WHERE created_at < now() - interval '24 hours'
            ORDER BY created_at LIMIT batch FOR UPDATE SKIP LOCKED
        )
        RETURNING 1
    )
    SELECT count(*) FROM forgotten;
END;
REVOKE EXECUTE ON FUNCTION forget_old_idempotency_keys(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION forget_old_idempotency_keys(integer) TO {ROLE};
"""

# A temporary table could be called as one of ours. Only the database's owner can say this; where
# another login migrates, Postgres warns, and the path of the API's statements is what protects.
TEMPORARY = """
DO $$
BEGIN
    EXECUTE format('{} ON DATABASE %I {} PUBLIC', current_database());
END
$$
"""


def upgrade() -> None:
    op.execute(FORGET)
    op.execute(TEMPORARY.format("REVOKE TEMPORARY", "FROM"))


def downgrade() -> None:
    op.execute(TEMPORARY.format("GRANT TEMPORARY", "TO"))
    op.execute("DROP FUNCTION forget_old_idempotency_keys(integer)")
