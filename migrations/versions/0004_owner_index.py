"""A unique index that begins with the owner, to become the primary key.

In a migration of its own: it is built outside of a transaction, so that writers go on meanwhile,
and leaving the transaction commits whatever came before it.
"""

from alembic import op

revision = "0004"
down_revision = "0003"

# One that was given up in the middle, as at a lock timeout, is left behind as invalid.
DROP = "DROP INDEX CONCURRENTLY IF EXISTS tasks_by_owner"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(DROP)
        op.execute("CREATE UNIQUE INDEX CONCURRENTLY tasks_by_owner ON tasks (user_id, id)")


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(DROP)
