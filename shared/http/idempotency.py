"""The key that makes a create safe to repeat (IETF draft, Idempotency-Key HTTP Header Field)."""

import re
from typing import Annotated

from fastapi import Depends, Header

from shared.http.problems import Malformed

PRINTABLE = re.compile(r"[ -~]{1,255}")

DESCRIPTION = """\
A key that makes the create safe to repeat: 1 to 255 printable ASCII characters, new for each task.
A UUID is a good one.

For 24 hours, the same key with the same body gives the first response again, with
`Idempotency-Replayed: true`, and no second task. With another body the response is 422. While the
first create is not done yet, it is 409: repeat it in a moment. After that day the key is forgotten,
and the same request creates another task. Keys of other users do not matter.
"""


async def _idempotency_key(
    idempotency_key: Annotated[str | None, Header(description=DESCRIPTION)] = None,
) -> str | None:
    if idempotency_key is not None and not PRINTABLE.fullmatch(idempotency_key):
        raise Malformed("Idempotency-Key must be 1 to 255 printable ASCII characters.")
    return idempotency_key


IdempotencyKey = Annotated[str | None, Depends(_idempotency_key)]
"""The key of a create, if it has one."""
