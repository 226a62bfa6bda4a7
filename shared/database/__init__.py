"""The Neon Postgres connection, the statements on tasks, and their repository."""
