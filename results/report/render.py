"""The model as one HTML file: style, script and drawings inside, no request to anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from typing import TYPE_CHECKING

from results.report.model import Drawing, Embedded, ReportModel
from results.text import plain_lines

if TYPE_CHECKING:
    import jinja2

SCRIPTS = ("common.js", "tables.js", "series.js", "histograms.js", "trials.js", "page.js")
"""Parts of the page's script, in the order in which they run."""


def render(model: ReportModel, panels: Sequence[Drawing] | None = None) -> str:
    """The page.  Every text is escaped; embedded data cannot end the script element that holds them.

    With ``panels`` (throughput over time as drawings) it is laid out in pages: the guarantee comes first, nothing
    is folded away, and there is no script.
    """
    template = template_of("template.html.jinja")
    data = Embedded(
        series=_inert(model.embedded.series),
        histograms=_inert(model.embedded.histograms),
        trials=_inert(model.embedded.trials),
    )
    paged = panels is not None
    css = read("paged.css") if paged else read("report.css") + read("guarantee.css")
    return template.render(model=model, css=css, script=script(), data=data, paged=paged, panels=panels or ())


def template_of(name: str) -> jinja2.Template:
    """A template of this package; every text in it is cleaned and escaped."""
    import jinja2

    def shown(value: object) -> object:
        """Text cleaned; what is HTML already was made by us."""
        return plain_lines(value) if isinstance(value, str) and not hasattr(value, "__html__") else value

    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(read),
        autoescape=True,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template(name)


def script(names: Sequence[str] = SCRIPTS) -> str:
    """The page's script: its parts share one scope of their own."""
    return '"use strict";\n(() => {\n' + "\n".join(read(name) for name in names) + "})();"


def _inert(json_text: str) -> str:
    """JSON without the characters that HTML gives a meaning to."""
    return json_text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def read(name: str) -> str:
    """A file of this package."""
    return resources.files("results.report").joinpath(name).read_text(encoding="utf-8")
