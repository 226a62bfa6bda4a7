"""Tasks go with their user, where Better Auth keeps its users in this database."""

from migrations.link import link, unlink

revision = "link_users_0001"
down_revision = None


def upgrade() -> None:
    link("tasks")


def downgrade() -> None:
    unlink("tasks")
