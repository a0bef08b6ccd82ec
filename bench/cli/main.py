"""The ``stripelab`` command: its verbs, and the only place where a failure becomes an exit status."""

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
    rich_markup_mode=None,  # plain help: it is fast, and looks the same in a log
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


def _print_version(requested: bool) -> None:
    """Print the version and exit."""
    if requested:
        output.print_line(f"stripelab {stripelab_version()}")
        raise typer.Exit


@app.callback(
    epilog="Exit statuses: docs/exit-statuses.md.  Only `run` and `nightly` write to disks of this machine, namely to "
    "those of --disks."
)
def stripelab(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Tune a storage stack by measurement: sweep RAID, stripe, filesystem and layout, and learn which to use."""


def invoke(arguments: Sequence[str]) -> int:
    """Run a command line and return its exit status; every exception is passed on.

    Typer's own ``main`` would turn a closed pipe into status 1, which here means "no".
    """
    command = typer.main.get_command(app)
    try:
        with command.make_context(app.info.name, list(arguments)) as context:
            command.invoke(context)
        sys.stdout.flush()
    except typer.Exit as ending:
        sys.stdout.flush()
        return ending.exit_code
    return DONE


def json_requested(arguments: Sequence[str]) -> bool:
    """Whether ``--json`` is among the options; words after ``--`` belong to another command."""
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return "--json" in options


def attempt(arguments: Sequence[str]) -> int:
    """Run a command line, print what failed, and return the exit status."""
    try:
        return invoke(arguments)
    except BrokenPipeError:
        raise
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the only place: users get no traceback
        failed = failure.from_exception(error, arguments)
        with suppress(StreamError):  # the exit status still reports the failure
            for line in failed.lines:
                output.print_stderr(line)
            if json_requested(arguments) and not failed.answer_printed:
                output.emit_json(failed.as_json())
                sys.stdout.flush()
        return failed.status


def outcome(arguments: Sequence[str]) -> int:
    """As :func:`attempt`; a reader that closed the pipe is not reported as a failure."""
    try:
        return attempt(arguments)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes stdout again at exit
        return BROKEN_PIPE


def main() -> None:
    """Entry point of the console script.

    Exits without running the destructors of C++ libraries: Arrow's thread pool aborts the process in about one of
    fifty exits, after all work is done (apache/arrow issues 34314 and 39862).
    """
    clean_standard_streams()
    status = outcome(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, StreamError):
            stream.flush()
    os._exit(status)
