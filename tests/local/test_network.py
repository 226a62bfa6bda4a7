"""The network of the tests, which is no door to the Postgres behind it."""

from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from local.network import proxy


class TestProxy:
    def test_of_a_socket_is_a_socket_in_a_folder_that_others_cannot_enter(self) -> None:
        with proxy("postgresql://api@/tasks?host=/nowhere&port=5433") as made:
            parts = conninfo_to_dict(made.url)
            folder = Path(str(parts["host"]))
            assert (parts["user"], parts["port"], parts["dbname"]) == ("api", "5433", "tasks")
            assert (folder / ".s.PGSQL.5433").is_socket()
            assert folder.stat().st_mode & 0o777 == 0o700
        assert not folder.exists()

    def test_of_tcp_asks_for_the_same_password(self) -> None:
        with proxy("postgresql://api:s3cr%2Ft%40@127.0.0.1:5433/tasks") as made:
            parts = conninfo_to_dict(made.url)
            assert (parts["user"], parts["password"]) == ("api", "s3cr/t@")
            assert (parts["host"], parts["dbname"]) == ("127.0.0.1", "tasks")
            assert parts["port"] != "5433"
