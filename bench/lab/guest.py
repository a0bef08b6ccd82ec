"""The virtual lab: a small Linux kernel in user space that runs a program on disks of its own.

:class:`Lab` holds the disks; :meth:`Lab.run` boots User-Mode Linux in a sandbox, runs one program
as root of the guest, and brings back its exit status and console.  The guest sees the host's
files, read-only under an overlay that lies in the guest's memory; the shared folders are at their
own paths, and what it writes there stays.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from bench.errors import LabError
from bench.lab import access, boot, identity, images, sandbox, shares, terminal
from bench.lab.check import available_bytes
from bench.lab.watch import Text, Tick, Watch
from permutations.workload import LabSpec

MIN_MEMORY_BYTES = 128 << 20


@dataclass(frozen=True)
class GuestExit:
    """How a guest ended: the program's exit status (None where the guest crashed) and the end of its console."""

    status: int | None
    console: str
    cut: bool = False
    """Whether the console had more than is kept (:mod:`bench.lab.watch`)."""

    @property
    def crashed(self) -> bool:
        """Whether the guest ended without telling the program's exit status."""
        return self.status is None


@dataclass
class Lab:
    """A virtual lab with its disks; a context manager, within which programs are run one by one.

    ``shared`` folders are writable in the guest, at the same path.  The disks are anonymous and
    vanish at the end, or lie in ``images_dir`` and stay; they keep their content from one run to
    the next.  ``modules`` are further kernel modules (``dm-mod``, ``dm-flakey``, ``loop``, …).
    """

    spec: LabSpec
    shared: Sequence[Path] = ()
    images_dir: Path | None = None
    modules: Sequence[str] = ()
    _images: tuple[int, ...] = field(default=(), init=False, repr=False)
    _stack: ExitStack = field(default_factory=ExitStack, init=False, repr=False)

    def __enter__(self) -> Self:
        self.shared = shares.checked(self.shared)
        _require_memory(self.spec.memory_bytes)
        scratch = self.shared[0] if self.shared else Path("/var/tmp")  # noqa: S108 - files without a name
        self._images = self._stack.enter_context(
            images.opened(self.spec.disks, self.spec.disk_bytes, images_dir=self.images_dir, scratch=scratch)
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._images = ()
        self._stack.close()

    @property
    def serials(self) -> tuple[str, ...]:
        """Serials of the disks, in order; in the guest ``/sys/block/ubda/serial`` and so on."""
        return tuple(images.serial(number) for number in range(1, self.spec.disks + 1))

    def run(
        self,
        argv: Sequence[str | Path],
        *,
        timeout_s: float,
        cwd: Path = Path("/"),
        env: Mapping[str, str] | None = None,
        on_console: Text | None = None,
        on_tick: Tick | None = None,
        check: bool = True,
    ) -> GuestExit:
        """Boot, run ``argv`` as root of the guest, power off; returns its exit status and console.

        ``on_console`` is given new text as it comes, ``on_tick`` is called several times a second;
        both in the calling thread.  Raises :class:`LabError` when
        the guest has not ended after ``timeout_s`` and, where ``check`` is set, when it crashed.
        Whatever ends this call, no process of the guest is left.
        """
        program = boot.Program(tuple(str(word) for word in argv), cwd, tuple((env or {}).items()))
        access.require_reachable(program.argv[0], cwd)
        with Watch(on_console) as watch, Path(os.devnull).open("rb") as nothing:
            lines = boot.Lines(watch.kernel.write, (None, watch.console.write), watch.status.write)
            console = (nothing.fileno(), watch.kernel.write)
            with self._started(program, lines, console) as guest:
                watch.until_end(guest, timeout_s=timeout_s, on_tick=on_tick)
            ended = GuestExit(watch.exit_status, watch.console.text, watch.console.cut)
            if check and ended.crashed:
                raise LabError(f"the virtual lab's guest crashed{watch.ending()}")
        return ended

    def shell(self, argv: Sequence[str], *, cwd: Path = Path("/"), env: Mapping[str, str] | None = None) -> int:
        """Boot and run ``argv`` on the user's terminal; returns its exit status."""
        terminal.require_terminal()
        access.require_reachable(argv[0], cwd)
        environment = {"TERM": os.environ.get("TERM", "linux"), **(env or {})}
        program = boot.Program(tuple(argv), cwd, tuple(environment.items()), interactive=True)
        with Watch() as watch, terminal.pseudo_terminal() as (ours, theirs):
            lines = boot.Lines(watch.kernel.write, (theirs, theirs), watch.status.write)
            console = (theirs, watch.kernel.write)
            with (
                terminal.raw(),
                terminal.size_followed(ours),
                self._started(program, lines, console) as guest,
            ):
                terminal.relay(ours, guest.ended)
            watch.drain()
            if watch.exit_status is None:
                raise LabError(f"the virtual lab's guest crashed{watch.ending()}")
            return watch.exit_status

    @contextmanager
    def _started(
        self, program: boot.Program, lines: boot.Lines, console: tuple[int, int]
    ) -> Iterator[sandbox.Contained]:
        images.require_plain(self._images)
        shares.require_no_mount_below(self.shared)  # once more: a disk may be mounted between two runs
        descriptors = {lines.kernel, lines.status, *(line for line in lines.terminal if line is not None)}
        uid = identity.for_program(program.argv, program.cwd, self.shared)
        inside = sandbox.Sandbox(
            shared=tuple(self.shared),
            memory_bytes=self.spec.memory_bytes,
            files=boot.files(self.spec, program, self.shared, self.modules),
            descriptors=tuple(sorted(descriptors)),
            images=self._images,
            uid=uid,
        )
        command = boot.kernel_command(self.spec, self._images, lines)
        with identity.images_given_to(uid, self._images), sandbox.started(inside, command, console=console) as guest:
            yield guest


def _require_memory(memory_bytes: int) -> None:
    if memory_bytes < MIN_MEMORY_BYTES:
        raise LabError(
            f"{memory_bytes >> 20} MiB of memory are too little for a guest",
            remedy=f"Give it {MIN_MEMORY_BYTES >> 20} MiB or more.",
        )
    free = available_bytes()
    if free < memory_bytes:
        raise LabError(
            f"the virtual lab is to have {memory_bytes >> 20} MiB of memory, and {free >> 20} MiB are free",
            remedy="End other programs, or give the lab less memory.",
        )
