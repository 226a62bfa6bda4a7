"""The primary key begins with the owner; a task has its number; room on each page.

All of it is a moment's work: the index is there, the new column has no default, and what the table
stores already stays as it is.
"""

from alembic import op

revision = "0005"
down_revision = "0004"

ROLE = "tasks_user"

# A toggle changes no indexed column: with room on the page it stays there, and touches no index.
# By default a fifth of the rows may be dead before they are vacuumed, of a billion 200 million, and
# a page must be all-visible for a count that reads the index only.
STORAGE = """
ALTER TABLE tasks SET (
    fillfactor = 90,
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_insert_scale_factor = 0.02,
    autovacuum_analyze_scale_factor = 0.02
)
"""
DEFAULTS = """
ALTER TABLE tasks RESET (
    fillfactor,
    autovacuum_vacuum_scale_factor,
    autovacuum_vacuum_insert_scale_factor,
    autovacuum_analyze_scale_factor
)
"""


def upgrade() -> None:
    op.execute(
        "ALTER TABLE tasks DROP CONSTRAINT tasks_pkey,"
        " ADD CONSTRAINT tasks_pkey PRIMARY KEY USING INDEX tasks_by_owner"
    )
    op.execute("ALTER TABLE tasks ADD COLUMN ordinal integer")
    op.execute(f"GRANT INSERT (ordinal) ON tasks TO {ROLE}")
    op.execute(STORAGE)


def downgrade() -> None:
    op.execute(DEFAULTS)
    op.execute("ALTER TABLE tasks DROP COLUMN ordinal")
    op.execute("ALTER TABLE tasks DROP CONSTRAINT tasks_pkey, ADD PRIMARY KEY (id)")
    op.execute("CREATE UNIQUE INDEX tasks_by_owner ON tasks (user_id, id)")
