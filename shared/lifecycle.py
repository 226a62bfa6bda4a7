"""What happens before the first request, and around a SnapStart snapshot.

In Lambda, importing a function is its initialisation: a wrong configuration fails there, and what
the first request needs is fetched there. Elsewhere nothing happens until a request comes.
"""

import os
from contextlib import suppress

from shared.auth.tokens import verifier
from shared.database.connection import connect, disconnect
from shared.secrets import database_url, pseudonym_key
from shared.settings import ConfigurationError, UnreadableSecretError, settings

SNAP_START = "snap-start"


def initialise(*, authenticated: bool, asks_database: bool = True) -> None:
    """Prepare a Lambda environment.

    Raises:
        ConfigurationError: the environment or a secret is wrong; the message names the variables.
        UnreadableSecretError: a secret cannot be read, which a snapshot does without.
    """
    settings()
    if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == SNAP_START:
        _hook_into_snapshot(authenticated=authenticated, asks_database=asks_database)
        # The first versions of a stack are published, and so initialised, before the right
        # of their role to read secrets has reached all of IAM. They are read when it is restored.
        with suppress(UnreadableSecretError):
            _prepare(authenticated=authenticated, asks_database=False)
    else:
        _prepare(authenticated=authenticated, asks_database=asks_database)


def _prepare(*, authenticated: bool, asks_database: bool) -> None:
    database_url()
    if authenticated:
        pseudonym_key()
        verifier().keys.warm(wait=False)  # while the database is connected
    if asks_database:
        connect()
    if authenticated:
        verifier().keys.warm()


def _hook_into_snapshot(*, authenticated: bool, asks_database: bool) -> None:
    """No connection survives a snapshot, and a key set may be weeks old when it is restored."""
    from snapshot_restore_py import (  # noqa: PLC0415 (only Lambda's runtime has it)
        register_after_restore,
        register_before_snapshot,
    )

    def restore() -> None:
        with suppress(ConfigurationError):  # the first request reports it
            if authenticated:
                verifier().keys.warm(wait=False)
            if asks_database:
                connect()
            if authenticated:
                pseudonym_key()

    register_before_snapshot(disconnect)
    register_after_restore(restore)
