"""The key that makes a create safe to repeat (IETF draft, Idempotency-Key HTTP Header Field)."""

import re
from typing import Annotated

from fastapi import Depends, Header

from shared.http.problems import Malformed

PRINTABLE = re.compile(r"[ -~]{1,255}")


async def _idempotency_key(
    idempotency_key: Annotated[
        str | None, Header(description="1 to 255 printable ASCII characters, new for each task.")
    ] = None,
) -> str | None:
    if idempotency_key is not None and not PRINTABLE.fullmatch(idempotency_key):
        raise Malformed("Idempotency-Key must be 1 to 255 printable ASCII characters.")
    return idempotency_key


IdempotencyKey = Annotated[str | None, Depends(_idempotency_key)]
"""The key of a create, if it has one."""
