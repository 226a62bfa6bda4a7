"""Run by a schedule, without a route: delete idempotency keys of more than a day."""

import os
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit

from shared import collector
from shared.database.database import Database
from shared.database.statements import forget_old_keys
from shared.lifecycle import initialise
from shared.observability import logger, metrics

BATCH = 1000
TIME_LEFT = 15_000  # milliseconds: a batch takes no longer

if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    initialise(authenticated=False)
collector.resume()


def handler(_event: dict[str, Any], context: Any) -> dict[str, int]:
    """Delete old keys in batches, as long as there are any and there is time.

    The next run deletes the rest. To a create, a key of more than a day is new, deleted or not.
    """
    forgotten, in_batch = 0, BATCH
    while in_batch == BATCH and context.get_remaining_time_in_millis() > TIME_LEFT:
        [(in_batch,)] = Database().write(forget_old_keys(), {"batch": BATCH}, repeatable=True)
        forgotten += in_batch
    metrics.add_metric("KeysForgotten", MetricUnit.Count, forgotten)
    metrics.flush_metrics()
    logger.info("keys forgotten", extra={"keys": forgotten})
    return {"forgotten": forgotten}
