"""The model as one HTML file: style, script and drawings inside, no request to anywhere."""

from __future__ import annotations

from importlib import resources

from results.report.model import ReportModel


def render(model: ReportModel) -> str:
    """The page.  Every text is escaped; the series cannot end the script element that holds them."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_read),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    template = environment.get_template("template.html.jinja")
    series = model.series_json.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return template.render(model=model, css=_read("report.css"), script=_read("report.js"), series=series)


def _read(name: str) -> str:
    """A file of this package."""
    return resources.files("results.report").joinpath(name).read_text(encoding="utf-8")
