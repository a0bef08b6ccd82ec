"""Exceptions as the user sees them: lines on stderr, an object with ``--json``, and an exit status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import typer
from typer.exceptions import TyperException

from bench import defect
from bench.errors import InterruptedRunError, StoreError, StripelabError, SweepFileError


@dataclass(frozen=True)
class Failure:
    """A failed command, ready to be printed; ``answer_printed`` as in StripelabError."""

    kind: str
    message: str
    command: str | None
    remedy: str
    status: int
    lines: tuple[str, ...]
    answer_printed: bool = False

    def as_json(self) -> Mapping[str, Mapping[str, str | int | None]]:
        """What ``--json`` prints in place of an answer."""
        return {
            "error": {
                "class": self.kind,
                "message": self.message,
                "command": self.command,
                "remedy": self.remedy,
                "status": self.status,
            }
        }


def from_exception(error: BaseException, arguments: Sequence[str]) -> Failure:
    """The failure for an exception; the traceback of a defect is written to a file."""
    from permutations.errors import SweepError  # late: only a failure needs them
    from results.errors import ResultsError

    match error:
        case StripelabError():
            return _known(error)
        case SweepError():
            return _known(SweepFileError(str(error)))
        case ResultsError():
            return _known(StoreError(error.message, remedy=error.remedy))
        case KeyboardInterrupt() | typer.Abort():
            return Failure("Interrupted", "interrupted", None, "", InterruptedRunError.status, ("interrupted",))
        case TyperException():
            return _usage(error)
        case _:
            return _defect(error, arguments)


def _known(error: StripelabError) -> Failure:
    """The failure for an error of stripelab."""
    return Failure(
        type(error).__name__,
        error.message,
        error.command,
        error.next_step,
        error.status,
        tuple(error.lines()),
        error.answer_printed,
    )


def _usage(error: TyperException) -> Failure:
    """The failure for an invalid command line; a group called without a verb prints its help."""
    message = error.format_message()
    context = getattr(error, "ctx", None)
    remedy = f"`{context.command_path if context else 'stripelab'} --help` shows the usage."
    is_help = message.lstrip().startswith("Usage:")
    lines = (message,) if is_help else (f"error: {message}", f"next: {remedy}")
    return Failure("UsageError", message, None, remedy, error.exit_code, lines)


def _defect(error: BaseException, arguments: Sequence[str]) -> Failure:
    """The failure for an unforeseen exception."""
    message, remedy = defect.report(error, arguments)
    return Failure(type(error).__name__, message, None, remedy, StripelabError.status, (f"error: {message}; {remedy}",))
