"""The ``stripelab`` command: its verbs, and the one place where a failure becomes an exit status."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated

import typer

from bench.cli import (
    compact,
    compare,
    crosscheck,
    disks,
    doctor,
    evidence,
    export,
    failure,
    guarantee,
    import_files,
    lab,
    native,
    nightly_group,
    output,
    plan,
    plot,
    recommend,
    report,
    run,
    sql,
    status,
    verify,
)
from bench.errors import StreamError
from bench.streams import clean_standard_streams
from bench.version import stripelab_version

DONE = 0
BROKEN_PIPE = 128 + signal.SIGPIPE

app = typer.Typer(
    name="stripelab",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # plain help: it is quick, and it reads the same in a log
    pretty_exceptions_enable=False,
)
for verb in (
    plan,
    run,
    status,
    recommend,
    guarantee,
    report,
    evidence,
    verify,
    compact,
    compare,
    plot,
    sql,
    import_files,
    export,
    nightly_group,
    crosscheck,
    native,
    disks,
    doctor,
    lab,
):
    verb.register(app)


def _version(wanted: bool) -> None:
    """Print the version and leave."""
    if wanted:
        output.say(f"stripelab {stripelab_version()}")
        raise typer.Exit


@app.callback(
    epilog="Exit statuses: docs/exit-statuses.md.  Without --lab or --disks nothing is ever written to a disk."
)
def stripelab(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Storage-stack tuning by measurement: sweep RAID, stripe, filesystem and layout, and learn which to use."""


def invoke(arguments: Sequence[str]) -> int:
    """Carry out a command line; returns its exit status, and lets every exception through.

    Typer's own ``main`` would turn a closed pipe into status 1, which here means "no".
    """
    command = typer.main.get_command(app)
    try:
        with command.make_context(app.info.name, list(arguments)) as context:
            command.invoke(context)
        sys.stdout.flush()
    except typer.Exit as leaving:
        sys.stdout.flush()
        return leaving.exit_code
    return DONE


def wants_json(arguments: Sequence[str]) -> bool:
    """Whether ``--json`` is among the options; what follows ``--`` is the command line of something else."""
    own = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return "--json" in own


def attempt(arguments: Sequence[str]) -> int:
    """Carry out a command line, say what failed, and return the exit status."""
    try:
        return invoke(arguments)
    except BrokenPipeError:
        raise
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the one place: nobody gets a traceback
        failed = failure.of(error, arguments)
        with suppress(StreamError):  # the status tells it all the same
            for line in failed.lines:
                output.note(line)
            if wants_json(arguments) and not failed.answered:
                output.emit_json(failed.as_json())
                sys.stdout.flush()
        return failed.status


def outcome(arguments: Sequence[str]) -> int:
    """As :func:`attempt`; a reader that closed the pipe is no failure to speak of."""
    try:
        return attempt(arguments)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes stdout once more at its end
        return BROKEN_PIPE


def main() -> None:
    """Entry point of the console script.

    Ends without the destructors of C++ libraries: Arrow's thread pool aborts the process in about
    one of fifty ends, after all is done and said (apache/arrow issues 34314 and 39862).
    """
    clean_standard_streams()
    status = outcome(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, StreamError):
            stream.flush()
    os._exit(status)
