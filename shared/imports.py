"""Imports are most of a cold start: what they need not do is switched off meanwhile."""

import gc


def begin() -> None:
    """Import FastAPI first of all libraries, with the collector off: imports leave no garbage."""
    gc.disable()
    _import_fastapi()


def end() -> None:
    """Switch the collector on again; what has been imported is never looked through."""
    gc.freeze()
    gc.enable()


def _import_fastapi() -> None:
    """Import FastAPI without building its models of an OpenAPI document, which no function makes.

    What is put off is built where it is needed, as by `make openapi`. docs/performance.md says what
    it gives.
    """
    from pydantic import BaseModel  # noqa: PLC0415 (not before the collector is off)

    BaseModel.model_config["defer_build"] = True
    import fastapi  # noqa: F401, PLC0415

    del BaseModel.model_config["defer_build"]
