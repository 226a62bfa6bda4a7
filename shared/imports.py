"""Imports are most of a cold start, and leave no garbage: the collector rests meanwhile."""

import gc


def begin() -> None:
    """Switch the collector off, before the first import of a library."""
    gc.disable()


def end() -> None:
    """Switch it on again; what has been imported is never looked through."""
    gc.freeze()
    gc.enable()
