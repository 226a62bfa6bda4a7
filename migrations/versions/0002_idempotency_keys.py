"""First uses of idempotency keys, kept for a day."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

ROLE = "tasks_user"

PROTECT = f"""
ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE idempotency_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_only ON idempotency_keys
    USING (user_id = nullif(current_setting('app.user_id', true), ''))
    WITH CHECK (user_id = nullif(current_setting('app.user_id', true), ''));
GRANT SELECT, INSERT, UPDATE ON idempotency_keys TO {ROLE};
GRANT INSERT (id) ON tasks TO {ROLE};
GRANT USAGE ON SEQUENCE tasks_id_seq TO {ROLE};
"""

# Each create deletes a few old keys, also those of other users. Row-level security hides them from
# it, so that a function does it with the rights of the tables' owner, and returns nothing.
FORGET = f"""
CREATE POLICY old_keys ON idempotency_keys TO CURRENT_USER
    USING (created_at < now() - interval '24 hours');
CREATE FUNCTION forget_old_idempotency_keys() RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path FROM CURRENT
BEGIN ATOMIC
    DELETE FROM idempotency_keys WHERE (user_id, key) IN (
        SELECT user_id, key FROM idempotency_keys
        WHERE created_at < now() - interval '24 hours'
        ORDER BY created_at LIMIT 10 FOR UPDATE SKIP LOCKED
    );
END;
REVOKE EXECUTE ON FUNCTION forget_old_idempotency_keys() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION forget_old_idempotency_keys() TO {ROLE};
"""


def upgrade() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("user_id", sa.Text(collation="C"), primary_key=True),
        sa.Column("key", sa.Text(collation="C"), primary_key=True),
        sa.Column("task_id", sa.BigInteger, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("description", sa.Text),
        sa.Column("completed", sa.Boolean, nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
    )
    op.create_index("idempotency_keys_by_age", "idempotency_keys", ["created_at"])
    op.execute(PROTECT)
    op.execute(FORGET)


def downgrade() -> None:
    op.execute("DROP FUNCTION forget_old_idempotency_keys()")
    op.drop_table("idempotency_keys")
    op.execute(f"REVOKE USAGE ON SEQUENCE tasks_id_seq FROM {ROLE}")
    op.execute(f"REVOKE INSERT (id) ON tasks FROM {ROLE}")
