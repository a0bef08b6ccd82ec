"""What the host's kernel says to a program of the sandbox: run inside it, with the standard library alone.

``calls.py SHARE`` makes each system call that could reach beyond the sandbox, most with arguments that succeed
without the filter, and prints as JSON which error each got, or what it returned.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import socket
import sys

SHARE = sys.argv[1]
FILE = f"{SHARE}/plain".encode()
HERE = os.fsencode(SHARE)
CWD = -100
SIGCHLD, NEWUSER, NEWNET = 17, 0x10000000, 0x40000000
libc = ctypes.CDLL(None, use_errno=True)
found: dict[str, str] = {}


def call(name: str, number: int, *arguments: object) -> None:
    """Make a system call and keep what came of it; a child that it made ends at once."""
    result = libc.syscall(ctypes.c_long(number), *(a if isinstance(a, bytes) else ctypes.c_long(a) for a in arguments))
    if name.startswith("clone") and result == 0:
        os._exit(0)
    found[name] = errno.errorcode[ctypes.get_errno()] if result == -1 else f"returned {result}"


def attempt(name: str, action: object) -> None:
    """The same of a call of the standard library."""
    try:
        found[name] = f"returned {action()}"  # type: ignore[operator]
    except OSError as failure:
        found[name] = errno.errorcode[failure.errno or 0]


os.close(os.open(FILE, os.O_CREAT | os.O_WRONLY, 0o755))
for family in range(1, 46):
    for type_ in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW):
        call(f"socket of family {family}, {type_.name}", 41, family, type_, 0)
pair = (ctypes.c_int * 2)()
for type_ in (socket.SOCK_DGRAM, socket.SOCK_SEQPACKET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK):
    call(f"socketpair {type_}", 53, socket.AF_UNIX, type_, 0, ctypes.addressof(pair))
one, other = socket.socketpair()
attempt("connect of a pair", lambda: one.connect(b"\0nobody"))
attempt("bind of a pair", lambda: one.bind(f"{SHARE}/socket"))
attempt("sendmsg", lambda: one.sendmsg([b"x"]))
attempt("sendto", lambda: one.sendto(b"x", b"\0nobody"))

call("unshare user", 272, NEWUSER)
call("unshare nothing", 272, 0)
for flag in range(17, 31):
    if 0x7E020000 & 1 << flag:
        call(f"clone {1 << flag:#x}", 56, SIGCHLD | 1 << flag, 0, 0, 0, 0)
call("clone user with upper bits", 56, SIGCHLD | NEWUSER | NEWNET | 1 << 40, 0, 0, 0, 0)
call("clone3", 435, 0, 0)
call("setns", 308, os.open("/proc/self/ns/user", os.O_RDONLY), 0)
call("mount", 165, b"none", HERE, b"tmpfs", 0, 0)
call("umount2", 166, HERE, 0)
call("chroot", 161, HERE)
call("pivot_root", 155, HERE, HERE)
call("open_tree", 428, CWD, HERE, 0)
call("move_mount", 429, CWD, HERE, CWD, HERE, 0)
call("fsopen", 430, b"tmpfs", 0)
call("mount_setattr", 442, CWD, HERE, 0, 0, 0)

for bits in (0o4755, 0o2755, 0o6755):
    call(f"chmod {bits:o}", 90, FILE, bits)
    call(f"fchmod {bits:o}", 91, os.open(FILE, os.O_RDONLY), bits)
    call(f"fchmodat {bits:o}", 268, CWD, FILE, bits)
    call(f"fchmodat2 {bits:o}", 452, CWD, FILE, bits, 0)
    call(f"chmod {bits:o} with type", 90, FILE, bits | 0o100000)
    call(f"open {bits:o}", 2, FILE + b"2", os.O_CREAT | os.O_RDWR, bits)
    call(f"openat {bits:o}", 257, CWD, FILE + b"2", os.O_CREAT | os.O_RDWR, bits)
    call(f"openat anonymous {bits:o}", 257, CWD, HERE, os.O_TMPFILE | os.O_RDWR, bits)
    call(f"creat {bits:o}", 85, FILE + b"2", bits)
    call(f"mknod {bits:o}", 133, FILE + b"2", 0o100000 | bits, 0)
    call(f"mknodat {bits:o}", 259, CWD, FILE + b"2", bits, 0)
call("openat2", 437, CWD, FILE, 0, 24)
for kind in (0o010000, 0o020000, 0o060000, 0o140000):
    call(f"mknod type {kind:o}", 133, FILE + b"2", kind | 0o600, 0x103)
    call(f"mknodat type {kind:o}", 259, CWD, FILE + b"2", kind | 0o600, 0x103)
for name, number in (("setxattr", 188), ("lsetxattr", 189)):
    call(name, number, FILE, b"user.stripelab", b"x", 1, 0)
call("fsetxattr", 190, os.open(FILE, os.O_RDWR), b"user.stripelab", b"x", 1, 0)
call("setxattrat", 463, CWD, FILE, 0, b"user.stripelab", 0, 16)

for name, number in (
    ("io_uring_setup", 425), ("io_uring_enter", 426), ("io_uring_register", 427), ("bpf", 321), ("userfaultfd", 323),
    ("perf_event_open", 298), ("keyctl", 250), ("add_key", 248), ("request_key", 249), ("syslog", 103),
    ("kexec_load", 246), ("kexec_file_load", 320), ("init_module", 175), ("finit_module", 313), ("delete_module", 176),
    ("name_to_handle_at", 303), ("open_by_handle_at", 304), ("pidfd_getfd", 438), ("reboot", 169), ("swapon", 167),
    ("acct", 163), ("settimeofday", 164), ("clock_settime", 227), ("sethostname", 170), ("setdomainname", 171),
    ("iopl", 172), ("ioperm", 173), ("quotactl", 179), ("fanotify_init", 300), ("adjtimex", 159),
    ("the next call", 463), ("a call of later years", 600),
):  # fmt: skip
    call(name, number, 0, 0, 0, 0, 0, 0)
for number in (41, 42, 165, 272, 520, 545):
    call(f"{number} of x32", 0x40000000 | number, 1, 1, 0)
readable = os.open("/etc/passwd", os.O_RDONLY)
call("flock", 73, readable, 2)
call("lease", 72, readable, 1024, 0)
call("notify", 72, os.open("/etc", os.O_RDONLY), 1026, 1)
for command in (7, 37, 38):
    call(f"lock {command}", 72, readable, command, bytes(64))
    call(f"lock {command} with upper bits", 72, readable, 1 << 40 | command, bytes(64))
for request in (0x5412, 0x541C):
    call(f"ioctl {request:#x}", 16, 0, request, b"x")
    call(f"ioctl {request:#x} with upper bits", 16, 0, 1 << 40 | request, b"x")
sys.stdout.write(json.dumps(found))
