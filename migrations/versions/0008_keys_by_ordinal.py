"""An index by which the idempotency keys of a user are counted.

In a migration of its own: it is built outside of a transaction, so that writers go on meanwhile,
and leaving the transaction commits whatever came before it.
"""

from alembic import op

revision = "0008"
down_revision = "0007"

# One that was given up in the middle, as at a lock timeout, is left behind as invalid.
DROP = "DROP INDEX CONCURRENTLY IF EXISTS idempotency_keys_by_ordinal"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(DROP)
        op.execute(
            "CREATE INDEX CONCURRENTLY idempotency_keys_by_ordinal"
            " ON idempotency_keys (user_id, ordinal)"
        )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(DROP)
