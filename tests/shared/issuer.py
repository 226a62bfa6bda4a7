"""A key set over HTTP on loopback, and every way in which its server can fail."""

from __future__ import annotations

import json
import socketserver
import struct
import threading
import time
from contextlib import contextmanager, suppress
from email.utils import formatdate
from socket import SO_LINGER, SOL_SOCKET
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable, Iterator

LONGEST = 20  # seconds that any response may take, so that nothing outlives its test for long
MEGABYTE = 1024 * 1024


def reply(body: bytes, status: str = "200 OK", *headers: str, length: int | None = None) -> bytes:
    """An HTTP/1.1 response as it goes over the wire."""
    length = len(body) if length is None else length
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {length}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Issuer:
    """Publishes `keys` at `url` as `mode` says, and counts the requests for them.

    Each mode starts from the valid set: who takes what it should refuse gets away with it.
    """

    def __init__(self) -> None:
        self.keys: list[dict[str, Any]] = []
        self.mode = "normal"
        self.requests = 0
        self.delay = 1.0
        self.retry_after = "7"
        self.first_line = ""
        self.over = threading.Event()
        self.tls: ssl.SSLContext | None = None
        self.now: Callable[[], float] = time.time
        self.before: Callable[[], None] = lambda: None  # runs between request and response
        self._server: socketserver.ThreadingTCPServer | None = None
        self._port = 0
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/jwks"

    @property
    def document(self) -> bytes:
        return json.dumps({"keys": self.keys}).encode()

    def start(self) -> None:
        """Listen, on the same port as before a stop."""
        issuer = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                issuer.serve(self.request)

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True
            request_queue_size = 128

        self._server = Server(("127.0.0.1", self._port), Handler)
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        """Refuse connections."""
        if self._server:
            self._server.shutdown()
            self._server.socket.close()
            self._server = None

    def serve(self, connection: socket.socket) -> None:
        """Answer one request, encrypted if `tls` is set."""
        connection.settimeout(LONGEST)
        with suppress(OSError):  # the client may give up at any time
            if self.tls:
                with self.tls.wrap_socket(connection, server_side=True) as encrypted:
                    self._answer(encrypted)
            else:
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            received = connection.recv(4096)
            if not received:
                return
            request += received
        self.first_line = request.decode().partition("\r\n")[0]
        self.requests += 1
        self.before()
        mode = "normal" if "redirected" in self.first_line else self.mode
        MODES[mode](self, connection)

    def drip(self, connection: socket.socket, data: bytes) -> None:
        """Send a byte at a time, each before a socket's timeout of 2 s, for a minute or so."""
        for byte in data:
            connection.sendall(bytes([byte]))
            if self.over.wait(0.2):
                break


def _send(build: Callable[[Issuer], bytes]) -> Callable[[Issuer, socket.socket], None]:
    return lambda issuer, connection: connection.sendall(build(issuer))


def _status(status: str, *headers: str) -> Callable[[Issuer, socket.socket], None]:
    return _send(lambda issuer: reply(issuer.document, status, *headers))


def _hang(issuer: Issuer, _connection: socket.socket) -> None:
    issuer.over.wait(LONGEST)


def _late(issuer: Issuer, connection: socket.socket) -> None:
    document = issuer.document
    time.sleep(issuer.delay)
    connection.sendall(reply(document))


def _continue(issuer: Issuer, connection: socket.socket) -> None:
    """Announce a response without end, as fast as it can be read."""
    while not issuer.over.is_set():
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)


def _reset(_issuer: Issuer, connection: socket.socket) -> None:
    connection.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def _half(issuer: Issuer) -> bytes:
    document = issuer.document
    return reply(document[: len(document) // 2], length=len(document))


def _chunked(issuer: Issuer) -> bytes:
    document = issuer.document
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(document), document)


def _limited(issuer: Issuer) -> bytes:
    return reply(issuer.document, "429 Too Many Requests", f"Retry-After: {issuer.retry_after}")


def _limited_as_better_auth_does(issuer: Issuer) -> bytes:
    header = f"X-Retry-After: {issuer.retry_after}"
    return reply(issuer.document, "429 Too Many Requests", header)


def _limited_by_date(issuer: Issuer) -> bytes:
    date = formatdate(issuer.now() + float(issuer.retry_after), usegmt=True)
    return reply(issuer.document, "429 Too Many Requests", f"Retry-After: {date}")


MODES: dict[str, Callable[[Issuer, socket.socket], None]] = {
    "normal": _send(lambda issuer: reply(issuer.document)),
    "chunked": _send(_chunked),
    "late": _late,
    "html": _send(lambda _: reply(b"<!doctype html><title>Sign in</title>")),
    "empty": _send(lambda _: reply(b"")),
    "no keys": _send(lambda _: reply(b'{"keys": []}')),
    "an array": _send(lambda issuer: reply(json.dumps(issuer.keys).encode())),
    "deeply nested": _send(lambda _: reply(b"[" * 100_000)),
    "huge": _send(lambda issuer: reply(issuer.document + b" " * MEGABYTE)),
    "half a body": _send(_half),
    "no HTTP": _send(lambda issuer: issuer.document),
    "endless headers": _send(lambda _: b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200),
    "error": _status("500 Internal Server Error"),
    "no content": _status("204 No Content"),
    "not found": _status("404 Not Found"),
    "redirect": _status("302 Found", "Location: /jwks?redirected"),
    "limited": _send(_limited),
    "limited by date": _send(_limited_by_date),
    "limited as Better Auth does": _send(_limited_as_better_auth_does),
    "reset": _reset,
    "hang": _hang,
    "endless announcements": _continue,
    "dripping body": lambda issuer, sock: issuer.drip(sock, reply(issuer.document + b" " * 9999)),
    "dripping head": lambda issuer, sock: issuer.drip(sock, b"HTTP/1.1 200 OK\r\n" + b"X: y" * 999),
}
FAULTS = sorted(MODES.keys() - {"normal", "chunked", "late"})
SLOW = {"hang", "endless announcements", "dripping body", "dripping head"}


@contextmanager
def running(keys: list[dict[str, Any]]) -> Iterator[Issuer]:
    """Publish keys for the length of the block."""
    issuer = Issuer()
    issuer.keys = keys
    try:
        yield issuer
    finally:
        issuer.over.set()
        issuer.stop()
