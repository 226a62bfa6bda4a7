"""Every kind of bad token we know of, and controls that must be accepted, for each algorithm.

    for case in CASES:
        if algorithm in case.algorithms:
            token = case.build(Mint(algorithm, issuer=…, audience=…))

`case.reason` is why it must be refused, None if it must be accepted. Whoever verifies the tokens
must have fetched `key_set()`. Times are now and some full seconds away from any limit, so that a
token keeps its meaning for a while. Sources: RFC 7515 to 7519, RFC 8725, and what JWT libraries got
wrong over the years (the CVE is named where there is one).
"""

from __future__ import annotations

import gzip
import hashlib
import hmac
import itertools
import json
import time
import zlib
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import EllipsisType
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt import get_algorithm_by_name

ALGORITHMS = ("EdDSA", "ES256", "ES512", "RS256", "PS256")
ECDSA = {
    "ES256": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    "ES512": 0x01FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFA * 2**256
    + 0x51868783BF2F966B7FCC0148F709A5D03BB5C9B8899C47AEBB6FB71E91386409,
}  # the order of the curve
RSA = ("RS256", "PS256")
SUBJECT = "Xq3mT8vKp0LrZ2aWc5NdYb7HfJ9sGe4U"
HOUR = 60 * 60

Members = dict[str, Any]
Change = Any | EllipsisType  # `...` takes a member away


def b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def dump(members: Members) -> bytes:
    return json.dumps(members, separators=(",", ":")).encode()


def changed(members: Members, changes: dict[str, Change]) -> Members:
    return {name: value for name, value in {**members, **changes}.items() if value is not ...}


GENERATORS: dict[str, Callable[[], Any]] = {
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
    "Ed448": ed448.Ed448PrivateKey.generate,
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ES384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "ES512": lambda: ec.generate_private_key(ec.SECP521R1()),
    "ES256K": lambda: ec.generate_private_key(ec.SECP256K1()),
    "RSA": lambda: rsa.generate_private_key(65537, 2048),
    "RSA-1024": lambda: rsa.generate_private_key(65537, 1024),
}


@cache
def private_key(kind: str, _number: int = 0) -> Any:
    """A key of its own for each number. RSA is slow to generate: one key serves two algorithms."""
    return GENERATORS[kind]()


@dataclass(frozen=True)
class Signer:
    """A key pair with the algorithm and the kid that it is published with."""

    algorithm: str
    kid: str
    key: Any

    def sign(self, message: bytes) -> bytes:
        return bytes(get_algorithm_by_name(self.algorithm).sign(message, self.key))

    def jwk(self, **changes: Change) -> Members:
        public = get_algorithm_by_name(self.algorithm).to_jwk(self.key.public_key(), as_dict=True)
        return changed({"alg": self.algorithm, "kid": self.kid, **public}, changes)


@cache
def signer(algorithm: str, kid: str = "", kind: str = "", number: int = 0) -> Signer:
    kind = kind or ("RSA" if algorithm in RSA else algorithm)
    return Signer(algorithm, kid or f"key-{algorithm}", private_key(kind, number))


# One usable key for each algorithm, and all of these, which no token may be signed with.
UNUSABLE: dict[str, Signer] = {
    "weak": signer("RS256", "weak", "RSA-1024"),
    "weak-pss": signer("PS256", "weak-pss", "RSA-1024"),
    "encryption": signer("RS256", "encryption", number=2),
    "signing-only": signer("ES256", "signing-only", number=2),
    "other-algorithm": signer("ES256", "other-algorithm", number=3),
    "private": signer("EdDSA", "private", number=4),
    "secp256k1": signer("ES256K", "secp256k1"),
    "P-384": signer("ES384", "P-384"),
    "twice": signer("EdDSA", "twice", number=5),
    "twice-again": signer("EdDSA", "twice", number=6),
}
OCTETS = b"a symmetric key in a public place"
IDENTITY = (1).to_bytes(32, "little")  # the neutral point of edwards25519


def key_set() -> list[Members]:
    """What the issuer publishes."""
    unusable = {name: each.jwk() for name, each in UNUSABLE.items()}
    unusable["encryption"]["use"] = "enc"
    unusable["signing-only"]["key_ops"] = ["sign"]
    unusable["other-algorithm"]["alg"] = "ES512"
    unusable["private"]["d"] = b64(UNUSABLE["private"].key.private_bytes_raw())
    ed448_x = b64(private_key("Ed448").public_key().public_bytes_raw())
    return [
        {"kty": "oct", "kid": "octets", "k": b64(OCTETS)},
        {"kty": "oct", "kid": "octets-HS256", "alg": "HS256", "k": b64(OCTETS)},
        *unusable.values(),
        {"kty": "OKP", "crv": "Ed448", "alg": "EdDSA", "kid": "Ed448", "x": ed448_x},
        {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "small", "x": b64(IDENTITY)},
        {"kty": "OKP", "crv": "Ed25519", "alg": "none", "kid": "none", "x": b64(b"x" * 32)},
        {"kty": "EC", "crv": "P-256", "kid": "off-curve", "x": b64(b"x" * 32), "y": b64(b"y" * 32)},
        {"kty": "new", "kid": "unknown-type"},
        {},
        *(signer(algorithm).jwk() for algorithm in ALGORITHMS),
    ]


@dataclass(frozen=True)
class Mint:
    """Makes tokens as Better Auth does, and everything that differs from that on request."""

    algorithm: str
    issuer: str
    audience: str
    now: int = 0

    @property
    def signer(self) -> Signer:
        return signer(self.algorithm)

    @property
    def stranger(self) -> Signer:
        """Somebody else's key of the same kind."""
        return signer(self.algorithm, "stranger", number=1)

    def header(self, **changes: Change) -> Members:
        return changed({"alg": self.algorithm, "kid": self.signer.kid}, changes)

    def claims(self, **changes: Change) -> Members:
        now = self.now or int(time.time())
        claims = {
            "iat": now,
            "name": "Zoë",
            "email": "zoe@example.com",
            "emailVerified": False,
            "image": None,
            "createdAt": "2026-01-01T00:00:00.000Z",
            "id": SUBJECT,
            "sub": SUBJECT,
            "exp": now + HOUR // 4,
            "iss": self.issuer,
            "aud": self.audience,
        }
        return changed(claims, changes)

    def message(self, header: Members | bytes | None, claims: Members | bytes | None) -> str:
        header = self.header() if header is None else header
        claims = self.claims() if claims is None else claims
        parts = (part if isinstance(part, bytes) else dump(part) for part in (header, claims))
        return ".".join(map(b64, parts))

    def token(
        self,
        header: Members | bytes | None = None,
        claims: Members | bytes | None = None,
        by: Signer | None = None,
    ) -> str:
        message = self.message(header, claims)
        return f"{message}.{b64((by or self.signer).sign(message.encode()))}"

    def signed(self, sign: Callable[[bytes], bytes], **header: Change) -> str:
        """A token in order but for its header and signature."""
        message = self.message(self.header(**header), None)
        return f"{message}.{b64(sign(message.encode()))}"


Build = Callable[[Mint], str]


@dataclass(frozen=True)
class Case:
    """A token, and the reason for which it is refused; None if it is valid."""

    name: str
    reason: str | None
    build: Build
    algorithms: tuple[str, ...] = ALGORITHMS


CASES: list[Case] = []


def add(reason: str | None, group: str, builds: dict[str, Build], *only: str) -> None:
    CASES.extend(
        Case(f"{group}: {name}", reason, build, only or ALGORITHMS)
        for name, build in builds.items()
    )


def headers(**each: Members) -> dict[str, Build]:
    return {name: _with_header(changes) for name, changes in each.items()}


def _with_header(changes: Members) -> Build:
    return lambda mint: mint.token(mint.header(**changes))


def claims(name: str, values: Mapping[str, Change]) -> dict[str, Build]:
    return {f"{name} {label}": _with_claim(name, value) for label, value in values.items()}


def _with_claim(name: str, value: Change) -> Build:
    """A callable value is given the mint: for times, and for what is like the issuer."""
    return lambda mint: mint.token(
        claims=mint.claims(**{name: value(mint) if callable(value) else value})
    )


def seconds(offset: float) -> Callable[[Mint], float]:
    return lambda mint: mint.claims()["iat"] + offset


# --- What must be accepted ---

add(None, "valid", {"as Better Auth makes it": Mint.token})
add(
    None,
    "valid header",
    {
        **headers(
            typ={"typ": "JWT"},
            typ_in_lower_case={"typ": "jwt"},
            typ_in_mixed_case={"typ": "Jwt"},
            no_kid={"kid": ...},
        ),
        "white space": lambda mint: mint.token(
            json.dumps(mint.header(), indent=2).encode(),
            json.dumps(mint.claims(), indent=2).encode(),
        ),
        "escapes": lambda mint: mint.token(
            dump(mint.header()).replace(b'"alg"', b'"\\u0061lg"'),
            dump(mint.claims()).replace(b'"sub"', b'"\\u0073\\u0075b"'),
        ),
        "another order": lambda mint: mint.token(dict(reversed(mint.header().items()))),
        "UTF-8 without escapes": lambda mint: mint.token(
            claims=json.dumps(mint.claims(), ensure_ascii=False).encode()
        ),
    },
)
SUBJECTS = {
    "a serial number": "1",
    "zero": "0",
    "a UUID": "3f0a9d1e-7c62-4f7b-9a53-2d1f0c6b8e94",
    "24 hexadecimal digits": "65f0c0ffee0123456789abcd",
    "with a bar": "auth0|42",
    "an address": "a@b.c",
    "with a colon and a tilde": "x:y~z",
    "with a slash": "a/b",
    "with dots": "a..b",
    "percent-encoded": "%41%00",
    "a word of JSON": "null",
    "an umlaut": "ü",
    "decomposed": "u\u0308",
    "Chinese": "用户",
    "an emoji": "\U0001f600",
    "markup": "<script>",
    "SQL": "';--",
    "one character": "x",
    "255 characters": "x" * 255,
    "255 emojis": "\U0001f600" * 255,
}
add(None, "valid", claims("sub", SUBJECTS))
add(
    None,
    "valid",
    {
        **claims("aud", {"in a list": lambda mint: [mint.audience]}),
        **claims("aud", {"among others": lambda mint: ["https://b.example", mint.audience]}),
        **claims("aud", {"twice": lambda mint: [mint.audience, mint.audience]}),
        **claims("exp", {"within the leeway": seconds(-4)}),
        **claims("exp", {"in a day": seconds(24 * HOUR)}),
        **claims("iat", {"within the leeway": seconds(5)}),
        **claims("iat", {"some hours ago": seconds(-23 * HOUR)}),
        **claims("nbf", {"past": seconds(-HOUR), "now": seconds(0), "within": seconds(5)}),
        **claims("nbf", {"zero": 0, "negative": -1}),
        **claims("nested", {"object": {"a": {"a": {"a": [1, 2.5, None]}}}}),
        **claims("image", {"of 30 kB": "data:image/png;base64," + "A" * 30_000}),
        **claims("alg", {"is only a claim": "none"}),
        **claims("lone", {"surrogate in another claim": "\ud800"}),
        **claims("nul", {"in another claim": "\0"}),
        **claims("jti", {"whatever": 1}),
    },
)


def _ecdsa(change: Callable[[int, int, int], tuple[int, int]]) -> Build:
    """Sign, then change the two numbers of the signature, which get the order as the third."""

    def sign(mint: Mint, message: bytes) -> bytes:
        signature = mint.signer.sign(message)
        size = len(signature) // 2
        r, s = (int.from_bytes(half) for half in (signature[:size], signature[size:]))
        return b"".join(
            number.to_bytes(size, "big") for number in change(r, s, ECDSA[mint.algorithm])
        )

    return lambda mint: mint.signed(lambda message: sign(mint, message))


add(
    None,
    "valid signature",
    {
        "low s": _ecdsa(lambda r, s, n: (r, min(s, n - s))),
        "high s": _ecdsa(lambda r, s, n: (r, max(s, n - s))),
    },
    *ECDSA,
)

# --- Form (RFC 7515, sections 2, 3.1 and 7.1; RFC 8725, section 3.11) ---


def _segments(change: Callable[[str, str, str], str]) -> Build:
    def build(mint: Mint) -> str:
        header, payload, signature = mint.token().split(".")
        return change(header, payload, signature)

    return build


add(
    "malformed",
    "segments",
    {
        "none": lambda _: "",
        "one": _segments(lambda h, _p, _s: h),
        "two": _segments(lambda h, p, _s: f"{h}.{p}"),
        "four": _segments(lambda h, p, s: f"{h}.{p}.{s}.{s}"),
        "five, as JWE has": _segments(lambda h, p, s: f"{h}.{p}.{p}.{p}.{s}"),
        "only dots": lambda _: "..",
        "a dot in front": _segments(lambda h, p, s: f".{h}.{p}.{s}"),
        "a dot at the end": _segments(lambda h, p, s: f"{h}.{p}.{s}."),
        "two dots": _segments(lambda h, p, s: f"{h}..{p}.{s}"),
        "empty header": _segments(lambda _h, p, s: f".{p}.{s}"),
        "empty payload (detached, RFC 7797)": _segments(lambda h, _p, s: f"{h}..{s}"),
        "empty signature": _segments(lambda h, p, _s: f"{h}.{p}."),
        "in reverse": _segments(lambda h, p, s: f"{s}.{p}.{h}"),
        "header and payload swapped and signed": lambda mint: mint.token(b"x", dump(mint.header())),
        "comma-joined": lambda mint: f"{mint.token()},{mint.token()}",
        "in one": lambda mint: mint.token() + mint.token(),
        "separated by colons": lambda mint: mint.token().replace(".", ":"),
        "separated by full-width dots": lambda mint: mint.token().replace(".", "\uff0e"),
        "separated by %2E": lambda mint: mint.token().replace(".", "%2E"),
        "quoted": lambda mint: f'"{mint.token()}"',
        "with its scheme": lambda mint: f"Bearer {mint.token()}",
        "encoded once more": lambda mint: b64(mint.token().encode()),
        "flattened JSON serialisation": _segments(
            lambda h, p, s: json.dumps({"protected": h, "payload": p, "signature": s})
        ),
        "general JSON serialisation": _segments(
            lambda h, p, s: json.dumps(
                {"payload": p, "signatures": [{"protected": h, "signature": s}]}
            )
        ),
        "null": lambda _: "null",
        "undefined": lambda _: "undefined",
        "an object": lambda _: "{}",
        "[object Object]": lambda _: "[object Object]",
        "an opaque session token": lambda _: "KzU3n0Yc3k1vJ8sB2mR6wQ9xT4aLhD7e",
        "a PASETO": lambda _: "v4.public." + b64(b"{}" + b"\0" * 64),
        "a megabyte of dots": lambda _: "." * 60_000,
    },
)

WHITE_SPACE = {
    "space": " ",
    "tab": "\t",
    "newline": "\n",
    "carriage return": "\r\n",
    "no-break space": "\u00a0",
    "zero-width space": "\u200b",
    "vertical tab": "\v",
    "NUL": "\0",
    "byte order mark": "\ufeff",
    "lone surrogate": "\ud800",
    "full-width letter": "\uff21",
    "Arabic digit": "\u0663",
    "superscript digit": "\u00b2",
    "letter that folds to ASCII": "\u212a",
    "delete": "\x7f",
    "plus": "+",
    "slash": "/",
    "padding": "=",
    "double padding": "==",
    "percent": "%",
    "star": "*",
    "quote": "'",
}


def _character(text: str, where: str) -> Build:
    def build(mint: Mint) -> str:
        token = mint.token()
        header, payload, signature = token.split(".")
        return {
            "in front": text + token,
            "at the end": token + text,
            "in the header": f"{header[:4]}{text}{header[4:]}.{payload}.{signature}",
            "after the header": f"{header}{text}.{payload}.{signature}",
            "in the payload": f"{header}.{payload[:4]}{text}{payload[4:]}.{signature}",
            "after the payload": f"{header}.{payload}{text}.{signature}",
            "in the signature": f"{header}.{payload}.{signature[:4]}{text}{signature[4:]}",
        }[where]

    return build


PLACES = (
    "in front",
    "at the end",
    "in the header",
    "after the header",
    "in the payload",
    "after the payload",
    "in the signature",
)
for _place in PLACES:
    add(
        "malformed",
        f"foreign character {_place}",
        {name: _character(text, _place) for name, text in WHITE_SPACE.items()},
    )


def _spare_bits(segment: int) -> Build:
    """The same bytes in another spelling (RFC 4648, section 3.5), signed as spelt."""

    def build(mint: Mint) -> str:
        texts = [dump(mint.header()), dump(mint.claims())]
        texts = [text + b" " * ((1 - len(text)) % 3) for text in texts]  # leaves four spare bits
        encoded = [b64(text) for text in texts]
        if segment < 2:
            encoded[segment] = _next_letter(encoded[segment])
        signature = b64(mint.signer.sign(".".join(encoded).encode()))
        return ".".join([*encoded, _next_letter(signature) if segment == 2 else signature])

    return build


def _next_letter(text: str) -> str:
    """Set the last of the spare bits of the last letter, which is A, Q, g or w."""
    return text[:-1] + chr(ord(text[-1]) + 1)


add("malformed", "spare bits", {"of the header": _spare_bits(0), "of the payload": _spare_bits(1)})
add("malformed", "spare bits", {"of the signature": _spare_bits(2)}, "EdDSA", "ES256", *RSA)
add(
    "malformed",
    "base64",
    {
        "a letter too many in the header": _segments(
            lambda h, p, s: f"{h + 'A' * ((1 - len(h)) % 4 or 4)}.{p}.{s}"
        ),
        "one letter as signature": _segments(lambda h, p, _s: f"{h}.{p}.A"),
        "five letters as signature": _segments(lambda h, p, _s: f"{h}.{p}.AAAAA"),
        "the standard alphabet": lambda mint: ".".join(
            [*mint.message(None, mint.claims(x="\u00ff?>~" * 8)).split("."), "+/+/"]
        ),
        "hexadecimal": _segments(lambda h, p, s: f"{h}.{p}.0x{unb64(s).hex()}="),
    },
)
add(
    "too_long",
    "length",
    {
        "1 MB": lambda mint: mint.token(claims=mint.claims(image="A" * 1_000_000)),
        "65,537": lambda mint: mint.token() + "A" * (65_537 - len(mint.token())),
        "a megabyte of nothing": lambda _: "A" * 1_000_000,
        "a megabyte of surrogates": lambda _: "\ud800" * 1_000_000,
        "a megabyte of segments": lambda _: "A." * 500_000,
    },
)

# --- JSON (RFC 8259; RFC 7515, section 4; RFC 7519, section 4; RFC 8725, section 3.7) ---

JSON_FAULTS: dict[str, Callable[[bytes], bytes]] = {
    "rubbish at the end": lambda text: text + b"x",
    "another object at the end": lambda text: text + text,
    "a NUL at the end": lambda text: text + b"\0",
    "cut off": lambda text: text[:-1],
    "a comma too many": lambda text: text[:-1] + b",}",
    "a comment": lambda text: b"/**/" + text,
    "single quotes": lambda text: text.replace(b'"', b"'"),
    "a name without quotes": lambda text: text[:-1] + b",x:1}",
    "UTF-7": lambda text: b"+" + text,
    "Latin-1": lambda text: text[:-1] + b',"x":"\xff"}',
    "overlong UTF-8": lambda text: text[:-1] + b',"x":"\xc0\xaf"}',
    "beyond Unicode": lambda text: text[:-1] + b',"x":"\xf4\x90\x80\x80"}',
    "a raw newline in a string": lambda text: text[:-1] + b',"x":"\n"}',
    "a raw NUL in a string": lambda text: text[:-1] + b',"x":"\0"}',
    "an unknown escape": lambda text: text[:-1] + b',"x":"\\x41"}',
    "half an escape": lambda text: text[:-1] + b',"x":"\\u00"}',
    "a leading zero": lambda text: text[:-1] + b',"x":01}',
    "a hexadecimal number": lambda text: text[:-1] + b',"x":0x1}',
    "a plus sign": lambda text: text[:-1] + b',"x":+1}',
    "a number of 5000 digits": lambda text: text[:-1] + b',"x":' + b"9" * 5000 + b"}",
    "a form feed": lambda text: b"\x0c" + text,
    "a no-break space": lambda text: "\u00a0".encode() + text,
    "an array": lambda text: b"[" + text + b"]",
    "an empty array": lambda _: b"[]",
    "a string": lambda text: json.dumps(text.decode()).encode(),
    "an empty string": lambda _: b'""',
    "a number": lambda _: b"1",
    "null": lambda _: b"null",
    "true": lambda _: b"true",
    "a space": lambda _: b" ",
    "not JSON": lambda _: b"alg=none",
    "nested arrays": lambda _: b"[" * 20_000 + b"]" * 20_000,
    "compressed": gzip.compress,
    "deflated": zlib.compress,
}


def _broken(fault: Callable[[bytes], bytes], part: str) -> Build:
    if part == "header":
        return lambda mint: mint.token(fault(dump(mint.header())))
    return lambda mint: mint.token(claims=fault(dump(mint.claims())))


for _part in ("header", "payload"):
    add(
        "malformed",
        f"{_part} JSON",
        {name: _broken(fault, _part) for name, fault in JSON_FAULTS.items()},
    )


add("malformed", "payload", {"nested token": lambda mint: mint.token(claims=mint.token().encode())})

# --- Header: algorithms (RFC 8725, sections 2.1, 3.1 and 3.2) ---

NONES = ["".join(letters) for letters in itertools.product("nN", "oO", "nN", "eE")]
UNSUPPORTED = [
    *NONES,
    *("HS256", "HS384", "HS512", "RS384", "RS512", "PS384", "PS512", "ES384", "ES256K", "ES521"),
    *("RS1", "Ed25519", "Ed448", "EDDSA", "eddsa", "Eddsa", "es256", "rs256", "ps256", "Es512"),
    *("RSA", "RSA1_5", "RSA-OAEP", "RSA-OAEP-256", "dir", "A128KW", "A256GCM", "ECDH-ES"),
    *("PBES2-HS256+A128KW", "ML-DSA-44", "SHA256withRSA", "", " ", "null", "EdDSA\0"),
    *("http://www.w3.org/2000/09/xmldsig#hmac-sha1", "\ud800", "\u0415dDSA", "x" * 10_000),
]
for _name in UNSUPPORTED:
    _label = repr(_name[:50])
    add("unsupported_algorithm", "alg", {_label: _with_header({"alg": _name})})
add(
    "unsupported_algorithm",
    "alg",
    {
        **headers(
            absent={"alg": ...},
            null={"alg": None},
            zero={"alg": 0},
            true={"alg": True},
            an_array={"alg": ["EdDSA"]},
            an_object={"alg": {"name": "EdDSA"}},
        ),
        "in an array": lambda mint: mint.token(mint.header(alg=[mint.algorithm])),
        "with a space": lambda mint: mint.token(mint.header(alg=f"{mint.algorithm} ")),
        "with a newline": lambda mint: mint.token(mint.header(alg=f"{mint.algorithm}\n")),
        "with a NUL": lambda mint: mint.token(mint.header(alg=f"{mint.algorithm}\0")),
        "in capitals or not": lambda mint: mint.token(mint.header(alg=mint.algorithm.swapcase())),
        "twice in one": lambda mint: mint.token(mint.header(alg=f"{mint.algorithm},none")),
    },
)
for _name in ALGORITHMS:
    add(
        "unknown_key",  # the key is published for its own algorithm alone
        "alg of another key",
        {_name: _with_header({"alg": _name})},
        *(algorithm for algorithm in ALGORITHMS if algorithm != _name),
    )


def _unsigned(name: str) -> Build:
    return lambda mint: f"{mint.message(mint.header(alg=name), None)}."


# CVE-2015-9235, CVE-2018-1000531, CVE-2020-28042 and many more
add("malformed", "alg without signature", {name: _unsigned(name) for name in NONES})


def _public_keys(mint: Mint) -> dict[str, bytes]:
    public = mint.signer.key.public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return {
        "PEM": pem,
        "PEM without newline": pem.rstrip(),
        "PEM with CRLF": pem.replace(b"\n", b"\r\n"),
        "DER": public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "JWK": dump(mint.signer.jwk()),
        "JWK Set": dump({"keys": key_set()}),
        "first number": unb64(mint.signer.jwk().get("x") or mint.signer.jwk()["n"]),
        "first number, encoded": (mint.signer.jwk().get("x") or mint.signer.jwk()["n"]).encode(),
        "kid": mint.signer.kid.encode(),
        "nothing": b"",
        "NUL": b"\0",
        "None": b"None",
        "octets of the set": OCTETS,
        "issuer": mint.issuer.encode(),
    }


def _hmac(secret: str, name: str, **header: Change) -> Build:
    """CVE-2015-9235, CVE-2016-10555, CVE-2022-29217, CVE-2024-54150: a public key as a secret."""

    def build(mint: Mint) -> str:
        key, digest = _public_keys(mint)[secret], f"sha{name[2:]}"
        return mint.signed(lambda message: hmac.digest(key, message, digest), alg=name, **header)

    return build


for _secret in _public_keys(Mint("EdDSA", "", "")):
    for _name in ("HS256", "HS384", "HS512"):
        add("unsupported_algorithm", f"{_name} signed with", {_secret: _hmac(_secret, _name)})
add(
    "unsupported_algorithm",
    "HS256 with the published octets",
    {
        "by kid": _hmac("octets of the set", "HS256", kid="octets"),
        "by kid and alg": _hmac("octets of the set", "HS256", kid="octets-HS256"),
        "without kid": _hmac("octets of the set", "HS256", kid=...),
    },
)


def _own_name_hmac(secret: str) -> Build:
    def build(mint: Mint) -> str:
        key = _public_keys(mint)[secret]
        return mint.signed(lambda message: hmac.digest(key, message, "sha256"))

    return build


add(
    "bad_signature",
    "HMAC under the key's own algorithm",
    {secret: _own_name_hmac(secret) for secret in ("PEM", "DER", "JWK", "nothing")},
)

# --- Header: everything else (RFC 8725, sections 3.5, 3.8, 3.10 and 3.11) ---

add(
    "wrong_type",
    "typ",
    {
        repr(value): _with_header({"typ": value})
        for value in (
            *("at+jwt", "JWS", "JOSE", "JWE", "JOSE+JSON", "dpop+jwt", "logout+jwt", "id_token"),
            *("application/jwt", "secevent+jwt", "session", "", " ", "jwt ", "\tJWT", "JWT\0"),
            *("J\u0307WT", "\ud800", None, 0, True, ["JWT"], {"typ": "JWT"}),
        )
    },
)


def _embedded(build: Callable[[Mint], Members], *, by_stranger: bool = True) -> Build:
    return lambda mint: mint.token(
        mint.header(**build(mint)), by=mint.stranger if by_stranger else None
    )


add(
    "unsupported_header",
    "key in the header",  # CVE-2018-0114
    {
        "jwk": _embedded(lambda mint: {"jwk": mint.stranger.jwk()}),
        "jwk and its kid": _embedded(lambda mint: {"jwk": mint.stranger.jwk(), "kid": "stranger"}),
        "jwk without kid": _embedded(lambda mint: {"jwk": mint.stranger.jwk(), "kid": ...}),
        "the published jwk": _embedded(lambda mint: {"jwk": mint.signer.jwk()}, by_stranger=False),
        "jku": _embedded(lambda _: {"jku": "https://attacker.example/jwks"}),
        "jku of the issuer": _embedded(
            lambda mint: {"jku": f"{mint.issuer}/api/auth/jwks"}, by_stranger=False
        ),
        "jku of a file": _embedded(lambda _: {"jku": "file:///etc/passwd"}),
        "jku of the metadata service": _embedded(lambda _: {"jku": "http://169.254.169.254/"}),
        "x5u": _embedded(lambda _: {"x5u": "https://attacker.example/chain.pem"}),
        "x5c": _embedded(lambda _: {"x5c": [b64encode(b"certificate").decode()]}),
        "x5c, empty": _embedded(lambda _: {"x5c": []}, by_stranger=False),
        "x5t": _embedded(lambda _: {"x5t": b64(b"x" * 20)}, by_stranger=False),
        "x5t#S256": _embedded(lambda _: {"x5t#S256": b64(b"x" * 32)}, by_stranger=False),
        "jwk of null": _embedded(lambda _: {"jwk": None}, by_stranger=False),
    },
)
add(
    "unsupported_header",
    "extension",  # RFC 7515, section 4.1.11; CVE-2025-59420: unknown critical headers accepted
    headers(
        b64={"b64": True},
        zip={"zip": "DEF"},
        enc={"enc": "A256GCM"},
        enc_of_dir={"enc": "A256GCM", "epk": {}, "apu": "", "apv": ""},
        p2c={"p2c": 2_147_483_647, "p2s": "AAAA"},  # CVE-2022-36083 and others
        cty={"cty": "JWT"},
        url={"url": "https://example.com"},
        nonce={"nonce": "n"},
        claims_in_the_header={"iss": "x", "aud": "x", "sub": "x"},
        key={"key": "x"},
        unknown={"foo": "bar"},
        capitals={"ALG": "none"},
        capital_kid={"Kid": "x"},
        empty_name={"": ""},
        prototype={"__proto__": {"alg": "none"}},
    ),
)


add(
    "malformed",
    "extension",
    headers(
        crit_of_b64={"crit": ["b64"]},
        crit_of_exp={"crit": ["exp"], "exp": 0},
        crit_of_something={"crit": ["https://example.com/x"], "https://example.com/x": True},
        crit_empty={"crit": []},
        crit_null={"crit": None},
        crit_text={"crit": "b64"},
        crit_of_alg={"crit": ["alg"]},
        b64_false={"b64": False},
        b64_false_and_crit={"b64": False, "crit": ["b64"]},
    ),
)


def _unencoded(mint: Mint) -> str:
    """RFC 7797: the payload as it is, signed as it is."""
    header = b64(dump(mint.header(b64=False, crit=["b64"])))
    message = f"{header}.{dump(mint.claims()).decode()}"
    return f"{message}.{b64(mint.signer.sign(message.encode()))}"


add("malformed", "extension", {"an unencoded payload": _unencoded})

INJECTIONS = {
    "of another set": "3c1b5f0e",
    "empty": "",
    "a path": "../../../../../../dev/null",
    "a file": "/proc/sys/kernel/randomize_va_space",
    "an address": "https://attacker.example/key",
    "SQL": "x' UNION SELECT 'secret';--",
    "a tautology": "' OR '1'='1",
    "a command": "| whoami",
    "a template": "{{7*7}}${7*7}",
    "LDAP": "*)(kid=*",
    "a format": "%s%n",
    "a NUL": "\0",
    "a newline": "key\r\nX-Injected: 1",
    "a surrogate": "\ud800",
    "__proto__": "__proto__",
    "10,000 letters": "x" * 10_000,
    "a star": "*",
    "a number": "0",
    "null as text": "null",
}
add("unknown_key", "kid", {name: _with_header({"kid": kid}) for name, kid in INJECTIONS.items()})
add(
    "unknown_key",
    "kid like the right one",
    {
        "in capitals": lambda mint: mint.token(mint.header(kid=mint.signer.kid.upper())),
        "with a space": lambda mint: mint.token(mint.header(kid=mint.signer.kid + " ")),
        "with a NUL": lambda mint: mint.token(mint.header(kid=mint.signer.kid + "\0")),
        "its beginning": lambda mint: mint.token(mint.header(kid=mint.signer.kid[:-1])),
        "its thumbprint": lambda mint: mint.token(
            mint.header(kid=b64(hashlib.sha256(dump(mint.signer.jwk())).digest()))
        ),
    },
)
add(
    "malformed",
    "kid",
    headers(
        null={"kid": None},
        zero={"kid": 0},
        true={"kid": True},
        an_array={"kid": ["key"]},
        an_object={"kid": {}},
    ),
)

# --- Keys ---

add(
    "unknown_key",
    "signed by a stranger",
    {"under its own kid": lambda mint: mint.token(mint.header(kid="stranger"), by=mint.stranger)},
)
add(
    "bad_signature",
    "signed by a stranger",
    {
        "under the right kid": lambda mint: mint.token(by=mint.stranger),
        "without a kid": lambda mint: mint.token(mint.header(kid=...), by=mint.stranger),
    },
)


def _unusable(kid: str, algorithm: str) -> Build:
    by = UNUSABLE[kid]
    return lambda mint: mint.token(mint.header(kid=by.kid, alg=algorithm), by=by)


for _kid, _signer in UNUSABLE.items():
    if _signer.algorithm in ALGORITHMS:
        _builds = {_kid: _unusable(_kid, _signer.algorithm)}
        add("unknown_key", "signed with an unusable key", _builds, _signer.algorithm)
add(
    "unsupported_algorithm",
    "signed with an unusable key",
    {"P-384": _unusable("P-384", "ES384"), "secp256k1": _unusable("secp256k1", "ES256K")},
    "ES256",
)
add(
    "unknown_key",
    "signed with an unusable key",
    {
        "P-384 as ES256": _unusable("P-384", "ES256"),
        "secp256k1 as ES256": _unusable("secp256k1", "ES256"),
        "alg mismatch as ES512": _unusable("other-algorithm", "ES512"),
    },
    "ES256",
)
add(
    "unknown_key",
    "signed with an unusable key",
    {
        "small order": lambda mint: mint.signed(lambda _: IDENTITY + b"\0" * 32, kid="small"),
        "Ed448": lambda mint: mint.signed(private_key("Ed448").sign, kid="Ed448"),
        "none": lambda mint: mint.signed(lambda _: b"\0" * 64, kid="none"),
        "unknown type": lambda mint: mint.signed(lambda _: b"\0" * 64, kid="unknown-type"),
    },
    "EdDSA",
)
add(
    "unknown_key",
    "signed with an unusable key",
    {"off the curve": lambda mint: mint.signed(lambda _: b"\0" * 64, kid="off-curve")},
    "ES256",
)

# --- Signatures ---


def _signature(change: Callable[[bytes], bytes]) -> Build:
    return lambda mint: mint.signed(lambda message: change(mint.signer.sign(message)))


def _flip(signature: bytes, bit: int) -> bytes:
    byte = bit // 8
    flipped = bytes([signature[byte] ^ (1 << bit % 8)])
    return signature[:byte] + flipped + signature[byte + 1 or len(signature) :]


add(
    "bad_signature",
    "signature",
    {
        "first bit": _signature(lambda signature: _flip(signature, 0)),
        "a bit amid": _signature(lambda signature: _flip(signature, len(signature) * 4)),
        "last bit": _signature(lambda signature: _flip(signature, len(signature) * 8 - 1)),
        "a byte too few": _signature(lambda signature: signature[:-1]),
        # PS256's signature is a number to OpenSSL, which does not miss a zero at its front.
        "a byte too few in front": _signature(lambda signature: signature.lstrip(b"\0")[1:]),
        "a byte too many": _signature(lambda signature: signature + b"\0"),
        "a byte too many in front": _signature(lambda signature: b"\0" + signature),
        "half": _signature(lambda signature: signature[: len(signature) // 2]),
        "twice": _signature(lambda signature: signature * 2),
        "in reverse": _signature(lambda signature: signature[::-1]),
        "halves swapped": _signature(
            lambda signature: signature[len(signature) // 2 :] + signature[: len(signature) // 2]
        ),
        "zeros": _signature(lambda signature: bytes(len(signature))),
        "ones": _signature(lambda signature: b"\xff" * len(signature)),
        "a one": _signature(lambda signature: (1).to_bytes(len(signature), "big")),
        "one byte": _signature(lambda _: b"\0"),
        "a hash": lambda mint: mint.signed(lambda message: hashlib.sha256(message).digest()),
        "20,000 bytes": _signature(lambda signature: signature + bytes(20_000)),
        "of nothing": lambda mint: mint.signed(lambda _: mint.signer.sign(b"")),
        "of the header": lambda mint: mint.signed(
            lambda message: mint.signer.sign(message.split(b".")[0])
        ),
        "of the payload": lambda mint: mint.signed(
            lambda message: mint.signer.sign(message.split(b".")[1])
        ),
        "of the decoded text": lambda mint: mint.signed(
            lambda message: mint.signer.sign(b".".join(map(unb64, message.decode().split("."))))
        ),
        "of its hash": lambda mint: mint.signed(
            lambda message: mint.signer.sign(hashlib.sha256(message).digest())
        ),
        "of another token": lambda mint: mint.signed(
            lambda _: unb64(mint.token(claims=mint.claims(sub="other")).split(".")[2])
        ),
        "with the header of another token": lambda mint: ".".join(
            [b64(dump(mint.header(typ="JWT"))), *mint.token().split(".")[1:]]
        ),
        "with the payload of another token": _segments(
            lambda h, p, s: f"{h}.{b64(unb64(p).replace(SUBJECT.encode(), b'admin'))}.{s}"
        ),
        "expired, too": lambda mint: mint.token(claims=mint.claims(exp=0), by=mint.stranger),
        "without claims, too": lambda mint: mint.token(claims=b"{}", by=mint.stranger),
    },
)
add(
    "bad_signature",
    "signature",  # CVE-2022-21449: psychic signatures
    {
        "r and s of 0": _ecdsa(lambda _r, _s, _n: (0, 0)),
        "r of 0": _ecdsa(lambda _r, s, _n: (0, s)),
        "s of 0": _ecdsa(lambda r, _s, _n: (r, 0)),
        "r and s of 1": _ecdsa(lambda _r, _s, _n: (1, 1)),
        "r and s of the order": _ecdsa(lambda _r, _s, n: (n, n)),
        "r of the order": _ecdsa(lambda _r, s, n: (n, s)),
        "s of the order": _ecdsa(lambda r, _s, n: (r, n)),
        "r of 1, s of the order": _ecdsa(lambda _r, _s, n: (1, n)),
        "r and s swapped": _ecdsa(lambda r, s, _n: (s, r)),
        "r negated": _ecdsa(lambda r, s, n: (n - r, s)),
        "s off by one": _ecdsa(lambda r, s, n: (r, (s + 1) % n)),
        "DER": _signature(lambda raw: encode_dss_signature(*_numbers(raw))),
        "DER of zeros": _signature(lambda _: encode_dss_signature(0, 0)),
    },
    *ECDSA,
)


def _numbers(raw: bytes) -> tuple[int, int]:
    size = len(raw) // 2
    return int.from_bytes(raw[:size]), int.from_bytes(raw[size:])


def _other_hash(mint: Mint, message: bytes) -> bytes:
    """An ECDSA signature over the other algorithm's hash."""
    digest = hashes.SHA512() if mint.algorithm == "ES256" else hashes.SHA256()
    r, s = decode_dss_signature(mint.signer.key.sign(message, ec.ECDSA(digest)))
    size = mint.signer.key.key_size // 8 + bool(mint.signer.key.key_size % 8)
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


add(
    "bad_signature",
    "signature",
    {"another hash": lambda mint: mint.signed(lambda message: _other_hash(mint, message))},
    *ECDSA,
)

ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493


def _eddsa(change: Callable[[bytes, int], tuple[bytes, int]]) -> Build:
    def sign(signature: bytes) -> bytes:
        point, scalar = change(signature[:32], int.from_bytes(signature[32:], "little"))
        return point + scalar.to_bytes(32, "little")

    return _signature(sign)


add(
    "bad_signature",
    "signature",
    {
        "s not reduced (malleable)": _eddsa(lambda r, s: (r, s + ED25519_ORDER)),
        "s negated": _eddsa(lambda r, s: (r, ED25519_ORDER - s)),
        "s of 0": _eddsa(lambda r, _s: (r, 0)),
        "the neutral point and 0": _eddsa(lambda _r, _s: (IDENTITY, 0)),
        "the neutral point": _eddsa(lambda _r, s: (IDENTITY, s)),
        "the other sign of R": _eddsa(lambda r, s: (r[:31] + bytes([r[31] ^ 0x80]), s)),
        "Ed448": lambda mint: mint.signed(private_key("Ed448").sign),
    },
    "EdDSA",
)


def _rsa(pad: Callable[[], Any], digest: Callable[[], hashes.HashAlgorithm]) -> Build:
    return lambda mint: mint.signed(
        lambda message: bytes(mint.signer.key.sign(message, pad(), digest()))
    )


def _pss(digest: Callable[[], hashes.HashAlgorithm], salt: int) -> Callable[[], padding.PSS]:
    return lambda: padding.PSS(padding.MGF1(digest()), salt)


PADDINGS: dict[str, tuple[str | None, Build]] = {
    "PKCS #1 with SHA-1": (None, _rsa(padding.PKCS1v15, hashes.SHA1)),
    "PKCS #1 with MD5": (None, _rsa(padding.PKCS1v15, hashes.MD5)),
    "PKCS #1 with SHA-384": (None, _rsa(padding.PKCS1v15, hashes.SHA384)),
    "PKCS #1 with SHA-512": (None, _rsa(padding.PKCS1v15, hashes.SHA512)),
    "PKCS #1 with SHA-256": ("RS256", _rsa(padding.PKCS1v15, hashes.SHA256)),
    "PSS with SHA-1": (None, _rsa(_pss(hashes.SHA1, 20), hashes.SHA1)),
    "PSS with SHA-512": (None, _rsa(_pss(hashes.SHA512, 64), hashes.SHA512)),
    "PSS with another mask": (None, _rsa(_pss(hashes.SHA1, 32), hashes.SHA256)),
    "PSS without salt": (None, _rsa(_pss(hashes.SHA256, 0), hashes.SHA256)),
    "PSS with a long salt": (None, _rsa(_pss(hashes.SHA256, 64), hashes.SHA256)),
    "PSS with SHA-256": ("PS256", _rsa(_pss(hashes.SHA256, 32), hashes.SHA256)),
}
for _name, (_valid_for, _build) in PADDINGS.items():
    for _algorithm in RSA:
        _reason = None if _algorithm == _valid_for else "bad_signature"
        add(_reason, "padding", {_name: _build}, _algorithm)


def _raw_rsa(encode: Callable[[bytes, int], bytes]) -> Build:
    """Sign what no library would: any block, by exponentiation."""

    def sign(mint: Mint, message: bytes) -> bytes:
        numbers = mint.signer.key.private_numbers()
        n: int = numbers.public_numbers.n
        d: int = numbers.d
        block = int.from_bytes(encode(hashlib.sha256(message).digest(), 256)) % n
        return pow(block, d, n).to_bytes(256, "big")

    return lambda mint: mint.signed(lambda message: sign(mint, message))


SHA256_PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")
SHA256_WITHOUT_NULL = bytes.fromhex("302f300b06096086480165030402010420")
add(
    "bad_signature",
    "padding",
    {
        "none": _raw_rsa(lambda digest, _: digest),
        "short, rubbish after": _raw_rsa(  # CVE-2006-4339 and its descendants
            lambda digest, size: (b"\0\1" + b"\xff" * 8 + b"\0" + SHA256_PREFIX + digest).ljust(
                size, b"x"
            )
        ),
        "type 2": _raw_rsa(
            lambda digest, size: (
                b"\0\2"
                + b"\xff" * (size - 3 - len(SHA256_PREFIX + digest))
                + b"\0"
                + SHA256_PREFIX
                + digest
            )
        ),
        "not of ones": _raw_rsa(
            lambda digest, size: (
                b"\0\1"
                + b"\xfe" * (size - 3 - len(SHA256_PREFIX + digest))
                + b"\0"
                + SHA256_PREFIX
                + digest
            )
        ),
        "without the hash's name": _raw_rsa(
            lambda digest, size: b"\0\1" + b"\xff" * (size - 3 - len(digest)) + b"\0" + digest
        ),
        "without NULL": _raw_rsa(
            lambda digest, size: (
                b"\0\1"
                + b"\xff" * (size - 3 - len(SHA256_WITHOUT_NULL + digest))
                + b"\0"
                + SHA256_WITHOUT_NULL
                + digest
            )
        ),
    },
    *RSA,
)
add(
    "bad_signature",
    "signature",
    {
        "n": lambda mint: mint.signed(
            lambda _: mint.signer.key.public_key().public_numbers().n.to_bytes(256, "big")
        ),
        "n - 1": lambda mint: mint.signed(
            lambda _: (mint.signer.key.public_key().public_numbers().n - 1).to_bytes(256, "big")
        ),
        "n added": lambda mint: mint.signed(
            lambda message: (
                int.from_bytes(mint.signer.sign(message))
                + mint.signer.key.public_key().public_numbers().n
            ).to_bytes(257, "big")
        ),
    },
    *RSA,
)

# --- Claims (RFC 7519, section 4.1; RFC 8725, sections 3.8 to 3.10) ---

REQUIRED = ("exp", "sub", "iss", "aud")
add("missing_claim", "no claim", {name: _with_claim(name, ...) for name in REQUIRED})
add(
    "missing_claim",
    "no claim",
    {
        "at all": lambda mint: mint.token(claims=b"{}"),
        "outside an object": lambda mint: mint.token(claims={"claims": mint.claims()}),
        "but in capitals": lambda mint: mint.token(
            claims={name.upper(): value for name, value in mint.claims().items()}
        ),
        "but in full": lambda mint: mint.token(
            claims=mint.claims(sub=..., subject=SUBJECT, user_id=SUBJECT)
        ),
    },
)
NO_TIMES: dict[str, Any] = {
    "an empty array": [],
    "an object": {},
    "an empty string": "",
    "a word": "never",
    "a date": "2999-01-01T00:00:00Z",
    "NaN as text": "NaN",
    "a number in an array": lambda mint: [mint.claims()["exp"]],
    "a number in an object": lambda mint: {"value": mint.claims()["exp"]},
}
for _name in ("exp", "iat", "nbf"):
    add("malformed", "type of", claims(_name, NO_TIMES))
NOW_AS_TEXT = {
    "a numeric string": lambda mint: str(mint.claims()["iat"]),
    "a spaced string": lambda mint: f" {mint.claims()['iat']} ",
    "true": True,
}
for _name in ("iat", "nbf"):
    add("malformed_claim", "type of", claims(_name, NOW_AS_TEXT))
    add("malformed", "type of", claims(_name, {"null": None}))
add(
    "malformed_claim",
    "type of",
    {
        **claims("exp", {"a numeric string": lambda mint: str(mint.claims()["exp"])}),
        **claims("exp", {"beyond all floats": 1e308, "beyond 53 bits": 2**53, "of 64 bits": 2**64}),
        **claims("exp", {"huge": 10**300}),
        **claims("iat", {"huge": -(10**300), "beyond 53 bits": -(2**53)}),
        **claims("nbf", {"huge": -(10**300)}),
    },
)
add("expired", "type of", claims("exp", {"true": True, "a string of zero": "0", "a fraction": 1.5}))
add(
    None,
    "type of",
    {
        **claims("exp", {"a float": lambda mint: float(mint.claims()["exp"])}),
        **claims("exp", {"a fraction of now": lambda mint: mint.claims()["exp"] + 0.5}),
        **claims("iat", {"absent": ..., "a fraction": lambda mint: mint.claims()["iat"] - 0.5}),
        **claims("nbf", {"a fraction": 1.5}),
    },
)
add("long_lived", "type of", claims("exp", {"an exponent": 4e9}))
for _name in ("exp", "sub", "iss", "aud"):
    add("missing_claim", "type of", claims(_name, {"null": None}))
NO_TEXTS: dict[str, Any] = {
    "true": True,
    "a fraction": 1.5,
    "one": 1,
    "minus": -1,
    "an array": [SUBJECT],
    "an object": {"a": SUBJECT},
}
for _name, _reason in {"sub": "malformed_claim", "iss": "wrong_issuer"}.items():
    _empty = {"false": False, "zero": 0, "an empty array": [], "an empty object": {}}
    add(_reason, "type of", claims(_name, {**NO_TEXTS, **_empty}))
add("wrong_audience", "type of", claims("aud", NO_TEXTS))
add(
    "wrong_audience",
    "type of",
    claims(
        "aud",
        {
            "a number beside it": lambda mint: [mint.audience, 1],
            "null beside it": lambda mint: [mint.audience, None],
            "in two arrays": lambda mint: [[mint.audience]],
            "as a name": lambda mint: {mint.audience: True},
        },
    ),
)
add("missing_claim", "aud", claims("aud", {"an empty array": [], "false": False, "nothing": ""}))


def _infinite(mint: Mint) -> str:
    exp = str(mint.claims()["exp"]).encode()
    return mint.token(claims=dump(mint.claims()).replace(exp, b"1e999"))


add("malformed", "type of", {"exp beyond all numbers": _infinite})
add(
    "expired",
    "times",
    {
        **claims("exp", {"15 s ago": seconds(-15), "a year ago": seconds(-8766 * HOUR)}),
        **claims("exp", {"0": 0, "negative": -1, "very negative": -(10**30), "1": 1}),
        "expired, of a valid kind": lambda mint: mint.token(
            claims=mint.claims(
                iat=mint.claims()["iat"] - HOUR, exp=mint.claims()["iat"] - HOUR // 2
            )
        ),
        "expired, for others": lambda mint: mint.token(claims=mint.claims(exp=0, aud="x", iss="x")),
    },
)
add(
    "not_yet_valid",
    "times",
    {
        **claims("iat", {"in 30 s": seconds(30), "tomorrow": seconds(24 * HOUR)}),
        **claims("iat", {"in milliseconds": lambda mint: mint.claims()["iat"] * 1000}),
        **claims("nbf", {"in 30 s": seconds(30), "tomorrow": seconds(24 * HOUR)}),
        **claims("nbf", {"in milliseconds": lambda mint: mint.claims()["iat"] * 1000}),
        **claims("nbf", {"huge": 10**300}),
        "iat in the future, long-lived": lambda mint: mint.token(
            claims=mint.claims(iat=10**11, exp=10**12)
        ),
    },
)
add(
    "long_lived",
    "times",
    {
        **claims("exp", {"in a day and a minute": seconds(24 * HOUR + 60)}),
        **claims("exp", {"in a year": seconds(8766 * HOUR), "in ten": seconds(87660 * HOUR)}),
        **claims("exp", {"in milliseconds": lambda mint: mint.claims()["exp"] * 1000}),
        **claims("exp", {"the end of 32 bits": 2**32}),
        **claims("iat", {"two days ago": seconds(-48 * HOUR), "0": 0}),
    },
)


def _like(change: Callable[[str], str]) -> tuple[Build, Build]:
    return (
        lambda mint: mint.token(claims=mint.claims(iss=change(mint.issuer))),
        lambda mint: mint.token(claims=mint.claims(aud=change(mint.audience))),
    )


PARTIES: dict[str, Callable[[str], str]] = {
    "another": lambda _: "https://attacker.example",
    "empty": lambda _: "",
    "a space": lambda _: " ",
    "a star": lambda _: "*",
    "null as text": lambda _: "null",
    "with a slash": lambda party: f"{party}/",
    "with a path": lambda party: f"{party}/api/auth",
    "with a query": lambda party: f"{party}?",
    "with a fragment": lambda party: f"{party}#",
    "with a dot": lambda party: f"{party}.",
    "with a space": lambda party: f"{party} ",
    "with a space in front": lambda party: f" {party}",
    "with a newline": lambda party: f"{party}\n",
    "with a NUL": lambda party: f"{party}\0",
    "with a port": lambda party: f"{party}:443",
    "with a user": lambda party: party.replace("://", "://user@"),
    "with a longer name": lambda party: f"{party}.attacker.example",
    "with a sub-domain": lambda party: party.replace("://", "://a."),
    "without scheme": lambda party: party.partition("://")[2],
    "of another scheme": lambda party: party.replace("http", "ftp", 1),
    "in capitals": lambda party: party.upper(),
    "cut off": lambda party: party[:-1],
    "twice": lambda party: f"{party} {party}",
    "among others in a string": lambda party: f"{party},https://b.example",
    "percent-encoded": lambda party: party.replace("/", "%2F"),
    "with a full-width letter": lambda party: party.replace("h", "\uff48", 1),
    "with a lone surrogate": lambda party: f"{party}\ud800",
}
for _name, _change in PARTIES.items():
    _issuer, _audience = _like(_change)
    add("wrong_issuer", "iss", {_name: _issuer})
    add("missing_claim" if _name == "empty" else "wrong_audience", "aud", {_name: _audience})
add(
    "wrong_audience",
    "aud",
    claims(
        "aud",
        {
            "an array of others": ["https://a.example", "https://b.example"],
            "an array of nothing": [""],
            "its letters": lambda mint: list(mint.audience),
            "the session cache's": "better-auth:session",
        },
    ),
)
add(
    "wrong_issuer",
    "iss",
    {
        "and audience of others": lambda mint: mint.token(claims=mint.claims(iss="x", aud="x")),
    },
)
add(
    "malformed_claim",
    "sub",
    claims(
        "sub",
        {
            "empty": "",
            "a dot": ".",
            "two dots": "..",
            "a space": " ",
            "with a space": "a b",
            "with a space in front": " a",
            "with a space at the end": "a ",
            "a tab": "a\tb",
            "a newline": "a\n",
            "a carriage return": "a\rb",
            "NUL": "a\0",
            "NUL alone": "\0",
            "an escape": "\x1b[31m",
            "delete": "a\x7f",
            "a C1 control": "a\x85",
            "a no-break space": "a\u00a0b",
            "an ideographic space": "a\u3000b",
            "a thin space": "a\u2009b",
            "a zero-width space": "a\u200bb",
            "a zero-width joiner": "a\u200db",
            "a byte order mark": "\ufeffa",
            "a soft hyphen": "a\u00adb",
            "right-to-left override": "a\u202eb",
            "a line separator": "a\u2028b",
            "a paragraph separator": "a\u2029b",
            "a tag character": "a\U000e0041",
            "a lone high surrogate": "a\ud800",
            "a lone low surrogate": "\udc00a",
            "surrogates in the wrong order": "\udc00\ud800",
            "a private character": "a\ue000",
            "an unassigned character": "a\u0378",
            "a non-character": "a\uffff",
            "256 characters": "x" * 256,
            "5000 characters": "x" * 5000,
            "256 emojis": "\U0001f600" * 256,
        },
    ),
)


def cases(algorithm: str) -> list[Case]:
    """The cases that make sense for an algorithm."""
    return [case for case in CASES if algorithm in case.algorithms]


def sendable(token: str) -> bool:
    """Whether an HTTP header can carry a token at all."""
    return bool(token) and token.isascii() and token.isprintable()
