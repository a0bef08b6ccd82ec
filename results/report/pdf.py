"""The report as a PDF, by WeasyPrint, from the same model and template as the page.

The same model gives the same bytes: the dates are those of the newest trial (or ``SOURCE_DATE_EPOCH``, the
convention of reproducible-builds.org), and the identifier is made of the content.
"""

from __future__ import annotations

import hashlib
import html
import os
import re
from datetime import UTC, datetime
from typing import Any

from results.errors import ResultsError
from results.report.model import ReportModel
from results.report.panels import panels
from results.report.render import read, render

_VARIABLE = re.compile(r"(--[\w-]+):\s*(#[0-9a-fA-F]{3,6})\s*;")
_USE = re.compile(r"var\((--[\w-]+)\)")
_SVG = re.compile(r"<svg\b.*?</svg>", re.DOTALL)


def pdf(model: ReportModel, last_trial_ns: int) -> bytes:
    """The document; ``last_trial_ns`` (since the epoch) dates it.

    Raises:
        ResultsError: WeasyPrint or the libraries that it needs are not there, or SOURCE_DATE_EPOCH is no number.
    """
    weasyprint = _weasyprint()
    stamp = _stamp(last_trial_ns)
    page = _plain_colours(render(model, panels(model)))
    page = page.replace("<head>", f"<head>\n{_metadata(model, stamp)}", 1)
    identifier = hashlib.sha256(page.encode()).digest()[:16]
    found: bytes = weasyprint.HTML(string=page, url_fetcher=_refuse, media_type="print").write_pdf(
        pdf_identifier=identifier, pdf_tags=True
    )
    return found


def _weasyprint() -> Any:
    """The library, or what to install: it loads Pango when it is imported."""
    try:
        import weasyprint
    except (ImportError, OSError) as error:
        raise ResultsError(
            f"a PDF needs WeasyPrint and Pango, and {type(error).__name__} says: {str(error).splitlines()[0]}",
            remedy="pip install 'stripelab[pdf]', and on Debian or Ubuntu apt-get install libpango-1.0-0 "
            "libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core; the HTML report needs neither.",
        ) from error
    return weasyprint


def _stamp(last_trial_ns: int) -> datetime:
    """The date that the document states."""
    said = os.environ.get("SOURCE_DATE_EPOCH")
    try:
        return datetime.fromtimestamp(last_trial_ns // 10**9 if said is None else int(said), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise ResultsError(
            f"SOURCE_DATE_EPOCH is {said!r}, which is no date", remedy="Unset it, or give seconds since 1970."
        ) from error


def _metadata(model: ReportModel, stamp: datetime) -> str:
    """What a reader of PDF shows of the document."""
    named = {
        "dcterms.created": stamp.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "dcterms.modified": stamp.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "author": "stripelab",
        "description": model.guarantee.lead[0] if model.guarantee else model.measured_line,
    }
    return "\n".join(f'<meta name="{name}" content="{html.escape(text)}">' for name, text in named.items())


def _plain_colours(page: str) -> str:
    """Drawings with colours in place of variables, which WeasyPrint does not resolve inside SVG."""
    colours = dict(_VARIABLE.findall(read("paged.css")))
    return _SVG.sub(lambda svg: _USE.sub(lambda use: colours.get(use[1], "#000000"), svg[0]), page)


def _refuse(url: str, *_: Any, **__: Any) -> Any:
    """Nothing is fetched from anywhere."""
    raise ValueError(f"the report asks for nothing, and not for {url[:80]}")
