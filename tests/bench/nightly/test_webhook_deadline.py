"""A webhook's receiver that never comes to an end: each attempt ends by its deadline, and so do all together."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from bench.errors import DeliveryError
from bench.nightly.post import MOST_BYTES
from bench.nightly.webhook import SECRET_VARIABLE, send, webhook
from tests.results.nightly.nights import night

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
DEADLINE_S = 0.3
"""Of an attempt, in place of 20 s; nothing here depends on how long it really takes."""

Serve = Callable[[socket.socket, threading.Event], int]


class Server:
    """Serves each connection by ``serve`` until the client has gone; ``sent`` is how many bytes each got."""

    def __init__(self, serve: Serve) -> None:
        self.sent: list[int] = []
        self.over = threading.Event()
        self._serve = serve
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._threads.append(threading.Thread(target=self._one, args=(connection,)))
                self._threads[-1].start()

    def _one(self, connection: socket.socket) -> None:
        with connection:
            self.sent.append(self._serve(connection, self.over))

    def close(self) -> None:
        self.over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()


@contextmanager
def server(serve: Serve) -> Iterator[Server]:
    made = Server(serve)
    try:
        yield made
    finally:
        made.close()


def sent_until_gone(connection: socket.socket, pieces: Iterator[bytes], over: threading.Event, pause_s: float) -> int:
    count = 0
    with suppress(OSError):
        for piece in pieces:
            connection.sendall(piece)
            count += len(piece)
            if pause_s and over.wait(pause_s):
                break
    return count


def forever(piece: bytes) -> Iterator[bytes]:
    while True:
        yield piece


def dripping(start: bytes, piece: bytes) -> Serve:
    def serve(connection: socket.socket, over: threading.Event) -> int:
        connection.sendall(start)
        return sent_until_gone(connection, forever(piece), over, 0.01)

    return serve


def flooding(start: bytes, piece: bytes) -> Serve:
    def serve(connection: socket.socket, over: threading.Event) -> int:
        connection.sendall(start)
        return sent_until_gone(connection, forever(piece), over, 0)

    return serve


def silent(connection: socket.socket, _over: threading.Event) -> int:
    with suppress(OSError):
        while connection.recv(65536):
            pass
    return 0


DRIPS = {
    "status line": dripping(b"HTTP/1.1 ", b"2"),
    "header line": dripping(b"HTTP/1.1 204 No Content\r\nX-Slow: ", b"a"),
    "headers": dripping(b"HTTP/1.1 204 No Content\r\n", b"X: y\r\n"),
    "continue": dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body of a refusal": dripping(b"HTTP/1.1 503 Busy\r\nContent-Length: 100\r\n\r\n", b"a"),
    "chunks": dripping(b"HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
    "nothing": silent,
}


def deliver(url: str, **more: float) -> None:
    send(webhook(url, None, {SECRET_VARIABLE: SECRET}), night(), wait=lambda _: None, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("serve", DRIPS.values(), ids=DRIPS)
def test_a_receiver_that_drips_is_left_at_the_deadline(scheme: str, serve: Serve) -> None:
    """Over https it drips instead of the TLS handshake."""
    said = r"did not take the outcome in 2 attempts; the last: .+"
    with server(serve) as made, pytest.raises(DeliveryError, match=said):
        deliver(f"{scheme}://127.0.0.1:{made.port}/hook", attempts=2, attempt_s=DEADLINE_S)
    assert all(count < MOST_BYTES for count in made.sent)


def test_the_deadline_is_named() -> None:
    with server(DRIPS["headers"]) as made, pytest.raises(DeliveryError, match=r"1 attempt; .*within 0\.3 s"):
        deliver(f"http://127.0.0.1:{made.port}/hook", attempts=1, attempt_s=DEADLINE_S)


def test_the_client_hangs_up_at_the_deadline() -> None:
    """The server's thread ends because its connection is gone, not because it was told to."""
    gone = threading.Event()

    def serve(connection: socket.socket, _over: threading.Event) -> int:
        count = sent_until_gone(connection, forever(b"a"), threading.Event(), 0.01)
        gone.set()
        return count

    with server(serve) as made:
        with pytest.raises(DeliveryError):
            deliver(f"http://127.0.0.1:{made.port}/hook", attempts=1, attempt_s=DEADLINE_S)
        assert gone.wait(60)


@pytest.mark.parametrize(
    "serve",
    [
        flooding(b"HTTP/1.1 204 No Content\r\n", b"X: " + b"y" * 60_000 + b"\r\n"),
        flooding(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
    ],
    ids=["headers", "continue"],
)
def test_a_receiver_that_floods_is_read_so_far_and_no_further(serve: Serve) -> None:
    with server(serve) as made, pytest.raises(DeliveryError, match="an answer of more than 256 KiB"):
        deliver(f"http://127.0.0.1:{made.port}/hook", attempts=1, attempt_s=60)


def test_all_attempts_together_have_a_deadline() -> None:
    """Time is over after the first attempt, though there are 1000 of them."""
    with server(DRIPS["headers"]) as made, pytest.raises(DeliveryError, match="in 1 attempt; the last"):
        deliver(f"http://127.0.0.1:{made.port}/hook", attempts=1000, attempt_s=DEADLINE_S, total_s=DEADLINE_S)
    assert len(made.sent) == 1


def test_a_pause_that_would_outlast_the_deadline_is_not_begun() -> None:
    def busy(connection: socket.socket, _over: threading.Event) -> int:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 503 Busy\r\nRetry-After: 50\r\nContent-Length: 0\r\n\r\n")
        return 0

    with server(busy) as made, pytest.raises(DeliveryError, match="in 1 attempt; the last: status 503"):
        deliver(f"http://127.0.0.1:{made.port}/hook", attempt_s=30, total_s=40)


def test_a_search_for_the_address_that_hangs_is_left_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    let_go = threading.Event()

    def hanging(*_: object, **__: object) -> list[object]:
        let_go.wait(60)
        raise socket.gaierror("nobody answers")

    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    with pytest.raises(DeliveryError, match=r"within 0\.3 s"):
        deliver("https://receiver.example/hook", attempts=1, attempt_s=DEADLINE_S)
    let_go.set()
