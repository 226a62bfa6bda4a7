"""By a schedule: forgets idempotency keys that are no longer good. No route leads here."""

import os
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit

from shared import imports
from shared.database.database import Database
from shared.database.statements import forget_old_keys
from shared.lifecycle import initialise
from shared.observability import logger, metrics

BATCH = 1000
TIME_LEFT = 15_000  # milliseconds: a batch takes no longer

if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    initialise(authenticated=False)
imports.end()


def handler(_event: dict[str, Any], context: Any) -> dict[str, int]:
    """Forget keys in batches while there are any, and time.

    What is left is the next run's: until then a key that is a day old is as good as a new one.
    """
    forgotten, in_batch = 0, BATCH
    while in_batch == BATCH and context.get_remaining_time_in_millis() > TIME_LEFT:
        [(in_batch,)] = Database().write(forget_old_keys(), {"batch": BATCH}, repeatable=True)
        forgotten += in_batch
    metrics.add_metric("KeysForgotten", MetricUnit.Count, forgotten)
    metrics.flush_metrics()
    logger.info("keys forgotten", extra={"keys": forgotten})
    return {"forgotten": forgotten}
