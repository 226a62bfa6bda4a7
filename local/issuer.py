"""A development token issuer: its own Ed25519 key, its key set over HTTP, its tokens."""

import json
import os
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

NAME = "http://issuer.localhost"  # constant, so that a token outlives a restart on another port

LIFETIME = timedelta(hours=12)


@dataclass(frozen=True)
class Issuer:
    """Signs tokens with one key, as this issuer and for this audience."""

    key: Ed25519PrivateKey
    name: str = NAME
    audience: str = NAME

    @property
    def key_set(self) -> dict[str, Any]:
        """The public half (RFC 7517), as Better Auth publishes it."""
        x = urlsafe_b64encode(self.key.public_key().public_bytes_raw()).rstrip(b"=").decode()
        return {"keys": [{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": x, "x": x}]}

    def token(self, subject: str, lifetime: timedelta = LIFETIME) -> str:
        """A token for a user (RFC 7519)."""
        now = datetime.now(UTC)
        claims = {
            "sub": subject,
            "iss": self.name,
            "aud": self.audience,
            "iat": now,
            "exp": now + lifetime,
        }
        kid = self.key_set["keys"][0]["kid"]
        return jwt.encode(claims, self.key, "EdDSA", headers={"kid": kid, "typ": None})


def load_issuer(path: Path, name: str = NAME, audience: str = NAME) -> Issuer:
    """The issuer whose private key is in a file, which is made if it is not there."""
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except FileNotFoundError:
        key = Ed25519PrivateKey.generate()
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(pem)
    assert isinstance(key, Ed25519PrivateKey)
    return Issuer(key, name, audience)


def serving(issuer: Issuer, address: str = "127.0.0.1") -> AbstractContextManager[str]:
    """Publish an issuer's key set; see `publishing`."""
    return publishing(issuer.key_set, address)


@contextmanager
def publishing(key_set: dict[str, Any], address: str) -> Iterator[str]:
    """Publish a key set on a free port of loopback, or of another address; yields its URL."""
    body = json.dumps(key_set).encode()

    class KeySetHandler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing: the API's own log is what a developer reads."""

    with ThreadingHTTPServer((address, 0), KeySetHandler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{address}:{server.server_port}/api/auth/jwks"
        server.shutdown()
