"""``[racing]`` of a sweep file."""

from __future__ import annotations

from permutations.racing.spec import ELIMINATION, SAMPLERS, RacingSpec
from permutations.reading.table import Table

RACING = "racing"
KEYS = ("budget_trials", "budget_hours", "error_rate", "finalists", "confirmation_share", "sampler", "batch")


def parse_racing(root: Table) -> RacingSpec | None:
    """The options of a race; None for any other design."""
    head, table = root.table("sweep"), root.table(RACING)
    racing = head.text("design", None) == RACING
    if not racing:
        if root.has(RACING):
            root.source.refuse(table.at, f'is read with design = "{RACING}" only')
        return None
    if head.text("order", None) == "split-plot":
        head.refuse("order", "a race runs in blocks: which points a block has is known only when the last has ended")
    if head.has("replicates"):
        head.refuse("replicates", "a race has a budget instead: write budget_trials or budget_hours under [racing]")
    table.only(KEYS)
    if table.has("budget_trials") == table.has("budget_hours"):
        table.source.refuse(table.at, "must have either budget_trials or budget_hours")
    hours = table.number("budget_hours", 0.0, 0.001, 1e6)
    default = RacingSpec()
    return RacingSpec(
        error_rate=table.number("error_rate", default.error_rate, 0.0001, 0.5),
        finalists=table.integer("finalists", default.finalists, 2, 100),
        confirmation_share=table.number("confirmation_share", default.confirmation_share, 0.05, 0.9),
        budget_trials=table.integer("budget_trials", None, 4),
        budget_s=3600 * hours if table.has("budget_hours") else None,
        sampler=table.word("sampler", SAMPLERS, ELIMINATION, "unknown sampler"),
        batch=table.integer("batch", default.batch, 1, 1000),
    )
