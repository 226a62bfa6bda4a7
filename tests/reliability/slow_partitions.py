"""Everything that is asked of the operations is asked again of tables in hash partitions."""

import os
import subprocess
import sys
from pathlib import Path

from sqlmodel import SQLModel

from local.partitions import partition
from tests.conftest import POSTGRES, ROOT, any_database
from tests.reliability.conftest import Note
from tests.reliability.postgres import TEMPLATE, durable

PARTITIONS = 16
SUITES = ("tests/functions", "tests/test_isolation.py", "tests/test_hostile.py")


class TestTablesInPartitions:
    def test_serve_all_that_is_asked_of_the_operations(self, tmp_path: Path, note: Note) -> None:
        """The tables are hash partitions; every operation works as before."""
        with durable(tmp_path) as server:
            with server.admin(TEMPLATE) as admin:
                partition(admin, list(SQLModel.metadata.tables), PARTITIONS)
            suite = subprocess.run(
                [sys.executable, "-m", "pytest", "-q", "-n2", "-p", "no:cacheprovider", *SUITES],
                cwd=ROOT,
                env=os.environ | {POSTGRES: any_database(server.socket_url("{}"))},
                capture_output=True,
                text=True,
                check=False,
            )
        assert suite.returncode == 0, suite.stdout
        note(f"{PARTITIONS} partitions: {suite.stdout.splitlines()[-1].partition(' in ')[0]}")
