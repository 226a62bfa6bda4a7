"""Doing things at once, and waiting for what comes of it."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from time import monotonic, sleep
from typing import TypeVar

TOGETHER_WITHIN = 30  # seconds

T = TypeVar("T")
A = TypeVar("A")


def together(work: Callable[[A], T], arguments: Sequence[A]) -> list[T]:
    """Do the same with each of these, all at once."""
    barrier = Barrier(len(arguments))

    def start(argument: A) -> T:
        barrier.wait(TOGETHER_WITHIN)
        return work(argument)

    with ThreadPoolExecutor(len(arguments)) as threads:
        return list(threads.map(start, arguments))


def until(condition: Callable[[], object], seconds: float = 5) -> bool:
    """Wait until something is so; whether it came to be."""
    deadline = monotonic() + seconds
    while not (true := condition()) and monotonic() < deadline:
        sleep(0.01)
    return bool(true)
