"""Rows as Arrow arrays: the same as pyarrow makes of them, and without pandas."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from results.store.arrays import arrow_array, plain

WORDS = st.text(st.characters(codec="utf-8"), max_size=8)
KINDS = {
    pa.string(): WORDS,
    pa.binary(): st.binary(max_size=8),
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.float64(): st.floats(),
    pa.bool_(): st.booleans(),
}
KINDS |= {pa.list_(kind): st.lists(values, max_size=3).map(tuple) for kind, values in KINDS.items()}


@pytest.mark.parametrize("kind", KINDS, ids=str)
@settings(deadline=None)
@given(data=st.data())
def test_arrays_are_those_that_pyarrow_makes(kind: pa.DataType, data: st.DataObject) -> None:
    values = data.draw(st.lists(st.none() | KINDS[kind], max_size=20))
    found = arrow_array(values, kind)
    found.validate(full=True)
    wanted = pa.array(values, type=kind)
    assert found.type == wanted.type
    assert found.null_count == wanted.null_count
    assert repr(found.to_pylist()) == repr(wanted.to_pylist())  # repr: a NaN is not equal to itself


@pytest.mark.parametrize("kind", KINDS, ids=str)
@settings(deadline=None)
@given(data=st.data())
def test_columns_come_back_as_the_values_they_were_made_of(kind: pa.DataType, data: st.DataObject) -> None:
    """Cut anywhere and in pieces; a list that is null is an empty one."""
    values = data.draw(st.lists(st.none() | KINDS[kind], max_size=20))
    start = data.draw(st.integers(0, len(values)))
    whole = pa.array(values, type=kind)
    column = pa.chunked_array([whole[start:], whole[:start], whole], type=kind)
    wanted = [() if each is None and pa.types.is_list(kind) else each for each in values]
    assert repr(plain(column)) == repr([*wanted[start:], *wanted[:start], *wanted])
    assert repr(plain(whole[start:])) == repr(wanted[start:])


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (1, pa.string()),
        ("a", pa.binary()),
        ("1", pa.int64()),
        (1.5, pa.int64()),
        (True, pa.int64()),
        ("1", pa.float64()),
        (1, pa.bool_()),
        (("a", 1), pa.list_(pa.string())),
        (1, pa.int8()),
    ],
)
def test_a_value_of_another_kind_is_refused(value: object, kind: pa.DataType) -> None:
    with pytest.raises(TypeError, match=r"is not|no column"):
        arrow_array([value], kind)


def test_a_number_that_does_not_fit_is_refused() -> None:
    with pytest.raises(OverflowError):
        arrow_array([2**63], pa.int64())


def test_a_store_is_written_and_opened_without_pandas(tmp_path: Path) -> None:
    """Its import takes seconds in the virtual lab, before the first trial."""
    write = (
        "import sys\n"
        "from pathlib import Path\n"
        "from results.store.folder import Store\n"
        "from tests.results import synthetic\n"
        "from tests.results.synthetic import Plan\n"
        "path = Path(sys.argv[1])\n"
        "point = {'level': 'raid0', 'disks': 4, 'chunk_kib': 64, 'filesystem': 'xfs', 'layout': 'flat'}\n"
        "synthetic.write(path, Plan([(point, 100.0)], replicates=3))\n"
        "store = Store.open(path)\n"
        "assert store.bundle() == 3\n"
        "assert len(Store.open(path).trial_ids()) == 3\n"
        "print('pandas' in sys.modules, 'numpy' in sys.modules)"
    )
    root = Path(__file__).parents[2]
    said = subprocess.run(
        [sys.executable, "-c", write, tmp_path / "s"], cwd=root, check=True, capture_output=True, text=True
    )
    assert said.stdout.split()[0] == "False"
