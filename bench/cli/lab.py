"""``stripelab lab``: a prompt, or one command, inside the virtual lab with its disks attached."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from bench.lab.guest import Lab

DISKS = Annotated[int, typer.Option(help="Disks of the lab.", min=0)]
DISK_SIZE = Annotated[str, typer.Option(help="Size of each disk.")]
MEMORY = Annotated[str, typer.Option(help="Memory of the guest.")]
IMAGES = Annotated[
    Path | None, typer.Option(help="Keep the disks in this folder; without it they vanish at the end.", file_okay=False)
]
SHARE = Annotated[
    list[Path] | None,
    typer.Option(help="A folder that the lab may write, at the same path; everything else is read-only.", exists=True),
]
MODULE = Annotated[list[str] | None, typer.Option(help="A further kernel module, such as dm-flakey.")]

PROMPT = r"\[\e[1m\]stripelab lab\[\e[0m\]:\w\$ "
BANNER = "This is the virtual lab: {disks}. Leave it with exit or Ctrl-D; {fate}."


def register(app: typer.Typer) -> None:
    """Add the verb."""
    group = typer.Typer(help="Use the virtual lab by hand.", no_args_is_help=True, rich_markup_mode=None)
    group.command("shell")(shell)
    group.command("exec")(execute)
    app.add_typer(group, name="lab")


def shell(
    disks: DISKS = 4,
    disk_size: DISK_SIZE = "1GiB",
    memory: MEMORY = "1GiB",
    images: IMAGES = None,
    share: SHARE = None,
    module: MODULE = None,
) -> None:
    """A prompt inside the virtual lab.  You are root of a small Linux; the host cannot be harmed."""
    from bench.cli.output import note

    with _lab(disks, disk_size, memory, images, share, module) as lab:
        note(BANNER.format(disks=_disks(disks), fate=f"they stay in {images}" if images else "they vanish then"))
        argv = ["/bin/bash", "--noprofile", "--norc", "-i"]
        status = lab.shell(argv, env={"PS1": PROMPT, "HISTFILE": ""})
    raise typer.Exit(status)


def execute(
    command: Annotated[list[str], typer.Argument(help="The command and its arguments, after --.")],
    disks: DISKS = 4,
    disk_size: DISK_SIZE = "1GiB",
    memory: MEMORY = "1GiB",
    images: IMAGES = None,
    share: SHARE = None,
    module: MODULE = None,
    timeout: Annotated[float, typer.Option(help="Seconds after which the lab is ended.", min=1)] = 3600.0,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print status and console (its last 16 MiB) as JSON.")
    ] = False,
) -> None:
    """Run one command inside the virtual lab, as its root; its exit status becomes that of this command."""
    import sys

    from bench.cli.output import emit_json, note

    def pass_on(text: str) -> None:
        if sys.stdout.isatty():
            sys.stdout.write(text)  # escaped: what drives a terminal stays in the lab
        else:
            sys.stdout.buffer.write(text.encode(errors="surrogateescape"))  # data, as the command printed them
        sys.stdout.flush()

    plain = {"TERM": "dumb", "NO_COLOR": "1"}
    with _lab(disks, disk_size, memory, images, share, module) as lab:
        ended = lab.run(command, env=plain, timeout_s=timeout, on_console=None if as_json else pass_on)
    if as_json:
        if ended.cut:
            note("the beginning of the console is left out: it had more than 16 MiB")
        emit_json({"status": ended.status, "console": ended.console})
    raise typer.Exit(ended.status or 0)


def _lab(
    disks: int, disk_size: str, memory: str, images: Path | None, share: list[Path] | None, module: list[str] | None
) -> Lab:
    from bench.cli.usage import size_bytes
    from bench.lab.guest import Lab
    from permutations.workload import LabSpec

    spec = LabSpec(
        disks=disks,
        disk_bytes=size_bytes(disk_size, "--disk-size"),
        memory_bytes=size_bytes(memory, "--memory"),
    )
    return Lab(spec, shared=share or (), images_dir=images, modules=module or ())


def _disks(count: int) -> str:
    if count == 0:
        return "no disks"
    last = f"/dev/ubd{chr(ord('a') + count - 1)}"
    return "one disk, /dev/ubda" if count == 1 else f"{count} disks, /dev/ubda to {last}"
