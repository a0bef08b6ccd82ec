"""The seccomp filter of the sandbox: what no process in it may ask of the host's kernel.

The guest's kernel is an ordinary program of the host, and root of the guest can load modules into it.
So the limits must hold for any program: a filter is inherited by all children and cannot be removed.
It denies what reaches beyond the sandbox (sockets, namespaces, mounts, keys, tracing of the kernel)
and the set-user-ID bit, which would take effect on the host in a file of a shared folder.  A call that
is newer than this list is denied too.  System calls of the guest's programs never get here: User-Mode
Linux takes them over before.

The program is classic BPF over ``struct seccomp_data`` (seccomp(2)), for x86-64.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Iterable

AUDIT_ARCH_X86_64 = 0xC000003E
ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
LOAD, AND, JUMP_EQUAL, JUMP_GREATER, RETURN = 0x20, 0x54, 0x15, 0x25, 0x06
NUMBER_OFFSET, ARCH_OFFSET, ARGUMENTS_OFFSET = 0, 4, 16

NEWEST = 462
"""The last system call that was looked at (mseal of Linux 6.10); the numbers of x32 are above it, too."""

SOCKETS = {"socket": 41, "connect": 42, "accept": 43, "sendto": 44, "sendmsg": 46, "bind": 49, "listen": 50,
           "accept4": 288, "sendmmsg": 307}  # fmt: skip

SOCKETPAIR = 53
SOCKET_TYPE, STREAM = 0xF, 1
"""User-Mode Linux talks to its disk thread over a pair of streams.  A pair of datagram sockets could be led
to any socket of the host, by connect(2) or by an address in sendmsg(2)."""

NAMESPACES = {"pivot_root": 155, "chroot": 161, "mount": 165, "umount2": 166, "unshare": 272, "setns": 308,
              "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433,
              "mount_setattr": 442, "statmount": 457, "listmount": 458}  # fmt: skip

KERNEL = {"syslog": 103, "uselib": 134, "adjtimex": 159, "acct": 163, "settimeofday": 164, "swapon": 167,
          "swapoff": 168, "reboot": 169, "sethostname": 170, "setdomainname": 171, "iopl": 172, "ioperm": 173,
          "create_module": 174, "init_module": 175, "delete_module": 176, "quotactl": 179, "nfsservctl": 180,
          "lookup_dcookie": 212, "clock_settime": 227, "kexec_load": 246, "add_key": 248, "request_key": 249,
          "keyctl": 250, "migrate_pages": 256, "move_pages": 279, "perf_event_open": 298, "fanotify_init": 300,
          "fanotify_mark": 301, "clock_adjtime": 305, "finit_module": 313, "kexec_file_load": 320, "bpf": 321,
          "userfaultfd": 323, "quotactl_fd": 443, "lsm_set_self_attr": 460}  # fmt: skip

FILES = {"setxattr": 188, "lsetxattr": 189, "fsetxattr": 190, "name_to_handle_at": 303, "open_by_handle_at": 304,
         "pidfd_getfd": 438, "flock": 73}  # fmt: skip
"""Extended attributes hold capabilities of files; a lock needs no more than a file that can be read, and others wait
for it."""

UNKNOWN = {"io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427, "clone3": 435, "openat2": 437}
"""Their arguments are in memory, where a filter cannot look.  Callers fall back where they get ENOSYS."""

DENIED = {**SOCKETS, **NAMESPACES, **KERNEL, **FILES}

SET_ID = 0o6000
MODES = {"open": (2, 2), "creat": (85, 1), "chmod": (90, 1), "fchmod": (91, 1), "mknod": (133, 1), "openat": (257, 3),
         "mknodat": (259, 2), "fchmodat": (268, 2), "fchmodat2": (452, 2)}  # fmt: skip
"""Number of each call that can set mode bits, and which of its arguments they are.

A mode that open(2) does not use is zero: the C library fetches it only where a file can be made."""

NODES = {"mknod": (133, 1), "mknodat": (259, 2)}
TYPE, REGULAR = 0o170000, 0o100000

CLONE = 56
NEW_NAMESPACE = 0x7E020000
"""CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET."""

FCNTL = 72
LOCKS = {"F_SETLKW": 7, "F_OFD_SETLK": 37, "F_OFD_SETLKW": 38, "F_SETLEASE": 1024, "F_NOTIFY": 1026}
"""Without F_SETLK, by which User-Mode Linux locks its disks: whom it is for stands in memory."""

IOCTL = 16
TERMINAL_INPUT = {"TIOCSTI": 0x5412, "TIOCLINUX": 0x541C}


def program() -> bytes:
    """The filter as an array of ``struct sock_filter``, as ``bwrap --seccomp`` reads it."""
    denied, unknown = ERRNO | errno.EPERM, ERRNO | errno.ENOSYS
    return b"".join([
        *_load(ARCH_OFFSET), *_unless(JUMP_EQUAL, AUDIT_ARCH_X86_64, KILL),
        *_load(NUMBER_OFFSET), *_when(JUMP_GREATER, NEWEST, unknown),
        *(part for number in DENIED.values() for part in _when(JUMP_EQUAL, number, denied)),
        *(part for number in UNKNOWN.values() for part in _when(JUMP_EQUAL, number, unknown)),
        *_of(SOCKETPAIR, [*_argument(1, SOCKET_TYPE), *_unless(JUMP_EQUAL, STREAM, denied)]),
        *_of(CLONE, [*_argument(0, NEW_NAMESPACE), *_unless(JUMP_EQUAL, 0, denied)]),
        *(part for number, mode in MODES.values()
          for part in _of(number, [*_argument(mode, SET_ID), *_unless(JUMP_EQUAL, 0, denied)])),
        *(part for number, mode in NODES.values() for part in _of(number, _regular_only(mode, denied))),
        *_of(FCNTL, [*_argument(1, 0xFFFFFFFF),
                     *(part for command in LOCKS.values() for part in _when(JUMP_EQUAL, command, denied))]),
        *_of(IOCTL, [*_argument(1, 0xFFFFFFFF),
                     *(part for request in TERMINAL_INPUT.values() for part in _when(JUMP_EQUAL, request, denied))]),
        _instruction(RETURN, ALLOW),
    ])  # fmt: skip


def _instruction(code: int, value: int, when_true: int = 0, when_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, when_true, when_false, value)


def _load(offset: int) -> list[bytes]:
    return [_instruction(LOAD, offset)]


def _argument(index: int, mask: int) -> list[bytes]:
    """The lower half of an argument: modes and flags have no more (the machine is little-endian)."""
    return [_instruction(LOAD, ARGUMENTS_OFFSET + 8 * index), _instruction(AND, mask)]


def _when(test: int, value: int, result: int) -> list[bytes]:
    return [_instruction(test, value, 0, 1), _instruction(RETURN, result)]


def _unless(test: int, value: int, result: int) -> list[bytes]:
    return [_instruction(test, value, 1, 0), _instruction(RETURN, result)]


def _regular_only(mode: int, result: int) -> list[bytes]:
    """mknod(2) of nothing but a regular file, whose type may be left out."""
    return [*_argument(mode, TYPE), _instruction(JUMP_EQUAL, 0, 2, 0), *_unless(JUMP_EQUAL, REGULAR, result)]


def _of(number: int, body: Iterable[bytes]) -> list[bytes]:
    """``body`` where the call is ``number``; the number is loaded again after it."""
    parts = [*body, *_load(NUMBER_OFFSET)]
    return [_instruction(JUMP_EQUAL, number, 0, len(parts)), *parts]
