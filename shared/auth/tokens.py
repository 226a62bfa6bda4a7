"""Strict JSON Web Tokens (RFC 7519, RFC 8725): PyJWT verifies them; what it leaves open is here."""

import re
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import jwt

from shared.auth.key_set import KeySet
from shared.auth.shared_secret import SharedSecret
from shared.http.problems import Unauthorized
from shared.settings import settings

# Better Auth puts the whole user object into a token. API Gateway takes 10 KiB of headers, so this
# bounds the work on other servers only; it is the most that uvicorn takes, too.
MAX_LENGTH = 64 * 1024
LEEWAY = 10  # seconds that the clocks of issuer and verifier may differ
LATEST = 2**53  # seconds; from there on not every whole number is a JSON number
MAX_SUBJECT = 255

COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
HEADER = frozenset({"alg", "kid", "typ"})
TIMES = ("exp", "iat", "nbf")

ENDPOINT = "/api/auth/token"

Members = dict[str, Any]


class Verifier:
    """Accepts the tokens of one issuer for one audience; `None` where none is configured."""

    def __init__(
        self,
        keys: KeySet | SharedSecret,
        *,
        issuer: str | None,
        audience: str | None,
        max_lifetime: int = 24 * 60 * 60,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._max_lifetime = max_lifetime
        self._now = now
        parties = {"iss": issuer, "aud": audience}
        self._required = ["exp", "sub", *(name for name, party in parties.items() if party)]

    def verify(self, token: str) -> str:
        """Return the subject of a valid token: 1 to 255 printable characters, otherwise opaque.

        Raises:
            Unauthorized: the token is not valid; its `reason` is one of a few constants.
            Unavailable: it cannot be told, because the key set cannot be reached.
        """
        header = _read_header(token)
        try:
            claims = self._decode(token, header)
        except jwt.InvalidSignatureError:
            if not self._keys.renew():
                raise Unauthorized("The signature is wrong.", reason="bad_signature") from None
            return self.verify(token)
        except jwt.InvalidTokenError as error:
            raise self._refusal(error, token) from None
        if self._audience is None and "aud" in claims:
            raise self._refusal(jwt.InvalidAudienceError(), token)
        self._check_times(claims)
        return _subject(claims)

    def warm(self, *, wait: bool = True) -> None:
        """Get the keys before they are needed; see `KeySet.warm`."""
        self._keys.warm(wait=wait)

    def _decode(self, token: str, header: Members) -> Members:
        algorithm = header.get("alg")
        if not isinstance(algorithm, str) or algorithm not in self._keys.algorithms:
            detail = f"The token must be signed with {' or '.join(sorted(self._keys.algorithms))}."
            raise Unauthorized(detail, reason="unsupported_algorithm")
        key = self._keys.key(algorithm, header.get("kid"))
        if key is None:
            detail = "The token is signed with a key that the issuer does not publish."
            raise Unauthorized(detail, reason="unknown_key")
        claims: Members = jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            issuer=self._issuer,
            audience=self._audience,
            leeway=LEEWAY,
            # `sub` is looked at below; `jti` is not used
            options={"verify_sub": False, "verify_jti": False, "require": self._required},
        )
        return claims

    def _check_times(self, claims: Members) -> None:
        """What PyJWT leaves open: that a time is a finite number, and how long a life may be."""
        for name in TIMES:
            value = claims.get(name, 0)
            if type(value) not in {int, float} or not abs(value) < LATEST:
                detail = f"The {name} must be a number of seconds."
                raise Unauthorized(detail, reason="malformed_claim")
        if claims["exp"] - claims.get("iat", self._now()) > self._max_lifetime:
            detail = (
                f"The token is valid for longer than {self._max_lifetime} s. Let its exp be "
                "earlier, or raise JWT_MAX_LIFETIME of the API."
            )
            raise Unauthorized(detail, reason="long_lived")

    def _refusal(self, error: jwt.InvalidTokenError, token: str) -> Unauthorized:
        """Say why PyJWT refuses a token, and what helps; the signature is right where claims are.

        A detail names claims and what is expected of them, never what they are.
        """
        match error:
            case jwt.MissingRequiredClaimError():
                reason, detail = "missing_claim", f"The token has no {error.claim}."
            case jwt.ExpiredSignatureError():
                reason, detail = "expired", f"The exp has passed: take a new token from {ENDPOINT}."
            case jwt.InvalidIssuedAtError():
                reason, detail = "malformed", "The iat is no number of seconds."
            case jwt.ImmatureSignatureError():
                reason = "not_yet_valid"
                detail = "The iat or nbf is in the future: is the clock right where it is made?"
            case jwt.InvalidIssuerError():
                claims = jwt.decode(token, options={"verify_signature": False})  # it was just now
                reason, detail = "wrong_issuer", f"The iss must be {self._issuer}."
                if claims["iss"] == "":
                    detail = "The iss is empty: set BETTER_AUTH_URL where the token is made."
            case jwt.InvalidAudienceError():
                reason, detail = "wrong_audience", f"The aud must be {self._audience}."
                if self._audience is None:
                    detail = "The token has an aud, and the API has none: set its JWT_AUDIENCE."
            case _:
                reason = "malformed"
                detail = "The payload is no JSON object, or exp or nbf is no number of seconds."
        return Unauthorized(detail, reason=reason)


@cache
def verifier() -> Verifier:
    """The verifier of this process, made from the settings. Raises `ConfigurationError`."""
    config = settings()
    keys = KeySet(config.key_set_url) if config.key_set_url else SharedSecret()
    return Verifier(
        keys,
        issuer=config.issuer,
        audience=config.audience,
        max_lifetime=config.jwt_max_lifetime,
    )


def _read_header(token: str) -> Members:
    """Read the header of a compact serialisation (RFC 7515, section 3.1).

    Raises:
        Unauthorized: it is none, or its header has what no verifier here understands.
    """
    if len(token) > MAX_LENGTH:
        detail = f"The token is longer than {MAX_LENGTH} characters."
        raise Unauthorized(detail, reason="too_long")
    if token.count(".") < 2:  # noqa: PLR2004 (three segments)
        detail = f"This looks like a session token; take a JWT from {ENDPOINT}."
        raise Unauthorized(detail, reason="malformed")
    try:
        header = jwt.get_unverified_header(token) if COMPACT.fullmatch(token) else {}
    except jwt.InvalidTokenError:
        header = {}
    if not header:
        raise Unauthorized("This is not a JSON Web Token.", reason="malformed")
    if not header.keys() <= HEADER:
        detail = "The token's header has members other than alg, kid and typ."
        raise Unauthorized(detail, reason="unsupported_header")
    kind = header.get("typ", "JWT")
    if not isinstance(kind, str) or kind.upper() != "JWT":
        raise Unauthorized("The token's typ is not JWT.", reason="wrong_type")
    return header


def _subject(claims: Members) -> str:
    """The subject. A path cannot name `.` and `..`: clients take such segments away (RFC 3986)."""
    subject = claims["sub"]
    # isprintable: no control, format, surrogate, private or unassigned character, no separator
    # but the space (Unicode's categories C and Z)
    if (
        not isinstance(subject, str)
        or not 0 < len(subject) <= MAX_SUBJECT
        or not subject.isprintable()
        or " " in subject
        or subject in {".", ".."}
    ):
        detail = (
            f"The sub must be 1 to {MAX_SUBJECT} printable characters without spaces, "
            "and neither . nor .."
        )
        raise Unauthorized(detail, reason="malformed_claim")
    return subject
