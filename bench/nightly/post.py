"""One HTTP request that ends by a deadline, whatever the server does, with an answer of bounded size.

A timeout of a socket holds for one call, so that a server which sends a byte at a time holds a client for ever, and
nothing limits the search for an address.  Here a thread asks; when the time is over, its connection is shut
down and the thread is left behind.
"""

from __future__ import annotations

import http.client
import io
import queue
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MOST_BYTES = 256 << 10
"""What is read of an answer at most, its headers included."""

_SHOWN_BYTES = 200


@dataclass(frozen=True)
class Answer:
    """Status of an answer, the beginning of its text where it refuses, and its ``Retry-After``."""

    status: int
    text: bytes = b""
    retry_after: str = ""


def post(url: str, headers: Mapping[str, str], content: bytes, limit_s: float) -> Answer:
    """What the server answers within ``limit_s`` seconds; redirects are not followed.

    Raises:
        OSError: there is no connection, or no whole answer in time (TimeoutError).
        http.client.HTTPException: what came is not HTTP.
    """
    request = urllib.request.Request(url, data=content, headers=dict(headers), method="POST")  # noqa: S310 - http(s)
    connections = _Connections()
    answers: queue.SimpleQueue[Answer | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(_answer(request, connections, limit_s))
        except Exception as failure:  # noqa: BLE001 - raised again by the one who waits
            answers.put(failure)

    threading.Thread(target=ask, name="webhook", daemon=True).start()
    try:
        found = answers.get(timeout=limit_s)
    except queue.Empty:
        raise TimeoutError(f"no whole answer within {limit_s:g} s") from None
    finally:
        connections.end()
    if isinstance(found, Exception):
        raise found
    return found


def _answer(request: urllib.request.Request, connections: _Connections, timeout_s: float) -> Answer:
    opener = urllib.request.build_opener(_NoRedirect, _Http(connections), _Https(connections))
    try:
        with opener.open(request, timeout=timeout_s) as answer:
            return Answer(answer.status)
    except urllib.error.HTTPError as refusal:
        with refusal:
            return Answer(refusal.code, _beginning(refusal), refusal.headers.get("Retry-After") or "")


def _beginning(refusal: urllib.error.HTTPError) -> bytes:
    try:
        return refusal.read(_SHOWN_BYTES)
    except (OSError, http.client.HTTPException):
        return b""


class _Connections:
    """The connections of a request; once it is over they are shut down, and no further one is made."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self._over = False

    def add(self, connection: socket.socket) -> None:
        """Keep a connection, by a descriptor of its own: TLS takes the first one away."""
        with self._lock:
            if self._over:
                connection.close()
                raise TimeoutError("connected too late")
            self._open.append(connection.dup())

    def end(self) -> None:
        """Shut down every connection: whoever reads or writes gets an error now."""
        with self._lock:
            self._over = True
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass  # the server has closed it
                finally:
                    connection.close()


class _Response(http.client.HTTPResponse):
    """An answer of which at most :data:`MOST_BYTES` are read."""

    def __init__(self, sock: socket.socket, *words: Any, **more: Any) -> None:
        super().__init__(sock, *words, **more)
        self.fp.close()
        self.fp = io.BufferedReader(_Bounded(sock.makefile("rb", buffering=0)))


class _Bounded(io.RawIOBase):
    """A stream that fails once more than :data:`MOST_BYTES` came from it."""

    def __init__(self, stream: io.RawIOBase) -> None:
        self._stream = stream
        self._left = MOST_BYTES

    def readable(self) -> bool:
        """Whether it can be read: always."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Read into ``buffer``; the number of bytes that came."""
        if self._left <= 0:
            raise OSError(f"an answer of more than {MOST_BYTES >> 10} KiB")
        count: int | None = self._stream.readinto(memoryview(buffer)[: self._left])
        self._left -= count or 0
        return count

    def close(self) -> None:
        """Close the stream below as well."""
        self._stream.close()
        super().close()


class _Connection(http.client.HTTPConnection):
    response_class = _Response
    connections: _Connections

    def connect(self) -> None:
        super().connect()
        self.connections.add(self.sock)


class _SecureConnection(http.client.HTTPSConnection, _Connection):
    """Its ``connect`` begins with that of :class:`_Connection`, so that the TLS handshake is under the deadline."""


class _Http(urllib.request.HTTPHandler):
    def __init__(self, connections: _Connections) -> None:
        super().__init__()
        self._connections = connections

    def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        """Ask over a connection that can be ended."""
        return self.do_open(_made(_Connection, self._connections), request)


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, connections: _Connections) -> None:
        super().__init__()
        self._connections = connections

    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        """Ask over a connection that can be ended."""
        return self.do_open(_made(_SecureConnection, self._connections), request)


def _made(kind: type[_Connection], connections: _Connections) -> Any:
    """What urllib calls for a connection."""

    def make(host: str, **more: Any) -> _Connection:
        connection = kind(host, **more)
        connection.connections = connections
        return connection

    return make


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        """None: the redirect is an answer like any other."""
