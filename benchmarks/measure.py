"""How figures are made: interleaved, as medians, and compared only within one run."""

import random
import sys
from collections.abc import Callable, Mapping
from statistics import median
from time import perf_counter

Figures = dict[str, float]
STARTED = perf_counter()


def say(text: str) -> None:
    """Show how far it has come."""
    print(f"{perf_counter() - STARTED:5.0f} s  {text}", file=sys.stderr, flush=True)


def interleaved(jobs: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Do each job once a round, in another order each time, after a round that does not count."""
    found: dict[str, list[float]] = {name: [] for name in jobs}
    for number in range(rounds + 1):
        for name in random.sample(list(jobs), len(jobs)):
            figure = jobs[name]()
            if number:
                found[name].append(figure)
    return found


def medians(found: Mapping[str, list[float]]) -> Figures:
    """The median of each."""
    return {name: median(figures) for name, figures in found.items()}


def percentile(figures: list[float], share: float) -> float:
    """The figure that so great a share of all does not exceed."""
    return sorted(figures)[min(len(figures) - 1, int(len(figures) * share))]
