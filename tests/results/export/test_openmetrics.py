from __future__ import annotations

import io
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from results.export.openmetrics import METRICS, write_openmetrics
from results.store.folder import Store
from results.store.query import load
from results.store.schema import EnvironmentRow, ObservationRow, TrialRow
from tests.results import synthetic


def exported(path: Path) -> str:
    out = io.StringIO()
    write_openmetrics(load(path), out)
    return out.getvalue()


def test_the_official_client_reads_every_figure(tmp_path: Path) -> None:
    plan = synthetic.Plan(truth=synthetic.raid_truth()[:3], replicates=2)
    synthetic.write(tmp_path / "S", plan)
    families = {family.name: family for family in text_string_to_metric_families(exported(tmp_path / "S"))}
    newest = {row.point_id: row for row in sorted(load(tmp_path / "S").trial_rows(), key=lambda row: row.started_at_ns)}
    stored = {row.trial_id: row for row in load(tmp_path / "S").observation_rows()}
    iops = families["stripelab_iops"]
    assert iops.type == "gauge"
    assert sorted(sample.value for sample in iops.samples) == sorted(
        stored[row.trial_id].iops or 0.0 for row in newest.values()
    )
    assert {sample.labels["level"] for sample in iops.samples} == {row.level for row in newest.values()}
    p99 = families["stripelab_lat_p99_seconds"]
    assert p99.unit == "seconds"
    assert {round(sample.value * 1e9) for sample in p99.samples} <= {row.lat_p99_ns for row in stored.values()}
    assert families["stripelab_bandwidth_bytes_per_second"].unit == "bytes_per_second"
    assert set(families) <= {metric.name for metric in METRICS}


AWKWARD = 'a "quoted" \\ back\\nslash\nnew line, {brace}="x" é'


def test_names_with_any_character_come_through(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "S")
    plan = synthetic.Plan(truth=synthetic.raid_truth()[:1])
    machine: EnvironmentRow = synthetic.environment()
    store.put_environment(machine)
    from dataclasses import replace

    trial: TrialRow = replace(synthetic.trial(plan, plan.truth[0][0], 0, 0), labels=(f"box={AWKWARD}",))
    row: ObservationRow = replace(synthetic.observation(plan, trial, 100.0, "write", None), workload=AWKWARD)
    store.append(trial, [row])
    families = list(text_string_to_metric_families(exported(tmp_path / "S")))
    sample = families[0].samples[0]
    assert (sample.labels["workload"], sample.labels["label_box"]) == (AWKWARD, AWKWARD)


def test_an_empty_store_is_only_the_end_mark(tmp_path: Path) -> None:
    Store.create(tmp_path / "S")
    assert exported(tmp_path / "S") == "# EOF\n"


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_unit_ends_the_name_as_the_format_wants(metric) -> None:
    assert metric.name.endswith(metric.unit)
