"""Imports are most of a cold start: what they are spared, before the first one and after the last.

Neither the collector, nor a document that is never made, nor a compiler has any business in there.
"""

import gc

from shared import precompiled


def begin() -> None:
    """Import FastAPI before anything else does, without the collector, by the build's tables.

    A fifth of FastAPI's import goes into models of OpenAPI documents. `defer_build`, pydantic's own
    switch, puts off building them until they are used.
    """
    gc.disable()
    if tables := precompiled.load():
        precompiled.use(tables)
    from pydantic import BaseModel  # noqa: PLC0415 (not before this line)

    BaseModel.model_config["defer_build"] = True
    import fastapi  # noqa: F401, PLC0415

    del BaseModel.model_config["defer_build"]


def end() -> None:
    """Compile and collect from now on, but never look through what has been imported."""
    precompiled.drop()
    gc.freeze()
    gc.enable()
