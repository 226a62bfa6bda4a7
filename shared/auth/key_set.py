"""The issuer's key set: fetched beside the requests, kept through the issuer's outages."""

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC
from email.message import Message
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from socket import SHUT_RDWR, socket
from urllib.parse import urlsplit

from jwt import PyJWK

from shared.auth.keys import ALGORITHMS, Keys, read_keys
from shared.http.problems import Unavailable

# Seconds of the wall clock: in a Lambda environment that was frozen or restored from a snapshot
# the monotonic one may stand where it stood. A wall clock can be set back, so that an age is a
# distance: a set "from the future" is refreshed like an old one, and no cooldown lasts for ever.
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

        Without a kid it is the key of that algorithm, if there is exactly one.

        Raises:
            Unavailable: the key is not known and the last fetch failed. That the issuer has no
                such key would be a guess, and a frontend ends the session on a 401.
        """
        found = self._find(algorithm, kid)
        if found:
            self.warm(wait=False)
            return found
        fetch = self._fetch()
        fetch.join(DEADLINE)
        found = self._find(algorithm, kid)
        if not found and fetch.keys is None:
            raise Unavailable(
                "The issuer's key set cannot be reached for the moment. Nothing was written.",
                retry_after=fetch.remaining_cooldown(),
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
            fetch = self._fetch()
            if wait:
                fetch.join(DEADLINE)

    def _find(self, algorithm: str, kid: str | None) -> PyJWK | None:
        fetch = self._current()
        if fetch.keys and fetch.age() < MAX_OUTAGE:
            return fetch.keys.get((algorithm, kid))
        return None

    def _current(self) -> "_Fetch":
        """Return the last fetch that gave usable keys."""
        last = self._last  # read once: another thread may start the next
        return last if last.keys else self._good

    def _fetch(self) -> "_Fetch":
        """Start a fetch or, until its cooldown is over, return the last one.

        So a thousand unknown keys are one request to the issuer.
        """
        with self._lock:
            if self._last.age() >= self._last.cooldown:
                self._good = self._current()  # before `_last`: `_current` reads without the lock
                self._last = _Fetch(self._url, self._now, at=self._now())
                self._last.start()
            return self._last


class _Fetch(threading.Thread):
    """One request for the key set, and what came of it.

    A thread, because nothing else bounds the resolver, and because a known key must not wait. Where
    Lambda freezes it, it ends as a failure later, and another request starts the next. Keys are as
    old as the request for them, however late they came.
    """

    def __init__(self, url: str, now: Callable[[], float], *, at: float) -> None:
        super().__init__(name="key set", daemon=True)
        self.cooldown: float = COOLDOWN
        self.keys: Keys | None = None  # None: no answer; empty: none that can be used
        self._at = at
        self._url = url
        self._now = now

    def age(self) -> float:
        return abs(self._now() - self._at)

    def remaining_cooldown(self) -> int:
        return max(1, math.ceil(self.cooldown - self.age()))

    def run(self) -> None:
        try:
            self.keys = read_keys(_get(self._url))
        except _StatusError as answer:
            self.cooldown = self.age() + _seconds(answer.retry_after, self._now())
            _warn(f"status_{answer.status}")
        except (OSError, HTTPException, ValueError, RecursionError) as error:
            _warn(type(error).__name__)


def _warn(reason: str) -> None:
    log.warning("The key set could not be fetched.", extra={"reason": reason})


class _StatusError(Exception):
    def __init__(self, status: int, headers: Message) -> None:
        self.status = status
        # Better Auth's own rate limiter writes it with an X.
        self.retry_after = headers.get("Retry-After") or headers.get("X-Retry-After") or ""


def _get(url: str) -> bytes:
    """Read what is at an address; a redirect is an answer like any other but 200."""
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connect = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    with closing(connect(str(parts.hostname), parts.port, timeout=DEADLINE)) as connection:
        connection.connect()
        with _deadline(connection.sock):
            connection.request("GET", target)
            response = connection.getresponse()
            if response.status != HTTPStatus.OK:
                raise _StatusError(response.status, response.headers)
            body = response.read(MAX_BYTES + 1)
    if len(body) > MAX_BYTES:
        raise ValueError("too large")
    return body


@contextmanager
def _deadline(connected: socket) -> Iterator[None]:
    """End a connection that takes too long: its time-out bounds each read, not all of them."""
    timer = threading.Timer(DEADLINE, _shut_down, [connected])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _shut_down(connected: socket) -> None:
    # The other end, or the reader, may have ended it at this very moment.
    with suppress(OSError):
        connected.shutdown(SHUT_RDWR)


def _seconds(retry_after: str, now: float) -> float:
    """Read how long to wait: a number or a date (RFC 9110, section 10.2.3), within reason."""
    try:
        seconds = float(retry_after)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(retry_after).replace(tzinfo=UTC).timestamp() - now
        except (ValueError, OverflowError):
            seconds = COOLDOWN
    return min(max(COOLDOWN, seconds), MAX_COOLDOWN)
