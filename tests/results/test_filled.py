from __future__ import annotations

import dataclasses
import inspect
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.engine import DirectionResult
from results.store.filled import filled_at_once
from results.store.schema import TABLES

KINDS = (*TABLES.values(), DirectionResult)


def careful(kind: type, values: dict[str, Any]) -> Any:
    """What the constructor of dataclasses makes."""
    made = object.__new__(kind)
    kind.__init__.__wrapped__(made, **values)
    return made


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_a_row_is_what_the_constructor_of_dataclasses_makes_of_the_same_arguments(kind, data):
    fields = dataclasses.fields(kind)
    given_names = data.draw(st.sets(st.sampled_from([field.name for field in fields])))
    values = {field.name: number for number, field in enumerate(fields) if field.name in given_names}
    values |= {field.name: "due" for field in fields if field.default is dataclasses.MISSING}
    made, expected = kind(**values), careful(kind, values)
    assert made == expected
    assert vars(made) == vars(expected)
    assert hash(made) == hash(expected)
    assert dataclasses.replace(made, **values) == made


@pytest.mark.parametrize("kind", KINDS)
def test_a_name_too_many_or_too_few_or_in_place_of_another_is_refused_as_ever(kind):
    due = {field.name: 1 for field in dataclasses.fields(kind) if field.default is dataclasses.MISSING}
    some = next(iter(due))
    short = {name: value for name, value in due.items() if name != some}
    for wrong in (short, {**due, "no_such": 1}, {**short, "no_such": 1}):
        with pytest.raises(TypeError, match=r"no_such|missing"):
            kind(**wrong)
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(kind(**due), some, 2)
    assert inspect.signature(kind).parameters.keys() == {field.name for field in dataclasses.fields(kind)}


def test_fields_by_position_or_with_a_default_made_anew_are_refused():
    @dataclass(frozen=True)
    class ByPosition:
        one: int

    @dataclass(frozen=True, kw_only=True)
    class MadeAnew:
        many: list[int] = dataclasses.field(default_factory=list)

    for kind in (ByPosition, MadeAnew):
        with pytest.raises(TypeError, match="no keyword with a plain default"):
            filled_at_once(kind)
