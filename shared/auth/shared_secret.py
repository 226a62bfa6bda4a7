"""The secret that issuer and verifier share (HS256), and its rotation."""

import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from contextlib import suppress

from jwt import PyJWK

from shared.secrets import shared_secret
from shared.settings import ConfigurationError

COOLDOWN = 60  # seconds between two looks at whether the secret was rotated
MAX_AGE = 600  # seconds until it is looked at in any case, so that a leaked secret comes to an end


class SharedSecret:
    """The one key there is, whatever `kid` a token names."""

    algorithms = frozenset({"HS256"})

    def __init__(
        self, read: Callable[..., str] = shared_secret, *, now: Callable[[], float] = time.time
    ) -> None:
        """Read the secret. Raises `ConfigurationError`."""
        self._read = read
        self._now = now
        self._looked = now()
        self._secret = read()

    def key(self, _algorithm: str, _kid: str | None) -> PyJWK:
        """Return the key."""
        self.warm()
        octets = urlsafe_b64encode(self._secret.encode()).decode()
        return PyJWK({"kty": "oct", "k": octets}, "HS256")

    def renew(self) -> bool:
        """Read the secret again, at most once a minute; tell whether it was rotated."""
        if abs(self._now() - self._looked) < COOLDOWN:
            return False
        self._looked, old = self._now(), self._secret
        with suppress(ConfigurationError):  # no news of the secret: the old one stands
            self._secret = self._read(renewed=True)
        return self._secret != old

    def warm(self, *, wait: bool = True) -> None:
        """Read the secret again where it is old, as it is in a snapshot that is restored."""
        if abs(self._now() - self._looked) >= MAX_AGE:
            self.renew()
