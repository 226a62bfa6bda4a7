"""The schedule that forgets idempotency keys a day after their first use."""

import json
from collections.abc import Callable, Iterator
from importlib import reload

import pytest

from functions import clean_idempotency_keys
from local.network import closed_port
from shared.database.connection import disconnect, pool
from shared.http.problems import DatabaseUnavailable
from tests.conftest import User, database_url, fresh_database
from tests.functions.support import CREATE, admin, another_database, task


class Context:
    """What Lambda says of an invocation."""

    def __init__(self, *left: int) -> None:
        self._left = list(left)

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds that are left, each time a bit less."""
        return self._left.pop(0) if len(self._left) > 1 else self._left[0]


Use = Callable[[User, str, int], None]


@pytest.fixture
def database() -> Iterator[str]:
    """A database of one's own, so that there are no other keys."""
    with fresh_database() as name, another_database(database_url(name, "api")):
        yield name


@pytest.fixture
def use(database: str) -> Use:
    """Has a user use a key some hours ago."""

    def used(user: User, key: str, hours: int) -> None:
        task(CREATE.ask(user, headers={"Idempotency-Key": key}), 201)
        with admin(database) as connection:
            connection.execute(
                "update idempotency_keys set created_at = created_at - make_interval(hours => %s)"
                " where user_id = %s and key = %s",
                [hours, user.subject, key],
            )

    return used


def clean(*left: int) -> int:
    return clean_idempotency_keys.handler({}, Context(*left or (60_000,)))["forgotten"]


def kept(database: str) -> set[tuple[str, str]]:
    with admin(database) as connection:
        return set(connection.execute("select user_id, key from idempotency_keys").fetchall())


class TestSchedule:
    def test_forgets_everybodys_old_keys_and_no_others(
        self, alice: User, bob: User, database: str, use: Use
    ) -> None:
        for user in (alice, bob):
            use(user, "old", 25)
            use(user, "still good", 23)
        assert clean() == 2
        assert kept(database) == {(user.subject, "still good") for user in (alice, bob)}
        assert clean() == 0

    @pytest.mark.usefixtures("database")
    def test_leaves_the_tasks(self, alice: User, use: Use) -> None:
        use(alice, "old", 25)
        clean()
        assert len(alice.list().json()) == 1

    def test_goes_on_while_batches_are_full_and_ends_in_time(
        self, alice: User, database: str, use: Use, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(clean_idempotency_keys, "BATCH", 2)
        for number in range(7):
            use(alice, f"{number}", 25)
        assert clean(60_000, 30_000, 10_000) == 4
        assert len(kept(database)) == 3
        assert clean() == 3

    def test_waits_for_no_create_that_uses_an_old_key_now(
        self, alice: User, database: str, use: Use
    ) -> None:
        use(alice, "old", 25)
        with admin(database) as connection, connection.transaction():
            connection.execute("select from idempotency_keys for update")
            assert clean() == 0
        assert clean() == 1

    @pytest.mark.usefixtures("database")
    def test_says_how_many_in_the_log_and_a_metric(
        self,
        alice: User,
        use: Use,
        capsys: pytest.CaptureFixture[str],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        use(alice, "old", 25)
        capsys.readouterr()
        caplog.clear()
        clean()
        [metric] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert metric["KeysForgotten"] == [1.0]
        [record] = caplog.records
        assert vars(record)["keys"] == 1
        assert alice.subject not in str(vars(record))

    def test_fails_where_the_database_is_not_there(self) -> None:
        nowhere = f"postgresql://api@127.0.0.1:{closed_port()}/tasks"
        with another_database(nowhere), pytest.raises(DatabaseUnavailable):
            clean()


def test_connects_before_its_first_run_in_lambda(monkeypatch: pytest.MonkeyPatch) -> None:
    disconnect()
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "clean_idempotency_keys")
    reload(clean_idempotency_keys)
    assert pool.held
