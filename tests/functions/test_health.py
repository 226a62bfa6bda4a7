"""GET /health."""

import httpx2
import pytest

from shared.auth import middleware as auth
from tests.conftest import User
from tests.functions.support import another_database, problem

UNREACHABLE = "postgresql://nobody@127.0.0.1:1/nothing"


class TestHealth:
    def test_answers_ok_without_a_token(self, api: httpx2.Client) -> None:
        answer = api.get("/health")
        assert answer.status_code == 200
        assert answer.json() == {"status": "ok"}
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-request-id"]

    @pytest.mark.parametrize("authorization", ["Bearer nonsense", "", "Basic x"])
    def test_looks_at_no_token(self, api: httpx2.Client, authorization: str) -> None:
        answer = api.get("/health", headers={"Authorization": authorization})
        assert answer.status_code == 200

    def test_answers_503_when_the_database_does_not_answer(self, api: httpx2.Client) -> None:
        with another_database(UNREACHABLE):
            answer = api.get("/health")
        problem(answer, 503)
        assert int(answer.headers["retry-after"]) >= 1

    def test_speaks_of_the_database_alone(
        self, api: httpx2.Client, alice: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def no_key_set() -> None:
            raise AssertionError("health asked for the key set")

        monkeypatch.setattr(auth, "verifier", no_key_set)
        assert api.get("/health").status_code == 200
