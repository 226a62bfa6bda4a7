"""What a million requests cost, out of measured times. Prices of us-east-1, arm64, in dollars."""

from math import ceil
from typing import Any

from benchmarks.measure import Figures

REQUESTS = 0.20  # Lambda, for a million
GATEWAY = 1.00  # HTTP API, for a million
GIGABYTE_SECOND = 0.0000133334
LOGS = 0.50  # CloudWatch, for a GB taken in
LOG_BYTES = 300 + 450  # our line, and the gateway's
FULL_CPU = 1769  # MB at which Lambda gives a whole CPU
SIZES = (512, 1024, FULL_CPU)
RESTORE = 0.0001397998  # SnapStart, for a GB restored
CACHE = 0.0000015046  # SnapStart, for a GB-second that a version is kept
COLD = 0.01  # of all requests
NETWORK = 2.0  # milliseconds to the database and back, in the same region


def times(results: dict[str, Any]) -> tuple[float, float, float]:
    """Milliseconds of CPU and of waiting of one operation, and those of one start."""
    cpu = results["warm"]["cpu"]["tasks"]["mean"]
    wait = max(0.0, results["warm"]["clock"]["tasks"]["mean"] - cpu)
    return cpu, wait, results["cold"]["plain"]["tasks"]


def cost(cpu: float, wait: float, initialisation: float) -> dict[int, Figures]:
    """The steps of the arithmetic for each size; milliseconds of one operation and of one start.

    A share of a CPU makes the work of the processor longer, not the waiting.
    """
    found = {}
    for size in SIZES:
        slower = FULL_CPU / size
        duration = ceil(cpu * slower + wait + NETWORK)
        start = ceil(initialisation * slower)
        gigabytes = size / 1024
        warm = gigabytes * duration / 1000 * 1e6 * GIGABYTE_SECOND
        cold = gigabytes * start / 1000 * 1e6 * COLD * GIGABYTE_SECOND
        fixed = REQUESTS + GATEWAY + LOGS * LOG_BYTES * 1e6 / 1e9
        found[size] = {
            "duration": duration,
            "start": start,
            "warm": warm,
            "cold": cold,
            "fixed": fixed,
            "all": warm + cold + fixed,
        }
    return found
