"""What earlier nights have established about a metric: looks that were spent, a change that stands, nights cleared.

The kept outcomes are the only state.  Every verdict on a confirmed change carries the change, so the newest verdict
that decided anything says what stands; outcomes of versions that did not carry it are read by their words.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from results.nightly import answer
from results.nightly.answer import Confirmed, Verdict
from results.nightly.evidence import FEWEST_PAIRS, YEAR_NIGHTS

Past = Sequence[tuple[str, Verdict]]
"""A metric's verdicts with their nights, in the order of time."""

STANDS = frozenset({answer.REGRESSION, answer.KNOWN, answer.IMPROVEMENT})
"""Verdicts that say that a confirmed change is there."""
_SILENT = frozenset({answer.NO_VERDICT, answer.DRIFT})
"""Verdicts that neither confirm a change nor end one: outcomes of older versions have drifts after a regression."""
_RESTARTS = frozenset({answer.UNCONFIRMED, answer.OK, answer.TONIGHT, answer.RECOVERED})


@dataclass(frozen=True)
class Standing:
    """What is known before tonight.

    ``looks`` counts by side the looks of the year before that confirmed nothing; ``restart`` is the night after
    which the cumulative sum starts anew, ``cleared`` the latest one that pairs cleared, ``confirmed`` the change that
    stands.  None where there is none.
    """

    looks: Mapping[str, int] = field(default_factory=dict)
    restart: str | None = None
    cleared: str | None = None
    confirmed: Confirmed | None = None


def standing(past: Past, baseline: str, night: str) -> Standing:
    """What the verdicts against this baseline established before ``night``; another baseline begins with nothing."""
    own = [(when, verdict) for when, verdict in past if verdict.baseline == baseline and when < night]
    begin = (date.fromisoformat(night) - timedelta(days=YEAR_NIGHTS - 1)).isoformat()
    looks = Counter(
        verdict.looked for when, verdict in own if verdict.looked and when >= begin and verdict.word not in STANDS
    )
    restart = next((when for when, verdict in reversed(own) if _restarts(verdict)), None)
    clear = next((when for when, verdict in reversed(own) if cleared(verdict)), None)
    return Standing(looks, restart, clear, _confirmed(own))


def _restarts(verdict: Verdict) -> bool:
    return verdict.word == answer.RECOVERED or (verdict.screened and verdict.word in _RESTARTS)


def cleared(verdict: Verdict) -> bool:
    """Whether pairs showed that night that the metric is as the baseline, to within the practical margin."""
    low, high, margin = verdict.change_low_pct, verdict.change_high_pct, verdict.margin_pct
    if verdict.pairs < FEWEST_PAIRS or verdict.disks or low is None or high is None or margin is None:
        return False
    return -margin <= low and high <= margin


def _confirmed(own: Past) -> Confirmed | None:
    """The change of the newest verdict that decided anything."""
    deciding = [(when, verdict) for when, verdict in own if verdict.word not in _SILENT]
    if not deciding or deciding[-1][1].word not in STANDS:
        return None
    newest = deciding[-1][1]
    found = newest.confirmed if newest.confirmed is not None else _of_words(deciding)
    return found if found is not None and math.isfinite(found.change_pct) and found.change_pct > -100 else None


def _of_words(deciding: Past) -> Confirmed | None:
    """The change that a run of verdicts of one word tells of, the first of them its night."""
    word = deciding[-1][1].word
    first = len(deciding)
    while first and deciding[first - 1][1].word == word:
        first -= 1
    when, verdict = deciding[first]
    if verdict.change_pct is None:
        return None
    found = Confirmed(night=when, change_pct=verdict.change_pct, disks=verdict.disks)
    return replace(found, improvement=word == answer.IMPROVEMENT)
