from __future__ import annotations

from dataclasses import replace

import pytest

from permutations.compare import diff
from permutations.design import make_plan
from permutations.explain import ExplainError, explain, parse_settings

TEXT = """[sweep]
replicates = 2
[factors]
level = ["raid1", "raid5", "raid6"]
disks = [2, 4]
chunk_kib = [64, 512]
mount_options = ["default", "noatime,nodiratime"]
[[forbid]]
level = "raid6"
chunk_kib = 64
reason = "too small"
[[require]]
when = {level = "raid5"}
mount_options = "default"
[[workload]]
name = "w"
rw = "read"
bs = "4k"
"""


@pytest.fixture(scope="module")
def plan(sweep_of):
    return make_plan(sweep_of(TEXT))


@pytest.mark.parametrize(
    ("words", "verdict", "reasons"),
    [
        (
            "level=raid6,disks=4,chunk_kib=512,mount_options=noatime,nodiratime",
            "in",
            ("no rule leaves it out, and the full design has it, in 2 block(s)",),
        ),
        (
            "level=raid6, disks=2, chunk_kib=64, mount_options=default",
            "out",
            ("raid6 needs at least 4 disks (raid6-disks)", "too small (forbid-1, line 8)"),
        ),
        (
            "level=raid5,disks=4,chunk_kib=64,mount_options=noatime,nodiratime",
            "out",
            ("the sweep requires mount_options default where level raid5 (require-1, line 12)",),
        ),
        (
            "level=raid1,disks=2,chunk_kib=64,mount_options=default",
            "merged",
            (
                "chunk_kib does not apply where level is raid1",
                "no rule leaves it out, and the full design has it, in 2 block(s)",
            ),
        ),
        (
            "level=raid1,disks=2,mount_options=default",
            "in",
            ("no rule leaves it out, and the full design has it, in 2 block(s)",),
        ),
        ("level=raid0,disks=4", "out", ("[factors] level has not raid0: it has raid1, raid5, raid6",)),
        (
            "level=raid6",
            "in",
            (
                "8 combinations have these settings; 2 planned points do",
                "4 left out: raid6 needs at least 4 disks (raid6-disks)",
                "2 left out: too small (forbid-1)",
            ),
        ),
    ],
)
def test_why_a_point_is_in_or_out(plan, words, verdict, reasons):
    said = explain(plan, words)
    assert (said.verdict, said.reasons) == (verdict, reasons)


def test_a_merged_combination_names_its_twin(plan):
    said = explain(plan, "level=raid1,disks=2,chunk_kib=512,mount_options=default")
    assert said.planned
    assert said.point in plan.points
    assert said.point.chunk_kib is None


def test_by_id(plan):
    for point in plan.points:
        said = explain(plan, point.id)
        assert (said.verdict, said.point) == ("in", point)
    assert explain(plan, "0" * 12).verdict == "unknown"


def test_a_feasible_point_that_the_design_left_out(sweep_of):
    covering = make_plan(sweep_of(TEXT.replace("[sweep]", '[sweep]\ndesign = "covering"')))
    full = make_plan(sweep_of(TEXT))
    others = [point for point in full.points if point not in covering.points]
    assert others
    for point in others:
        assert explain(covering, point.id).verdict == "not-chosen"
        words = ",".join(
            f"{name}={'default' if value is None else value}"
            for name, value in point.settings.items()
            if name in {"level", "disks", "mount_options"} or (name == "chunk_kib" and value)
        )
        said = explain(covering, words)
        assert (said.verdict, said.point) == ("not-chosen", point)
        assert "the covering design does not choose it: every one of the" in said.reasons[0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("raid5", "'raid5' is neither a point id nor a setting"),
        ("level=", "neither a point id nor a setting"),
        ("levle=raid5", "unknown factor levle; did you mean level?"),
        ("disks=four", "disks must be a whole number, not four"),
        ("disks=4,disks=2", "disks is there twice"),
        ("", "neither a point id nor a setting"),
    ],
)
def test_words_that_name_no_point(plan, words, said):
    with pytest.raises(ExplainError) as refused:
        explain(plan, words)
    assert said in str(refused.value)


def test_settings_are_read_with_their_types():
    assert parse_settings("mount_options=noatime,ro,chunk_kib=default,disks=4") == {
        "mount_options": "noatime,ro",
        "chunk_kib": None,
        "disks": 4,
    }


def test_two_plans_share_points_by_content_and_trials_by_what_is_done(sweep_of):
    a = make_plan(sweep_of(TEXT))
    other = TEXT.replace("disks = [2, 4]", "disks = [4, 6]").replace("replicates = 2", "replicates = 3")
    b = make_plan(sweep_of(other))
    found = diff(a, b)
    assert {point.disks for point in found.points_only_a} == {2}
    assert {point.disks for point in found.points_both} == {4}
    assert {point.disks for point in found.points_only_b} == {6}
    assert found.same_protocol
    assert len(found.trials_both) == 2 * len(found.points_both)
    assert len(found.trials_only_b) == len(b.trials) - len(found.trials_both)
    assert set(found.trials_only_a) == {trial.trial_id for trial in a.trials if trial.point.disks == 2}


def test_where_the_workload_differs_no_trial_is_shared(sweep_of):
    a, b = make_plan(sweep_of(TEXT)), make_plan(sweep_of(TEXT.replace('"4k"', '"8k"')))
    found = diff(a, b)
    assert not found.same_protocol
    assert found.trials_both == ()
    assert found.points_both == a.points
    assert diff(a, replace(a)).trials_only_a == ()
