"""Effects and interactions on stores whose truth is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import special

from permutations.designs.registry import choose
from permutations.designs.spec import DesignSpec
from permutations.factors import FACTORS
from permutations.feasible.rules import hardware_rules
from permutations.feasible.space import FactorValues, Space
from results.estimates import shares
from results.estimates.cells import interactions, unmeasured
from results.estimates.effects import Effect
from results.estimates.effects import effects as effects_of
from results.estimates.estimate import Fit, fit
from results.estimates.factor_model import factor_model
from results.estimates.responses import Response
from results.estimates.shares import pair_effects
from stripelab.settings import FACTOR_NAMES, Setting
from tests.validate.effects import additive, fractional

Points = list[dict[str, Setting]]


def point(**values: Setting) -> dict[str, Setting]:
    return {name: values.get(name, "default") for name in FACTOR_NAMES}


def raid(level: str, chunk: int | None, filesystem: str = "xfs") -> dict[str, Setting]:
    return point(level=level, disks=4, chunk_kib=chunk, filesystem=filesystem)


def judged(
    truth: list[tuple[dict[str, Setting], float]], blocks: int = 3, cv: float = 0.01, seed: int = 1
) -> tuple[Fit, dict]:
    dice = np.random.default_rng(seed)
    responses = [
        Response(f"t{p}-{b}", f"p{p:03d}", b, b * len(truth) + p, value * math.exp(dice.normal(0, cv)))
        for b in range(blocks)
        for p, (_, value) in enumerate(truth)
    ]
    return fit(responses), {f"p{p:03d}": settings for p, (settings, _) in enumerate(truth)}


def effects(model: Fit, settings: dict, metric: str, *, maximise: bool) -> tuple[Effect, ...]:
    return effects_of(factor_model(model, settings), metric, maximise=maximise)


def by_name(found: tuple[Effect, ...]) -> dict[str, Effect]:
    return {effect.factor: effect for effect in found}


FULL = [
    (raid(level, chunk, filesystem), base * gain * bonus)
    for level, base in (("raid0", 400.0), ("raid5", 200.0))
    for chunk, gain in ((64, 1.0), (512, 1.38 if level == "raid5" else 1.0))
    for filesystem, bonus in (("ext4", 1.0), ("xfs", 1.1))
]


def test_shares_of_a_balanced_design_are_those_of_the_definition() -> None:
    model, settings = judged(FULL, cv=1e-6)
    logs = np.log([value for _, value in FULL])
    found = by_name(effects(model, settings, "iops", maximise=True))
    for factor in ("level", "chunk_kib", "filesystem"):
        levels = {each[factor] for each, _ in FULL}
        means = [
            np.mean([log for log, (each, _) in zip(logs, FULL, strict=True) if each[factor] == level])
            for level in levels
        ]
        assert found[factor].share_pct == pytest.approx(100 * np.var(means) / np.var(logs), rel=1e-3)
    assert list(found) == ["level", "chunk_kib", "filesystem"]


def test_an_effect_that_depends_on_another_factor_says_so() -> None:
    model, settings = judged(FULL)
    found = by_name(effects(model, settings, "iops", maximise=True))
    chunk = found["chunk_kib"].comparisons[0]
    assert (chunk.level, chunk.reference, chunk.points, chunk.certain) == (512, 64, 8, True)
    assert found["chunk_kib"].depends_on == ("level",)
    assert chunk.low_pct < 100 * (math.sqrt(1.38) - 1) < chunk.high_pct
    assert [each.change_pct for each in chunk.conditions] == pytest.approx([0, 38], abs=4)
    assert "chunk_kib: 512K instead of 64K increases IOPS by 17 % on average" in found["chunk_kib"].sentence
    assert "no significant change with raid0" in found["chunk_kib"].sentence
    assert found["filesystem"].depends_on == ()


def test_less_is_better_turns_the_sentence_round() -> None:
    model, settings = judged(FULL)
    found = by_name(effects(model, settings, "lat_p99_ns", maximise=False))
    assert "level: raid5 instead of raid0 reduces 99th percentile of latency by" in found["level"].sentence


def test_a_factor_varied_at_some_points_only_gets_no_credit_for_others() -> None:
    """Layout is varied on raid10 alone, which is slow: hashed must not look slow for that."""
    truth = [
        (point(level=level, disks=4, filesystem="xfs", layout="flat"), value)
        for level, value in (("raid0", 400.0), ("raid10", 200.0), ("raid1", 100.0))
    ]
    truth.append((point(level="raid10", disks=4, filesystem="xfs", layout="hashed-2x16"), 200.0))
    model, settings = judged(truth, blocks=6, seed=1)
    layout = by_name(effects(model, settings, "iops", maximise=True))["layout"]
    assert abs(layout.comparisons[0].change_pct) < 2
    assert not layout.comparisons[0].certain
    assert (
        layout.sentence == "layout: no significant effect on IOPS on average (two-sided, adjusted for all comparisons)."
    )


def test_a_mirror_without_chunk_is_matched_with_both_chunks_of_a_stripe() -> None:
    truth = [(raid("raid0", 64), 300.0), (raid("raid0", 512), 500.0), (raid("raid1", None), 100.0)]
    model, settings = judged(truth, blocks=5)
    level = by_name(effects(model, settings, "iops", maximise=True))["level"].comparisons[0]
    assert (level.level, level.reference, level.points) == ("raid0", "raid1", 3)
    assert level.change_pct == pytest.approx(100 * (math.sqrt(300 * 500) / 100 - 1), rel=0.03)


def test_points_without_chunk_are_matched_with_each_other() -> None:
    truth = [
        (raid(level, chunk, fs), 100.0 * (1.2 if fs == "xfs" else 1))
        for level, chunk in (("raid0", 64), ("raid1", None))
        for fs in ("ext4", "xfs")
    ]
    model, settings = judged(truth, blocks=4)
    assert by_name(effects(model, settings, "iops", maximise=True))["filesystem"].comparisons[0].certain


def test_factors_that_always_change_together_cannot_be_told_apart() -> None:
    truth = [
        (point(level="raid0", disks=2, scheduler="none"), 100.0),
        (point(level="raid5", disks=4, scheduler="bfq"), 200.0),
    ]
    model, settings = judged(truth, blocks=5)
    for effect in effects(model, settings, "iops", maximise=True):
        assert effect.comparisons == ()
        assert effect.share_pct is None
        assert "cannot be separated from" in effect.sentence


def test_intervals_of_effects_cover_as_often_as_they_say() -> None:
    covered = 0
    for seed in range(400):
        model, settings = judged(FULL, cv=0.05, seed=seed)
        each = by_name(effects(model, settings, "iops", maximise=True))["filesystem"].comparisons[0]
        truth = 10.0 if each.level == "xfs" else 100 * (1 / 1.1 - 1)
        covered += each.low_pct <= truth <= each.high_pct
    assert covered / 400 >= 0.95, "the interval holds for all comparisons at once"


def test_cells_are_geometric_means_in_the_factors_order() -> None:
    model, settings = judged(FULL, cv=1e-6)
    table = next(
        each
        for each in interactions(model, settings)
        if (each.row_factor, each.column_factor) == ("level", "chunk_kib")
    )
    assert (table.rows, table.columns) == (("raid0", "raid5"), (64, 512))
    assert [round(cell.value) for cell in table.cells] == [
        round(math.sqrt(1.1) * value) for value in (400, 400, 200, 276)
    ]
    assert [cell.points for cell in table.cells] == [2, 2, 2, 2]


def test_the_noncentral_f_is_the_same_where_the_library_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own figures where it has them; hundreds of points in dozens of blocks are where it has none."""
    cases = [(3.0, 12.0, 5.0, 2.0), (40.0, 200.0, 300.0, 9.0), (422.0, 22000.0, 5500.0, 14.5), (1.0, 3.0, 0.5, 0.2)]
    known = [special.ncfdtr(df, error_df, noncentral, ratio) for df, error_df, noncentral, ratio in cases]
    monkeypatch.setattr(special, "ncfdtr", lambda *_: math.nan)
    for (df, error_df, noncentral, ratio), wanted in zip(cases, known, strict=True):
        assert shares.noncentral_f(ratio, df, error_df, noncentral) == pytest.approx(wanted, rel=1e-9)
    low, high = shares.noncentrality(8.0, 456.0, 19000.0, 0.95)
    assert low < 456 * (8.0 - 1) < high


def test_a_fractional_design_gives_the_effects_of_independent_least_squares() -> None:
    """32 trials of a 2^(6-2) design, fitted by numpy at the level of trials."""
    points = fractional()
    dice = np.random.default_rng(5)
    runs = []
    for block in range(2):
        for place, row in enumerate(points):
            log = additive(row) + 0.03 * block + dice.normal(0, 0.077)
            runs.append(Response(f"t{place}-{block}", f"p{place:02d}", block, len(runs), 400 * math.exp(log)))
    found = by_name(effects(fit(runs), {f"p{n:02d}": row for n, row in enumerate(points)}, "iops", maximise=True))
    names = ("level", "chunk_kib", "filesystem", "layout", "scheduler", "nr_requests")
    matrix = np.array(
        [[1, each.block] + [float(points[int(each.point_id[1:])][name] == points[0][name]) for name in names]
         for each in runs]
    )  # fmt: skip
    slopes = np.linalg.lstsq(matrix, np.log([each.value for each in runs]), rcond=None)[0][2:]
    for name, slope in zip(names, slopes, strict=True):
        (each,) = found[name].comparisons
        sign = 1 if each.level == points[0][name] else -1
        assert each.change_pct == pytest.approx(100 * math.expm1(sign * slope), rel=1e-9)
        assert found[name].confounded_with == ()
    level = found["level"].comparisons[0]
    assert level.low_pct < 100 * (1 / 0.53 - 1) < level.high_pct
    assert level.certain


def test_an_alias_is_named_where_it_is_one() -> None:
    """2^(3-1) of resolution III: each factor is the interaction of the other two."""
    truth = [
        (
            point(level=level, chunk_kib=chunk, filesystem="xfs" if (level == "raid5") == (chunk == 64) else "ext4"),
            value,
        )
        for level, value in (("raid0", 400.0), ("raid5", 200.0))
        for chunk in (64, 512)
    ]
    model, settings = judged(truth, blocks=4)
    found = by_name(effects(model, settings, "iops", maximise=True))
    assert found["level"].confounded_with == ("chunk_kib x filesystem",)
    assert "cannot be separated from the interaction of chunk_kib and filesystem" in found["level"].sentence
    assert "cannot be separated" not in found["filesystem"].sentence


def test_pairs_that_a_fraction_cannot_separate_are_named_together() -> None:
    dice = np.random.default_rng(3)
    truth = [(row, 400 * math.exp(0.5 * (row["level"] == "raid0") * (row["chunk_kib"] == 64))) for row in fractional()]
    model, settings = judged(truth, seed=int(dice.integers(99)))
    first = pair_effects(factor_model(model, settings))[0]
    assert first.significant
    assert {f"{first.one} x {first.other}", *first.confounded_with} == {"level x chunk_kib", "filesystem x scheduler"}


def test_cells_compare_like_with_like() -> None:
    """raid10 was run hashed only, which is 8 % slower: it is as fast as raid0 like for like."""
    truth = [
        (point(level=level, layout=layout, filesystem=fs), 400.0 * (0.92 if layout == "hashed" else 1.0))
        for level in ("raid0", "raid5", "raid10")
        for layout in (("hashed",) if level == "raid10" else ("flat", "hashed"))
        for fs in ("ext4", "xfs")
    ]
    model, settings = judged(truth, cv=1e-6)
    tables = {(each.row_factor, each.column_factor): each for each in interactions(model, settings)}
    values = [cell.value for cell in tables["level", "filesystem"].cells]
    assert values == pytest.approx([400 * math.sqrt(0.92)] * 6, rel=1e-4)
    assert all(cell.adjusted for cell in tables["level", "filesystem"].cells)
    assert unmeasured(tables["level", "layout"]) == [("raid10", "flat")]


def test_the_sentence_says_where_the_recommended_point_differs_from_the_average() -> None:
    model, settings = judged(FULL)
    found = effects_of(factor_model(model, settings), "iops", maximise=True, recommended={"filesystem": "ext4"})
    assert "the recommended point has ext4" in by_name(found)["filesystem"].sentence


def test_a_d_optimal_design_gives_the_planted_effects() -> None:
    """14 of 54 points: each interval holds its truth, and what was not planted is not claimed."""
    values: dict[str, tuple[Setting, ...]] = {
        "level": ("raid0", "raid10", "raid5"),
        "disks": (4,),
        "chunk_kib": (64, 128, 512),
        "filesystem": ("xfs", "ext4"),
        "nr_requests": (32, 64, 128),
    }
    factors = tuple(FactorValues(name, values.get(name, (FACTORS[name].default,))) for name in FACTORS)
    chosen = choose(Space(factors, tuple(hardware_rules())), DesignSpec("d-optimal", size=14), 1)
    points = [point(**{n: v for n, v in zip(FACTORS, row, strict=True) if n in values}) for row in chosen.combinations]
    assert len(points) == 14
    planted: dict[Setting, float] = {"raid10": -0.3, "raid5": -0.7, 512: 0.1}
    truth = [(row, 400 * math.exp(sum(planted.get(value, 0.0) for value in row.values()))) for row in points]
    model, settings = judged(truth, cv=0.02)
    found = by_name(effects(model, settings, "iops", maximise=True))
    assert found.keys() == {"level", "chunk_kib", "filesystem", "nr_requests"}
    for effect in found.values():
        assert effect.comparisons, effect.sentence
        for each in effect.comparisons:
            change = 100 * math.expm1(planted.get(each.level, 0.0) - planted.get(each.reference, 0.0))
            assert each.low_pct - 1e-9 <= change <= each.high_pct + 1e-9
            assert each.certain == (change != 0)
    assert "level: raid0 instead of raid5 increases IOPS by " in found["level"].sentence
