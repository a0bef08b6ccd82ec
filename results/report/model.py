"""The report as values: every text, table and drawing, before any HTML.

The template knows nothing but these, so HTML and PDF are made from one model.  A further chapter is a
:class:`Page`: hand it to :func:`results.report.build.build` and it stands in the contents and in the text.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from results.report.attachment import Evidence, Statement
from results.report.methods import Method
from results.report.tables import Grid


@dataclass(frozen=True)
class Verdict:
    """What to use: the big words of the first screen.

    ``settings`` are the factors that apply, each with its value in words; ``best`` names the point that measured
    best where that is another one; ``gain`` says how much better that is
    than the baseline or what the tools do by themselves, ``expect`` what fresh runs will show; ``trials`` are
    (text, trial) of what it rests on, which are ``of_trials`` in all.
    """

    title: str
    label: str
    settings: tuple[tuple[str, str], ...]
    value: str
    unit: str
    interval: str
    prediction: str
    best: str
    gain: str
    expect: str
    facts: tuple[str, ...]
    reason: str
    sure: str
    trials: tuple[tuple[str, str], ...]
    of_trials: int
    commands: tuple[str, ...]


@dataclass(frozen=True)
class JointCard:
    """The stack for all workloads, above the answers for each; ``refusal`` says why there is none."""

    title: str
    label: str
    settings: tuple[tuple[str, str], ...] = ()
    value: str = ""
    unit: str = ""
    lines: tuple[str, ...] = ()
    shares: Grid | None = None
    facts: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    refusal: str | None = None


@dataclass(frozen=True)
class Drawing:
    """An inline SVG and its caption."""

    svg: str
    caption: str


@dataclass(frozen=True)
class Block:
    """A piece of a page, in this order: heading, paragraphs, drawing, table; what is empty is not there.

    ``loud`` paragraphs are warnings.  ``folded`` is the line under which the table is folded away.
    """

    heading: str = ""
    lines: tuple[str, ...] = ()
    loud: bool = False
    drawing: Drawing | None = None
    grid: Grid | None = None
    folded: str = ""


@dataclass(frozen=True)
class Page:
    """A chapter of its own; ``first`` puts it before the answers' chapters, else it stands behind them.

    ``anchor`` is its id in the document: letters, digits and dashes, and used by no other.  ``headline`` is what it
    says in one line, for the first screen.
    """

    anchor: str
    title: str
    blocks: tuple[Block, ...]
    first: bool = False
    headline: str = ""


@dataclass(frozen=True)
class Chapter:
    """Everything on one answer; ``load`` says what the workload did."""

    anchor: str
    heading: str
    workload: str
    load: str
    refusal: str | None
    verdicts: tuple[Verdict, ...]
    effect_lines: tuple[str, ...]
    notes: tuple[str, ...]
    drawings: tuple[Drawing, ...]
    rankings: tuple[Grid, ...]
    effects: Grid | None
    heat_maps: tuple[Drawing, ...]
    heat_maps_left_out: int
    front: tuple[Block, ...]
    constraints: tuple[Block, ...]
    latency_note: str | None
    latency_drawings: tuple[Drawing, ...]
    latency: Grid | None


@dataclass(frozen=True)
class Machine:
    """An environment: facts and disks."""

    facts: tuple[tuple[str, str], ...]
    disks: Grid


@dataclass(frozen=True)
class Embedded:
    """What the page's script draws on demand, as JSON: seconds, histograms, and the commands of each trial."""

    series: str
    histograms: str
    trials: str


@dataclass(frozen=True)
class ReportModel:
    """The whole report; ``left_out`` says what of very many trials is not shown, and which commands give it."""

    title: str
    date: str
    notice: str | None
    measured: tuple[tuple[str, str], ...]
    measured_line: str
    chapters: tuple[Chapter, ...]
    pages: tuple[Page, ...]
    warnings: tuple[str, ...]
    without_results: tuple[str, ...]
    problems: Grid | None
    bad_trials: int
    left_out: tuple[str, ...]
    trials: Grid
    embedded: Embedded
    series_note: str | None
    machines: tuple[Machine, ...]
    methods: tuple[Method, ...]
    command: str
    guarantee: Statement | None = None
    evidence: Evidence | None = None
    joint: JointCard | None = None

    @property
    def first_pages(self) -> tuple[Page, ...]:
        """Pages before the answers' chapters."""
        return tuple(page for page in self.pages if page.first)

    @property
    def later_pages(self) -> tuple[Page, ...]:
        """Pages behind them."""
        return tuple(page for page in self.pages if not page.first)

    @property
    def contents(self) -> tuple[tuple[str, str], ...]:
        """Anchor and name of each part, in the order of the document."""
        return (
            ("answer", "Answer"),
            *((page.anchor, page.title) for page in self.first_pages),
            *((chapter.anchor, chapter.workload) for chapter in self.chapters),
            *((page.anchor, page.title) for page in self.later_pages),
            *((("guarantee", "Guarantee"),) if self.guarantee is not None else ()),
            ("time", "Over time"),
            ("trials", "Trials"),
            ("machine", "Environment"),
            ("methods", "Methods"),
            *((("evidence", "Evidence"),) if self.evidence is not None else ()),
        )

    def with_page(self, page: Page) -> ReportModel:
        """The report with one more page."""
        return replace(self, pages=(*self.pages, page))
