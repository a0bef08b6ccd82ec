"""The failures of stripelab, each with an exit status of its own and a remedy.

Statuses 0, 1 and 2 are reserved: done, the answer is "no", and a usage error.  A test compares the table in
``docs/exit-statuses.md`` with this module.
"""

from __future__ import annotations

from typing import ClassVar


class StripelabError(Exception):
    """A failure that the user can act on: what failed, the exact command, and what to do next."""

    status: ClassVar[int] = 70
    answer_printed: ClassVar[bool] = False
    """Whether the verb has printed its answer before the failure: ``--json`` then prints no second object."""
    remedy: ClassVar[str] = "This is a defect of stripelab: please report it with the lines above."

    def __init__(self, message: str, *, command: str | None = None, remedy: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.command = command
        self.next_step = remedy or self.remedy

    def lines(self) -> list[str]:
        """The message as lines for the terminal."""
        lines = [f"error: {self.message}"]
        if self.command is not None:
            lines.append(f"command: {self.command}")
        lines.append(f"next: {self.next_step}")
        return lines


class SweepFileError(StripelabError):
    """A sweep file cannot be read or is invalid."""

    status = 3
    remedy = "Correct the sweep file; `stripelab plan FILE` checks it without touching a disk."

    def lines(self) -> list[str]:
        """As of any failure, with each problem on a line of its own."""
        _, *others = super().lines()
        return [*(f"error: {line}" for line in self.message.split("\n")), *others]


class MissingToolError(StripelabError):
    """A program that the sweep needs is not installed."""

    status = 4
    remedy = "Install the package named above, then run `stripelab doctor`."


class DiskRefusedError(StripelabError):
    """A safety check refused a disk or a file: nothing was written to it."""

    status = 5
    remedy = "`stripelab disks` lists every disk with every reason why it is refused."


class StackError(StripelabError):
    """A layer of the storage stack could not be built, verified or taken down."""

    status = 6
    remedy = "Run the command above by hand to see its full output."


class EngineError(StripelabError):
    """The load generator failed, hung, or printed no valid result."""

    status = 7
    remedy = "Run the command above by hand to see its full output."


class StoreError(StripelabError):
    """The result store cannot be read or written."""

    status = 8
    remedy = "Free space or correct the permissions, then run the same command again: it resumes."


class BusyError(StripelabError):
    """Another stripelab process holds the store, a disk or a disk image."""

    status = 9
    remedy = "Wait for the other run to end, or stop it, then run the same command again."


class LabError(StripelabError):
    """The virtual lab did not start, crashed, or ran out of time."""

    status = 10
    remedy = "`stripelab doctor` checks the lab; what was measured so far is kept and a new run resumes."


class GuestFailedError(LabError):
    """The command inside the lab failed: the end of its console and its exit status are passed on."""

    def __init__(self, console: str, status: int | None) -> None:
        console_lines = [line for line in console.splitlines() if line.strip()]
        super().__init__(console_lines[-1] if console_lines else "the guest ended without any output")
        self.console_lines = console_lines
        if status is not None:
            self.status = status  # type: ignore[misc]  # the guest's own status, not the class's

    def lines(self) -> list[str]:
        """The last lines of the guest's console."""
        return self.console_lines[-12:] or super().lines()


class EnvironmentUnknownError(StripelabError):
    """The machine could not be described, so nothing may be measured on it."""

    status = 11
    remedy = "Fix the probe named above: figures of an unknown environment cannot be interpreted."


class HostTaintedError(StripelabError):
    """A process is stuck in the kernel: the host must be checked before anything else runs."""

    status = 12
    remedy = "A disk has probably stopped responding: check `dmesg`, then reboot before measuring again."


class TrialsFailedError(StripelabError):
    """The sweep ended, but some of its trials failed or are invalid."""

    status = 13
    answer_printed = True
    remedy = "`stripelab status STORE` lists them; `stripelab run … --retry-failed` tries them again."


class DeliveryError(StripelabError):
    """The outcome of a night could not be sent; this does not change the exit status of a night that runs."""

    status = 14
    remedy = "The outcome is kept: `stripelab nightly show STORE` with the same options sends it again."


class UnitError(StripelabError):
    """The units of a nightly run could not be written or removed; nothing was changed."""

    status = 15
    remedy = "`stripelab nightly install … --dry-run` prints the units without writing anything."


class SigningError(StripelabError):
    """A signature could not be made, or ssh-keygen could not be run."""

    status = 16
    remedy = (
        "Run it on a terminal, where ssh-keygen can ask for the passphrase, or load the key into ssh-agent and name "
        "its public half; without --sign the command that signs by hand is printed."
    )


class ImportFailedError(StripelabError):
    """Nothing can be imported, because of the files, the pattern or the store."""

    status = 17
    remedy = "`stripelab import --help` lists the formats; import the file alone to see what is wrong with it."


class IncompleteNightError(StripelabError):
    """A night ended before all of its trials ran, or some of them failed; what was measured is judged and kept."""

    status = 18
    answer_printed = True
    remedy = (
        "`stripelab nightly show STORE` lists what is missing; a night that ran out of time needs a longer --budget."
    )


class StreamError(StripelabError):
    """Standard output or standard error cannot be written: its disk is full or has failed."""

    status = 19
    remedy = "Free space where the output is redirected to, then run the same command again."


class KnownRegressionError(StripelabError):
    """Every regression of a night is acknowledged, and nothing else is worse."""

    status = 20
    answer_printed = True
    remedy = "`stripelab nightly ack --store STORE` lists the acknowledgements, and removes one with METRIC --remove."


class InterruptedRunError(StripelabError):
    """The user stopped the run."""

    status = 130
    remedy = "What was measured is kept: the same command resumes."
