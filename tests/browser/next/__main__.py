"""`make test-next`: the Next.js application, built for production, in a real browser."""

import os
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory

from local.next import APPLICATION, next_command, running
from local.state import STATE
from tests.browser.next.relay import relaying
from tests.browser.playwright import playwright

LOG = STATE / "next.log"  # what the API says
ANY_PORT = {"PORT": "0", "NEXT_PORT": "0"}
# Each token is refused 12 s after it was made: the API grants clocks a difference of 10 s.
SHORT_LIVED = {"TOKEN_LIFETIME": "2s"}
# All tests sign in from one address.
ATTEMPTS = {"SIGN_INS_PER_MINUTE": "200"}


def build() -> int:
    """Check the application's types and build it, without anything that it needs when it runs."""
    command = next_command(APPLICATION, "build")
    return subprocess.run(command, cwd=APPLICATION, check=False).returncode


def main(*arguments: str) -> int:
    """Run the tests; the exit status."""
    os.environ.update(ANY_PORT | SHORT_LIVED | ATTEMPTS)
    STATE.mkdir(exist_ok=True)
    if failed := build():
        return failed
    with (
        TemporaryDirectory() as folder,
        LOG.open("w") as log,
        relaying() as (relay, switch),
        redirect_stdout(log),
        running(Path(folder), "start", through=relay.towards) as it,
    ):
        addresses = {"PAGE_URL": it.url, "API_URL": it.api, "RELAY_URL": switch}
        return playwright("--project=next-outage", *arguments, **addresses)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
