"""What the safety checks cannot see: printed by ``stripelab disks --explain``; a section of docs/safety-checks.md."""

LIMITS = (
    "a disk that another host uses at the same time (shared SAS, Fibre Channel, iSCSI, NVMe over fabrics)",
    "disks behind a hardware controller that hides them, and what such a controller does with them",
    "a descriptor that is in flight over a Unix socket, and so in no process's table at the moment",
    "processes of another PID namespace, and processes that the kernel hides even from root",
    "for an ordinary user: processes of other users, and what its own have mapped from btrfs or an overlay",
    "a file under other numbers through layers out of sight (an overlay seen from within a container, FUSE)",
    "a file registered with an io_uring under another name than the device's own",
    "data without a signature that lie between the places which are sampled (both ends, superblocks, 256 at random)",
    "data without a signature written after a run of the same store was killed, on a disk that stayed plugged in",
    "a program that opens the disk between the checks and the end of an act, without lock (flock) or claim (O_EXCL)",
    "that a journal was written by somebody else: whoever can write to a store can make a disk that you name its own",
    "the file of `stripelab native` when somebody swaps its name between the check and the opening",
    "a kernel or a disk that does not tell the truth",
)
