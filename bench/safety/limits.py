"""What the safety checks cannot see: printed by ``stripelab disks --explain``; a section of docs/safety-checks.md."""

LIMITS = (
    "a disk that another host uses at the same time (shared SAS, Fibre Channel, iSCSI, NVMe over fabrics)",
    "disks that a hardware controller hides, and what it does with them",
    "a descriptor in flight over a Unix socket, which is in the table of no process",
    "processes of another PID namespace, or that the kernel hides even from root",
    "for an ordinary user: processes of other users, and its own mappings from btrfs or an overlay",
    "a file under other numbers through hidden layers (an overlay seen from within a container, FUSE)",
    "a file registered with an io_uring under another name than the device's own",
    "data without a signature between the sampled places (both ends, superblocks, 256 at random)",
    "data without a signature written after a run of the same store was killed, on a disk that stayed attached",
    "a program that opens the disk between the checks and the end of an act, without flock or O_EXCL",
    "a journal written by somebody else: whoever can write to a store can make a disk that you name its own",
    "the file of `stripelab native` if its name is replaced between the check and the opening",
    "a kernel or a disk that reports false facts",
)
