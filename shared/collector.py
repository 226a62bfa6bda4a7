"""The garbage collector, off while a function is imported.

Imports are most of a cold start. They make many objects and hardly any garbage.
"""

import gc


def pause() -> None:
    """Switch it off, before the first import of a library."""
    gc.disable()


def resume() -> None:
    """Switch it on again. What has been imported stays, and is never looked through."""
    gc.freeze()
    gc.enable()
