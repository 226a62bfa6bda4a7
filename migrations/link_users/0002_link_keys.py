"""Idempotency keys, which hold what their task said, go with their user, too."""

from migrations.link import link, unlink

revision = "link_users_0002"
down_revision = "link_users_0001"


def upgrade() -> None:
    link("idempotency_keys")


def downgrade() -> None:
    unlink("idempotency_keys")
