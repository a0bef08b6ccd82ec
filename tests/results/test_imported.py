from __future__ import annotations

from dataclasses import replace

from results.estimates.settings import settings_by_point, varied
from results.store.imported import comparable, in_order, is_imported
from results.store.schema import FRESH, IMPORTED, NIGHT, TrialRow
from tests.results import synthetic

PLAN = synthetic.Plan(truth=synthetic.raid_truth()[:2])


def row(number: int, started: int, *, point: str = "p", protocol: str = "w", labels: tuple[str, ...] = ()) -> TrialRow:
    made = synthetic.trial(PLAN, PLAN.truth[0][0], 0, 0)
    return replace(
        made, trial_id=f"t{number}", point_id=point, protocol_id=protocol, started_at_ns=started, substrate=IMPORTED,
        labels=labels, imported_from="x.json",
    )  # fmt: skip


def test_imported_trials_are_in_the_order_of_their_starts_and_repetitions_are_blocks() -> None:
    rows = [row(0, 30), row(1, 10), row(2, 20, point="q"), row(3, 40, protocol="v")]
    found = in_order(rows)
    assert [(each.trial_id, each.run_order, each.block) for each in found] == [
        ("t1", 0, 0),
        ("t2", 1, 0),
        ("t0", 2, 1),
        ("t3", 3, 0),
    ]


def test_measured_trials_keep_their_order_and_their_blocks() -> None:
    measured = [synthetic.trial(PLAN, PLAN.truth[0][0], 3, 7), synthetic.trial(PLAN, PLAN.truth[1][0], 2, 5)]
    assert in_order(measured) == [measured[1], measured[0]]
    assert not is_imported(measured)


def test_trials_of_a_night_are_in_the_order_of_their_starts_whichever_plan_they_come_from() -> None:
    """What confirms a screen has a plan of its own, which counts from the beginning."""

    def trial(name: str, night: str, role: str, order: int, started: int) -> TrialRow:
        made = synthetic.trial(PLAN, PLAN.truth[0][0], order, order)
        return replace(made, trial_id=name, night=night, night_role=role, run_order=order, started_at_ns=started)

    tonight = [trial("a", "2026-03-06", NIGHT, 0, 10), trial("b", "2026-03-06", NIGHT, 1, 20)]
    confirming = [trial("c", "2026-03-06", FRESH, 0, 30), trial("d", "2026-03-06", FRESH, 1, 40)]
    tomorrow = [trial("e", "2026-03-07", NIGHT, 0, 50)]
    found = in_order([*tomorrow, *confirming, *tonight])
    assert [(each.trial_id, each.run_order) for each in found] == [("a", 0), ("b", 1), ("c", 2), ("d", 3), ("e", 4)]
    assert in_order(tonight) == found[:2], "what comes later in a night moves nothing"


def test_all_workloads_of_an_import_are_comparable_and_of_a_sweep_the_newest_protocol() -> None:
    rows = [row(0, 10), row(1, 20, protocol="v")]
    assert comparable(rows) == tuple(rows)
    old, new = (replace(synthetic.trial(PLAN, PLAN.truth[0][0], 0, place), protocol_id=str(place)) for place in (0, 1))
    assert comparable([old, new]) == (new,)


def test_labels_are_factors_and_numbers_among_them_are_numbers() -> None:
    rows = [
        row(0, 1, point="a", labels=("controller=h730", "cache_mib=2048")),
        row(1, 2, point="b", labels=("controller=h740", "cache_mib=08")),
        row(2, 3, point="c"),
    ]
    settings = settings_by_point(rows)
    assert [settings[point]["cache_mib"] for point in "abc"] == [2048, "08", None]
    assert {"controller", "cache_mib"} <= set(varied(settings.values()))
    assert settings["a"]["scheduler"] is None  # nobody knows, which is not the same as the default
