"""Strict JSON Web Tokens (RFC 7519, RFC 8725): PyJWT verifies them; what it leaves open is here."""

import re
import time
from dataclasses import dataclass
from functools import cache
from typing import Any

import jwt

from shared.auth.key_set import KeySet
from shared.auth.shared_secret import SharedSecret
from shared.http.problems import Unauthorized
from shared.settings import settings

# Better Auth puts the whole user into a token. This is the most that uvicorn takes of headers, too.
MAX_LENGTH = 64 * 1024
LEEWAY = 10  # seconds that the clocks of issuer and verifier may differ
LATEST = 2**53  # seconds; from there on not every whole number is a JSON number
MAX_SUBJECT = 255

COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Verifier:
    """Accepts the tokens of one issuer for one audience; `None` where none is configured."""

    keys: KeySet | SharedSecret
    issuer: str | None
    audience: str | None
    max_lifetime: int = 24 * 60 * 60

    def verify(self, token: str) -> str:
        """Return the subject of a valid token: 1 to 255 printable characters, otherwise opaque.

        Raises:
            Unauthorized: the token is not valid; its `reason` is one of a few constants.
            Unavailable: it cannot be told, because the key set cannot be reached.
        """
        try:
            claims = self._decode(token, _read_header(token))
        except jwt.InvalidTokenError as error:
            if isinstance(error, jwt.InvalidSignatureError) and self.keys.renew():
                return self.verify(token)
            raise self._refusal(error, token) from None
        self._check_times(claims)
        return _subject(claims)

    def _decode(self, token: str, header: dict[str, Any]) -> dict[str, Any]:
        algorithm = str(header.get("alg"))
        if algorithm not in self.keys.algorithms:
            detail = f"The token must be signed with {' or '.join(sorted(self.keys.algorithms))}."
            raise Unauthorized(detail, reason="unsupported_algorithm")
        key = self.keys.key(algorithm, header.get("kid"))
        if key is None:
            detail = "The token is signed with a key that the issuer does not publish."
            raise Unauthorized(detail, reason="unknown_key")
        parties = {"iss": self.issuer, "aud": self.audience}
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            issuer=self.issuer,
            audience=self.audience,
            leeway=LEEWAY,
            options={
                "require": ["exp", "sub", *(name for name, party in parties.items() if party)],
                "verify_sub": False,  # it is looked at below
                "verify_jti": False,  # it is not used
            },
        )
        if self.audience is None and "aud" in claims:  # PyJWT lets an empty one pass
            raise jwt.InvalidAudienceError
        return claims

    def _check_times(self, claims: dict[str, Any]) -> None:
        """What PyJWT leaves open: that a time is a finite number, and how long a life may be."""
        for name in ("exp", "iat", "nbf"):
            value = claims.get(name, 0)
            if type(value) not in {int, float} or not abs(value) < LATEST:
                detail = f"The {name} must be a number of seconds."
                raise Unauthorized(detail, reason="malformed_claim")
        if claims["exp"] - claims.get("iat", time.time()) > self.max_lifetime:
            detail = f"The token is valid for longer than JWT_MAX_LIFETIME, {self.max_lifetime} s."
            raise Unauthorized(detail, reason="long_lived")

    def _refusal(self, error: jwt.InvalidTokenError, token: str) -> Unauthorized:
        """Say why PyJWT refuses a token, and what helps; the signature is right where claims are.

        A detail names claims and what is expected of them, never what they are.
        """
        match error:
            case jwt.InvalidSignatureError():
                reason, detail = "bad_signature", "The signature is wrong."
            case jwt.MissingRequiredClaimError():
                reason, detail = "missing_claim", f"The token has no {error.claim}."
            case jwt.ExpiredSignatureError():
                reason = "expired"
                detail = "The exp has passed: take a new token from /api/auth/token."
            case jwt.ImmatureSignatureError():
                reason = "not_yet_valid"
                detail = "The iat or nbf is in the future: is the clock right where it is made?"
            case jwt.InvalidIssuerError():
                reason, detail = "wrong_issuer", f"The iss must be {self.issuer}."
                claims = jwt.decode(token, options={"verify_signature": False})  # it was just now
                if claims["iss"] == "":
                    detail = "The iss is empty: set BETTER_AUTH_URL where the token is made."
            case jwt.InvalidAudienceError():
                reason, detail = "wrong_audience", f"The aud must be {self.audience}."
                if self.audience is None:
                    detail = "The token has an aud, and the API has none: set its JWT_AUDIENCE."
            case _:
                reason = "malformed"
                detail = (
                    "The payload is no JSON object, or exp, iat or nbf is no number of seconds."
                )
        return Unauthorized(detail, reason=reason)


@cache
def verifier() -> Verifier:
    """The verifier of this process, made from the settings. Raises `ConfigurationError`."""
    config = settings()
    keys = KeySet(config.key_set_url) if config.key_set_url else SharedSecret()
    return Verifier(keys, config.issuer, config.audience, config.jwt_max_lifetime)


def _read_header(token: str) -> dict[str, Any]:
    """Read the header of a compact serialisation (RFC 7515, section 3.1)."""
    if len(token) > MAX_LENGTH:
        detail = f"The token is longer than {MAX_LENGTH} characters."
        raise Unauthorized(detail, reason="too_long")
    if token.count(".") < 2:  # noqa: PLR2004 (three segments)
        detail = "This looks like a session token; take a JWT from /api/auth/token."
        raise Unauthorized(detail, reason="malformed")
    try:
        header = jwt.get_unverified_header(token) if COMPACT.fullmatch(token) else {}
    except jwt.InvalidTokenError:
        header = {}
    if not header:
        raise Unauthorized("This is not a JSON Web Token.", reason="malformed")
    if not header.keys() <= {"alg", "kid", "typ"}:
        detail = "The token's header has members other than alg, kid and typ."
        raise Unauthorized(detail, reason="unsupported_header")
    if str(header.get("typ", "JWT")).upper() != "JWT":
        raise Unauthorized("The token's typ is not JWT.", reason="wrong_type")
    return header


def _subject(claims: dict[str, Any]) -> str:
    """The subject. A path cannot name `.` and `..`: clients take such segments away (RFC 3986)."""
    subject = claims["sub"]
    # isprintable refuses Unicode's categories C and Z, controls and separators, but not the space.
    printable = isinstance(subject, str) and subject.isprintable() and " " not in subject
    if not printable or not 0 < len(subject) <= MAX_SUBJECT or subject in {".", ".."}:
        detail = f"The sub must be 1 to {MAX_SUBJECT} printable characters, no space, not . or .."
        raise Unauthorized(detail, reason="malformed_claim")
    return str(subject)
