"""JSON Web Keys (RFC 7517): which keys of a set can be used, and with which algorithm."""

import json
import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import InvalidKeyError, PyJWK

# The key type and curve that each algorithm needs (RFC 7518, section 3.1; RFC 8037, section 3.1)
ALGORITHMS: Mapping[str, tuple[str, str | None]] = {
    "EdDSA": ("OKP", "Ed25519"),
    "ES256": ("EC", "P-256"),
    "ES512": ("EC", "P-521"),
    "RS256": ("RSA", None),
    "PS256": ("RSA", None),
}
MIN_RSA_BITS = 2048  # RFC 7518, section 3.3

Keys = Mapping[tuple[str, str | None], PyJWK]
"""Keys by algorithm and kid. The only key of an algorithm is also there without its kid."""

log = logging.getLogger(f"tasks.{__name__}")  # below the service's, whose lines are JSON


class UnusableKeyError(Exception):
    """Why a key is not used, as a constant for the log."""


@lru_cache(maxsize=1)  # so that a set that has not changed warns once
def read_keys(document: bytes) -> Keys:
    """Prepare the usable keys of a key set; the others are ignored, with a warning for each.

    Raises:
        ValueError: this is no key set, or it has no keys.
        RecursionError: it is nested too deeply.
    """
    match json.loads(document):
        case {"keys": [_, *_] as jwks}:
            usable = list(_usable(jwks))
            named: Counter[tuple[str, str | None]] = Counter(
                (key.algorithm_name, key.key_id) for _, key in usable if key.key_id
            )
            found: dict[tuple[str, str | None], list[PyJWK]] = {}
            for position, key in usable:
                if named[key.algorithm_name, key.key_id] > 1:
                    _ignore(position, "duplicate_kid")  # a token could mean either
                    continue
                for kid in {key.key_id, None}:
                    found.setdefault((key.algorithm_name, kid), []).append(key)
            return {name: key for name, (key, *others) in found.items() if not others}
        case _:
            raise ValueError("not a key set")


def _usable(jwks: list[object]) -> Iterator[tuple[int, PyJWK]]:
    """The usable keys and where they stand. An RSA key without `alg` serves two algorithms."""
    for position, jwk in enumerate(jwks):
        try:
            yield from ((position, key) for key in _prepare(jwk))
        except UnusableKeyError as error:
            _ignore(position, str(error))
        except (InvalidKeyError, ValueError, TypeError):  # as PyJWK fails, depending on where
            _ignore(position, "invalid")


def _ignore(position: int, reason: str) -> None:
    details = {"reason": reason, "position": position}
    log.warning("A key of the key set cannot be used and is ignored.", extra=details)


def _prepare(jwk: object) -> list[PyJWK]:
    """The key for each algorithm that it may be used with. Raises where it must not be used."""
    if not isinstance(jwk, dict) or not isinstance(jwk.get("kid", ""), str):
        raise UnusableKeyError("malformed")
    if "d" in jwk:
        raise UnusableKeyError("private")
    if jwk.get("use", "sig") != "sig" or "verify" not in jwk.get("key_ops", ["verify"]):
        raise UnusableKeyError("not_for_verification")
    kind = jwk.get("kty"), jwk.get("crv")
    names = [
        each for each in ALGORITHMS if ALGORITHMS[each] == kind and jwk.get("alg", each) == each
    ]
    if not names:
        raise UnusableKeyError("unsupported")
    keys = [PyJWK(jwk, name) for name in names]
    if _is_weak(keys[0].key):
        raise UnusableKeyError("weak")
    return keys


def _is_weak(key: object) -> bool:
    """Tell whether an RSA key is short, or anyone can sign for an Ed25519 key.

    That is so where eight times its point (RFC 8032, section 5.1) is the identity. The y of these
    points is 0 (order 4), 1 or -1 (1 and 2) or, by the curve's doubling formula, a root of
    d·y⁴ + 2·y² - 1 with d = -121665/121666 (order 8).
    """
    if isinstance(key, RSAPublicKey):
        return key.key_size < MIN_RSA_BITS
    if not isinstance(key, Ed25519PublicKey):
        return False
    y = int.from_bytes(key.public_bytes_raw(), "little") % 2**255
    return y * (y**2 - 1) * (121665 * y**4 - 2 * 121666 * y**2 + 121666) % (2**255 - 19) == 0
