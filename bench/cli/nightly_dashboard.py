"""``stripelab nightly dashboard``: a Grafana dashboard and alerting rules for the files of ``--openmetrics``."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from bench.cli import common_options as common
from bench.cli.output import emit_json, print_line

DASHBOARD = "grafana-dashboard.json"
RULES = "prometheus-rules.yml"


def register(group: typer.Typer) -> None:
    """Add the verb."""
    group.command("dashboard")(dashboard)


def dashboard(
    folder: Annotated[Path, typer.Option("--into", metavar="FOLDER", help="Folder to write both files to.")] = Path(),
    as_json: common.Json = False,
) -> None:
    """Write a Grafana dashboard and Prometheus alerting rules.

    --json prints the dashboard and writes no file.
    """
    from results import outfile

    if as_json:
        emit_json(json.loads(_read(DASHBOARD)))
        return
    for name in (DASHBOARD, RULES):
        outfile.write(folder / name, _read(name).encode(), public=True)
        print_line(str(folder / name))


def _read(name: str) -> str:
    return resources.files("results.nightly").joinpath(name).read_text(encoding="utf-8")
