from __future__ import annotations

import re
from pathlib import Path

import pytest

from bench import errors
from bench.errors import StripelabError

DOCUMENT = Path(__file__).parents[2] / "docs" / "exit-statuses.md"


def every_class() -> list[type[StripelabError]]:
    return [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, StripelabError)]


def classes() -> list[type[StripelabError]]:
    """Those with a status of their own; what failed in the guest keeps the guest's."""
    return [error for error in every_class() if error is not errors.GuestFailedError]


def test_every_class_has_a_status_of_its_own() -> None:
    statuses = [error.status for error in classes()]
    assert len(statuses) == len(set(statuses))


def test_no_class_takes_a_reserved_status() -> None:
    """0 done, 1 the answer is no, 2 usage; from 126 a shell gives statuses a meaning, but for 130 (SIGINT)."""
    for error in classes():
        assert 3 <= error.status < 126 or error.status == 130, error


def test_every_class_states_a_remedy_and_what_it_is() -> None:
    for error in classes():
        assert error.remedy.endswith((".", ":")), error
        assert len(error.remedy) > 20, error
        assert error.__doc__
    remedies = [error.remedy for error in classes() if error not in {errors.StackError, errors.EngineError}]
    assert len(remedies) == len(set(remedies)), "a remedy that fits two failures helps with neither"


def test_the_lines_say_what_failed_the_command_and_what_to_do_next() -> None:
    error = errors.StackError("mdadm exited with status 1", command="mdadm --create /dev/md0")
    assert error.lines() == [
        "error: mdadm exited with status 1",
        "command: mdadm --create /dev/md0",
        f"next: {errors.StackError.remedy}",
    ]
    assert str(error) == "mdadm exited with status 1"


def test_a_remedy_of_the_case_goes_before_that_of_the_class() -> None:
    error = errors.MissingToolError("fio is not installed", remedy="Install fio.")
    assert error.lines() == ["error: fio is not installed", "next: Install fio."]


@pytest.mark.parametrize("error", classes(), ids=lambda error: error.__name__)
def test_the_documentation_lists_the_class_under_its_status(error: type[StripelabError]) -> None:
    rows = dict(re.findall(r"^\| (\d+) \| `(\w+)` \|", DOCUMENT.read_text(), flags=re.MULTILINE))
    assert rows.get(str(error.status)) == error.__name__


def test_the_documentation_lists_no_class_that_is_not_there() -> None:
    named = re.findall(r"^\| \d+ \| `(\w+)` \|", DOCUMENT.read_text(), flags=re.MULTILINE)
    assert sorted(named) == sorted(error.__name__ for error in classes())
