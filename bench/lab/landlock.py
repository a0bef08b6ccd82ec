"""Landlock around the guest's kernel: a second limit on what it can open for writing.

A read-only mount does not keep a program from writing to a FIFO of the host that somebody reads, nor to
a device node.  Landlock (landlock(7)) knows no such exception: beyond the paths that are named here
nothing opens for writing, and no file can be made, renamed or removed.  It is entered inside the
sandbox, since a program under it cannot mount.  A kernel without it, or with its first version, which
forbids to rename a file from folder to folder, leaves the read-only mounts alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from bench import proc

WRITE_FILE, TRUNCATE = 1 << 1, 1 << 14
REMOVE = 1 << 4 | 1 << 5
MAKE = {"char": 1 << 6, "dir": 1 << 7, "reg": 1 << 8, "sock": 1 << 9, "fifo": 1 << 10, "block": 1 << 11, "sym": 1 << 12}
REFER = 1 << 13
LIMITED = WRITE_FILE | REMOVE | sum(MAKE.values()) | REFER | TRUNCATE
IN_A_FOLDER = WRITE_FILE | REMOVE | MAKE["dir"] | MAKE["reg"] | MAKE["sym"] | REFER | TRUNCATE
IN_A_FILE = WRITE_FILE | TRUNCATE

DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/tty")
OPEN_DESCRIPTOR = "/proc/self/fd"

ENTER = f"""
my ($limited, $folder, $file) = ({LIMITED}, {IN_A_FOLDER}, {IN_A_FILE});
my $version = syscall(444, 0, 0, 1);
if ($version >= 2) {{
    my $known = $version == 2 ? ~{TRUNCATE} : ~0;
    my $attributes = pack("Q", $limited & $known);
    my $rules = syscall(444, $attributes, length $attributes, 0);
    $rules >= 0 or die "stripelab: landlock_create_ruleset: $!\\n";
    while ((my $path = shift @ARGV) ne "--") {{
        sysopen(my $place, $path, {0o12000000}) or die "stripelab: $path: $!\\n";
        my $rule = pack("Ql", (-d $place ? $folder : $file) & $known, fileno $place);
        syscall(445, $rules, 1, $rule, 0) == 0 or die "stripelab: landlock_add_rule: $path: $!\\n";
    }}
    syscall(446, $rules, 0) == 0 or die "stripelab: landlock_restrict_self: $!\\n";
}} else {{
    while (shift @ARGV ne "--") {{}}
}}
exec {{ $ARGV[0] }} @ARGV or die "stripelab: $ARGV[0]: $!\\n";
"""
"""Perl, which starts in 3 ms: landlock_create_ruleset is system call 444, its flag 1 asks for the version;
paths are opened with O_PATH and O_CLOEXEC."""


def within(folders: Sequence[str], descriptors: Sequence[int]) -> list[str]:
    """Words before a command that let it write below ``folders`` and what ``descriptors`` hold, nothing else."""
    writable = [*folders, *DEVICES, *(f"{OPEN_DESCRIPTOR}/{descriptor}" for descriptor in descriptors)]
    return [proc.require("perl"), "-e", ENTER, *writable, "--"]
