"""The tasks, each visible to its owner alone."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ROLE = "tasks_user"
SORT_KEYS = ("created_at", "updated_at", "title")

# Roles belong to the whole server: another database, or another migration at this moment, may have
# made it. A login that is no superuser may not act as the role by itself, even if it made it.
CREATE_ROLE = f"""
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{ROLE}') THEN
        CREATE ROLE {ROLE} NOLOGIN;
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN
        NULL;
    WHEN insufficient_privilege THEN
        RAISE insufficient_privilege USING MESSAGE =
            'This login may not create roles. Let one that may run: CREATE ROLE {ROLE} NOLOGIN; '
            || format('GRANT {ROLE} TO %I WITH ADMIN OPTION; then migrate again', current_user);
END
$$;
DO $$
BEGIN
    SET LOCAL ROLE {ROLE};
    RESET ROLE;
EXCEPTION WHEN insufficient_privilege THEN
    GRANT {ROLE} TO CURRENT_USER;
END
$$;
"""

DROP_ROLE = f"""
DO $$
BEGIN
    DROP ROLE IF EXISTS {ROLE};
EXCEPTION WHEN dependent_objects_still_exist OR insufficient_privilege THEN
    NULL;
END
$$;
"""

# Without a user the setting is NULL, or '' once a transaction has set it: no row equals either.
PROTECT = f"""
ALTER TABLE tasks ENABLE ROW LEVEL SECURITY;
ALTER TABLE tasks FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_only ON tasks
    USING (user_id = nullif(current_setting('app.user_id', true), ''))
    WITH CHECK (user_id = nullif(current_setting('app.user_id', true), ''));
GRANT SELECT, DELETE ON tasks TO {ROLE};
GRANT INSERT (user_id, title, description, completed) ON tasks TO {ROLE};
GRANT UPDATE (title, description, completed, updated_at, version) ON tasks TO {ROLE};
"""


def upgrade() -> None:
    op.execute(CREATE_ROLE)
    op.create_table(
        "tasks",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("user_id", sa.Text(collation="C"), nullable=False),
        sa.Column("title", sa.Text(collation="C"), nullable=False),
        sa.Column("description", sa.Text),
        sa.Column("completed", sa.Boolean, server_default=sa.false(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.Column(
            "updated_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.Column("version", sa.Integer, server_default="1", nullable=False),
        sa.CheckConstraint("char_length(user_id) BETWEEN 1 AND 255", name="user_id_length"),
        sa.CheckConstraint("char_length(title) BETWEEN 1 AND 255", name="title_length"),
        sa.CheckConstraint("char_length(description) <= 1000", name="description_length"),
        sa.CheckConstraint("version >= 1", name="version_positive"),
    )
    for key in SORT_KEYS:
        op.create_index(f"tasks_by_{key}", "tasks", ["user_id", key, "id"])
        op.create_index(f"tasks_by_completed_{key}", "tasks", ["user_id", "completed", key, "id"])
    op.execute(PROTECT)


def downgrade() -> None:
    op.drop_table("tasks")
    op.execute("DROP TABLE IF EXISTS alembic_version_link_users")  # the link went with the table
    op.execute(DROP_ROLE)
