"""`make test-browser`: the page in a real browser, against all that `make demo` runs."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory

from local import demo
from local.postgres import running
from local.services import migrate
from local.state import ROOT, STATE
from tests.browser.playwright import playwright

LOG = STATE / "browser.log"  # what the API says
ANY_PORT = {"PORT": "0", "WEB_PORT": "0"}
# Each token is refused 12 s after it was made: the API grants clocks a difference of 10 s.
SHORT_LIVED = {"TOKEN_LIFETIME": "2s"}
# All tests sign in from one address.
ATTEMPTS = {"SIGN_INS_PER_MINUTE": "200"}


@contextmanager
def documentation(folder: Path) -> Iterator[str]:
    """What `make dev` serves, on a database of its own; yields its address."""
    environment = {k: v for k, v in os.environ.items() if k not in demo.CONFIGURATION}
    with running(folder, durable=False) as postgres:
        migrate(postgres.database_url())
        process = subprocess.Popen(
            [sys.executable, "-m", "local", "dev"],
            cwd=ROOT,
            env=environment | {"DATABASE_URL": postgres.database_url()},
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout
            line = next(line for line in process.stdout if line.startswith("Documentation: "))
            yield line.split()[1].removesuffix("/docs")
        finally:
            process.terminate()
            process.wait()


def main(*arguments: str) -> int:
    """Run the tests; the exit status."""
    os.environ.update(ANY_PORT | SHORT_LIVED | ATTEMPTS)
    STATE.mkdir(exist_ok=True)
    with (
        TemporaryDirectory() as folder,
        LOG.open("w") as log,
        redirect_stdout(log),
        documentation(Path(folder) / "documentation") as docs,
        demo.running(Path(folder) / "demo") as it,
    ):
        addresses = {"PAGE_URL": it.page.url, "API_URL": it.api, "DOCS_URL": docs}
        # What is measured is measured alone.
        for project in ("page", "measures"):
            selected = (f"--project={project}", "--pass-with-no-tests", *arguments)
            if status := playwright(*selected, **addresses):
                return status
        return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
