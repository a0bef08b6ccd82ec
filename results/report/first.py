"""The first screen: what to set, how sure, how much better than the default, and what was measured on what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from results.recommendation.answer import Answer, RankedPoint, Ranking, Recommendation
from results.recommendation.recommend import CONFIDENCE
from results.recommendation.sentences import (
    best_sentence,
    default_sentence,
    gain_sentence,
    published_sentence,
    sureness,
    value_sentence,
)
from results.report import tables
from results.report.model import Verdict
from results.report.tables import Traces
from results.store.files import object_of
from results.store.schema import IMPORTED, ObservationRow
from stripelab.metrics import figure, metric_name, scale_of
from stripelab.raid import LEVELS
from stripelab.settings import DEFAULT, Setting
from stripelab.units import capacity, date, duration, number, pct, signed_pct

_LAYOUTS = {"flat": "one folder", "per-disk": "a folder per disk"}
_NAMES = {
    "level": "RAID level",
    "disks": "Disks",
    "chunk_kib": "Chunk",
    "raid10_layout": "md layout",
    "stripe_cache_pages": "Stripe cache",
    "filesystem": "Filesystem",
    "mkfs_options": "mkfs options",
    "mount_options": "Mount options",
    "layout": "Directories",
    "scheduler": "I/O scheduler",
    "read_ahead_kib": "Read-ahead",
    "nr_requests": "Queue length",
}


def settings_in_words(settings: Mapping[str, Setting]) -> tuple[tuple[str, str], ...]:
    """Every factor that applies and was set, for a reader who knows RAID and not our short names."""
    return tuple(
        (_NAMES.get(name, name), _in_words(name, value))
        for name, value in settings.items()
        if value not in {None, DEFAULT}
    )


def _in_words(name: str, value: Setting) -> str:
    if name == "level":
        return LEVELS[str(value)].title if value in LEVELS else str(value)
    if name in {"chunk_kib", "read_ahead_kib"}:
        return f"{value} KiB"
    if name == "stripe_cache_pages":
        return f"{value} pages per disk"
    if name == "layout":
        return _LAYOUTS.get(str(value), f"{value}")
    return str(value)


def verdicts(answer: Answer, traces: Traces, found: Recommendation) -> tuple[Verdict, ...]:
    """One per recommended point; the title names every ranking that recommends it."""
    drawn = []
    for point_id in dict.fromkeys(ranking.recommended for ranking in answer.rankings):
        own = [ranking for ranking in answer.rankings if ranking.recommended == point_id]
        title = "; ".join([own[0].title, *(ranking.title[0].lower() + ranking.title[1:] for ranking in own[1:])])
        drawn.append(replace(_verdict(answer, own[0], traces, found), title=title))
    return tuple(drawn)


def _verdict(answer: Answer, ranking: Ranking, traces: Traces, found: Recommendation) -> Verdict:
    """The big words on one ranking."""
    chosen = ranking.chosen
    scale, unit = scale_of(answer.metric, chosen.value)
    prediction = ""
    if chosen.predicted is not None and chosen.deviation_pct is not None:
        prediction = f"predicted {number(chosen.predicted / scale)}, measured {signed_pct(chosen.deviation_pct)}"
    return Verdict(
        title=ranking.title,
        label=chosen.label,
        settings=settings_in_words(chosen.settings),
        value=" / ".join(number(each.value / scale) for each in chosen.modes) or number(chosen.value / scale),
        unit=unit or metric_name(answer.metric),
        interval=_interval(answer, chosen, scale),
        prediction=prediction,
        best=best_sentence(answer, ranking),
        gain=gain_sentence(answer, ranking) or default_sentence(answer, ranking),
        expect=published_sentence(answer, ranking, CONFIDENCE),
        facts=_facts(answer, ranking),
        reason=ranking.reason,
        sure=sureness(ranking, found),
        trials=traces.shown(chosen.point_id),
        of_trials=len(traces.links.get(chosen.point_id, ())),
        commands=chosen.apply_commands,
    )


def _interval(answer: Answer, chosen: RankedPoint, scale: float) -> str:
    """The interval, or both modes where the runs have two."""
    if chosen.modes:
        return value_sentence(answer.metric, chosen, CONFIDENCE)
    if chosen.low is None or chosen.high is None:
        return ""
    return f"95 % interval {number(chosen.low / scale)} to {number(chosen.high / scale)}"


def _facts(answer: Answer, ranking: Ranking) -> tuple[str, ...]:
    """Safety, capacity, and how far the chosen point is ahead of the middle and of the last."""
    chosen = ranking.chosen
    facts = []
    if chosen.disk_failures_survived is not None:
        count = chosen.disk_failures_survived
        facts.append(f"survives {count or 'no'} disk failure{'s' if count > 1 else ''}")
    if chosen.usable_bytes is not None:
        facts.append(f"{capacity(chosen.usable_bytes)} usable")
    middle = ranking.points[len(ranking.points) // 2]
    for words, other in (("the median point", middle), ("the last", ranking.points[-1])):
        ratio = chosen.value / other.value if answer.maximise else other.value / chosen.value
        if ratio > 1:
            by = f"{ratio:.1f} times" if ratio >= 2 else f"{pct(100 * (ratio - 1))} better than"
            facts.append(f"{by} {words} tried")
    return tuple(facts)


_PATTERNS = {
    "read": "sequential reads",
    "write": "sequential writes",
    "randread": "random reads",
    "randwrite": "random writes",
    "rw": "sequential reads and writes",
    "readwrite": "sequential reads and writes",
    "randrw": "random reads and writes",
    "trim": "sequential trims",
    "randtrim": "random trims",
    "trimwrite": "trims, each followed by a write",
}


def load_line(workload: str, observations: Iterable[ObservationRow]) -> str:
    """What a workload did, in the terms of fio(1); empty where the store does not keep it."""
    kept = next((row for row in observations if row.workload == workload and row.workload_json), None)
    if kept is None:
        return ""
    asked = object_of(kept.workload_json)
    size = asked.get("bs_bytes")
    words = [
        f"{capacity(size).replace('.00', '')} " if isinstance(size, int) else "",
        _PATTERNS.get(str(asked.get("rw")), str(asked.get("rw"))),
    ]
    depth, jobs = asked.get("iodepth"), asked.get("numjobs")
    parts = ["".join(words)]
    if isinstance(depth, int) and isinstance(jobs, int):
        parts.append(
            f"{jobs} job{'s' if jobs > 1 else ''} with up to {depth} I/O{'s' if depth > 1 else ''} in flight each"
        )
    parts.append("past the page cache (O_DIRECT)" if asked.get("direct") else "through the page cache")
    if kept.engine != "dd" and asked.get("runtime_s"):
        parts.append(f"measured for {duration(float(asked['runtime_s']))}")
    return f"{'; '.join(parts)}; driven by {kept.engine}."


def measured_line(found: Recommendation) -> str:
    """What was measured on what, in one line."""
    count = found.points
    points = "1 point (one combination" if count == 1 else f"{count} points (combinations"
    parts = [f"{found.trials_ok} trials of {points} of settings)"]
    parts += [
        f"{len(machine.disk_ids)} disks, {', '.join(sorted(set(machine.disk_models)))}"
        for machine in found.environments[:1]
        if machine.disk_ids
    ]
    on = {"disk": "real disks"}
    parts.append(", ".join(on.get(each) or tables.substrate_text(each) for each in found.substrates))
    if found.disk_iops_limit is not None:
        parts.append(f"throttled to {found.disk_iops_limit} IOPS per disk")
    return "; ".join(parts)


def _design(found: Recommendation) -> str:
    points, blocks = ("" if count == 1 else "s" for count in (found.points, found.blocks))
    return f"{found.points} point{points} in {found.blocks} block{blocks}"


def measured(found: Recommendation) -> tuple[tuple[str, str], ...]:
    """What was measured on what, as a list of facts."""
    facts = [
        ("Trials", f"{found.trials_ok} ok, {found.trials_failed} failed, {found.trials_invalid} invalid"),
        ("Design", f"{_design(found)}, varied: {', '.join(found.varied) or 'nothing'}"),
        ("Measured on", ", ".join(tables.substrate_text(each) for each in found.substrates)),
    ]
    for machine in (each for each in found.environments[:1] if each.substrate != IMPORTED):
        models = ", ".join(sorted(set(machine.disk_models)))
        sizes = ", ".join(capacity(size) for size in sorted(set(machine.disk_sizes_bytes)))
        facts.append(("Disks", f"{len(machine.disk_ids)} of {models}, {sizes}"))
        facts.append(("Host", f"{machine.cpu_model}, {machine.cpus} CPUs, kernel {machine.kernel}"))
    facts += _limits(found)
    facts.append(
        ("When", f"{date(found.first_trial_ns)} to {date(found.last_trial_ns)}, {duration(found.busy_s)} of trials")
    )
    return tuple(facts)


def _limits(found: Recommendation) -> Sequence[tuple[str, str]]:
    """The lab's throttle."""
    limits = []
    if found.disk_iops_limit is not None:
        limits.append(f"{found.disk_iops_limit} IOPS")
    if found.disk_bw_bytes_s_limit is not None:
        limits.append(figure("bw_bytes_s", found.disk_bw_bytes_s_limit))
    return [("Throttle", f"{' and '.join(limits)} per disk, by the lab")] if limits else []
