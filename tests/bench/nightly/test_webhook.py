"""The webhook: a signature that the standard's own library accepts, and what becomes of every kind of answer."""

from __future__ import annotations

import json
import os
import threading
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from hypothesis import given, settings
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from bench.errors import DeliveryError
from bench.nightly import webhook as sender
from bench.nightly.webhook import SECRET_VARIABLE, Webhook, body, message_id, send, signed_headers, webhook
from results.nightly.answer import from_json
from tests.results.nightly import nights
from tests.results.nightly.nights import night

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@contextmanager
def receiver(*answers):
    """A server on this machine that gives ``answers`` one after the other (status, headers), the last for ever.

    Yields its URL and what it got: headers and body of each request.
    """
    got = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            length = int(self.headers["Content-Length"])
            headers = {name.lower(): value for name, value in self.headers.items()}
            got.append((headers, self.rfile.read(length)))
            status, headers = answers[min(len(got), len(answers)) - 1]
            if status is None:  # hangs up without a word
                self.connection.close()
                return
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b"said \x1b[31m this\n")

        def log_message(self, *_):
            pass

        def handle(self):
            with suppress(OSError, ValueError):  # a connection that was hung up on purpose
                super().handle()

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/hook", got
        finally:
            server.shutdown()
            thread.join()


def deliver(url, *, waits=None, **more):
    waited = waits if waits is not None else []
    to = webhook(url, None, {SECRET_VARIABLE: SECRET})
    return send(to, night(), wait=waited.append, **more)


def test_the_receiver_checks_the_signature_and_reads_the_outcome():
    with receiver((204, {})) as (url, got):
        assert deliver(url) == sender.Sent(204, 1)
    ((headers, content),) = got
    event = Verifier(SECRET).verify(content, headers)
    assert event["type"] == "stripelab.nightly"
    assert from_json(json.dumps(event["data"])) == night()
    assert headers["content-type"] == "application/json"


def test_a_changed_body_a_replay_and_another_secret_are_refused_by_the_receiver():
    with receiver((204, {})) as (url, got):
        deliver(url)
        deliver(url, now=lambda: datetime.now(UTC).timestamp() - 600)
    fresh, old = (headers for headers, _ in got)
    content = got[0][1]
    for checker, sent, headers in (
        (Verifier(SECRET), content.replace(b"regression", b"improvement"), fresh),
        (Verifier(SECRET), content, old),
        (Verifier("whsec_" + "A" * 32), content, fresh),
        (Verifier(SECRET), content, {**fresh, "webhook-id": "msg_other"}),
    ):
        with pytest.raises(WebhookVerificationError):
            checker.verify(sent, headers)


def test_the_signature_of_the_standard_is_made():
    """The vector of the specification's reference libraries."""
    key = webhook("https://example.org", None, {SECRET_VARIABLE: SECRET}).key
    headers = signed_headers(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@settings(deadline=None, max_examples=40)
@given(nights.nights)
def test_any_night_is_a_signed_body_that_comes_back(one):
    content = body(one)
    headers = signed_headers(b"k" * 24, message_id(content), int(datetime.now(UTC).timestamp()), content)
    event = Verifier(b"k" * 24).verify(content, headers)
    assert event["data"] == one.to_json()


def test_what_passes_by_itself_is_tried_again_with_the_same_id_and_longer_pauses():
    waits = []
    with receiver((503, {}), (None, {}), (429, {"Retry-After": "7"}), (200, {})) as (url, got):
        assert deliver(url, waits=waits) == sender.Sent(200, 4)
    assert len({headers["webhook-id"] for headers, _ in got}) == 1
    assert 1.0 <= waits[0] <= 2.0
    assert 2.0 <= waits[1] <= 4.0
    assert waits[2] == 7.0


def test_it_gives_up_in_the_end_and_says_what_the_last_answer_was():
    waits = []
    with receiver((500, {})) as (url, got), pytest.raises(DeliveryError, match=r"5 attempts.*status 500: said \\x1b"):
        deliver(url, waits=waits)
    assert len(got) == 5
    assert len(waits) == 4


@pytest.mark.parametrize("status", [400, 401, 404, 413])
def test_a_refusal_is_not_tried_again(status):
    with receiver((status, {})) as (url, got), pytest.raises(DeliveryError, match=f"status {status}"):
        deliver(url)
    assert len(got) == 1


def test_a_redirect_is_not_followed():
    with receiver((204, {})) as (elsewhere, reached):
        with receiver((302, {"Location": elsewhere})) as (url, _), pytest.raises(DeliveryError, match="status 302"):
            deliver(url)
        assert reached == []


def test_nobody_there_is_a_failure_in_words():
    with receiver((204, {})) as (url, _):
        pass
    with pytest.raises(DeliveryError, match=r"5 attempts.*[Rr]efused"):
        deliver(url)


def test_no_redirect_or_pause_lasts_longer_than_a_minute():
    assert sender._pause_s(1, 1e9) == sender.LONGEST_PAUSE_S
    assert sender._pause_s(50, None) <= sender.LONGEST_PAUSE_S
    assert sender._retry_after_s("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0
    assert sender._retry_after_s("soon") is None
    assert sender._retry_after_s("Mon, 01 Jan 99999999999999999999 00:00:00 GMT") is None
    assert sender._retry_after_s("Wed, 21 Oct 2015 07:28:00 +9999999999999999") is None


def test_the_secret_comes_from_a_file_and_no_text_shows_it(tmp_path):
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")
    file.chmod(0o600)
    made = webhook("https://example.org/hook", file, {})
    assert made == webhook("https://example.org/hook", None, {SECRET_VARIABLE: SECRET})
    assert isinstance(made, Webhook)
    assert "key" not in repr(made)


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        ("", "does not start with whsec_"),
        ("hunter2", "does not start with whsec_"),
        ("whsec_!!!", "no base64"),
        ("whsec_c2hvcnQ=", "5 bytes; it needs 24"),
    ],
)
def test_a_secret_of_no_use_is_refused_and_not_repeated(secret, said):
    with pytest.raises(DeliveryError, match=said) as refused:
        webhook("https://example.org", None, {SECRET_VARIABLE: secret})
    assert "hunter2" not in str(refused.value.lines())


def test_a_secret_that_would_be_waited_for_is_refused(tmp_path):
    os.mkfifo(tmp_path / "fifo", 0o600)
    with pytest.raises(DeliveryError, match="is not a regular file"):
        webhook("https://example.org", tmp_path / "fifo")


def test_a_secret_that_others_may_read_is_refused(tmp_path):
    file = tmp_path / "secret"
    file.write_text(SECRET)
    file.chmod(0o644)
    with pytest.raises(DeliveryError, match="other users"):
        webhook("https://example.org", file, {})
    with pytest.raises(DeliveryError, match="cannot be read"):
        webhook("https://example.org", tmp_path / "none", {})
    with pytest.raises(DeliveryError, match="without a secret"):
        webhook("https://example.org", None, {})


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.org",
        "file:///etc/passwd",
        "ftp://example.org",
        "https://",
        "http://a b",
        "http://a:99999",
        "http://[",
    ],
)
def test_a_url_of_no_use_is_refused(url):
    with pytest.raises(DeliveryError, match="no URL"):
        webhook(url, None, {SECRET_VARIABLE: SECRET})


def test_a_password_in_the_url_is_refused_and_not_repeated():
    with pytest.raises(DeliveryError) as refused:
        webhook("https://user:hunter2@example.org", None, {SECRET_VARIABLE: SECRET})
    assert "hunter2" not in str(refused.value.lines())
