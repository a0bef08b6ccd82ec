"""What a user reads of the design, its points, ranges and rules, the order and the race: the whole line."""

from __future__ import annotations

import pytest

from permutations.errors import SweepError
from tests.permutations.sweep_texts import FIVE, factors

CASES = {
    "replicates": (
        FIVE + "[sweep]\nreplicates = 0\n",
        "t.toml:9: [sweep] replicates: 0 is out of range: from 1 to 1000",
    ),
    "replicates float": (
        FIVE + "[sweep]\nreplicates = 3.0\n",
        "t.toml:9: [sweep] replicates: must be a whole number, not 3.0",
    ),
    "long seed": (
        FIVE + "[sweep]\nseed = 9223372036854775808\n",
        "t.toml:9: [sweep] seed: 9223372036854775808 is out of range: from 0 to 9223372036854775807",
    ),
    "longer seed": (FIVE + f"[sweep]\nseed = {'9' * 5000}\n", "t.toml:9: not valid TOML: a number is too long"),
    "design": (
        FIVE + '[sweep]\ndesign = "coverng"\n',
        't.toml:9: [sweep] design: unknown design "coverng"; did you mean covering?',
    ),
    "strength of full": (
        FIVE + "[sweep]\nstrength = 2\n",
        't.toml:9: [sweep] strength: design "full" has no strength: it is for covering',
    ),
    "strength": (
        FIVE + '[sweep]\ndesign = "covering"\nstrength = 4\n',
        "t.toml:10: [sweep] strength: 4 is out of range: from 2 to 3",
    ),
    "size missing": (
        FIVE + '[sweep]\ndesign = "latin-hypercube"\n',
        't.toml:9: [sweep] design: design "latin-hypercube" needs size = …',
    ),
    "baseline missing": (
        FIVE + '[sweep]\ndesign = "one-factor-at-a-time"\n',
        't.toml:9: [sweep] design: design "one-factor-at-a-time" needs a [baseline] table',
    ),
    "points missing": (
        FIVE + '[sweep]\ndesign = "list"\n',
        't.toml:9: [sweep] design: design "list" needs [[point]] tables',
    ),
    "points of full": (
        FIVE + '[[point]]\nlevel = "raid5"\n',
        't.toml:8: [point]: design "full" does not take this table',
    ),
    "model": (
        FIVE + '[sweep]\ndesign = "d-optimal"\nmodel = "interaction"\n',
        't.toml:10: [sweep] model: unknown value "interaction"; did you mean interactions?',
    ),
    "point key": (
        FIVE + '[sweep]\ndesign = "list"\n[[point]]\nlevle = "raid5"\n',
        "t.toml:11: [[point]] 1 levle: unknown key; did you mean level?",
    ),
    "point value": (
        FIVE + '[sweep]\ndesign = "list"\n[[point]]\nlevel = "raid6"\n',
        "t.toml:11: [[point]] 1 level: is not among the values of [factors], which are raid5",
    ),
    "point open": (
        factors('level = ["raid5", "raid6"]\ndisks = 4') + '[sweep]\ndesign = "list"\n[[point]]\ndisks = 4\n',
        "t.toml:10: [[point]] 1: level is missing, and [factors] has 2 values of it",
    ),
    "point lost": (
        factors('level = ["raid5", "raid6"]\ndisks = [3, 4]')
        + '[sweep]\ndesign = "list"\n[[point]]\ndisks = 3\nlevel = "raid6"\n',
        "t.toml:10: [[point]] 1: is left out: raid6 needs at least 4 disks (raid6-disks)",
    ),
    "point moot": (
        factors('level = ["raid1", "raid5"]\ndisks = 4\nchunk_kib = [64, 128]')
        + '[sweep]\ndesign = "list"\n[[point]]\nlevel = "raid1"\nchunk_kib = 64\n',
        "t.toml:13: [[point]] 1 chunk_kib: does not apply where the point has level raid1",
    ),
    "point twice": (
        FIVE + '[sweep]\ndesign = "list"\n[[point]]\nlevel = "raid5"\n[[point]]\ndisks = 4\n',
        "t.toml:12: [[point]] 2: the same point as [[point]] 1",
    ),
    "point many": (
        FIVE + '[sweep]\ndesign = "list"\n[[point]]\nlevel = "raid5"\nfilesystem = ["xfs", "ext4"]\n',
        "t.toml:12: [[point]] 1 filesystem: must be one value: a point has one of each",
    ),
    "require nothing": (
        FIVE + '[[require]]\nwhen = {level = "raid5"}\n',
        "t.toml:8: [[require]] 1: names no factor beside when: it would require nothing",
    ),
    "require key": (
        FIVE + '[[require]]\nwhen = {levl = "raid5"}\ndisks = 4\n',
        "t.toml:9: [[require]] 1 when levl: unknown key; did you mean level?",
    ),
    "require both": (
        FIVE + '[[require]]\nwhen = {level = "raid5"}\nlevel = "raid5"\n',
        "t.toml:10: [[require]] 1 level: is in when as well: say which values go together with [[forbid]]",
    ),
    "range key": (
        factors('level = "raid5"\ndisks = {start = 3, stop = 9, stepp = 2}'),
        "t.toml:3: [factors] disks stepp: unknown key; did you mean step?",
    ),
    "range half": (
        factors('level = "raid5"\ndisks = {start = 3}'),
        "t.toml:3: [factors] disks: stop is missing",
    ),
    "range both": (
        factors('level = "raid5"\ndisks = {start = 3, stop = 9, step = 1, log2 = true}'),
        "t.toml:3: [factors] disks: a range has either step or log2 = true",
    ),
    "range back": (
        factors('level = "raid5"\ndisks = {start = 9, stop = 3, step = 1}'),
        "t.toml:3: [factors] disks stop: 3 is out of range: from 9 to 9223372036854775807",
    ),
    "range value": (
        factors('level = "raid5"\ndisks = 4\nchunk_kib = {start = 4, stop = 20, step = 4}'),
        "t.toml:4: [factors] chunk_kib: 12 is in the range, but chunk_kib must be a power of two from 4 to 65536",
    ),
    "range text": (
        factors("level = {start = 1, stop = 5, step = 1}\ndisks = 4"),
        "t.toml:2: [factors] level: must be text: a range is for numbers",
    ),
    "range long": (
        factors('level = "raid5"\ndisks = 4\nread_ahead_kib = {start = 0, stop = 9000000000, step = 4}'),
        "t.toml:4: [factors] read_ahead_kib: the range has more than 100000 values",
    ),
    "order": (
        FIVE + '[sweep]\norder = "grouped"\n',
        't.toml:9: [sweep] order: "grouped" is not available: this version has blocked, split-plot',
    ),
    "racing without a race": (
        FIVE + "[racing]\nbudget_trials = 9\n",
        't.toml:8: [racing]: is read with design = "racing" only',
    ),
    "race without a budget": (
        FIVE + '[sweep]\ndesign = "racing"\n',
        "t.toml: [racing]: must have either budget_trials or budget_hours",
    ),
    "race with replicates": (
        FIVE + '[sweep]\ndesign = "racing"\nreplicates = 2\n[racing]\nbudget_trials = 9\n',
        (
            "t.toml:10: [sweep] replicates: a race has a budget instead: write budget_trials or budget_hours under "
            "[racing]"
        ),
    ),
    "race in plots": (
        FIVE + '[sweep]\ndesign = "racing"\norder = "split-plot"\n[racing]\nbudget_trials = 9\n',
        (
            "t.toml:10: [sweep] order: a race runs in blocks: which points a block has is known only when the last has "
            "ended"
        ),
    ),
    "sampler": (
        FIVE + '[sweep]\ndesign = "racing"\n[racing]\nbudget_hours = 2\nsampler = "optuna-tpx"\n',
        't.toml:12: [racing] sampler: unknown sampler "optuna-tpx"; did you mean optuna-tpe?',
    ),
    "endurance": (
        FIVE + '[disk]\nrated_tbw_tb = "600"\n',
        't.toml:9: [disk] rated_tbw_tb: must be a number, not "600"',
    ),
    "sync": (
        FIVE + '[sweep]\ninitial_sync = "assume_clean"\n',
        't.toml:9: [sweep] initial_sync: unknown value "assume_clean"; did you mean assume-clean?',
    ),
    "date": (FIVE + "[sweep]\nname = 1979-05-27\n", "t.toml:9: [sweep] name: must be text, not 1979-05-27"),
    "deep": (
        FIVE + "[sweep]\nname = " + "[" * 5000 + "]" * 5000,
        "t.toml: not valid TOML for a sweep: nested too deeply",
    ),
}


@pytest.mark.parametrize(("text", "said"), CASES.values(), ids=CASES.keys())
def test_bad_designs_get_one_clear_line(sweep_of, text, said):
    with pytest.raises(SweepError) as refused:
        sweep_of(text)
    assert str(refused.value) == said
