"""A way to the API that can be closed and opened, as tests tell it over HTTP."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from urllib.parse import urlsplit

LOOPBACK = "127.0.0.1"


class Relay:
    """Forwards TCP of loopback; while it is `down`, connections are closed at once."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._lock = Lock()
        self._open: set[socket.socket] = set()
        self._down = False
        self.target = ""

    @property
    def url(self) -> str:
        """Its own address."""
        return f"http://{LOOPBACK}:{self._listener.getsockname()[1]}"

    def towards(self, api: str) -> str:
        """Forward there; returns the address to use instead."""
        self.target = api
        return self.url

    def switch(self, *, down: bool) -> None:
        """Go down, with all connections, or come up."""
        with self._lock:
            self._down = down
            for each in self._open if down else ():
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def accept(self) -> None:
        """Serve until the listener is closed."""
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                Thread(target=self._forward, args=(client,), daemon=True).start()

    def _forward(self, client: socket.socket) -> None:
        place = urlsplit(self.target)
        with client:
            with self._lock:
                if self._down:
                    return
                server = socket.create_connection((str(place.hostname), int(place.port or 80)))
                self._open |= {client, server}
            with server:
                back = Thread(target=self._pump, args=(server, client), daemon=True)
                back.start()
                self._pump(client, server)
                back.join()
            with self._lock:
                self._open -= {client, server}

    @staticmethod
    def _pump(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        for each in (source, sink):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


@contextmanager
def relaying() -> Iterator[tuple[Relay, str]]:
    """Run a relay; yields it, and the address where `POST /down` and `POST /up` switch it."""

    class Switch(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            relay.switch(down=self.path == "/down")
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with (
        socket.create_server((LOOPBACK, 0)) as listener,
        ThreadingHTTPServer((LOOPBACK, 0), Switch) as server,
    ):
        relay = Relay(listener)
        for serve in (relay.accept, server.serve_forever):
            Thread(target=serve, daemon=True).start()
        yield relay, f"http://{LOOPBACK}:{server.server_port}"
        server.shutdown()
