"""The issuer's key set: fetched beside the requests, kept through the issuer's outages."""

import logging
import math
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from socket import SHUT_RDWR, socket
from urllib.parse import urlsplit, urlunsplit

from jwt import PyJWK

from shared.auth.keys import ALGORITHMS, find_key, read_keys
from shared.http.problems import Unavailable

# Seconds of the wall clock, because the monotonic one stands still while Lambda freezes a process.
# A wall clock can be set back: ages are distances, so that no set and no cooldown lasts for ever.
MAX_AGE = 10 * 60
MAX_OUTAGE = 24 * 60 * 60
COOLDOWN = 5
MAX_COOLDOWN = 60  # a mistaken Retry-After must not lock new keys out for a day

DEADLINE = 2  # seconds that a request waits for a fetch, and a fetch for the network
MAX_BYTES = 256 * 1024  # some hundred RSA keys

log = logging.getLogger(f"tasks.{__name__}")  # below the service's, whose lines are JSON


class KeySet:
    """The keys at an address.

    A known key is answered from memory, without waiting for the issuer. A set older than ten
    minutes is refreshed beside the request, and serves for a day if that fails. An unknown key
    makes its request wait for a fetch, at most 2 s, unless there was one in the last 5 s.
    """

    algorithms = frozenset(ALGORITHMS)

    def __init__(self, url: str, *, now: Callable[[], float] = time.time) -> None:
        """Take an http or https URL. Nothing is fetched yet."""
        self._url = url
        self._now = now
        self._lock = threading.Lock()
        self._last = self._good = _Fetch(url, now, at=-math.inf)

    def key(self, algorithm: str, kid: str | None, /) -> PyJWK | None:
        """Find a key, or None when the issuer has no such usable key.

        Raises:
            Unavailable: the key is not known and the last fetch failed. That the issuer has no
                such key would be a guess, and a frontend ends the session on a 401.
        """
        if found := self._find(algorithm, kid):
            self.warm(wait=False)
            return found
        fetch = self._fetch()
        fetch.join(DEADLINE)
        found = self._find(algorithm, kid)
        if not found and fetch.keys is None:
            raise Unavailable(
                "The issuer's key set cannot be reached for the moment. Nothing was written.",
                retry_after=max(1, math.ceil(fetch.cooldown - fetch.age())),
            )
        return found

    def renew(self) -> bool:
        """Tell that the keys have not changed: a new key has a kid of its own."""
        return False

    def warm(self, *, wait: bool = True) -> None:
        """Fetch the set if there is none younger than ten minutes; never raises.

        For the start of an environment, and for its restoration from a snapshot that may be weeks
        old. It waits for the fetch, at most 2 s, or lets it run beside what comes next.
        """
        if self._current().age() >= MAX_AGE:
            self._fetch().join(DEADLINE if wait else 0)

    def _find(self, algorithm: str, kid: str | None) -> PyJWK | None:
        fetch = self._current()
        keys = fetch.keys if fetch.age() < MAX_OUTAGE else None
        return find_key(keys or [], algorithm, kid)

    def _current(self) -> "_Fetch":
        """Return the last fetch that gave usable keys."""
        last = self._last  # read once: another thread may start the next
        return last if last.keys else self._good

    def _fetch(self) -> "_Fetch":
        """Start a fetch, or return the last: a thousand unknown keys are one request."""
        with self._lock:
            if self._last.age() >= self._last.cooldown:
                self._good = self._current()  # before `_last`: `_current` reads without the lock
                self._last = _Fetch(self._url, self._now, at=self._now())
                self._last.start()
            return self._last


class _Fetch(threading.Thread):
    """One request for the key set, and what came of it.

    A thread, because nothing else bounds the resolver, and because a known key must not wait.
    Keys are as old as the request for them, however late they came, as where Lambda froze it.
    """

    def __init__(self, url: str, now: Callable[[], float], *, at: float) -> None:
        super().__init__(name="key set", daemon=True)
        self.cooldown: float = COOLDOWN
        self.keys: list[PyJWK] | None = None  # None: no response; empty: none that can be used
        self._at = at
        self._url = url
        self._now = now

    def age(self) -> float:
        return abs(self._now() - self._at)

    def run(self) -> None:
        try:
            response, body = _get(self._url)
            if response.status == HTTPStatus.OK:
                self.keys = read_keys(body)
                return
            reason = f"status_{response.status}"
            # Better Auth's own rate limiter writes it with an X.
            wait = response.getheader("Retry-After") or response.getheader("X-Retry-After") or ""
            self.cooldown = self.age() + _seconds(wait, self._now())
        except (OSError, HTTPException, ValueError, RecursionError) as error:
            reason = type(error).__name__
        log.warning("The key set could not be fetched.", extra={"reason": reason})


def _get(url: str) -> tuple[HTTPResponse, bytes]:
    """Read what is at an address; a redirect is a response like any other but 200."""
    parts = urlsplit(url)
    target = urlunsplit(("", "", parts.path or "/", parts.query, ""))
    connect = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    with closing(connect(str(parts.hostname), parts.port, timeout=DEADLINE)) as connection:
        connection.connect()
        # The connection's time-out bounds each read, not all of them together.
        deadline = threading.Timer(DEADLINE, _shut_down, [connection.sock])
        deadline.start()
        try:
            connection.request("GET", target)
            response = connection.getresponse()
            body = response.read(MAX_BYTES + 1)
        finally:
            deadline.cancel()
    if len(body) > MAX_BYTES:
        raise ValueError("too large")
    return response, body


def _shut_down(connected: socket) -> None:
    with suppress(OSError):  # it may have ended at this very moment
        connected.shutdown(SHUT_RDWR)


def _seconds(retry_after: str, now: float) -> float:
    """Read how long to wait: a number or a date (RFC 9110, section 10.2.3), within reason."""
    wait: float = COOLDOWN
    try:
        wait = float(retry_after)
    except ValueError:
        with suppress(ValueError, OverflowError):
            wait = parsedate_to_datetime(retry_after).replace(tzinfo=UTC).timestamp() - now
    return min(max(COOLDOWN, wait), MAX_COOLDOWN)
