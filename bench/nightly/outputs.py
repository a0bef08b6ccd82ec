"""Where the outcome of a night goes: checked before the night begins, delivered when it is over.

A night takes hours, so a wrong path or secret is found first.  Delivery never raises: the outcome is in the store
already, one output that fails keeps no other back, and none of them decides over the exit status.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench import defect
from bench.errors import StoreError, StripelabError
from bench.nightly import webhook as webhooks
from results import outfile
from results.errors import ResultsError
from results.nightly import findings, junit, mail, markdown, openmetrics
from results.nightly.answer import Nightly

FILES = ("junit", "openmetrics", "markdown", "code_quality", "html", "mail")
"""Outputs that are a file; the option is the same word with a hyphen."""


@dataclass(frozen=True)
class Delivery:
    """What became of one output: where it went, or why it did not."""

    what: str
    where: str
    problem: str | None = None
    remedy: str | None = None
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """What was asked for; None and nothing is asked for by default.

    ``annotations`` prints GitHub's workflow commands, through ``deliver``'s ``say``.
    """

    junit: Path | None = None
    openmetrics: Path | None = None
    markdown: Path | None = None
    code_quality: Path | None = None
    html: Path | None = None
    mail: Path | None = None
    mail_from: str | None = None
    mail_to: tuple[str, ...] = ()
    annotations: bool = False
    webhook: str | None = None
    webhook_secret: Path | None = None

    def files(self) -> tuple[tuple[str, Path], ...]:
        """Every file that is to be written, with what it is."""
        found = [(name, getattr(self, name)) for name in FILES]
        return tuple((name, path) for name, path in found if path is not None)

    def check(self, store: Path | None = None) -> None:
        """See that every output can be made, before hours are spent on the night; ``store`` need not be there yet.

        Raises:
            StoreError: an output that must not be written there or cannot, or one file for two outputs.
            DeliveryError: a URL or a secret of no use.
            ResultsError: an address that is none.
        """
        taken: dict[Path, str] = {}
        for name, path in self.files():
            try:
                outfile.check(path, store)
            except ResultsError as failure:
                raise StoreError(f"{option(name)} {failure.message}", remedy=failure.remedy) from None
            before = taken.setdefault(Path(os.path.realpath(path)), name)
            if before != name:
                raise StoreError(
                    f"{option(before)} and {option(name)} both name {path}", remedy="Give each a file of its own."
                )
        if self.mail is not None:
            mail.checked(self.mail_from, self.mail_to)
        if self.webhook is not None:
            webhooks.webhook(self.webhook, self.webhook_secret)

    def arguments(self) -> tuple[str, ...]:
        """The options that ask for the same, absolute paths and no secret among them."""
        words = [word for name, path in self.files() for word in (option(name), str(path.absolute()))]
        if self.mail_from is not None:
            words += ["--mail-from", self.mail_from]
        words += [word for address in self.mail_to for word in ("--mail-to", address)]
        words += ["--annotations", "github"] if self.annotations else []
        if self.webhook is not None:
            words += ["--webhook", self.webhook]
        if self.webhook_secret is not None:
            words += ["--webhook-secret", str(self.webhook_secret.absolute())]
        return tuple(words)

    def deliver(self, night: Nightly, say: Callable[[str], None]) -> tuple[Delivery, ...]:
        """Make every output that was asked for; what fails is said in its :class:`Delivery`."""
        makers: dict[str, Callable[[Nightly], bytes]] = {
            "junit": lambda night: junit.junit(night).encode(),
            "openmetrics": lambda night: openmetrics.openmetrics(night).encode(),
            "markdown": lambda night: markdown.markdown(night).encode(),
            "code_quality": lambda night: findings.gitlab(night).encode(),
            "html": lambda night: mail.html(night).encode(),
            "mail": lambda night: mail.message(night, self.mail_from, self.mail_to),
        }
        done = [
            _attempted(option(name), str(path), partial(_write, path, makers[name], night))
            for name, path in self.files()
        ]
        if self.annotations:
            done.append(_attempted("--annotations", "github", lambda: _print(night, say)))
        if self.webhook is not None:
            done.append(_attempted("--webhook", self.webhook, lambda: self._send(night)))
        return tuple(done)

    def _send(self, night: Nightly) -> str:
        sent = webhooks.send(webhooks.webhook(self.webhook or "", self.webhook_secret), night)
        return f"status {sent.status} after {sent.attempts} attempt{'' if sent.attempts == 1 else 's'}"


def option(name: str) -> str:
    """The option that asks for an output."""
    return f"--{name.replace('_', '-')}"


def _write(path: Path, make: Callable[[Nightly], bytes], night: Nightly) -> None:
    outfile.write(path, make(night), public=True)


def _print(night: Nightly, say: Callable[[str], None]) -> None:
    for line in findings.github(night):
        say(line)


def _attempted(what: str, where: str, act: Callable[[], str | None]) -> Delivery:
    """Do it, and turn every failure into words: the verdict must reach whoever asked, by some way."""
    try:
        return Delivery(what, where, note=act())
    except StripelabError as failure:
        return Delivery(what, where, failure.message, failure.next_step)
    except ResultsError as failure:
        return Delivery(what, where, failure.message, failure.remedy)
    except Exception as error:  # noqa: BLE001 - a defect of one form must not keep the others back; it is reported
        return Delivery(what, where, *defect.report(error, sys.argv[1:]))
