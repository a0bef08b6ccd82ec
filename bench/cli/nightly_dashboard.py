"""``stripelab nightly dashboard``: the Grafana dashboard and the alert rules for what ``--openmetrics`` writes."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from bench.cli.output import emit_json, say

DASHBOARD = "grafana-dashboard.json"
RULES = "prometheus-rules.yml"


def register(group: typer.Typer) -> None:
    """Add the verb."""
    group.command("dashboard")(dashboard)


def dashboard(
    folder: Annotated[Path, typer.Option("--into", help="Folder to write both files into.")] = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="Print the dashboard instead, as JSON.")] = False,
) -> None:
    """Write a Grafana dashboard to import, and alerting rules for Prometheus."""
    from results import outfile

    if as_json:
        emit_json(json.loads(_read(DASHBOARD)))
        return
    for name in (DASHBOARD, RULES):
        outfile.write(folder / name, _read(name).encode(), public=True)
        say(str(folder / name))


def _read(name: str) -> str:
    return resources.files("results.nightly").joinpath(name).read_text(encoding="utf-8")
