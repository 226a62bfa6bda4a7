"""GET /health."""

import httpx2
import pytest
from sqlmodel import SQLModel

from functions.health import PROBE
from shared.auth import middleware as auth
from shared.database.scope import ROLE
from tests.conftest import User, database_url, fresh_database
from tests.functions.support import admin, another_database, problem

COLUMNS = [
    (table.name, column.name)
    for table in SQLModel.metadata.sorted_tables
    for column in table.columns
]
UNREACHABLE = "postgresql://nobody@127.0.0.1:1/nothing"


class TestHealth:
    def test_answers_ok_without_a_token(self, api: httpx2.Client) -> None:
        response = api.get("/health")
        assert response.status_code == 200
        assert response.json() == {"status": "ok"}
        assert response.headers["content-type"] == "application/json"
        assert response.headers["x-request-id"]

    @pytest.mark.parametrize("authorization", ["Bearer nonsense", "", "Basic x"])
    def test_looks_at_no_token(self, api: httpx2.Client, authorization: str) -> None:
        response = api.get("/health", headers={"Authorization": authorization})
        assert response.status_code == 200

    def test_answers_503_when_the_database_does_not_answer(self, api: httpx2.Client) -> None:
        with another_database(UNREACHABLE):
            response = api.get("/health")
        problem(response, 503)
        assert int(response.headers["retry-after"]) >= 1

    @pytest.mark.parametrize("table", SQLModel.metadata.tables)
    def test_answers_503_where_a_table_is_missing(self, api: httpx2.Client, table: str) -> None:
        with fresh_database() as name, another_database(database_url(name, "api")):
            with admin(name) as connection:
                connection.execute(f"alter table {table} rename to gone")
            problem(api.get("/health"), 503)
            with admin(name) as connection:
                connection.execute(f"alter table gone rename to {table}")
            assert api.get("/health").status_code == 200

    def test_answers_503_where_a_column_is_missing(self, api: httpx2.Client) -> None:
        with (
            fresh_database() as name,
            another_database(database_url(name, "api")),
            admin(name) as connection,
        ):
            for table, column in COLUMNS:
                connection.execute(f"alter table {table} rename {column} to gone")
                problem(api.get("/health"), 503)
                connection.execute(f"alter table {table} rename gone to {column}")
            assert api.get("/health").status_code == 200

    def test_meets_a_defect_where_a_grant_was_forgotten(self, api: httpx2.Client) -> None:
        with fresh_database() as name, another_database(database_url(name, "api")):
            with admin(name) as connection:
                connection.execute(f"revoke select on tasks from {ROLE}")
            problem(api.get("/health"), 500)

    def test_looks_at_no_row(self, api: httpx2.Client) -> None:
        with admin() as connection, connection.transaction():
            connection.execute("select from tasks for update")
            assert api.get("/health").status_code == 200
            explained = connection.execute(b"explain " + PROBE.sql).fetchall()
        assert not any("Scan" in line for (line,) in explained)

    def test_speaks_of_the_database_alone(
        self, api: httpx2.Client, alice: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def no_key_set() -> None:
            raise AssertionError("health asked for the key set")

        monkeypatch.setattr(auth, "verifier", no_key_set)
        assert api.get("/health").status_code == 200
