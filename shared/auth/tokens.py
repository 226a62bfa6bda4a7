"""Strict JSON Web Tokens (RFC 7519, RFC 8725): PyJWT verifies the signature, the rest is here."""

import json
import re
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Collection
from functools import cache
from typing import Any, NoReturn, Protocol

from jwt import InvalidKeyError, get_algorithm_by_name

from shared.auth.key_set import KeySet
from shared.auth.keys import Key
from shared.http.problems import Unauthorized
from shared.settings import ConfigurationError, settings

# Better Auth puts the whole user object into a token. API Gateway takes 10 KiB of headers, so this
# bounds the work on other servers only; it is the most that uvicorn takes, too.
MAX_LENGTH = 64 * 1024
LEEWAY = 10  # seconds that the clocks of issuer and verifier may differ
MAX_LIFETIME = 24 * 60 * 60  # seconds; Better Auth's default is 15 minutes
MAX_SUBJECT = 255

COMPACT = re.compile(r"(([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+))\.([A-Za-z0-9_-]+)")
HEADER = frozenset({"alg", "kid", "typ"})
REQUIRED = ("exp", "iat", "sub", "iss", "aud")

Members = dict[str, Any]


class Keys(Protocol):
    """Where keys come from: a key set, or the one shared secret."""

    @property
    def algorithms(self) -> Collection[str]:
        """The algorithms that a token may be signed with."""

    def key(self, algorithm: str, kid: str | None, /) -> Key | None:
        """Find a key. Raises `Unavailable` when that cannot be told."""

    def warm(self, *, wait: bool = True) -> None:
        """Get the keys before they are needed."""


class SharedSecret:
    """The secret that issuer and verifier share (HS256), whatever `kid` a token names."""

    algorithms = frozenset({"HS256"})

    def __init__(self, secret: str) -> None:
        """Take a secret. Raises `ConfigurationError` if it is a public key, which is no secret."""
        algorithm = get_algorithm_by_name("HS256")
        try:
            self._key = Key(algorithm, algorithm.prepare_key(secret))
        except InvalidKeyError:
            raise ConfigurationError("BETTER_AUTH_SECRET must be a secret, not a key") from None

    def key(self, _algorithm: str, _kid: str | None) -> Key:
        """Return the one there is."""
        return self._key

    def warm(self, *, wait: bool = True) -> None:
        """Do nothing: the secret is here."""


class Verifier:
    """Accepts the tokens of one issuer for one audience."""

    def __init__(
        self, keys: Keys, *, issuer: str, audience: str, now: Callable[[], float] = time.time
    ) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._now = now

    def verify(self, token: str) -> str:
        """Return the subject of a valid token: 1 to 255 printable characters, otherwise opaque.

        Raises:
            Unauthorized: the token is not valid; its `reason` is one of a few constants.
            Unavailable: it cannot be told, because the key set cannot be reached.
        """
        header, claims, message, signature = _parse(token)
        if not self._key(header).verify(message, signature):
            raise Unauthorized("The token's signature is wrong.", reason="bad_signature")
        for name in REQUIRED:
            if name not in claims:
                raise Unauthorized(f"The token has no {name}.", reason="missing_claim")
        self._check_times(claims)
        self._check_parties(claims)
        return _subject(claims)

    def warm(self, *, wait: bool = True) -> None:
        """Get the keys before they are needed; see `KeySet.warm`."""
        self._keys.warm(wait=wait)

    def _key(self, header: Members) -> Key:
        if not header.keys() <= HEADER:
            detail = "The token's header has members other than alg, kid and typ."
            raise Unauthorized(detail, reason="unsupported_header")
        kind = header.get("typ", "JWT")
        if not isinstance(kind, str) or kind.upper() != "JWT":
            raise Unauthorized("The token's typ is not JWT.", reason="wrong_type")
        algorithm = header.get("alg")
        if not isinstance(algorithm, str) or algorithm not in self._keys.algorithms:
            detail = f"The token must be signed with {' or '.join(sorted(self._keys.algorithms))}."
            raise Unauthorized(detail, reason="unsupported_algorithm")
        kid = header.get("kid")
        if "kid" in header and not isinstance(kid, str):
            raise Unauthorized("The token's kid is not a string.", reason="malformed")
        key = self._keys.key(algorithm, kid)
        if key is None:
            detail = "The token is signed with a key that the issuer does not publish."
            raise Unauthorized(detail, reason="unknown_key")
        return key

    def _check_times(self, claims: Members) -> None:
        now = self._now()
        expires, issued = _seconds(claims, "exp"), _seconds(claims, "iat")
        if expires <= now - LEEWAY:
            raise Unauthorized("The token has expired.", reason="expired")
        if issued > now + LEEWAY or ("nbf" in claims and _seconds(claims, "nbf") > now + LEEWAY):
            raise Unauthorized("The token is not valid yet.", reason="not_yet_valid")
        if expires - issued > MAX_LIFETIME:
            raise Unauthorized("The token is valid for over 24 hours.", reason="long_lived")

    def _check_parties(self, claims: Members) -> None:
        issuer, audience = claims["iss"], claims["aud"]
        audiences = audience if isinstance(audience, list) else [audience]
        if not all(isinstance(party, str) for party in [issuer, *audiences]):
            raise Unauthorized("The token's iss or aud is not a string.", reason="malformed_claim")
        if issuer != self._issuer:
            raise Unauthorized(f"The token's issuer is not {self._issuer}.", reason="wrong_issuer")
        if self._audience not in audiences:
            detail = f"The token's audience is not {self._audience}."
            raise Unauthorized(detail, reason="wrong_audience")


@cache
def verifier() -> Verifier:
    """The verifier of this process, made from the settings. Raises `ConfigurationError`."""
    config = settings()
    secret = config.shared_secret
    keys = SharedSecret(secret) if secret else KeySet(str(config.key_set_url))
    return Verifier(keys, issuer=config.issuer, audience=config.audience)


def _parse(token: str) -> tuple[Members, Members, bytes, bytes]:
    """Split a compact serialisation (RFC 7515, section 3.1): header, claims, message, signature."""
    if len(token) > MAX_LENGTH:
        detail = f"The token is longer than {MAX_LENGTH} characters."
        raise Unauthorized(detail, reason="too_long")
    segments = COMPACT.fullmatch(token)
    if segments is None:
        raise Unauthorized("This is not a JSON Web Token.", reason="malformed")
    message, *encoded = segments.groups()
    try:
        header, claims, signature = map(_decode, encoded)
        return _object(header), _object(claims), message.encode(), signature
    except (ValueError, RecursionError):
        raise Unauthorized("This is not a JSON Web Token.", reason="malformed") from None


def _decode(segment: str) -> bytes:
    """Decode base64url (RFC 4648, section 5), of which there must be no second spelling."""
    decoded = urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    if urlsafe_b64encode(decoded).rstrip(b"=") != segment.encode():
        raise ValueError
    return decoded


def _object(text: bytes) -> Members:
    """Read a JSON object in UTF-8, with no member twice (RFC 7515, section 4; RFC 8259)."""
    match _json.decode(text.decode()):
        case dict() as members:
            return members
        case _:
            raise ValueError


def _unique(pairs: list[tuple[str, Any]]) -> Members:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError
    return members


def _not_json(_constant: str) -> NoReturn:
    """Refuse NaN and Infinity, which Python reads."""
    raise ValueError


_json = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_not_json)


def _seconds(claims: Members, name: str) -> int:
    value = claims[name]
    if type(value) is not int:  # a bool is an int, and a float may be infinite
        detail = f"The token's {name} is not a whole number of seconds."
        raise Unauthorized(detail, reason="malformed_claim")
    return value


def _subject(claims: Members) -> str:
    subject = claims["sub"]
    # isprintable: no control, format, surrogate, private or unassigned character, no separator
    # but the space (Unicode's categories C and Z)
    if (
        not isinstance(subject, str)
        or not 0 < len(subject) <= MAX_SUBJECT
        or not subject.isprintable()
        or " " in subject
    ):
        detail = f"The token's sub is not 1 to {MAX_SUBJECT} printable characters without spaces."
        raise Unauthorized(detail, reason="malformed_claim")
    return subject
