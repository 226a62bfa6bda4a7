"""Postgres ends under load, in every way it can, and comes back."""

import signal
from collections.abc import Iterator
from time import sleep

import pytest

from local.issuer import Issuer
from tests.reliability.conftest import Note
from tests.reliability.ledger import Writer, check, writing
from tests.reliability.postgres import Postgres
from tests.reliability.support import users

WRITERS = 8
BEFORE, DOWN = 1.0, 0.5  # seconds


@pytest.fixture
def writers(postgres: Postgres, database: str, tokens: Issuer) -> Iterator[list[Writer]]:
    """Writers in environments of their own, on one database."""
    with users(tokens, WRITERS, postgres.url(database, "api")) as members:
        yield [Writer(user, f"writer {number}") for number, user in enumerate(members)]


class TestAcknowledgedWrites:
    def test_outlive_a_crash_of_postgres(
        self, postgres: Postgres, database: str, writers: list[Writer], note: Note
    ) -> None:
        """Postgres crashes; acknowledged writes are still there."""
        with writing(writers):
            for _ in range(2):
                sleep(BEFORE)
                postgres.crash()
                sleep(DOWN)
                postgres.start()
        with postgres.admin(database) as table:
            note(f"2 crashes: {check(writers, table)}")

    @pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["fast", "immediate"])
    def test_outlive_a_restart_of_postgres(
        self,
        postgres: Postgres,
        database: str,
        writers: list[Writer],
        note: Note,
        how: signal.Signals,
    ) -> None:
        """Postgres restarts; acknowledged writes are still there."""
        with writing(writers):
            sleep(BEFORE)
            postgres.stop(how)
            sleep(DOWN)
            postgres.start()
        with postgres.admin(database) as table:
            note(check(writers, table))

    def test_outlive_their_backends(
        self, postgres: Postgres, database: str, writers: list[Writer], note: Note
    ) -> None:
        """Postgres terminates its backends; acknowledged writes are still there."""
        times = 10
        with writing(writers), postgres.admin(database) as admin:
            for _ in range(times):
                sleep(0.1)
                postgres.terminate(admin)
        with postgres.admin(database) as table:
            note(f"all backends terminated {times} times: {check(writers, table)}")

    def test_outlive_one_killed_backend_and_the_recovery_it_causes(
        self, postgres: Postgres, database: str, writers: list[Writer], note: Note
    ) -> None:
        """One backend is killed, and Postgres recovers; acknowledged writes are still there."""
        with writing(writers):
            sleep(BEFORE)
            postgres.kill_backend(database)
        with postgres.admin(database) as table:
            note(check(writers, table))
