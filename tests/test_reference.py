"""The reference documents are those that the code makes, and say something of every column, key, verb and plot."""

from __future__ import annotations

import dataclasses
import importlib.util
import subprocess
import sys
import tomllib
import types
import typing
from pathlib import Path

import pytest
import typer

from bench.cli.main import app
from results.plotting import KINDS
from results.store.schema import TABLES

ROOT = Path(__file__).parents[1]
OF_FIGURE = {"count", "missing", "mean", "sd", "lag_one", "minimum", "maximum", "first_third", "last_third"}
OF_FIGURE |= {"p01", "p05", "p50", "p95", "p99"}
"""Columns of a summary: their unit is in the name of the figure that stands beside them."""

DIMENSIONLESS = {"second", "iops", "predicted_iops", "read_iops", "write_iops"}
COUNTS = {
    "block", "run_order", "whole_plot", "sub_plot", "disks", "nr_requests", "degraded_before", "degraded_after",
    "disk_failures_survived", "ios", "errors", "lat_counts", "cpus", "steady_rounds", "disk_iops_limit",
    "media_errors", "reallocated_sectors",
}  # fmt: skip


@pytest.fixture(scope="module")
def reference() -> types.ModuleType:
    spec = importlib.util.spec_from_file_location("reference", ROOT / "scripts/reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_reference_documents_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts/reference.py", "--check"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_data_dictionary_has_every_column_and_numbers_have_units(reference: types.ModuleType) -> None:
    text = reference.data_document()
    for table, row in TABLES.items():
        section = text.partition(f"\n## {table}\n")[2].partition("\n## ")[0]
        hints = typing.get_type_hints(row)
        named = COUNTS | DIMENSIONLESS | (OF_FIGURE if table == "summaries" else set())
        for spec in dataclasses.fields(row):
            assert f"| `{spec.name}` |" in section, spec.name
            if hints[spec.name] in {int, float, int | None, float | None} and spec.name not in named:
                assert reference.unit(spec.name), f"{table}.{spec.name} has no unit in its name"


def test_the_reference_of_the_sweep_file_has_every_key_of_the_examples(reference: types.ModuleType) -> None:
    text = reference.sweep_document()
    for path in sorted((ROOT / "examples").glob("*.toml")):
        for table, content in tomllib.loads(path.read_text()).items():
            rows = content if isinstance(content, list) else [content]
            for key in {key for row in rows for key in row}:
                assert f"| `{key}` |" in text, f"{path.name}: [{table}] {key}"


def test_the_reference_of_the_verbs_has_every_option(reference: types.ModuleType) -> None:
    text = reference.verbs_document()
    for path, command in reference._commands(typer.main.get_command(app), "stripelab"):
        section = text.partition(f"\n## `{path}`\n")[2].partition("\n## ")[0]
        for parameter in command.params:
            if parameter.param_type_name == "option" and parameter.hidden:
                assert f"`{parameter.opts[0]}`" not in section, (path, parameter.opts)
            elif parameter.param_type_name == "option":
                assert f"`{parameter.opts[0]}`" in section or parameter.name == "help", (path, parameter.opts)
                assert parameter.help, f"{path} {parameter.opts[0]} says nothing"


def test_every_kind_of_plot_says_what_it_shows(reference: types.ModuleType) -> None:
    text = reference.plots_document()
    for kind, function in KINDS.items():
        assert function.__doc__
        assert f"| `{kind}` | {function.__doc__} |" in text


def test_a_document_that_is_out_of_date_is_named(
    reference: types.ModuleType, tmp_path: Path, monkeypatch, capsys
) -> None:
    (tmp_path / "docs").mkdir()
    monkeypatch.setattr(reference, "ROOT", tmp_path)
    monkeypatch.setattr(sys, "argv", ["reference.py"])
    assert reference.main() == 0
    monkeypatch.setattr(sys, "argv", ["reference.py", "--check"])
    assert reference.main() == 0
    (tmp_path / "docs/reference-plots.md").write_text("old")
    assert reference.main() == 1
    assert "docs/reference-plots.md is out of date: run `make reference`" in capsys.readouterr().err
