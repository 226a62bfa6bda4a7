"""`make test-browser-sam`: the page in a real browser, with the API in Lambda's containers."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import httpx2

from local.command import HOST, free_port
from local.demo import CONFIGURATION, serving_page
from local.issuer import publishing
from local.postgres import DATABASE
from local.sam import THIS_MACHINE, bridge
from local.services import migrate, start_database
from local.state import ROOT, STATE
from tests.browser.playwright import playwright

LOG = STATE / "browser-sam.log"
STARTED_WITHIN = 600  # seconds: the build, and the first container


@contextmanager
def gateway(port: int, **variables: str) -> Iterator[str]:
    """What `make sam-local` runs, as soon as it answers; yields its address."""
    others = {name: value for name, value in os.environ.items() if name not in CONFIGURATION}
    STATE.mkdir(exist_ok=True)
    with LOG.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "local", "sam"],
            cwd=ROOT,
            env=others | {"PORT": str(port)} | variables,
            stdout=log,
            stderr=log,
        )
    address = f"http://{HOST}:{port}"
    try:
        deadline = time.monotonic() + STARTED_WITHIN
        while not answers(address):
            if process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"sam local does not serve the API; {LOG} says why.")
            time.sleep(0.5)
        yield address
    finally:
        process.terminate()
        process.wait()


def answers(address: str) -> bool:
    """Whether the API is up."""
    try:
        return httpx2.get(f"{address}/health", timeout=60).is_success
    except httpx2.HTTPError:
        return False


def main(*arguments: str) -> int:
    """Run the tests; the exit status."""
    address = bridge()
    port = free_port("PORT", 0)
    with TemporaryDirectory() as name, ExitStack() as held:
        folder = Path(name)
        postgres = start_database(held, folder / "postgres", address)
        database, login = postgres.database_url(DATABASE), postgres.tcp_url(THIS_MACHINE)
        migrate(database, login=login)
        addresses = {"DATABASE_URL": database, "API_URL": f"http://{HOST}:{port}"}
        page = held.enter_context(serving_page(folder, 0, **addresses))
        # Containers do not reach the page, which listens on loopback only.
        key_set = httpx2.get(f"{page.url}/api/auth/jwks").json()
        key_set_url = urlsplit(held.enter_context(publishing(key_set, address)))
        api = gateway(
            port,
            DATABASE_URL=login,
            BETTER_AUTH_URL=page.url,
            JWKS_URL=key_set_url._replace(netloc=f"{THIS_MACHINE}:{key_set_url.port}").geturl(),
            ALLOWED_ORIGINS=page.url,
        )
        api_url = held.enter_context(api)
        return playwright("--project=sam", *arguments, PAGE_URL=page.url, API_URL=api_url)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
