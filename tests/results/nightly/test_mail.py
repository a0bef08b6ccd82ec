"""The mail: a message that parses back, a page that asks for nothing and hides nothing."""

from __future__ import annotations

import re
from dataclasses import replace
from email import message_from_bytes
from email.policy import default
from html.parser import HTMLParser

import pytest
from hypothesis import example, given, settings

from results.errors import ResultsError
from results.nightly import mail, words
from results.nightly.answer import LAST_NS
from results.text import plain
from tests.results.nightly import nights
from tests.results.nightly.nights import night

VOID = {"meta", "br"}


class Page(HTMLParser):
    """Every element with its attributes, and the text that a reader sees."""

    def __init__(self, source):
        super().__init__(convert_charrefs=True)
        self.elements, self.said, self.open = [], [], []
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.said.append(data)

    @property
    def text(self):
        return "\n".join(self.said)


def read(content):
    return message_from_bytes(content, policy=default)


def test_the_message_says_it_in_the_subject_and_in_two_forms():
    message = read(mail.message(night(), "lab <lab@example.org>", ["ops@example.org", "Zoë <z@example.org>"]))
    assert message["Subject"].startswith("[stripelab] four-disks, night of 2026-11-24: 1 regression, ")
    assert (message["From"], message["To"]) == ("lab <lab@example.org>", "ops@example.org, Zoë <z@example.org>")
    assert message["Date"].datetime.isoformat() == "2026-11-24T03:27:10+00:00"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Stripelab-Status"] == "1"
    written, page = message.iter_parts()
    assert (written.get_content_type(), page.get_content_type()) == ("text/plain", "text/html")
    for said in (written.get_content(), Page(page.get_content()).text):
        for line in ("slower than their peers: WD-WX41", "kernel: 6.1.0-38 \N{RIGHTWARDS ARROW} 6.1.0-40"):
            assert line in said


def test_the_message_is_lines_that_smtp_takes():
    content = mail.message(night(hostname="ünsere kiste"))
    assert content.isascii()
    assert not re.search(rb"(?<!\r)\n", content)
    assert all(len(line) <= 998 for line in content.split(b"\r\n"))
    assert read(content)["From"].addresses[0].addr_spec == "stripelab@localhost"


@pytest.mark.parametrize(
    "address", ["nobody", "a@b@c", "a b@example.org", "x <>", "a@example.org\nBcc: b@example.org", ""]
)
def test_an_address_that_is_none_is_refused(address):
    with pytest.raises(ResultsError, match="no mail address"):
        mail.checked(None, [address])


def test_the_page_asks_for_nothing_and_has_no_style_but_inline():
    page = Page(mail.html(night()))
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "style", "link", "img", "iframe", "object", "svg", "form"}
    assert not any({"src", "href", "class", "onclick"} & set(attributes) for _, attributes in page.elements)
    assert "url(" not in mail.html(night())


def luminance(colour):
    """Relative luminance (WCAG 2.2)."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("word", list(mail.COLOURS))
def test_a_verdict_can_be_read(word):
    lighter, darker = sorted(map(luminance, mail.COLOURS[word]), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 7


@settings(deadline=None, max_examples=40)
@given(nights.nights)
@example(
    replace(
        night(), complete=False, night="\u00fcn\u00efc\u00f6d\u00e9 \u65e5\u672c\u8a9e \U0001f4be", sweep="0\n\x80\xa0"
    )
)
def test_any_night_is_a_message_that_parses_back(one):
    message = read(mail.message(one))
    assert message.defects == []
    assert message["Subject"].split() == f"[stripelab] {words.headline(one)}".replace("=?", "= ?").split()
    written, page = message.iter_parts()
    shown = Page(page.get_content())
    for verdict in one.verdicts:
        assert plain(verdict.metric.name) in written.get_content()
        assert plain(verdict.metric.name) in shown.text
    allowed = {"html", "head", "meta", "title", "body", "table", "tr", "td", "th", "div", "h1", "h2", "strong"}
    assert {tag for tag, _ in shown.elements} <= allowed


def test_a_bound_that_was_broken_stands_on_top_though_the_metric_is_ok():
    broken = replace(nights.OTHERS[1].watched[0], held=False)
    shown = Page(mail.html(night(replace(nights.OTHERS[1], watched=(broken,))))).text
    said = "segment-scan read, bandwidth, raid5, 4 disks, 64 KiB, xfs: guarantee broken: at least 70 MiB/s"
    assert said in shown
    assert shown.index(said) < shown.index("change (interval)")


@pytest.mark.parametrize("length", [0.0, 1e300, -5.0, float("nan"), None])
def test_a_night_at_the_end_of_the_calendar_still_has_a_date(length):
    message = read(mail.message(night(started_at_ns=LAST_NS, duration_s=length)))
    assert message["Date"].datetime.year == 9999
