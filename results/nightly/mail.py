"""A night as a mail: HTML that mail readers show alike, a text beside it, and the whole as a message.

Mail readers drop style sheets, scripts and most of CSS, so the page is tables with inline styles only, and asks for
nothing from anywhere.  The message is RFC 5322 with MIME (RFC 2045 to 2049): ``sendmail -t < night.eml`` sends it.
It says of itself that a machine sent it (RFC 3834), so that no absence note answers.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from importlib import resources

from results.errors import ResultsError
from results.nightly import words
from results.nightly.answer import (
    DRIFT,
    IMPROVEMENT,
    KNOWN,
    LAST_NS,
    NO_VERDICT,
    OK,
    RECOVERED,
    REGRESSION,
    TONIGHT,
    UNCONFIRMED,
    Nightly,
)
from results.runs.changes import changed_text
from results.text import plain

COLOURS = {
    REGRESSION: ("#8c1d18", "#fbe3e1"),
    TONIGHT: ("#6b4700", "#fdf0d5"),
    DRIFT: ("#6b4700", "#fdf0d5"),
    UNCONFIRMED: ("#6b4700", "#fdf0d5"),
    NO_VERDICT: ("#444c56", "#eaeef2"),
    KNOWN: ("#5b1a6e", "#f5e6fa"),
    RECOVERED: ("#10542c", "#dcf5e5"),
    IMPROVEMENT: ("#10542c", "#dcf5e5"),
    OK: ("#10542c", "#ffffff"),
}
"""Ink and paper of each verdict; every pair has a contrast of 7 to 1 or more (WCAG 2.2, 1.4.6)."""


def html(night: Nightly) -> str:
    """The page; every text is escaped."""
    import jinja2  # late: `stripelab --help` does not need it

    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_read),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    ordered = night.ordered()
    return environment.get_template("mail.html.jinja").render(
        night=night,
        words=words,
        changed_text=changed_text,
        colours=COLOURS,
        headline=words.headline(night),
        table=list(zip(ordered, words.rows(ordered), strict=True)),
        broken=[
            f"{plain(each.metric.name)}: {words.watched_text(each.metric.figure, bound)}"
            for each, bound in words.broken(night)
            if not words.noteworthy(each)  # the others say it below their figures
        ],
    )


def _read(name: str) -> str:
    return resources.files("results.nightly").joinpath(name).read_text(encoding="utf-8")


def text(night: Nightly) -> str:
    """The same as plain lines."""
    lines = [words.headline(night), ""]
    if night.notice:
        lines += [plain(night.notice), ""]
    lines += [f"problem: {plain(problem)}" for problem in night.problems]
    for verdict in night.ordered():
        lines += [f"{verdict.word.upper()}: {plain(verdict.metric.name)}", f"    {words.figures(verdict)}"]
        if words.noteworthy(verdict) or any(bound.held is False for bound in verdict.watched):
            lines += [f"    {line}" for line in words.details(verdict)]
    if night.changes:
        lines += ["", "Changed since the baseline:", *(f"  - {changed_text(each)}" for each in night.changes)]
    return "\n".join([*lines, "", *(f"{name}: {value}" for name, value in words.facts(night))]) + "\n"


def message(night: Nightly, sender: str | None = None, recipients: Sequence[str] = ()) -> bytes:
    """The message, lines ended as SMTP wants them.

    ``sender`` defaults to ``stripelab@`` the host that measured.  Without recipients there is no ``To``: give them to
    the program that sends it.

    Raises:
        ResultsError: an address that is none.
    """
    mail = EmailMessage(policy=SMTP)
    mail["From"] = _address(sender) if sender else Address("stripelab nightly", "stripelab", _domain(night.hostname))
    if recipients:
        mail["To"] = [_address(each) for each in recipients]
    length = night.duration_s if words.known(night.duration_s) else 0.0
    ended_s = min(night.started_at_ns + max(0.0, length) * 1e9, LAST_NS) // 1_000_000_000
    mail["Date"] = format_datetime(datetime.fromtimestamp(ended_s, UTC))
    mail["Message-ID"] = f"<{_digest(night)}@{_domain(night.hostname)}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Stripelab-Status"] = str(night.status)
    mail.set_content(text(night))
    mail.add_alternative(html(night), subtype="html")
    return _subject(night) + mail.as_bytes()


def _subject(night: Nightly) -> bytes:
    """The line with the headline.

    ``EmailMessage`` loses spaces between encoded words (github.com/python/cpython/issues/92081), ``Header`` does not.
    What looks like an encoded word (RFC 2047) would be decoded by whoever reads it.
    """
    written = f"[stripelab] {words.headline(night)}".replace("=?", "= ?")
    charset = "us-ascii" if written.isascii() else "utf-8"
    line = Header(written, charset, header_name="Subject").encode(linesep="\r\n")
    return f"Subject: {line}\r\n".encode("ascii")


def checked(sender: str | None, recipients: Sequence[str]) -> None:
    """Raise ResultsError on an address that is none."""
    for each in (*([sender] if sender else []), *recipients):
        _address(each)


def _address(written: str) -> Address:
    """An address from ``name <local@domain>`` or ``local@domain``."""
    name, address = parseaddr(written)
    fine = re.fullmatch(r"[^@\s<>,;:\"\\()\[\]]+@[^@\s<>,;:\"\\()\[\]]+", address)
    if not fine or plain(written) != written:  # a line that ends here would begin a header of its own
        raise ResultsError(f"{plain(written)!r} is no mail address", remedy="Give it as name@example.org.")
    try:
        return Address(name, addr_spec=address)
    except ValueError as error:
        raise ResultsError(f"{plain(written)!r}: {error}", remedy="Give it as name@example.org.") from None


def _domain(hostname: str) -> str:
    """The host's name where it may stand after an ``@`` (RFC 952, RFC 1123), else a name that is always valid."""
    labels = hostname.split(".")
    fine = all(re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?", label) for label in labels)
    return hostname if fine and len(hostname) <= 253 else "localhost"


def _digest(night: Nightly) -> str:
    """One message of a night has one id, however often it is written."""
    key = "\0".join((night.sweep, night.night, night.hostname, str(night.started_at_ns)))
    return hashlib.sha256(key.encode("utf-8", errors="backslashreplace")).hexdigest()[:32]
