"""JSON Web Keys (RFC 7517): which keys of a set can be used, and with which algorithm."""

import json
import logging
from collections import Counter
from collections.abc import Iterable, Mapping
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
PRIME = 2**255 - 19  # of Curve25519
ORDER_8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
# The y of the points with an order of 1 to 8: anyone can sign for them (RFC 8032, section 5.1.3).
SMALL_ORDER = {0, 1, PRIME - 1, ORDER_8, PRIME - ORDER_8}

log = logging.getLogger(f"tasks.{__name__}")  # below the service's, whose lines are JSON
IGNORED = "A key of the key set cannot be used and is ignored."


class UnusableKeyError(Exception):
    """Why a key is not used, as a constant for the log."""


def find_key(keys: Iterable[PyJWK], algorithm: str, kid: str | None) -> PyJWK | None:
    """Find a key by its algorithm and kid, or the only key of an algorithm without its kid."""
    found = [key for key in keys if key.algorithm_name == algorithm and kid in {key.key_id, None}]
    return found[0] if len(found) == 1 else None


@lru_cache(maxsize=1)  # so that a set that has not changed warns once
def read_keys(document: bytes) -> list[PyJWK]:
    """Prepare the usable keys of a key set; the others are ignored, with a warning for each.

    Raises:
        ValueError: this is no key set, or it has no keys.
        RecursionError: it is nested too deeply.
    """
    match json.loads(document):
        case {"keys": [_, *_] as jwks}:
            keys = [key for position, jwk in enumerate(jwks) for key in _usable(jwk, position)]
            names = Counter((key.algorithm_name, key.key_id) for key in keys)
            if len(names) < len(keys):  # a token could mean any of those with one name
                log.warning(IGNORED, extra={"reason": "duplicate_kid"})
            return [key for key in keys if names[key.algorithm_name, key.key_id] <= 1]
    raise ValueError("not a key set")


def _usable(jwk: object, position: int) -> list[PyJWK]:
    try:
        return _prepare(jwk)
    except (UnusableKeyError, InvalidKeyError, ValueError, TypeError) as error:
        reason = str(error) if isinstance(error, UnusableKeyError) else "invalid"
    log.warning(IGNORED, extra={"reason": reason, "position": position})
    return []


def _prepare(jwk: object) -> list[PyJWK]:
    """The key for each algorithm that it may be used with. Raises where it must not be used."""
    if not isinstance(jwk, dict) or not isinstance(jwk.get("kid", ""), str):
        raise UnusableKeyError("malformed")
    if "d" in jwk:
        raise UnusableKeyError("private")
    if jwk.get("use", "sig") != "sig" or "verify" not in jwk.get("key_ops", ["verify"]):
        raise UnusableKeyError("not_for_verification")
    kind = jwk.get("kty"), jwk.get("crv")
    names = [each for each in ALGORITHMS if ALGORITHMS[each] == kind]
    keys = [PyJWK(jwk, name) for name in names if jwk.get("alg", name) == name]
    if not keys:
        raise UnusableKeyError("unsupported")
    if _is_weak(keys[0].key):
        raise UnusableKeyError("weak")
    return keys


def _is_weak(key: object) -> bool:
    if isinstance(key, Ed25519PublicKey):
        return int.from_bytes(key.public_bytes_raw(), "little") % 2**255 % PRIME in SMALL_ORDER
    return isinstance(key, RSAPublicKey) and key.key_size < MIN_RSA_BITS
