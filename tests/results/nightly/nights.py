"""Nights to render: one as it may happen, and every one that can be thought of."""

from __future__ import annotations

import math

from hypothesis import strategies as st

from results.nightly import answer
from results.nightly.answer import (
    Acknowledgement,
    Baseline,
    Confirmed,
    DiskHealth,
    Metric,
    Nightly,
    Since,
    Verdict,
    Watched,
)
from results.runs.changes import Change

STARTED_NS = 1_795_485_600_000_000_000


def metric(workload="random-write", figure="iops", direction=None, *, higher=True, point="9f2c"):
    return Metric(
        workload=workload,
        figure=figure,
        point_id=point,
        label="raid5, 4 disks, 64 KiB, xfs",
        settings={"level": "raid5", "disks": 4, "chunk_kib": 64, "filesystem": "xfs"},
        direction=direction,
        higher_is_better=higher,
    )


REGRESSED = Verdict(
    metric=metric(),
    word=answer.REGRESSION,
    reason="12 pairs confirm it, and the interval excludes the practical margin",
    baseline="autumn",
    value=318.0,
    baseline_value=398.0,
    change_pct=-20.1,
    change_low_pct=-22.0,
    change_high_pct=-18.3,
    margin_pct=5.0,
    screen=6.2,
    screened=True,
    pairs=12,
    p_value=1 / 4096,
    since=Since(night="2026-11-24", low="2026-11-23", high="2026-11-24", confidence=0.95),
    disks=("WD-WX41",),
    watched=(
        Watched(text="at least 350 IOPS in 99 % of seconds", bound=350.0, value=310.0, held=False, expected_share=0.05),
    ),
)
CONFIRMED = Confirmed(night="2026-11-20", change_pct=-12.0)
KNOWN = Verdict(
    metric=metric("vacuum", "iops", "read"),
    word=answer.KNOWN,
    reason="confirmed on 2026-11-20 (-12 %); 4 interleaved pairs tonight: it is still there",
    value=350.0,
    baseline_value=398.0,
    change_pct=-12.1,
    change_low_pct=-14.0,
    change_high_pct=-10.0,
    margin_pct=5.0,
    pairs=4,
    confirmed=CONFIRMED,
    acknowledged=Acknowledgement(until="2026-12-31", reason="new firmware is ordered", ticket="OPS-17"),
)
OTHERS = (
    Verdict(
        metric=metric(figure="lat_p99_ns", higher=False),
        word=answer.UNCONFIRMED,
        reason="12 pairs did not confirm it",
        value=43.1e6,
        baseline_value=41.0e6,
        change_pct=5.1,
        change_low_pct=-1.0,
        change_high_pct=11.2,
        margin_pct=5.0,
        screen=2.8,
        screened=True,
        pairs=12,
        p_value=0.09,
    ),
    Verdict(
        metric=metric("segment-scan", "bw_bytes_s", "read"),
        word=answer.OK,
        reason="",
        value=79.6 * 2**20,
        baseline_value=79.1 * 2**20,
        change_pct=0.6,
        margin_pct=5.0,
        watched=(Watched(text="at least 70 MiB/s", bound=70 * 2**20, value=79e6, held=True, expected_share=0.05),),
    ),
    Verdict(
        metric=metric("mixed"), word=answer.DRIFT, reason="the kernel cannot be restored", value=9.0, change_pct=-9
    ),
    Verdict(metric=metric("log-append", "bw_bytes_s", "write"), word=answer.NO_VERDICT, reason="3 nights of 60"),
    Verdict(
        metric=metric("checkpoint", "cpu_ns_per_io", "write"), word=answer.IMPROVEMENT, reason="confirmed", value=5
    ),
    Verdict(
        metric=metric("backup", "bw_bytes_s", "read"),
        word=answer.TONIGHT,
        reason="disk WD-WX42 reaches 85 % of its peers tonight: a regression needs 3 nights in a row",
        disks=("WD-WX42",),
        change_pct=-14.0,
    ),
    Verdict(
        metric=metric("reindex"),
        word=answer.RECOVERED,
        reason="the regression of -12 % that was confirmed on 2026-11-20 has recovered tonight",
        value=397.0,
        confirmed=CONFIRMED,
    ),
)


def night(*verdicts, **more):
    settings = {
        "night": "2026-11-24",
        "sweep": "four-disks",
        "store": "/srv/four-disks",
        "hostname": "bench7.lab",
        "started_at_ns": STARTED_NS,
        "duration_s": 5230.0,
        "baseline": Baseline(name="autumn", set_at_ns=1_790_000_000_000_000_000, reason="new disks", nights=60),
        "changes": (Change(what="kernel", before="6.1.0-38", after="6.1.0-40"),),
        "substrates": ("disk",),
        "sweep_file": "examples/first-sweep.toml",
        "stripelab_version": "0.1.0",
    }
    return Nightly(verdicts=verdicts or (REGRESSED, KNOWN, *OTHERS), **{**settings, **more})


NASTY = (
    "",
    " ",
    '"quoted" & <b>bold</b>',
    "a|b\\|c`d``e",
    "line\nline\r\n::error::x",
    "]]>",
    "\x1b[31mred\x00\ufffe",
    "\u202egnirts",
    "\udcff",
    "100 %{}[]()#+-.!_*~@user #12",
    "- list",
    "1. list",
    "ünïcödé 日本語 💾",
    "{{ 7 * 7 }}",
    "=?utf-8?q?x?=",
)
texts = st.one_of(st.sampled_from(NASTY), st.text(max_size=12))
floats = st.one_of(st.none(), st.floats())
shares = st.one_of(st.none(), st.floats(0, 1), st.just(math.nan))
figures = st.sampled_from(["iops", "bw_bytes_s", "lat_p99_ns", "lat_mean_ns", "cpu_ns_per_io", "figure_of_merit"])
settings = st.dictionaries(texts, st.one_of(texts, st.integers(-(2**60), 2**60), st.none()), max_size=2)
metrics = st.builds(
    Metric,
    workload=texts,
    figure=st.one_of(figures, texts),
    point_id=texts,
    label=texts,
    settings=settings,
    direction=st.one_of(st.none(), texts),
    higher_is_better=st.booleans(),
)
watched = st.builds(
    Watched,
    text=texts,
    bound=floats,
    value=floats,
    held=st.sampled_from([True, False, None]),
    expected_share=shares,
)
verdicts = st.builds(
    Verdict,
    metric=metrics,
    word=st.sampled_from(answer.WORDS),
    reason=texts,
    baseline=st.one_of(st.none(), texts),
    value=floats,
    baseline_value=floats,
    change_pct=floats,
    change_low_pct=floats,
    change_high_pct=floats,
    margin_pct=floats,
    screen=floats,
    screened=st.booleans(),
    pairs=st.integers(0, 40),
    p_value=floats,
    since=st.one_of(st.none(), st.builds(Since, night=texts, low=texts, high=texts, confidence=shares)),
    disks=st.lists(texts, max_size=2).map(tuple),
    watched=st.lists(watched, max_size=2).map(tuple),
    confirmed=st.one_of(
        st.none(),
        st.builds(
            Confirmed,
            night=texts,
            change_pct=st.floats(-99.9, 1e6),
            improvement=st.booleans(),
            disks=st.lists(texts, max_size=2).map(tuple),
        ),
    ),
    acknowledged=st.one_of(
        st.none(), st.builds(Acknowledgement, until=texts, reason=texts, ticket=texts, set_at_ns=st.integers(0, 2**60))
    ),
)
counts = st.one_of(st.none(), st.integers(0, 2**40))
healths = st.builds(
    DiskHealth,
    disk_id=texts,
    temperature_c=floats,
    used_pct=counts,
    power_on_hours=counts,
    media_errors=counts,
    reallocated_sectors=counts,
    not_read=st.one_of(st.none(), texts),
)
times_ns = st.integers(0, 253_402_214_400_000_000_000)
nights = st.builds(
    Nightly,
    night=texts,
    sweep=texts,
    store=texts,
    hostname=texts,
    started_at_ns=times_ns,
    duration_s=floats,
    verdicts=st.lists(verdicts, max_size=3).map(tuple),
    baseline=st.one_of(
        st.none(), st.builds(Baseline, name=texts, set_at_ns=times_ns, reason=texts, nights=st.integers(0, 999))
    ),
    changes=st.lists(
        st.builds(Change, what=texts, before=st.one_of(st.none(), texts), after=st.one_of(st.none(), texts)), max_size=2
    ).map(tuple),
    health=st.lists(healths, max_size=3).map(tuple),
    substrates=st.lists(texts, max_size=2).map(tuple),
    sweep_file=st.one_of(st.none(), texts),
    notice=st.one_of(st.none(), texts),
    complete=st.booleans(),
    problems=st.lists(texts, max_size=2).map(tuple),
    stripelab_version=texts,
)
