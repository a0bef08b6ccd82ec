"""What is gained over the defaults: the same RAID level, disks and filesystem as the tools make them unasked.

A store without a ``[baseline]`` has no point that the reader named.  What they would have built without a sweep is
then the fairest yardstick: mdadm's chunk of 512 KiB and its layout n2 of RAID 10 (mdadm(8), --chunk and --layout), md's
stripe cache of 256 pages (Linux, Documentation/admin-guide/md.rst), files in one folder, and no option, scheduler
or queue length set.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from results.estimates.estimate import Fit
from results.estimates.gain import gains
from stripelab.settings import DEFAULT, Setting

_KEPT = ("level", "disks", "filesystem")
_OF_THE_TOOLS: Mapping[str, Setting] = {
    "chunk_kib": 512,
    "raid10_layout": "n2",
    "stripe_cache_pages": 256,
    "layout": "flat",
}


@dataclass(frozen=True)
class OverDefault:
    """The default of a recommended point, by ``label``; per cent gained over it as measured, and at least.

    Both are None where the recommended point is the default itself.
    """

    label: str
    gain_pct: float | None
    at_least_pct: float | None


def over_default(
    model: Fit,
    recommended: str,
    settings: Mapping[str, Mapping[str, Setting]],
    labels: Mapping[str, str],
    *,
    maximise: bool,
    confidence: float,
) -> OverDefault | None:
    """What ``recommended`` gains over its default; None where the default was not measured.

    The default depends on the point, and so on what was picked: the limit is made at a level divided by the
    number of defaults there are (Bonferroni), so that it holds whichever it came to be.
    """
    defaults = [point for point in model.points if is_default(settings[point])]
    mine = [point for point in defaults if _group(settings[point]) == _group(settings[recommended])]
    if not mine:
        return None
    default = recommended if recommended in mine else mine[0]
    if default == recommended:
        return OverDefault(labels[default], None, None)
    level = 1 - (1 - confidence) / len(defaults)
    gain = gains(model, default, maximise=maximise, confidence=level)[recommended]
    return OverDefault(labels[default], gain.gain_pct, gain.at_least_pct)


def is_default(settings: Mapping[str, Setting]) -> bool:
    """Whether everything but RAID level, disks and filesystem is as the tools make it unasked."""
    return all(
        value in {None, DEFAULT} or (name in _OF_THE_TOOLS and value == _OF_THE_TOOLS[name])
        for name, value in settings.items()
        if name not in _KEPT
    )


def _group(settings: Mapping[str, Setting]) -> tuple[Setting, ...]:
    return tuple(settings.get(name) for name in _KEPT)
