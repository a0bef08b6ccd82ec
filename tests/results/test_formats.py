"""Rows for other programs: read back by pandas, by csv and by json, nothing is lost."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from results.export import formats

TABLE = pa.table(
    {
        "level": ["raid5", None, 'with "quotes", and\na line'],
        "iops": [1.5, float("nan"), float("inf")],
        "ios": [1, None, 2**62],
        "bins": [[1, 2], [], None],
        "raw": [b"\x00\xff", None, b""],
        "at": [datetime(2026, 11, 22, tzinfo=UTC), None, None],
        "sum": pa.array([Decimal(12345678901234567890123), Decimal(0), None], pa.decimal128(38, 0)),
    }
)


def test_json_is_a_list_of_row_objects_without_nan() -> None:
    def refuse(word: str) -> None:
        raise AssertionError(word)

    found = json.loads(formats.to_json(TABLE), parse_constant=refuse)
    assert found[0] == {
        "level": "raid5",
        "iops": 1.5,
        "ios": 1,
        "bins": [1, 2],
        "raw": "00ff",
        "at": "2026-11-22T00:00:00+00:00",
        "sum": 12345678901234567890123,
    }
    assert [row["iops"] for row in found] == [1.5, None, None]
    assert found[2]["ios"] == 2**62


def test_csv_is_read_back_by_pythons_csv_and_by_pandas() -> None:
    content = formats.to_csv(TABLE).decode()
    rows = list(csv.DictReader(io.StringIO(content)))
    assert [row["level"] for row in rows] == ["raid5", "", 'with "quotes", and\na line']
    assert [row["bins"] for row in rows] == ["[1, 2]", "[]", ""]
    assert pd.read_csv(io.StringIO(content))["ios"].tolist()[2] == 2**62


def test_parquet_is_read_back_by_pandas() -> None:
    found = pd.read_parquet(io.BytesIO(formats.to_parquet(TABLE)))
    assert found["level"].tolist()[0] == "raid5"
    assert list(found.columns) == TABLE.column_names


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (True, "true"),
        (0.1 + 0.2, "0.3"),
        (123456789, "123456789"),
        (b"12345", "<5 bytes>"),
        (list(range(60)), "[0, 1, 2, … 60 values]"),
        ([1, 2], "[1, 2]"),
        ("x" * 80, "x" * 59 + "…"),
        (float("nan"), "nan"),
        (timedelta(seconds=90), "90.0"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    ],
)
def test_a_cell_is_short_text(value: object, text: str) -> None:
    assert formats.cell(value) == text


NESTED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.decimals() | st.datetimes(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@given(NESTED)
@example(Decimal("sNaN"))
def test_every_value_becomes_json(value: object) -> None:
    plain = formats.plain(value)
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
