"""``stripelab lab``: a shell, or one command, in the virtual lab with its disks attached."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli import common_options as common

if TYPE_CHECKING:
    from bench.lab.guest import Lab

DiskCount = Annotated[int, typer.Option(help="Number of disks of the guest.", min=0)]
DiskSize = Annotated[str, typer.Option(help="Size of each disk.")]
Memory = Annotated[str, typer.Option(help="Memory of the guest.")]
Images = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="Folder to keep the content of the disks in.",
        show_default="disks vanish at the end",
        file_okay=False,
    ),
]
Share = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="PATH",
        help="Folder of the host that the guest can write to, at the same path (repeatable).",
        exists=True,
    ),
]
Module = Annotated[list[str] | None, typer.Option(help="Further kernel module, such as dm-flakey (repeatable).")]

PROMPT = r"\[\e[1m\]stripelab lab\[\e[0m\]:\w\$ "
BANNER = "This is the virtual lab: {disks}. Leave it with exit or Ctrl-D; the disks then {fate}."


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    group = typer.Typer(help="Use the virtual lab by hand.", no_args_is_help=True, rich_markup_mode=None)
    group.command("shell")(shell)
    group.command("exec")(execute)
    app.add_typer(group, name="lab")


def shell(
    disks: DiskCount = 4,
    disk_size: DiskSize = "1GiB",
    memory: Memory = "1GiB",
    images: Images = None,
    share: Share = None,
    module: Module = None,
) -> None:
    """Open a shell in the virtual lab.

    You are root of a small Linux guest, which cannot harm the host: files of the host are read-only, except for
    --share.
    """
    from bench.cli.output import print_stderr

    with _lab(disks, disk_size, memory, images, share, module) as lab:
        print_stderr(BANNER.format(disks=_describe_disks(disks), fate=f"stay in {images}" if images else "vanish"))
        argv = ["/bin/bash", "--noprofile", "--norc", "-i"]
        status = lab.shell(argv, env={"PS1": PROMPT, "HISTFILE": ""})
    raise typer.Exit(status)


def execute(
    command: Annotated[list[str], typer.Argument(metavar="COMMAND", help="Command and its arguments, after --.")],
    disks: DiskCount = 4,
    disk_size: DiskSize = "1GiB",
    memory: Memory = "1GiB",
    images: Images = None,
    share: Share = None,
    module: Module = None,
    timeout: Annotated[float, typer.Option(help="Time after which the guest is stopped, in seconds.", min=1)] = 3600.0,
    as_json: common.Json = False,
) -> None:
    """Run one command in the virtual lab, and exit with its status.

    It runs as root of the guest, which sees files of the host read-only, except for --share. --json prints the status
    and the console (its last 16 MiB).
    """
    import sys

    from bench.cli.output import emit_json, print_stderr

    def print_console(text: str) -> None:
        if sys.stdout.isatty():
            sys.stdout.write(text)  # escaped: what controls a terminal stays in the lab
        else:
            sys.stdout.buffer.write(text.encode(errors="surrogateescape"))  # data, byte for byte
        sys.stdout.flush()

    environment = {"TERM": "dumb", "NO_COLOR": "1"}
    with _lab(disks, disk_size, memory, images, share, module) as lab:
        ended = lab.run(command, env=environment, timeout_s=timeout, on_console=None if as_json else print_console)
    if as_json:
        if ended.cut:
            print_stderr("warning: only the last 16 MiB of the console are printed")
        emit_json({"status": ended.status, "console": ended.console})
    raise typer.Exit(ended.status or 0)


def _lab(
    disks: int, disk_size: str, memory: str, images: Path | None, share: list[Path] | None, module: list[str] | None
) -> Lab:
    from bench.cli.option_checks import parse_bytes
    from bench.lab.guest import Lab
    from permutations.workload import LabSpec

    spec = LabSpec(
        disks=disks, disk_bytes=parse_bytes(disk_size, "--disk-size"), memory_bytes=parse_bytes(memory, "--memory")
    )
    return Lab(spec, shared=share or (), images_dir=images, modules=module or ())


def _describe_disks(count: int) -> str:
    if count == 0:
        return "no disks"
    last = f"/dev/ubd{chr(ord('a') + count - 1)}"
    return "one disk, /dev/ubda" if count == 1 else f"{count} disks, /dev/ubda to {last}"
