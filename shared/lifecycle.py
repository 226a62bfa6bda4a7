"""What happens before the first request, and around a SnapStart snapshot.

In Lambda, importing a function is its initialisation: a wrong configuration fails there, and what
the first request needs is fetched there. Elsewhere nothing happens until a request comes.
"""

import os

from shared.auth.tokens import verifier
from shared.database import connection as database
from shared.secrets import database_url
from shared.settings import settings

SNAP_START = "snap-start"


def initialise(*, authenticated: bool) -> None:
    """Prepare a Lambda environment.

    Raises:
        ConfigurationError: the environment is wrong; the message names the variables.
    """
    settings()
    database_url()
    if authenticated:
        verifier().warm(wait=False)  # while the database is connected
    if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == SNAP_START:
        _hook_into_snapshot(authenticated=authenticated)
    else:
        database.connect()
    if authenticated:
        verifier().warm()


def _hook_into_snapshot(*, authenticated: bool) -> None:
    """No connection survives a snapshot, and a key set may be weeks old when it is restored."""
    from snapshot_restore_py import (  # noqa: PLC0415 (only Lambda's runtime has it)
        register_after_restore,
        register_before_snapshot,
    )

    def restore() -> None:
        if authenticated:
            verifier().warm(wait=False)
        database.connect()

    register_before_snapshot(database.disconnect)
    register_after_restore(restore)
