"""Split-plot errors: a textbook's figures, coverage over simulated sweeps, and what a reader is told."""

from __future__ import annotations

import numpy as np
import pytest

from results.estimates.anova import Term, table
from results.estimates.best import compare_with_best
from results.estimates.estimate import NoEvidenceError, fit
from results.estimates.responses import Response
from results.estimates.strata import shared, strata
from results.statistics.bases import indicator

BARS = """\
360 C2 73 C3 83 C1 67 C4 89
370 C1 65 C3 87 C4 86 C2 91
380 C3 147 C1 155 C2 127 C4 212
380 C4 153 C3 90 C2 100 C1 108
370 C4 150 C1 140 C3 121 C2 142
360 C1 33 C4 54 C2 8 C3 46
"""
"""Box, Hunter and Hunter, Statistics for Experimenters, 2nd ed., table 9.1: four coatings on steel bars,
three furnace temperatures (whole plots), twice."""


def bars():
    responses, order = [], 0
    for heat, line in enumerate(BARS.splitlines()):
        temperature, *cells = line.split()
        for coating, figure in zip(cells[::2], cells[1::2], strict=True):
            responses.append(
                Response(
                    f"t{order}", f"{temperature} {coating}", heat // 3, order, np.exp(float(figure)), (f"h{heat}", None)
                )
            )
            order += 1
    return responses


def fixed(responses):
    points = sorted({each.point_id for each in responses})
    blocks = sorted({each.block for each in responses})[1:]
    return np.array(
        [[each.point_id == p for p in points] + [each.block == b for b in blocks] for each in responses], dtype=float
    )


def test_the_errors_are_those_of_the_textbook():
    """Page 337: sub-plot error 124.5 on 9 df; whole-plot error 14,440 on 3 df with replicates, which are 782 on 1."""
    responses = bars()
    assert shared(responses)
    found = strata(responses, fixed(responses), np.log([each.value for each in responses]))
    assert (found.error_df, found.df) == (9, 2)
    assert found.sd**2 == pytest.approx(124.5, abs=0.1)
    (whole,) = found.components
    assert (whole.name, whole.plots, whole.df) == ("array", 6, 2)
    mean_square = whole.sd**2 * 4 + found.sd**2
    assert mean_square * 2 == pytest.approx(14440 - 782, rel=2e-3)


def test_the_split_plot_table_is_that_of_the_textbook():
    """Page 337: coatings 4,289 on 3 df and their interaction with temperature 3,270 on 6, against 1,121 on 9."""
    responses = bars()
    temperature, coating = zip(*(each.point_id.split() for each in responses), strict=True)
    terms = [
        Term("replicates", indicator([each.block for each in responses]), "heats"),
        Term("temperature", indicator(temperature), "heats"),
        Term("heats", indicator([each.plots[0] for each in responses]), None),
        Term("coating", indicator(coating), "trials"),
        Term("temperature x coating", indicator([each.point_id for each in responses]), "trials"),
    ]
    rows = {row.term: row for row in table(np.log([each.value for each in responses]), terms)}
    assert (rows["coating"].df, rows["temperature x coating"].df, rows["trials"].df) == (3, 6, 9)
    assert rows["coating"].sum_of_squares == pytest.approx(4289, abs=1)
    assert rows["temperature x coating"].sum_of_squares == pytest.approx(3270, abs=1)
    assert rows["trials"].sum_of_squares == pytest.approx(1121, abs=1)
    assert (rows["temperature"].error, rows["coating"].error) == ("heats", "trials")


def test_too_few_arrays_are_refused_in_words():
    with pytest.raises(NoEvidenceError, match="shared 6 arrays, which leave only 2 degrees of freedom"):
        fit(bars())


ARRAYS, PER_ARRAY, BLOCKS = 4, 4, 3


def sweep(rng, truth, whole_sd, sub_sd, sd):
    """One split-plot sweep: arrays of four points each, two filesystems of two."""
    responses = []
    for block in range(BLOCKS):
        for array in range(ARRAYS):
            of_array = rng.normal(0, whole_sd)
            for filesystem in range(2):
                of_filesystem = rng.normal(0, sub_sd)
                for number in range(2):
                    index = array * PER_ARRAY + filesystem * 2 + number
                    value = np.exp(truth[index] + 0.1 * block + of_array + of_filesystem + rng.normal(0, sd))
                    plots = (f"{block}/{array}", f"{block}/{array}/{filesystem}")
                    name = f"p{index:02d}"
                    responses.append(Response(f"{block}-{name}", name, block, len(responses), value, plots))
    return responses


def without_plots(responses):
    return [Response(r.trial_id, r.point_id, r.block, r.run_order, r.value) for r in responses]


@pytest.mark.parametrize(("whole_sd", "sub_sd"), [(0.05, 0.0), (0.05, 0.03), (0.0, 0.0)])
def test_the_tied_set_holds_the_best_as_often_as_it_says(whole_sd, sub_sd):
    """All points equal: each is the best, and none may be called slower in more than 5 % of sweeps."""
    rng = np.random.default_rng(5)
    sweeps, wrong, naively_wrong = 150, 0, 0
    for _ in range(sweeps):
        responses = sweep(rng, np.zeros(ARRAYS * PER_ARRAY), whole_sd, sub_sd, 0.02)
        first = compare_with_best(fit(responses), range(ARRAYS * PER_ARRAY), maximise=True)[0]
        naive = compare_with_best(fit(without_plots(responses)), range(ARRAYS * PER_ARRAY), maximise=True)[0]
        wrong += not first.tied
        naively_wrong += not naive.tied
    assert wrong / sweeps <= 0.08  # 5 %, and what chance adds in 150 sweeps
    if whole_sd:
        assert naively_wrong > 2 * wrong  # what a pretence would have done


def test_the_covariance_of_means_is_that_of_the_model():
    """Over simulated sweeps the variance of a difference is what the fit says it is."""
    rng = np.random.default_rng(9)
    across, within, said_across, said_within = [], [], [], []
    for _ in range(300):
        model = fit(sweep(rng, np.zeros(16), 0.05, 0.03, 0.02))
        across.append(model.log_means[0] - model.log_means[15])
        within.append(model.log_means[0] - model.log_means[1])
        said = model.difference_variances(0) * model.sd**2
        said_across.append(said[15])
        said_within.append(said[1])
    assert np.mean(said_across) == pytest.approx(np.var(across), rel=0.25)
    assert np.mean(said_within) == pytest.approx(np.var(within), rel=0.25)
    assert np.mean(said_across) > 5 * np.mean(said_within)


def test_trials_on_arrays_of_their_own_are_judged_as_ever():
    rng = np.random.default_rng(2)
    responses = sweep(rng, np.zeros(16), 0.0, 0.0, 0.02)
    own = [Response(r.trial_id, r.point_id, r.block, r.run_order, r.value, (r.trial_id, r.trial_id)) for r in responses]
    model, usual = fit(own), fit(without_plots(responses))
    assert model.components == ()
    assert (model.sd, model.df, model.error_df) == (usual.sd, usual.df, usual.df)
