"""The one door to other programs.

Every program stripelab starts goes through :func:`run`: an argument list and never a shell, no
standard input of ours, a scrubbed environment in the C locale (``dd`` and ``lsblk`` translate their
output), a session of its own so that a timeout ends the whole family, and a failure that carries
a command line that can be pasted.  What root starts keeps no more capabilities than it needs
(:mod:`bench.privileges`); ``setpriv`` takes them away and then becomes the program, so that its process
and its shown command line are the program's.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench import nodes, privileges
from bench.errors import HostTaintedError, MissingToolError, StackError, StripelabError

if TYPE_CHECKING:
    from concurrent.futures import Executor

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
KILL_GRACE_S = 5.0
RUNTIME_FOLDERS = ("/run", None)
"""Where an empty folder is made, in this order; None: where TMPDIR says."""

PACKAGES: Mapping[str, str] = {
    "blkid": "util-linux",
    "blockdev": "util-linux",
    "bwrap": "bubblewrap",
    "dd": "coreutils",
    "dumpe2fs": "e2fsprogs",
    "fio": "fio",
    "findmnt": "util-linux",
    "linux.uml": "user-mode-linux",
    "losetup": "util-linux",
    "lsblk": "util-linux",
    "mdadm": "mdadm",
    "mkfs.btrfs": "btrfs-progs",
    "mkfs.ext4": "e2fsprogs",
    "mkfs.xfs": "xfsprogs",
    "modprobe": "kmod",
    "mount": "mount",
    "setpriv": "util-linux",
    "smartctl": "smartmontools",
    "ssh-keygen": "openssh-client",
    "umount": "mount",
    "wipefs": "util-linux",
    "xfs_info": "xfsprogs",
}
"""Debian package of each program outside Python that stripelab may call."""


@dataclass(frozen=True)
class Finished:
    """A program that ended: its command line, exit status, output and wall-clock duration."""

    argv: tuple[str, ...]
    status: int
    stdout: str
    stderr: str
    duration_s: float

    @property
    def command(self) -> str:
        """The command line, quoted so that it can be pasted into a shell."""
        return shlex.join(self.argv)


def require(program: str, package: str | None = None) -> str:
    """Path of ``program`` (a name or a path), or :class:`MissingToolError` naming the package that has it."""
    found = shutil.which(program, path=SYSTEM_PATH)
    if found is None:
        name = Path(program).name
        package = package or PACKAGES.get(name, name)
        raise MissingToolError(
            f"{program} is not installed",
            remedy=f"Install it (Debian, Ubuntu: apt-get install {package}), then run the same command again.",
        )
    return found


def run(
    argv: Sequence[str | Path],
    *,
    timeout_s: float = 120.0,
    check: bool = True,
    error: type[StripelabError] = StackError,
    cwd: Path | None = None,
    package: str | None = None,
    given: bytes | None = None,
    passing: Sequence[str] = (),
    descriptors: Sequence[int] = (),
    opening: Sequence[Path] = (),
    ends_with_us: bool = False,
) -> Finished:
    """Run a program to its end and return what it printed; ``given`` is its standard input.

    ``passing`` are variables of our own environment that it gets too; the rest is as for :func:`start`.

    Raises ``error`` on a non-zero status (unless ``check`` is false) and on a timeout,
    :class:`MissingToolError` where the program is not installed, and :class:`HostTaintedError`
    where SIGKILL does not end it (a process stuck in the kernel).
    """
    words = tuple(str(word) for word in argv)
    whole = {str(nodes.through(each)): str(nodes.through(each).readlink()) for each in descriptors}
    shown = tuple(whole.get(word) or nodes.named(word, descriptors) for word in words)
    started = time.monotonic()
    try:
        process = start(
            words,
            package=package,
            cwd=cwd,
            piped=given is not None,
            passing=passing,
            descriptors=descriptors,
            opening=opening,
            ends_with_us=ends_with_us,
        )
    except OSError as why:
        raise error(f"{words[0]} could not be started: {why}", command=shlex.join(shown)) from None
    try:
        with closing_pipes(process):
            stdout, stderr = process.communicate(given, timeout=timeout_s)
    except subprocess.TimeoutExpired:
        end_family(process, shown)
        raise error(
            f"{words[0]} did not end within {timeout_s:g} s and was killed", command=shlex.join(shown)
        ) from None
    except BaseException:
        end_family(process, shown)
        raise
    finished = Finished(shown, process.returncode, decode(stdout), decode(stderr), time.monotonic() - started)
    if check and finished.status != 0:
        raise error(f"{words[0]} {describe(finished)}", command=finished.command)
    return finished


def run_on_disks(
    argv: Sequence[str | Path],
    *,
    timeout_s: float = 120.0,
    check: bool = True,
    package: str | None = None,
    descriptors: Sequence[int] = (),
) -> Finished:
    """As :func:`run`, for programs that write to disks: no relative name among their words can reach anything.

    They run in an empty folder that is already removed, so that nothing can be made there and nothing is left.
    """
    descriptor = _empty_folder(argv)
    try:
        nowhere = Path(f"/proc/self/fd/{descriptor}")
        return run(
            argv,
            timeout_s=timeout_s,
            check=check,
            cwd=nowhere,
            package=package,
            descriptors=descriptors,
            ends_with_us=privileges.gives_up(),  # in the guest it would cost a start, and all ends with the guest
        )
    finally:
        os.close(descriptor)


def _empty_folder(argv: Sequence[str | Path]) -> int:
    """A descriptor of an empty folder that is removed already, for the program ``argv``.

    Below /run first: a service may have no temporary folder to write to.
    """
    for parent in RUNTIME_FOLDERS:
        try:
            folder = Path(tempfile.mkdtemp(prefix="stripelab-", dir=parent))
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            folder.rmdir()
        except OSError as failure:
            why = failure
        else:
            return descriptor
    raise StackError(
        f"no temporary folder can be made: {why}",
        command=shlex.join(map(str, argv)),
        remedy="Free space in /tmp, or set TMPDIR to a folder that can be written to.",
    )


def run_attended(
    argv: Sequence[str | Path],
    *,
    error: type[StripelabError],
    passing: Sequence[str] = (),
    opening: Sequence[Path] = (),
) -> None:
    """Run a program that may ask the user: terminal and standard error are its own, and nothing times out.

    Raises ``error`` on a non-zero status; what the program said stands on the terminal already.
    """
    words = tuple(str(word) for word in argv)
    executable, launched = _launch(words, None, opening)
    try:
        ended = subprocess.run(  # noqa: S603 - the one door: an argument list, never a shell
            launched, executable=executable, stdout=subprocess.DEVNULL, env=environment(passing), check=False
        )
    except OSError as why:
        raise error(f"{words[0]} could not be started: {why}", command=shlex.join(words)) from None
    if ended.returncode != 0:
        raise error(f"{words[0]} exited with status {ended.returncode}, see above", command=shlex.join(words))


_ONE_THREAD: Mapping[str, str] = {
    "OPENBLAS_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}
"""Keeps numpy's OpenBLAS and Arrow's jemalloc from starting a thread when they are loaded."""


def expect_workers(modules: Sequence[str]) -> None:
    """Begin to load ``modules`` in the process that workers will be made from, while this one goes on.

    They must not be such that start threads, but for numpy and Arrow: a process is only to be copied while it has one
    (Python, multiprocessing, "Contexts and start methods").
    """
    from multiprocessing import forkserver, get_context

    before = {name: os.environ.get(name) for name in _ONE_THREAD}
    os.environ.update(_ONE_THREAD)
    try:
        get_context("forkserver").set_forkserver_preload(["__main__", *modules])
        forkserver.ensure_running()
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def workers(count: int) -> Iterator[Executor]:
    """Processes of our own to spread work over, started now; an interrupt is this process's to handle.

    They are no copies of this process: one in which Arrow runs threads can hang when it is copied.  They are copies of
    one that has loaded the modules of :func:`expect_workers` and runs one thread, and end with this process, however
    that ends.
    """
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    pool = ProcessPoolExecutor(count, mp_context=get_context("forkserver"), initializer=_begin_worker)
    try:
        for _ in range(count):  # a process is started when there is something to do
            pool.submit(os.getpid)
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _begin_worker() -> None:
    """Ctrl-C reaches every process of a terminal; the one that started the others ends them, or ends before them.

    A worker would wait for ever for something to do: it holds the other end of its queue itself.
    """
    import threading

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process when the one that it works for is no more."""
    from multiprocessing import parent_process

    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def start(
    words: Sequence[str],
    *,
    package: str | None = None,
    cwd: Path | None = None,
    piped: bool = False,
    stdin: int | None = None,
    passing: Sequence[str] = (),
    descriptors: Sequence[int] = (),
    opening: Sequence[Path] = (),
    ends_with_us: bool = False,
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own, its output piped (and its input, if asked); the caller ends it.

    ``stdin`` is a descriptor that it reads from instead.

    ``descriptors`` of ours stay open in it under the same numbers, so that it can be given an open device or file as
    ``/proc/self/fd/N``; the same path with our process id is closed to a program with fewer capabilities (ptrace(2)).
    ``opening`` are files of the user's that it opens by name.  With ``ends_with_us`` the kernel kills it when
    stripelab dies, SIGKILL included.
    """
    executable, launched = _launch(words, package, opening, ends_with_us=ends_with_us)
    return subprocess.Popen(  # noqa: S603 - the one door: an argument list, never a shell
        launched,
        executable=executable,
        stdin=subprocess.PIPE if piped else subprocess.DEVNULL if stdin is None else stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(passing),
        cwd=cwd,
        pass_fds=descriptors,
        start_new_session=True,
    )


def _launch(
    words: Sequence[str], package: str | None, opening: Sequence[Path], *, ends_with_us: bool = False
) -> tuple[str, Sequence[str]]:
    """Path of what is executed, and its words: the program, or setpriv(1) that becomes the program."""
    executable = require(words[0], package)
    options = privileges.setpriv_options(words[0], opening)
    if ends_with_us:
        options = ("--pdeathsig", "KILL", *options)
    return (require("setpriv"), ("setpriv", *options, "--", *words)) if options else (executable, words)


@contextmanager
def closing_pipes(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Close the pipes from a program at the end, also where it was not read to its end."""
    try:
        yield
    finally:
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


def environment(passing: Sequence[str] = ()) -> dict[str, str]:
    """The scrubbed environment of every child, with those variables of ours that it is known to need."""
    kept = {name: os.environ[name] for name in ("HOME", "TMPDIR", "TERM", *passing) if name in os.environ}
    return {**kept, "PATH": SYSTEM_PATH, "LANG": "C.UTF-8", "LC_ALL": "C"}


def end_family(process: subprocess.Popen[bytes], words: Sequence[str]) -> None:
    """Kill the process and all of its group; a survivor of SIGKILL taints the host."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    deadline = time.monotonic() + KILL_GRACE_S
    while alive := living_members(process.pid):
        if time.monotonic() > deadline:
            raise HostTaintedError(
                f"{words[0]} (pid {alive[0]}) survives SIGKILL: it is stuck in the kernel", command=shlex.join(words)
            )
        time.sleep(0.005)
    process.wait()


def living_members(group: int) -> tuple[int, ...]:
    """Processes of a process group that still run; zombies, which wait for their parent, do not count (proc(5))."""
    alive = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(FileNotFoundError, ProcessLookupError):
                state, _parent, its_group = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()[:3]
                if int(its_group) == group and state not in {"Z", "X"}:
                    alive.append(int(folder.name))
    return tuple(alive)


def describe(finished: Finished) -> str:
    """How the program failed, with the last lines it printed."""
    status = finished.status
    ending = f"was ended by {signal_name(-status)}" if status < 0 else f"exited with status {status}"
    said = [line.strip() for line in (finished.stderr or finished.stdout).splitlines() if line.strip()]
    return f"{ending}: {' | '.join(said[-4:])}" if said else f"{ending} and printed nothing"


def signal_name(number: int) -> str:
    """Name of a signal; most real-time signals have only a number."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def decode(output: bytes) -> str:
    """Text of a program's output; bytes that are no UTF-8 are kept visible."""
    return output.decode("utf-8", errors="backslashreplace")
