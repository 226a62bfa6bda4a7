"""GET /health: whether the database answers."""

from typing import Literal

from sqlalchemy import literal, select
from sqlmodel import SQLModel

from shared.app import create_app, lambda_handler
from shared.database.database import Database
from shared.database.sql import Statement

PROBE = Statement(select(literal(1)))

app = create_app(public=True)


class Health(SQLModel):
    """All is well."""

    status: Literal["ok"] = "ok"


@app.get("/health", summary="Health")
async def health() -> Health:
    """Answers as long as the database does; needs no token."""
    Database().read(PROBE)
    return Health()


handler = lambda_handler(app)
