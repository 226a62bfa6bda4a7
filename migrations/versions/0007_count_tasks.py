"""A user's tasks are counted by a function: a create has it at hand and seldom calls it.

As a part of the create's own statement, the count was set up each time. The function has the rights
of the role that calls it, and row-level security holds in it.
"""

from alembic import op

revision = "0007"
down_revision = "0006"

ROLE = "tasks_user"

# Its text is read when it is called, so that it does not hold on to a table that is replaced by one
# in partitions.
COUNT = f"""
CREATE FUNCTION count_tasks(owner text, most integer) RETURNS integer
LANGUAGE sql STABLE SET search_path FROM CURRENT
AS $$
    SELECT count(*)::integer FROM (SELECT FROM tasks WHERE user_id = owner LIMIT most) AS own
$$;
REVOKE EXECUTE ON FUNCTION count_tasks(text, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION count_tasks(text, integer) TO {ROLE};
"""


def upgrade() -> None:
    op.execute(COUNT)


def downgrade() -> None:
    op.execute("DROP FUNCTION count_tasks(text, integer)")
