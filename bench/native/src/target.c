/* Files and devices: what the kernel says of their direct I/O, and opening them without ever making one. */
#define _GNU_SOURCE

#include "stripelab.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* statx(2) of Linux 6.1, in the layout that never changes: older headers lack the two fields. */
#define DIOALIGN 0x2000U
#define STATX_WORDS 64
#define DIO_MEM_ALIGN (0x98 / 4)
#define DIO_OFFSET_ALIGN (0x9C / 4)

static void ask_alignment(int descriptor, struct sl_target *out)
{
    uint32_t words[STATX_WORDS] = {0};

    if (syscall(SYS_statx, descriptor, "", AT_EMPTY_PATH, DIOALIGN, words) == 0 && words[0] & DIOALIGN) {
        out->memory_align = words[DIO_MEM_ALIGN];
        out->offset_align = words[DIO_OFFSET_ALIGN];
    }
}

/* A read that may not block: EOPNOTSUPP says that io_uring would need a thread for each I/O. */
static int takes_nowait(int descriptor)
{
    unsigned char buffer[4096] __attribute__((aligned(4096)));
    struct iovec vector = {buffer, sizeof buffer};

    return preadv2(descriptor, &vector, 1, 0, RWF_NOWAIT) >= 0 || errno != EOPNOTSUPP;
}

int sl_target_probe(const char *path, int direct, struct sl_target *out)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | (direct ? O_DIRECT : 0)), logical = 0;
    struct stat found;

    *out = (struct sl_target){0};
    if (descriptor < 0)
        return -errno;
    if (fstat(descriptor, &found) < 0) {
        int why = errno;

        close(descriptor);
        return -why;
    }
    out->size = (uint64_t)found.st_size;
    out->device = S_ISBLK(found.st_mode);
    ask_alignment(descriptor, out);
    if (out->device) {
        (void)ioctl(descriptor, BLKGETSIZE64, &out->size);
        if (!out->offset_align && ioctl(descriptor, BLKSSZGET, &logical) == 0)
            out->memory_align = out->offset_align = (uint32_t)logical;
    }
    out->nowait = takes_nowait(descriptor);
    close(descriptor);
    return 0;
}

int sl_target_open(const char *path, const struct sl_options *options)
{
    struct stat found;
    int flags = O_CLOEXEC | (options->direct ? O_DIRECT : 0);

    flags |= options->writes ? (options->reads ? O_RDWR : O_WRONLY) : O_RDONLY;
    if (options->exclusive && stat(path, &found) == 0 && S_ISBLK(found.st_mode))
        flags |= O_EXCL; /* open(2): EBUSY where the device is mounted or claimed */
    int descriptor = open(path, flags | O_NOATIME);

    if (descriptor < 0 && errno == EPERM) /* not the owner: the time of access is updated, then */
        descriptor = open(path, flags);
    return descriptor < 0 ? -errno : descriptor;
}
