"""The link of a table's rows to the user table that Better Auth keeps in this database."""

from alembic import op

# Unchecked at first, so that writers wait only for a moment. May be repeated after rows without a
# user have made the check fail.
LINK = """
ALTER TABLE {table}
    DROP CONSTRAINT IF EXISTS {table}_user_id_fkey,
    ADD CONSTRAINT {table}_user_id_fkey
        FOREIGN KEY (user_id) REFERENCES "user" (id) ON DELETE CASCADE NOT VALID
"""

# The check reads as the table's owner, whom forced row-level security shows no row. A policy for
# the check leaves that security in force for all others, even when this is killed in the middle.
SHOW = """
DROP POLICY IF EXISTS validation ON {table};
CREATE POLICY validation ON {table} FOR SELECT TO CURRENT_USER USING (true);
"""


def link(table: str) -> None:
    """Let the rows of a table go with their user."""
    op.execute(LINK.format(table=table))
    # Each statement by itself: the check takes long, and must hold no lock that writers wait for.
    with op.get_context().autocommit_block():
        op.execute(SHOW.format(table=table))
        try:
            op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {table}_user_id_fkey")
        finally:
            op.execute(f"DROP POLICY validation ON {table}")


def unlink(table: str) -> None:
    """Let the rows of a table stay when their user goes."""
    op.execute(f"ALTER TABLE IF EXISTS {table} DROP CONSTRAINT IF EXISTS {table}_user_id_fkey")
