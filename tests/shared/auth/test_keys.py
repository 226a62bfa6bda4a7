"""Which keys of a key set are used, with what, and what becomes of the others."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.auth.keys import find_key, read_keys
from tests.shared.auth.tokens_matrix import (
    ALGORITHMS,
    RSA,
    b64,
    key_set,
    private_key,
    signer,
    unb64,
)

if TYPE_CHECKING:
    from jwt import PyJWK

MESSAGE = b"a message"
GOOD = signer("EdDSA", "good", number=20)


def document(*jwks: Any) -> bytes:
    return json.dumps({"keys": jwks}).encode()


def names(*jwks: Any) -> set[tuple[str, str | None]]:
    """What the usable keys of a set can be found by."""
    return {(key.algorithm_name, key.key_id) for key in read_keys(document(*jwks))}


def found_without_kid(*jwks: Any) -> set[str]:
    """The algorithms of which a set has one key."""
    keys = read_keys(document(*jwks))
    return {algorithm for algorithm in ALGORITHMS if find_key(keys, algorithm, None)}


def verifies(key: PyJWK, message: bytes, signature: bytes) -> bool:
    return key.Algorithm.verify(message, key.key, signature)


class TestUsable:
    @pytest.mark.parametrize("algorithm", ALGORITHMS)
    def test_a_key_verifies_what_it_signed_with_its_algorithm(self, algorithm: str) -> None:
        by = signer(algorithm)
        key = find_key(read_keys(document(by.jwk())), algorithm, by.kid)
        assert key
        assert verifies(key, MESSAGE, by.sign(MESSAGE))
        assert not verifies(key, MESSAGE + b"x", by.sign(MESSAGE))

    @pytest.mark.parametrize("algorithm", ALGORITHMS)
    def test_a_key_is_bound_to_its_algorithm(self, algorithm: str) -> None:
        by = signer(algorithm)
        assert names(by.jwk()) == {(algorithm, by.kid)}
        keys = read_keys(document(by.jwk()))
        assert {name for name in ALGORITHMS if find_key(keys, name, by.kid)} == {algorithm}

    @pytest.mark.parametrize("algorithm", ["EdDSA", "ES256", "ES512"])
    def test_a_curve_says_the_algorithm_where_the_key_does_not(self, algorithm: str) -> None:
        assert names(signer(algorithm).jwk(alg=...)) == {(algorithm, signer(algorithm).kid)}

    @pytest.mark.parametrize("algorithm", RSA)
    @pytest.mark.parametrize("signed_with", RSA)
    def test_an_rsa_key_that_names_no_algorithm_serves_both(
        self, algorithm: str, signed_with: str
    ) -> None:
        jwk = signer("RS256").jwk(alg=...)
        assert names(jwk) == {(name, jwk["kid"]) for name in RSA}
        key = find_key(read_keys(document(jwk)), algorithm, None)
        assert key
        signature = signer(signed_with, "other").sign(MESSAGE)
        assert verifies(key, MESSAGE, signature) == (algorithm == signed_with)

    @pytest.mark.parametrize(
        "changes",
        [{"use": "sig"}, {"key_ops": ["verify"]}, {"key_ops": ["sign", "verify"]}, {"x5c": []}],
        ids=str,
    )
    def test_a_key_may_say_that_it_is_for_signatures(self, changes: dict[str, Any]) -> None:
        assert names(GOOD.jwk(**changes)) == {("EdDSA", "good")}

    def test_a_key_without_kid_is_found_without_kid(self) -> None:
        assert names(GOOD.jwk(kid=...)) == {("EdDSA", None)}
        assert found_without_kid(GOOD.jwk(kid=...)) == {"EdDSA"}
        assert not find_key(read_keys(document(GOOD.jwk(kid=...))), "EdDSA", "good")

    def test_of_two_keys_of_an_algorithm_none_is_found_without_kid(self) -> None:
        other = signer("EdDSA", "other", number=21)
        assert names(GOOD.jwk(), other.jwk()) == {("EdDSA", "good"), ("EdDSA", "other")}
        assert not found_without_kid(GOOD.jwk(), other.jwk())
        assert not found_without_kid(GOOD.jwk(kid=...), other.jwk(kid=...))
        assert not found_without_kid(GOOD.jwk(kid=...), other.jwk())

    def test_the_only_key_of_an_algorithm_is_found_beside_keys_of_others(self) -> None:
        jwks = [signer(algorithm).jwk() for algorithm in ALGORITHMS]
        assert found_without_kid(*jwks) == set(ALGORITHMS)

    def test_an_rsa_key_of_2048_bits_is_long_enough(self) -> None:
        assert signer("RS256").key.key_size == 2048
        assert names(signer("RS256").jwk())


ED25519_P = 2**255 - 19
ORDER_8 = int.from_bytes(
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"
)
SMALL_ORDER = {
    "order 1": 1,
    "order 2": ED25519_P - 1,
    "order 4": 0,
    "order 8": ORDER_8,
    "order 8, the other": ED25519_P - ORDER_8,
    "order 4, not reduced": ED25519_P,
    "order 1, not reduced": ED25519_P + 1,
}


def ed25519_jwk(y: int, *, sign: bool = False, **changes: Any) -> dict[str, Any]:
    return GOOD.jwk(kid="bad", x=b64((y | sign << 255).to_bytes(32, "little")), **changes)


def rsa_jwk(**changes: Any) -> dict[str, Any]:
    return signer("RS256").jwk(kid="bad", **changes)


def ec_jwk(**changes: Any) -> dict[str, Any]:
    return signer("ES256").jwk(kid="bad", **changes)


X = unb64(signer("ES256").jwk()["x"])
UNUSABLE: dict[str, tuple[str, Any]] = {
    "a number": ("malformed", 1),
    "null": ("malformed", None),
    "a string": ("malformed", "key"),
    "an array": ("malformed", []),
    "an empty object": ("unsupported", {}),
    "a kid of null": ("malformed", GOOD.jwk(kid=None)),
    "a number as kid": ("malformed", GOOD.jwk(kid=1)),
    "an array as kid": ("malformed", GOOD.jwk(kid=["good"])),
    "a private key": ("private", ed25519_jwk(2, d=b64(b"d" * 32))),
    "a private RSA key": ("private", rsa_jwk(d="AQAB")),
    "a key for encryption": ("not_for_verification", rsa_jwk(use="enc")),
    "a use of null": ("not_for_verification", rsa_jwk(use=None)),
    "a key for signing alone": ("not_for_verification", ec_jwk(key_ops=["sign"])),
    "a key for nothing": ("not_for_verification", ec_jwk(key_ops=[])),
    "operations of null": ("invalid", ec_jwk(key_ops=None)),
    "octets": ("unsupported", {"kty": "oct", "k": b64(b"k" * 32), "kid": "bad"}),
    "octets for HS256": ("unsupported", {"kty": "oct", "k": b64(b"k" * 32), "alg": "HS256"}),
    "an unknown type": ("unsupported", GOOD.jwk(kid="bad", kty="AKP")),
    "a type in lower case": ("unsupported", rsa_jwk(kty="rsa")),
    "no type": ("unsupported", GOOD.jwk(kid="bad", kty=...)),
    "an array as type": ("unsupported", GOOD.jwk(kid="bad", kty=["OKP"])),
    "no curve": ("unsupported", ec_jwk(crv=...)),
    "the curve of another algorithm": ("unsupported", ec_jwk(alg="ES512")),
    "another type's algorithm": ("unsupported", ed25519_jwk(2, alg="ES256")),
    "RSA for EdDSA": ("unsupported", rsa_jwk(alg="EdDSA")),
    "RSA with a curve": ("unsupported", rsa_jwk(crv="P-256")),
    "RS512": ("unsupported", rsa_jwk(alg="RS512")),
    "RSA-OAEP": ("unsupported", rsa_jwk(alg="RSA-OAEP")),
    "an algorithm of null": ("unsupported", rsa_jwk(alg=None)),
    "no algorithm at all": ("unsupported", rsa_jwk(alg="none")),
    "P-384": ("unsupported", signer("ES384", "bad").jwk()),
    "secp256k1": ("unsupported", signer("ES256K", "bad").jwk()),
    "X25519": ("unsupported", GOOD.jwk(kid="bad", crv="X25519", alg=...)),
    "Ed448": ("unsupported", GOOD.jwk(kid="bad", crv="Ed448")),
    "a short point": ("invalid", GOOD.jwk(kid="bad", x=b64(b"x" * 31))),
    "a long point": ("invalid", GOOD.jwk(kid="bad", x=b64(b"x" * 33))),
    "no point": ("invalid", GOOD.jwk(kid="bad", x=...)),
    "a number as point": ("invalid", GOOD.jwk(kid="bad", x=1)),
    "a surrogate as point": ("invalid", GOOD.jwk(kid="bad", x="\ud800")),
    "one letter as point": ("invalid", GOOD.jwk(kid="bad", x="A")),
    "a point off the curve": ("invalid", ec_jwk(y=b64(X))),
    "a short coordinate": ("invalid", ec_jwk(x=b64(X[1:]))),
    "the point at infinity": ("invalid", ec_jwk(x=b64(bytes(32)), y=b64(bytes(32)))),
    "half a point": ("invalid", ec_jwk(y=...)),
    "no modulus": ("invalid", rsa_jwk(n=...)),
    "a modulus of 0": ("invalid", rsa_jwk(n="AA")),
    "an exponent of 1": ("invalid", rsa_jwk(e="AQ")),
    "an even exponent": ("invalid", rsa_jwk(e="AQAA")),
    "a number as exponent": ("invalid", rsa_jwk(e=65537)),
    "RSA of 1024 bits": ("weak", signer("RS256", "bad", "RSA-1024").jwk()),
    "RSA of 1024 bits for no algorithm": ("weak", signer("RS256", "bad", "RSA-1024").jwk(alg=...)),
    "RSA of 2047 bits": ("weak", rsa_jwk(n=b64((2**2046 + 1).to_bytes(256)))),
    **{
        f"{name}, {'negative' if sign else 'positive'}": ("weak", ed25519_jwk(y, sign=sign))
        for name, y in SMALL_ORDER.items()
        for sign in (False, True)
    },
}


class TestUnusable:
    @pytest.mark.parametrize(("reason", "jwk"), UNUSABLE.values(), ids=UNUSABLE)
    def test_an_unusable_key_is_ignored_with_a_warning_and_the_others_serve(
        self, reason: str, jwk: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        read_keys.cache_clear()
        assert names(jwk, GOOD.jwk()) == {("EdDSA", "good")}
        [record] = caplog.records
        assert (record.levelno, vars(record)["reason"]) == (logging.WARNING, reason)
        assert record.getMessage() == "A key of the key set cannot be used and is ignored."
        assert vars(record)["position"] == 0

    def test_of_keys_of_one_algorithm_and_kid_none_is_used(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        read_keys.cache_clear()
        again, kind = signer("EdDSA", "good", number=22), signer("ES256", "good", number=22)
        other = signer("EdDSA", "other", number=23)
        jwks = GOOD.jwk(), other.jwk(), again.jwk(), kind.jwk()
        assert names(*jwks) == {("EdDSA", "other"), ("ES256", "good")}
        [record] = caplog.records
        assert (record.levelno, vars(record)["reason"]) == (logging.WARNING, "duplicate_kid")
        assert found_without_kid(*jwks) == {"EdDSA", "ES256"}

    def test_an_unusable_key_takes_no_kid_from_a_usable_one(self) -> None:
        assert names(GOOD.jwk(), GOOD.jwk(use="enc"), rsa_jwk(n="AA") | {"kid": "good"}) == {
            ("EdDSA", "good")
        }

    def test_two_keys_without_kid_are_not_two_of_one_kid(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        read_keys.cache_clear()
        jwks = GOOD.jwk(kid=...), signer("ES256").jwk(kid=...)
        assert found_without_kid(*jwks) == {"EdDSA", "ES256"}
        assert not caplog.records

    def test_a_set_that_has_not_changed_warns_once(self, caplog: pytest.LogCaptureFixture) -> None:
        read_keys.cache_clear()
        for _ in range(3):
            read_keys(document({}, GOOD.jwk()))
        assert len(caplog.records) == 1

    def test_nothing_of_a_key_is_logged(self, caplog: pytest.LogCaptureFixture) -> None:
        read_keys.cache_clear()
        jwks = [*(jwk for _, jwk in UNUSABLE.values()), *key_set()]
        read_keys(document(*jwks, GOOD.jwk()))
        logged = json.dumps([vars(record) for record in caplog.records], default=str)
        members = [jwk for jwk in jwks if isinstance(jwk, dict)]
        material = [
            str(jwk[name]) for jwk in members for name in ("x", "n", "k", "d") if name in jwk
        ]
        assert not [each for each in material if len(each) > 10 and each in logged]

    def test_a_set_may_have_no_usable_key(self) -> None:
        assert read_keys(document({})) == []

    @pytest.mark.parametrize(
        "text",
        [
            *("", "<html>", "null", "1", '"keys"', "[]", "{}", '{"keys": []}', '{"keys": {}}'),
            *('{"keys": null}', '{"keys": "keys"}', '{"Keys": [{}]}', '{"keys": [{}]', "\ud800"),
        ],
    )
    def test_what_is_no_key_set_is_refused(self, text: str) -> None:
        with pytest.raises(ValueError):  # noqa: PT011
            read_keys(text.encode("utf-8", "surrogatepass"))


class TestProperties:
    JSON = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda children: (
            st.lists(children, max_size=3)
            | st.dictionaries(st.sampled_from(["kty", "crv", "x", "kid", "keys"]), children)
        ),
        max_leaves=6,
    )

    MEMBERS = st.sampled_from(["kty", "crv", "alg", "kid", "use", "key_ops", "x", "y", "n", "e"])

    @given(st.sampled_from(key_set()), st.dictionaries(MEMBERS, JSON))
    @settings(deadline=None)
    def test_no_key_makes_another_one_unusable(
        self, jwk: dict[str, Any], changes: dict[str, Any]
    ) -> None:
        changes.pop("kid") if changes.get("kid") == "good" else None
        keys = read_keys(document({**jwk, **changes}, GOOD.jwk()))
        key = find_key(keys, "EdDSA", "good")
        assert key
        assert verifies(key, MESSAGE, GOOD.sign(MESSAGE))

    @given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
    @settings(deadline=None)
    def test_any_document_is_a_key_set_or_none(self, text: bytes) -> None:
        try:
            keys = read_keys(text)
        except ValueError:
            return
        assert isinstance(keys, list)

    @given(st.binary(min_size=32, max_size=32))
    def test_no_ordinary_point_is_taken_for_one_of_small_order(self, seed: bytes) -> None:
        key = ed25519.Ed25519PrivateKey.from_private_bytes(seed).public_key()
        jwk = GOOD.jwk(x=b64(key.public_bytes_raw()))
        assert names(jwk) == {("EdDSA", "good")}

    def test_keys_made_for_tests_are_different(self) -> None:
        assert private_key("EdDSA") is private_key("EdDSA")
        assert private_key("EdDSA") is not private_key("EdDSA", 1)
