"""A night sent to a URL, signed so that the receiver knows who sent it, when, and that nobody changed it.

The signature is that of Standard Webhooks (standardwebhooks.com, version 1 of the specification): HMAC-SHA256
(RFC 2104) over ``id.timestamp.body``, in ``webhook-id``, ``webhook-timestamp`` and ``webhook-signature``.  Libraries in
many languages check it, refuse what is more than five minutes old, and know a repetition by its id: the id of a
night's delivery is the same in every attempt and each attempt is signed anew with its own time.
"""

from __future__ import annotations

import base64
import binascii
import email.utils
import hashlib
import hmac
import http.client
import json
import os
import random
import re
import stat
import time
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench.errors import DeliveryError
from bench.nightly.post import post
from permutations.reading.regular import UnreadableError, read_regular
from results.nightly.answer import Nightly
from results.store.files import SMALL_BYTES
from results.text import plain

SECRET_VARIABLE = "STRIPELAB_WEBHOOK_SECRET"  # noqa: S105 - the name of a variable
PREFIX = "whsec_"
MIN_SECRET_BYTES = 24
"""Least length of a key, as the specification has it (192 bits)."""

ATTEMPTS = 5
FIRST_PAUSE_S = 2.0
LONGEST_PAUSE_S = 60.0
ATTEMPT_S = 20.0
TOTAL_S = 300.0
"""Seconds for all attempts and the pauses between them."""

_PASSING = frozenset({408, 425, 429})
"""Client errors that pass by themselves (RFC 9110, 6585, 8470); every status from 500 does as well."""


@dataclass(frozen=True)
class Webhook:
    """Where to send it, and the key to sign with, which no ``repr`` shows."""

    url: str
    key: bytes = field(repr=False)


@dataclass(frozen=True)
class Sent:
    """A delivery that the receiver took: its status, and after how many attempts."""

    status: int
    attempts: int


def webhook(url: str, secret_file: Path | None, environment: Mapping[str, str] = os.environ) -> Webhook:
    """Where to send to, its secret from a file or from the environment and never from the command line.

    Raises:
        DeliveryError: a URL or a secret that is of no use.
    """
    try:
        parts = urllib.parse.urlsplit(url)
        sound = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:  # a port or an address that is none
        sound = False
    if not sound or not re.fullmatch(r"[!-~]+", url):
        raise DeliveryError(f"{plain(url)!r} is no URL to send to", remedy="Give one that starts with https://.")
    if parts.username is not None or parts.password is not None:
        raise DeliveryError(
            "the webhook's URL holds a name or a password, which every process list shows",
            remedy="Leave it out: the signature says who sent it.",
        )
    return Webhook(url, _key(_secret(secret_file, environment)))


def _secret(file: Path | None, environment: Mapping[str, str]) -> str:
    """The secret as it was written down."""
    if file is None:
        found = environment.get(SECRET_VARIABLE)
        if found is None:
            raise DeliveryError(
                "a webhook without a secret",
                remedy=f"Give --webhook-secret FILE, or the secret itself in {SECRET_VARIABLE}.",
            )
        return found.strip()
    try:
        if file.stat().st_mode & (stat.S_IRWXO | stat.S_IWGRP):
            raise DeliveryError(
                f"{file}: other users may read or change this secret",
                remedy=f"chmod 600 {file}, and make a new secret.",
            )
        return read_regular(file, SMALL_BYTES).decode("ascii").strip()
    except UnreadableError as failure:
        raise DeliveryError(f"{file}: the secret cannot be read: the file {failure}", remedy=_MAKE_ONE) from None
    except (OSError, UnicodeDecodeError) as failure:
        raise DeliveryError(f"{file}: the secret cannot be read: {failure}", remedy=_MAKE_ONE) from None


_MAKE_ONE = "Make one: (umask 077; printf 'whsec_%s\\n' \"$(openssl rand -base64 32)\" > FILE)"


def _key(secret: str) -> bytes:
    """The key: base64 after ``whsec_``, as the specification has it."""
    if not secret.startswith(PREFIX):
        raise DeliveryError(f"the webhook's secret does not start with {PREFIX}", remedy=_MAKE_ONE)
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise DeliveryError(f"what follows {PREFIX} in the webhook's secret is no base64", remedy=_MAKE_ONE) from None
    if len(key) < MIN_SECRET_BYTES:
        raise DeliveryError(
            f"the webhook's secret has {len(key)} bytes; it needs {MIN_SECRET_BYTES} at least", remedy=_MAKE_ONE
        )
    return key


def body(night: Nightly) -> bytes:
    """What is sent: the type of event, when, and the whole outcome; the same bytes every time."""
    event = {"type": "stripelab.nightly", "timestamp": night.started.isoformat(), "data": night.to_json()}
    return json.dumps(event, ensure_ascii=True, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def signed_headers(key: bytes, message_id: str, timestamp_s: int, content: bytes) -> dict[str, str]:
    """The three headers of Standard Webhooks."""
    signed = f"{message_id}.{timestamp_s}.".encode("ascii") + content
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode('ascii')}",
    }


def message_id(content: bytes) -> str:
    """The same for the same outcome, so that a receiver drops what it has seen."""
    return f"msg_{hashlib.sha256(content).hexdigest()[:32]}"


def send(
    to: Webhook,
    night: Nightly,
    *,
    wait: Callable[[float], None] = time.sleep,
    now: Callable[[], float] = time.time,
    attempts: int = ATTEMPTS,
    attempt_s: float = ATTEMPT_S,
    total_s: float = TOTAL_S,
) -> Sent:
    """Send a night; what passes by itself is tried again, ever later and with jitter, at most ``attempts`` times.

    An attempt takes at most ``attempt_s`` seconds from the search for the address to the end of the answer, and all of
    them with the pauses at most ``total_s``.  Redirects are not followed: a signed body goes to the address that was
    named, or nowhere.

    Raises:
        DeliveryError: the receiver refused it, or could not be reached.
    """
    content = body(night)
    identity = message_id(content)
    ends_s = time.monotonic() + total_s
    attempt = 0
    while True:
        attempt += 1
        headers = signed_headers(to.key, identity, int(now()), content)
        limit_s = min(attempt_s, max(0.0, ends_s - time.monotonic()))
        status, why, asked_s = _attempt(to.url, headers, content, limit_s)
        if 200 <= status < 300:
            return Sent(status, attempt)
        if status and status < 500 and status not in _PASSING:
            raise DeliveryError(f"{to.url} refused the outcome: {why}")
        pause_s = _pause_s(attempt, asked_s)
        if attempt == attempts or time.monotonic() + pause_s >= ends_s:
            times = f"{attempt} attempt{'' if attempt == 1 else 's'}"
            raise DeliveryError(f"{to.url} did not take the outcome in {times}; the last: {why}")
        wait(pause_s)


def _pause_s(attempt: int, asked_s: float | None) -> float:
    """Twice as long every time, with jitter so that many machines do not come at once; or what the receiver asks."""
    if asked_s is not None:
        return min(asked_s, LONGEST_PAUSE_S)
    longest = min(FIRST_PAUSE_S * 2.0 ** (attempt - 1), LONGEST_PAUSE_S)
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, no secret


def _attempt(url: str, headers: Mapping[str, str], content: bytes, limit_s: float) -> tuple[int, str, float | None]:
    """Status (0 where there was no answer), what happened, and the pause that the receiver asks for."""
    own = {"Content-Type": "application/json", "User-Agent": "stripelab"}
    try:
        answer = post(url, {**own, **headers}, content, limit_s)
    except (OSError, http.client.HTTPException) as failure:
        reason = getattr(failure, "reason", failure)
        return 0, plain(str(reason)) or type(failure).__name__, None
    return answer.status, f"status {answer.status}{_said(answer.text)}", _retry_after_s(answer.retry_after)


def _said(beginning: bytes) -> str:
    """The first line of an answer's text, safe to show."""
    text = beginning.decode("utf-8", errors="backslashreplace").strip()
    return f": {plain(text.splitlines()[0])}" if text else ""


def _retry_after_s(header: str) -> float | None:
    """``Retry-After`` in seconds, of either form (RFC 9110, 10.2.3)."""
    asked = header.strip()
    if asked.isdecimal():
        return float(asked[:9])
    try:
        return max(0.0, email.utils.parsedate_to_datetime(asked).timestamp() - time.time())
    except (TypeError, ValueError, IndexError, OverflowError):  # the receiver may have sent any year and zone
        return None
