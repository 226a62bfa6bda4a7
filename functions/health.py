"""GET /health: whether the database answers, and has what the statements need."""

from typing import Literal

from pydantic import BaseModel, ConfigDict
from sqlalchemy import exists, false, select
from sqlmodel import SQLModel

import shared.models  # noqa: F401 (fills the metadata)
from shared.app import create_app, lambda_handler
from shared.database.database import Database
from shared.database.sql import Statement

# Every column of every table must be there, and no row is looked at.
COLUMNS = [column for table in SQLModel.metadata.sorted_tables for column in table.columns]
PROBE = Statement(select(exists(select(*COLUMNS).where(false()))))

app = create_app(public=True)


class Health(BaseModel):
    """All is well."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "ok"}]})

    status: Literal["ok"] = "ok"


@app.get("/health", summary="Health")
async def health() -> Health:
    """Answers as long as the database does; needs no token."""
    Database().read(PROBE)
    return Health()


handler = lambda_handler(app)
