"""The model as one HTML file: style, script and drawings inside, no request to anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources

from results.report.model import Drawing, ReportModel


def render(model: ReportModel, panels: Sequence[Drawing] | None = None) -> str:
    """The page.  Every text is escaped; the series cannot end the script element that holds them.

    With ``panels`` (throughput over time as drawings) it is laid out in pages: the guarantee comes first, nothing
    is folded away, and no script is needed.
    """
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(read),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    template = environment.get_template("template.html.jinja")
    paged = panels is not None
    series = model.series_json.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return template.render(
        model=model,
        css=read("paged.css" if paged else "report.css"),
        script=read("report.js"),
        series=series,
        paged=paged,
        panels=panels or (),
    )


def read(name: str) -> str:
    """A file of this package."""
    return resources.files("results.report").joinpath(name).read_text(encoding="utf-8")
