"""How the figures were made, in plain words, with this report's own numbers."""

from __future__ import annotations

from dataclasses import dataclass

from results.recommendation.answer import Recommendation
from stripelab.preference import tie_rule
from stripelab.units import pct


@dataclass(frozen=True)
class Method:
    """A heading and its paragraph."""

    name: str
    text: str


def methods(found: Recommendation) -> tuple[Method, ...]:
    """Every method that this report rests on."""
    sure = f"{found.confidence * 100:.0f} %"
    return (
        Method(
            "What a trial is",
            f"{_made_anew(found)} A trial gives one figure per workload. The unit of all statistics is "
            "the trial, not the second: seconds of one run resemble each other and prove little.",
        ),
        Method(
            "Order",
            f"Each of the {found.blocks} blocks visits every point once, in a fresh random order, so a drift of the "
            "machine falls on all points alike.",
        ),
        Method(
            "Estimates",
            "A figure is modelled as point times block times noise, that is, additively on logarithms, and fitted by "
            "least squares. A point's estimate is the geometric mean of its trials, corrected for blocks it misses. "
            f"Its {sure} interval is Student's t with the noise pooled over all points; {_noise(found)}",
        ),
        Method(
            "Who is tied for best",
            "Hsu's multiple comparisons with the best (Annals of Statistics 12, 1984): a point counts as "
            f"statistically tied unless some other point is shown to be better. With {sure} confidence, the truly best "
            "is among the tied. The critical value is that of Dunnett's one-sided test, computed numerically.",
        ),
        Method(
            "The practical margin",
            f"Points that are behind the leader by no more than {pct(found.margin_pct)} are in the fastest set as well "
            "and are marked “within margin”: they are slower, but hardly enough to act on.",
        ),
        Method(
            "Which one of the set",
            f"Ties are broken by {tie_rule(found.prefer)}. These are preferences, not statistics.",
        ),
        Method(
            "Effects",
            "A linear model of all factors on logarithms. A change is stated only where the factor's F test and the "
            "comparison itself (Tukey and Kramer) are significant after Holm over all factors and interactions; its "
            "interval holds for all comparisons at once. Heat maps show means with the other factors at their average.",
        ),
        Method(
            "Latency",
            "Percentiles come from the full histograms of all trials of a point, merged. Percentiles of runs are never "
            "averaged.",
        ),
        Method(
            "What this is not",
            "The leader of a ranking was picked because it measured best, so its figure is a little too good: confirm "
            "it with fresh runs before you promise it. No figure here is a guarantee but that of a "
            "performance statement, where one is made, and none says anything of other "
            "hardware, fill levels or workloads.",
        ),
    )


def _made_anew(found: Recommendation) -> str:
    """What every trial built for itself."""
    if any(answer.evidence is not None and answer.evidence.strata for answer in found.answers):
        return (
            "The order was split-plot: trials of one plot shared an array, and those of one sub-plot a filesystem; the "
            "mount, the directories and the files were made anew, and the workloads ran one after the other. "
            "Differences between arrays are judged by how much arrays differ when they are built again alike."
        )
    return (
        "The array, the filesystem and the files were made anew, the workloads ran one after the other, and "
        "everything was taken down again."
    )


def _noise(found: Recommendation) -> str:
    """Noise and degrees of freedom of each answer."""
    parts = [
        f"{answer.workload} {pct(answer.evidence.noise_pct)} ({answer.evidence.df} degrees of freedom, critical value "
        f"{answer.evidence.critical_value:.2f})"
        for answer in found.answers
        if answer.evidence is not None
    ]
    if not parts:
        return "here the evidence did not reach for one."
    return f"the noise of one trial is: {'; '.join(parts)}."
