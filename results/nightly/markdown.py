"""A night as Markdown for a merge request: what wants attention first, what is well folded away.

GitHub Flavored Markdown (github.github.com/gfm), which GitLab reads as well.  Names stand as code, so that nothing
in them is taken for markup, a mention or a reference.
"""

from __future__ import annotations

import re

from results.nightly import words
from results.nightly.answer import IMPROVEMENT, OK, RECOVERED, REGRESSION, Nightly, Verdict
from results.runs.changes import changed_text
from results.text import plain

_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~&!@$]|:(?!\s|$)|^[-+=]|^\d+(?=[.)]))")
"""Every character that begins markup, a mention, a reference, a link, an emoji, or a list at the start of a line."""

_MARKS = {
    REGRESSION: "\N{CROSS MARK}",
    RECOVERED: "\N{WHITE HEAVY CHECK MARK}",
    IMPROVEMENT: "\N{WHITE HEAVY CHECK MARK}",
    OK: "\N{WHITE HEAVY CHECK MARK}",
}
_OTHER = "\N{WARNING SIGN}\ufe0f"


def markdown(night: Nightly) -> str:
    """The whole text, ending in a newline."""
    parts = [f"### {_mark(night)} {text(words.headline(night))}"]
    if night.notice:
        parts.append(f"> **{text(plain(night.notice))}**")
    if night.problems:
        parts.append("\n".join(["**Problems**", "", *(f"- {text(plain(each))}" for each in night.problems)]))
    ordered = night.ordered()
    loud = tuple(verdict for verdict in ordered if verdict.word != OK)
    quiet = tuple(verdict for verdict in ordered if verdict.word == OK)
    if loud:
        parts += [_table(loud), *(_details(verdict) for verdict in loud)]
    parts += [f"- {text(_broken(verdict, said))}" for verdict, said in _broken_where_quiet(quiet)]
    if quiet:
        parts.append(f"<details><summary>{len(quiet)} ok</summary>\n\n{_table(quiet)}\n\n</details>")
    if night.changes:
        listed = [f"- {text(changed_text(change))}" for change in night.changes]
        parts.append("\n".join(["**Changed since the baseline**", "", *listed]))
    parts.append("\n".join(["**The night**", "", *(f"- {name}: {text(value)}" for name, value in words.facts(night))]))
    return "\n\n".join(parts) + "\n"


def _mark(night: Nightly) -> str:
    if night.regressions:
        return _MARKS[REGRESSION]
    return _MARKS[OK] if night.complete and night.verdicts else _OTHER


def _broken_where_quiet(quiet: tuple[Verdict, ...]) -> list[tuple[Verdict, str]]:
    """Bounds that were broken though the metric is ok: they must not be folded away."""
    return [
        (verdict, words.watched_text(verdict.metric.figure, bound))
        for verdict in quiet
        for bound in verdict.watched
        if bound.held is False
    ]


def _broken(verdict: Verdict, said: str) -> str:
    return f"{plain(verdict.metric.name)}: {said}"


def _table(verdicts: tuple[Verdict, ...]) -> str:
    """A table of GFM, figures to the right."""
    rule = ["---:" if right else ":---" for right in words.RIGHT]
    lines = [_row(words.HEADERS), _row(rule)]
    for verdict, row in zip(verdicts, words.rows(verdicts), strict=True):
        word, name, *figures = row
        mark = _MARKS.get(verdict.word, _OTHER)
        lines.append(_row((f"{mark} {text(word)}", code(name, in_table=True), *map(text, figures))))
    return "\n".join(lines)


def _row(cells: tuple[str, ...] | list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _details(verdict: Verdict) -> str:
    """The sentences on one metric, as a list under its name."""
    name = code(plain(verdict.metric.name))
    return "\n".join([f"**{text(verdict.word)}** {name}", "", *(f"- {text(line)}" for line in _lines(verdict))])


def _lines(verdict: Verdict) -> tuple[str, ...]:
    return words.details(verdict) or (words.figures(verdict),)


def text(words_: str) -> str:
    """Text in which no character is markup (CommonMark 0.31, "Backslash escapes"; a digit cannot be escaped)."""
    return _MARKUP.sub(_escaped, words_.strip())


def _escaped(found: re.Match[str]) -> str:
    return f"{found[0]}\N{ZERO WIDTH NON-JOINER}" if found[0].isdecimal() else f"\\{found[0]}"


def code(words_: str, *, in_table: bool = False) -> str:
    """A code span around any text (CommonMark 0.31, "Code spans"); in a table a bar must be escaped even there."""
    longest = max((len(run) for run in re.findall("`+", words_)), default=0)
    fence = "`" * (longest + 1)
    inner = words_.replace("|", "\\|") if in_table else words_
    if not inner.strip(" "):
        return f"{fence}{inner or ' '}{fence}"  # spaces alone are not stripped, and an empty span is none
    return f"{fence} {inner} {fence}" if longest or inner[0] == " " else f"{fence}{inner}{fence}"
