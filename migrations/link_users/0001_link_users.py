"""Tasks go with their user, where Better Auth keeps its users in this database."""

from alembic import op

revision = "link_users_0001"
down_revision = None

# Unchecked at first, so that writers wait only for a moment. May be repeated after tasks without a
# user have made the check fail.
LINK = """
ALTER TABLE tasks
    DROP CONSTRAINT IF EXISTS tasks_user_id_fkey,
    ADD CONSTRAINT tasks_user_id_fkey
        FOREIGN KEY (user_id) REFERENCES "user" (id) ON DELETE CASCADE NOT VALID
"""


def upgrade() -> None:
    op.execute(LINK)
    with op.get_context().autocommit_block():
        # The check reads as the tables' owner, whom forced row-level security shows no row.
        op.execute("ALTER TABLE tasks NO FORCE ROW LEVEL SECURITY")
        try:
            op.execute("ALTER TABLE tasks VALIDATE CONSTRAINT tasks_user_id_fkey")
        finally:
            op.execute("ALTER TABLE tasks FORCE ROW LEVEL SECURITY")


def downgrade() -> None:
    op.execute("ALTER TABLE IF EXISTS tasks DROP CONSTRAINT IF EXISTS tasks_user_id_fkey")
