"""A network between the functions and Postgres that counts what passes, and breaks when told to."""

import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from tempfile import TemporaryDirectory
from threading import Lock, Thread
from urllib.parse import quote

from psycopg.conninfo import conninfo_to_dict

CHUNK = 64 * 1024
SOCKET = "{}/.s.PGSQL.{}"
TERMINATE = b"X\0\0\0\4"
READY = b"Z\0\0\0\5I"  # ReadyForQuery, in no transaction


class Link:
    """One connection through the proxy."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client, self.server = client, server
        self.frozen = False
        self.answered = True


class Proxy:
    """Forwards to a Postgres, over TCP of loopback, or over a socket where the URL names a socket.

    A round trip begins where the client says something after the server did.
    Who connects while it is `closed` is hung up on at once, while it is `curt` as soon as the
    server is ready for a query; while it is `mute` they are told nothing.
    """

    def __init__(self, url: str, listener: socket.socket, place: str) -> None:
        parts = conninfo_to_dict(url)
        self._upstream = str(parts["host"]), str(parts["port"])
        login = ":".join(quote(str(parts[k]), "") for k in ("user", "password") if k in parts)
        self.url = f"postgresql://{login}@{place}/{parts['dbname']}"
        self._listener = listener
        self._lock = Lock()
        self._links: set[Link] = set()
        self.lost: list[tuple[bytes, bool]] = []
        self.closed = self.curt = self.mute = False
        self.round_trips = 0
        self.sent = bytearray()

    def accept(self) -> None:
        """Serve until the listener is closed."""
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                Thread(target=self._forward, args=(client,), daemon=True).start()

    def freeze(self) -> None:
        """Drop all that passes through the connections there are."""
        with self._lock:
            for link in self._links:
                link.frozen = True

    def cut(self) -> None:
        """Break the connections there are."""
        with self._lock:
            for link in self._links:
                _shut(link.client)
                _shut(link.server)

    def lose_response(self, statement: bytes) -> None:
        """Break the connection over which this is sent next, as soon as it is answered: once."""
        with self._lock:
            self.lost.append((statement, True))

    def break_behind(self, statement: bytes) -> None:
        """Break the connection over which this is sent next, before more is: once."""
        with self._lock:
            self.lost.append((statement, False))

    def _connect(self) -> socket.socket:
        host, port = self._upstream
        if not host.startswith("/"):
            return socket.create_connection(self._upstream)
        server = socket.socket(socket.AF_UNIX)
        server.connect(SOCKET.format(host, port))
        return server

    def _forward(self, client: socket.socket) -> None:
        if self.closed:
            return client.close()
        with client, suppress(OSError), self._connect() as server:
            _send_at_once(client, server)
            link = Link(client, server)
            with self._lock:
                self._links.add(link)
            try:
                self._pump(link)
            finally:
                with self._lock:
                    self._links.discard(link)

    def _pump(self, link: Link) -> None:
        lost = False  # the response
        while True:
            readable, _, _ = select.select((link.client, link.server), (), ())
            for source in readable:
                data = source.recv(CHUNK)
                if not data:
                    return None
                link.frozen = link.frozen or self.mute
                if link.frozen:
                    continue
                if source is link.client:
                    statement, answered = self._hear(link, data)
                    if statement and not answered:
                        return link.server.sendall(_up_to(statement, data))
                    lost = lost or bool(statement)
                    link.server.sendall(data)
                elif lost:
                    return None
                else:
                    link.answered = True
                    link.client.sendall(data)
                    if self.curt and READY in data:
                        return None

    def _hear(self, link: Link, data: bytes) -> tuple[bytes, bool]:
        """Count what the client says; where the connection is to break, and if it is answered."""
        if data == TERMINATE:
            return b"", True
        with self._lock:
            self.round_trips += link.answered
            link.answered = False
            self.sent += data
            found = next((lost for lost in self.lost if lost[0] in data), None)
            if found is None:
                return b"", True
            self.lost.remove(found)
            return found


@contextmanager
def proxy(url: str) -> Iterator[Proxy]:
    """A proxy before the database of a URL."""
    with _listening(url) as (listener, place):
        made = Proxy(url, listener, place)
        thread = Thread(target=made.accept, daemon=True)
        thread.start()
        try:
            yield made
        finally:
            _shut(listener)
            thread.join()
            made.cut()


@contextmanager
def _listening(url: str) -> Iterator[tuple[socket.socket, str]]:
    """Listen like the server of a URL; yields the host and port that the URL has for it, too.

    A socket asks for no password: only those may reach it who may enter the folder of the server's.
    """
    parts = conninfo_to_dict(url)
    if not str(parts["host"]).startswith("/"):
        with socket.create_server(("127.0.0.1", 0), backlog=200) as listener:
            yield listener, f"127.0.0.1:{_port(listener)}"
        return
    with TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(SOCKET.format(folder, parts["port"]))
        listener.listen(200)
        yield listener, f"{quote(folder, '')}:{parts['port']}"


@contextmanager
def black_hole(host: str = "127.0.0.1") -> Iterator[int]:
    """A port that accepts connections and never sends anything."""
    with socket.create_server((host, 0), backlog=200) as listener:
        yield _port(listener)


def closed_port() -> int:
    """A port where no server listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return _port(listener)


def _port(listener: socket.socket) -> int:
    port: int = listener.getsockname()[1]
    return port


def _send_at_once(*ends: socket.socket) -> None:
    for end in ends:
        if end.family == socket.AF_INET:
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _up_to(statement: bytes, data: bytes) -> bytes:
    """What was sent up to the message with a statement in it, the two zero bytes of no types."""
    return data[: data.index(statement) + len(statement) + 3]


def _shut(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
