"""One index beside the primary key: the default order's. Other orders are sorted as they are read.

Indexes of the other orders were half of the table's bytes, and made each toggle write to all of
them. A user's own tasks are few enough to be sorted: MAX_TASKS_PER_USER. In a migration of its own:
indexes are dropped outside of a transaction, so that no request waits, and leaving the transaction
commits whatever came before it.
"""

from alembic import op

revision = "0006"
down_revision = "0005"

DROPPED = (
    ("updated_at", ("user_id", "updated_at", "id")),
    ("title", ("user_id", "title", "id")),
    ("completed_created_at", ("user_id", "completed", "created_at", "id")),
    ("completed_updated_at", ("user_id", "completed", "updated_at", "id")),
    ("completed_title", ("user_id", "completed", "title", "id")),
)


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for name, _ in DROPPED:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS tasks_by_{name}")


def downgrade() -> None:
    with op.get_context().autocommit_block():
        for name, columns in DROPPED:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS tasks_by_{name}")
            op.execute(f"CREATE INDEX CONCURRENTLY tasks_by_{name} ON tasks ({', '.join(columns)})")
