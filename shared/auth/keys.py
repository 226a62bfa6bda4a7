"""JSON Web Keys (RFC 7517): which keys of a set can be used, and with which algorithm."""

import json
import logging
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from math import ceil
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import InvalidKeyError, get_algorithm_by_name
from jwt.algorithms import Algorithm

# The key type and curve that each algorithm needs (RFC 7518, section 3.1; RFC 8037, section 3.1)
ALGORITHMS: Mapping[str, tuple[str, str | None]] = {
    "EdDSA": ("OKP", "Ed25519"),
    "ES256": ("EC", "P-256"),
    "ES512": ("EC", "P-521"),
    "RS256": ("RSA", None),
    "PS256": ("RSA", None),
}
MIN_RSA_BITS = 2048  # RFC 7518, section 3.3
REMEMBERED = 1024  # signatures of a key, some 200 bytes each

log = logging.getLogger(f"tasks.{__name__}")  # below the service's, whose lines are JSON


class Key:
    """A key, ready for use, and the one algorithm it is used with (RFC 8725, section 3.1)."""

    def __init__(self, algorithm: Algorithm, material: Any) -> None:
        self.algorithm = algorithm
        self.material = material
        self._made: set[tuple[bytes, bytes]] = set()

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Tell whether a signature of a message was made with this key.

        A frontend sends one token for minutes, and nothing in a request takes as much computing as
        this. So what was made with the key is remembered, by the message's digest; never what was
        not, of which anybody can make as much as they like.
        """
        pair = sha256(message).digest(), signature
        if pair in self._made:
            return True
        if not self._fits(signature):
            return False
        if not self.algorithm.verify(message, self.material, signature):
            return False
        if len(self._made) == REMEMBERED:
            self._made.clear()
        self._made.add(pair)
        return True

    def _fits(self, signature: bytes) -> bool:
        """Tell whether an RSA signature is as long as its key (RFC 8017, section 8.1.2).

        OpenSSL takes one for RSA-PSS without the zeros in front, a second spelling.
        """
        match self.material:
            case RSAPublicKey():
                return len(signature) == ceil(self.material.key_size / 8)
            case _:
                return True


Keys = Mapping[tuple[str, str | None], Key]
"""Keys by algorithm and kid. The only key of an algorithm is also there without its kid."""


class UnusableKeyError(Exception):
    """Why a key is not used, as a constant for the log."""


@lru_cache(maxsize=1)  # a set that has not changed costs nothing, and warns once
def read_keys(document: bytes) -> Keys:
    """Prepare the usable keys of a key set; the others are ignored, with a warning for each.

    Raises:
        ValueError: this is no key set, or it has no keys.
        RecursionError: it is nested too deeply.
    """
    match json.loads(document):
        case {"keys": [_, *_] as jwks}:
            return _by_name(_prepare_all(jwks))
        case _:
            raise ValueError("not a key set")


_Prepared = tuple[int, str | None, dict[str, Key]]  # position, kid, and the key by algorithm


def _prepare_all(jwks: list[object]) -> list[_Prepared]:
    prepared = []
    for position, jwk in enumerate(jwks):
        try:
            kid, keys = _prepare(jwk)
        except UnusableKeyError as error:
            _ignore(position, str(error))
        except (InvalidKeyError, ValueError, TypeError):  # as from_jwk fails, depending on where
            _ignore(position, "invalid")
        else:
            prepared.append((position, kid, keys))
    return prepared


def _by_name(prepared: list[_Prepared]) -> Keys:
    kids = Counter(kid for _, kid, _ in prepared)
    found: dict[tuple[str, str | None], list[Key]] = {}
    for position, kid, keys in prepared:
        if kid is not None and kids[kid] > 1:
            _ignore(position, "duplicate_kid")
            continue
        for algorithm, key in keys.items():
            for name in {(algorithm, kid), (algorithm, None)}:
                found.setdefault(name, []).append(key)
    return {name: key for name, (key, *others) in found.items() if not others}


def _ignore(position: int, reason: str) -> None:
    details = {"reason": reason, "position": position}
    log.warning("A key of the key set cannot be used and is ignored.", extra=details)


def _prepare(jwk: object) -> tuple[str | None, dict[str, Key]]:
    """Return a key's kid, and the key for each algorithm: an RSA key without `alg` serves two.

    Raises:
        UnusableKeyError: the key must not be used.
        InvalidKeyError, ValueError, TypeError: it is not even a key.
    """
    if not isinstance(jwk, dict) or not isinstance(jwk.get("kid", ""), str):
        raise UnusableKeyError("malformed")
    if "d" in jwk:
        raise UnusableKeyError("private")
    if jwk.get("use", "sig") != "sig" or "verify" not in jwk.get("key_ops", ["verify"]):
        raise UnusableKeyError("not_for_verification")
    kind = jwk.get("kty"), jwk.get("crv")
    fitting = [name for name in ALGORITHMS if ALGORITHMS[name] == kind]
    algorithms = {name: get_algorithm_by_name(name) for name in fitting}
    allowed = {name: each for name, each in algorithms.items() if jwk.get("alg", name) == name}
    if not allowed:
        raise UnusableKeyError("unsupported")
    material = next(iter(allowed.values())).from_jwk(jwk)
    if _weak(material):
        raise UnusableKeyError("weak")
    return jwk.get("kid"), {name: Key(each, material) for name, each in allowed.items()}


def _weak(material: object) -> bool:
    match material:
        case RSAPublicKey():
            return material.key_size < MIN_RSA_BITS
        case Ed25519PublicKey():
            return _small_order(material.public_bytes_raw())
        case _:
            return False


def _small_order(point: bytes) -> bool:
    """Tell whether eight times a point of edwards25519 (RFC 8032, section 5.1) is the identity.

    Anyone can sign for such a key. The y of these points is 0 (order 4), 1 or -1 (1 and 2) or, by
    the curve's doubling formula, a root of d·y⁴ + 2·y² - 1 with d = -121665/121666 (order 8).
    """
    p = 2**255 - 19
    y = int.from_bytes(point, "little") % 2**255
    return y * (y**2 - 1) * (121665 * y**4 - 2 * 121666 * y**2 + 121666) % p == 0
