/* io_uring by raw system calls: one ring a job, registered buffers and files, submit and wait in one call.
 *
 * The newest offer of the kernel is tried first and given up where it says no (io_uring_setup(2),
 * io_uring_enter(2), io_uring_register(2)).  The constants stand here because older headers lack them. */
#define _GNU_SOURCE

#include "stripelab.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { OP_NOP = 0, OP_FSYNC = 3, OP_READ_FIXED = 4, OP_WRITE_FIXED = 5, OP_READ = 22, OP_WRITE = 23 };
enum { REGISTER_BUFFERS = 0, UNREGISTER_BUFFERS = 1, REGISTER_FILES = 2, UNREGISTER_FILES = 3, REGISTER_RING_FDS = 20 };
enum { SETUP_CLAMP = 1 << 4, SETUP_COOP_TASKRUN = 1 << 8, SETUP_SINGLE_ISSUER = 1 << 12, SETUP_DEFER_TASKRUN = 1 << 13 };
enum { FEAT_SINGLE_MMAP = 1 << 0, FEAT_EXT_ARG = 1 << 8 };
enum { ENTER_GETEVENTS = 1 << 0, ENTER_EXT_ARG = 1 << 3, ENTER_REGISTERED_RING = 1 << 4 };
enum { SQE_FIXED_FILE = 1 << 0, FSYNC_DATASYNC = 1 << 0, OFFSET_SQES = 0x10000000 };

struct sqe {
    uint8_t opcode, flags;
    uint16_t ioprio;
    int32_t fd;
    uint64_t offset, address;
    uint32_t length, op_flags;
    uint64_t user_data;
    uint16_t buffer_index, personality;
    uint32_t file_index;
    uint64_t unused[2];
};

struct cqe {
    uint64_t user_data;
    int32_t result;
    uint32_t flags;
};

struct ring_params {
    uint32_t sq_entries, cq_entries, flags, sq_thread_cpu, sq_thread_idle, features, wq_fd, reserved[3];
    struct { uint32_t head, tail, mask, entries, flags, dropped, array, reserved; uint64_t address; } sq;
    struct { uint32_t head, tail, mask, entries, overflow, cqes, flags, reserved; uint64_t address; } cq;
};

struct wait_argument {
    uint64_t signal_mask;
    uint32_t signal_mask_size, min_wait_us;
    uint64_t timespec;
};

struct timeout {
    int64_t s, ns;
};

struct ring {
    int fd, enter_fd, nop;
    unsigned enter_flags;
    int fixed_buffers, fixed_files, timed;
    uint32_t busy; /* handed over and not seen again */
    uint32_t unsubmitted, tail, sq_mask, cq_mask;
    uint32_t *sq_tail, *cq_head, *cq_tail;
    struct sqe *sqes;
    struct cqe *cqes;
    struct wait_argument argument;
    struct timeout timeout;
    void *map, *sqe_map;
    size_t map_size, sqe_size;
};

static int setup(struct ring_params *params, uint32_t depth)
{
    static const uint32_t offers[] = {SETUP_SINGLE_ISSUER | SETUP_DEFER_TASKRUN, SETUP_COOP_TASKRUN, 0};
    int fd = -EINVAL;

    for (size_t offer = 0; offer < sizeof offers / sizeof *offers && fd == -EINVAL; offer++) {
        *params = (struct ring_params){.flags = offers[offer] | SETUP_CLAMP};
        fd = (int)syscall(SYS_io_uring_setup, depth, params);
        fd = fd < 0 ? -errno : fd;
    }
    return fd;
}

static int map_rings(struct ring *ring, const struct ring_params *params)
{
    size_t sq_size = params->sq.array + params->sq_entries * sizeof(uint32_t);
    size_t cq_size = params->cq.cqes + params->cq_entries * sizeof(struct cqe);

    if (!(params->features & FEAT_SINGLE_MMAP))
        return -ENOSYS; /* Linux before 5.4: libaio serves as well */
    ring->map_size = sq_size > cq_size ? sq_size : cq_size;
    ring->sqe_size = params->sq_entries * sizeof(struct sqe);
    ring->map = mmap(NULL, ring->map_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring->fd, 0);
    ring->sqe_map = mmap(NULL, ring->sqe_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring->fd, OFFSET_SQES);
    if (ring->map == MAP_FAILED || ring->sqe_map == MAP_FAILED)
        return -errno;

    unsigned char *base = ring->map;
    uint32_t *array = (uint32_t *)(void *)(base + params->sq.array);

    for (uint32_t index = 0; index < params->sq_entries; index++)
        array[index] = index;
    ring->sq_tail = (uint32_t *)(void *)(base + params->sq.tail);
    ring->sq_mask = *(uint32_t *)(void *)(base + params->sq.mask);
    ring->cq_head = (uint32_t *)(void *)(base + params->cq.head);
    ring->cq_tail = (uint32_t *)(void *)(base + params->cq.tail);
    ring->cq_mask = *(uint32_t *)(void *)(base + params->cq.mask);
    ring->cqes = (struct cqe *)(void *)(base + params->cq.cqes);
    ring->sqes = ring->sqe_map;
    return 0;
}

static int ask(const struct ring *ring, unsigned what, const void *argument, unsigned count)
{
    return syscall(SYS_io_uring_register, ring->fd, what, argument, count) >= 0;
}

/* Registrations save work for each I/O; a limit on locked memory or an old kernel may forbid them. */
static void make_registrations(struct sl_queue *queue, struct ring *ring)
{
    struct iovec memory = {queue->buffer, (size_t)queue->depth * queue->turns * queue->stride};
    struct { uint32_t offset, reserved; uint64_t data; } own = {UINT32_MAX, 0, (uint64_t)ring->fd};

    ring->fixed_buffers = !ring->nop && ask(ring, REGISTER_BUFFERS, &memory, 1);
    ring->fixed_files = !ring->nop && ask(ring, REGISTER_FILES, queue->fd, queue->files);
    ring->enter_fd = ring->fd;
    if (ask(ring, REGISTER_RING_FDS, &own, 1)) {
        ring->enter_fd = (int)own.offset;
        ring->enter_flags = ENTER_REGISTERED_RING;
    }
}

static void uring_close(struct sl_queue *queue)
{
    struct ring *ring = queue->state;

    if (!ring)
        return;
    /* A ring is taken down in the background: whoever unmounts next must not find the files still open.  But giving
     * them back waits for I/O in flight, whose completions this very thread would have to run: it would wait for good. */
    if (ring->fixed_files && !ring->busy)
        ask(ring, UNREGISTER_FILES, NULL, 0);
    if (ring->fixed_buffers && !ring->busy)
        ask(ring, UNREGISTER_BUFFERS, NULL, 0);
    if (ring->map && ring->map != MAP_FAILED)
        munmap(ring->map, ring->map_size);
    if (ring->sqe_map && ring->sqe_map != MAP_FAILED)
        munmap(ring->sqe_map, ring->sqe_size);
    if (ring->fd >= 0)
        close(ring->fd);
    free(ring);
    queue->state = NULL;
}

static int uring_open(struct sl_queue *queue)
{
    struct ring *ring = calloc(1, sizeof *ring);
    struct ring_params params;
    int status;

    if (!ring)
        return -ENOMEM;
    queue->state = ring;
    ring->nop = queue->kind == &sl_nop;
    ring->fd = setup(&params, queue->depth);
    status = ring->fd < 0 ? ring->fd : map_rings(ring, &params);
    if (status < 0) {
        uring_close(queue);
        return status;
    }
    ring->timed = (params.features & FEAT_EXT_ARG) != 0;
    make_registrations(queue, ring);
    snprintf(queue->detail, sizeof queue->detail, "%s%s%s%s",
             params.flags & SETUP_DEFER_TASKRUN ? "deferred task run" :
             params.flags & SETUP_COOP_TASKRUN ? "cooperative task run" : "plain ring",
             ring->fixed_buffers ? ", registered buffers" : "", ring->fixed_files ? ", registered files" : "",
             ring->enter_flags ? ", registered ring" : "");
    return 0;
}

static void prepare(const struct sl_queue *queue, const struct ring *ring, struct sqe *sqe, uint32_t index)
{
    const struct sl_slot *slot = &queue->slot[index];

    memset(sqe, 0, sizeof *sqe);
    sqe->user_data = index;
    if (ring->nop)
        return;
    sqe->flags = ring->fixed_files ? SQE_FIXED_FILE : 0;
    sqe->fd = ring->fixed_files ? (int32_t)slot->io.file : queue->fd[slot->io.file];
    if (slot->io.direction == SL_SYNC) {
        sqe->opcode = OP_FSYNC;
        sqe->op_flags = queue->datasync ? FSYNC_DATASYNC : 0;
        return;
    }
    sqe->opcode = (uint8_t)(slot->io.direction == SL_READ ? (ring->fixed_buffers ? OP_READ_FIXED : OP_READ)
                                                       : (ring->fixed_buffers ? OP_WRITE_FIXED : OP_WRITE));
    sqe->offset = slot->io.offset + slot->done;
    sqe->address = (uint64_t)(uintptr_t)sl_slot_buffer(queue, index);
    sqe->length = slot->io.length - slot->done;
}

static uint32_t reap(const struct sl_queue *queue, struct ring *ring, struct sl_completion *out)
{
    uint32_t head = *ring->cq_head, tail = __atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE), count = 0;

    for (; head != tail; head++, count++) {
        const struct cqe *cqe = &ring->cqes[head & ring->cq_mask];
        uint32_t index = (uint32_t)cqe->user_data;

        out[count].slot = index;
        out[count].result = ring->nop ? (int32_t)queue->slot[index].io.length : cqe->result;
    }
    __atomic_store_n(ring->cq_head, head, __ATOMIC_RELEASE);
    return count;
}

static void uring_prepare(struct sl_queue *queue, const uint32_t *slots, uint32_t count, uint32_t wait,
                          uint64_t timeout_ns, struct sl_call *call)
{
    struct ring *ring = queue->state;
    int timed = ring->timed && wait;
    unsigned flags = ring->enter_flags;

    for (uint32_t index = 0; index < count; index++)
        prepare(queue, ring, &ring->sqes[ring->tail++ & ring->sq_mask], slots[index]);
    __atomic_store_n(ring->sq_tail, ring->tail, __ATOMIC_RELEASE);
    ring->unsubmitted += count;
    ring->busy += count;
    if (wait || timeout_ns)
        flags |= ENTER_GETEVENTS | (timed ? ENTER_EXT_ARG : 0);
    ring->timeout = (struct timeout){(int64_t)(timeout_ns / 1000000000), (int64_t)(timeout_ns % 1000000000)};
    ring->argument.timespec = (uint64_t)(uintptr_t)&ring->timeout;
    *call = (struct sl_call){SYS_io_uring_enter,
                             {ring->enter_fd, ring->unsubmitted, wait, flags, timed ? (long)(uintptr_t)&ring->argument : 0,
                              timed ? (long)sizeof ring->argument : 0}};
}

/* Every outcome but a refusal to submit is fine: what completed is in the ring. */
static int uring_finish(struct sl_queue *queue, long result, struct sl_completion *out)
{
    struct ring *ring = queue->state;
    uint32_t count;

    if (result >= 0)
        ring->unsubmitted -= (uint32_t)result;
    else if (result != -EINTR && result != -ETIME && result != -EAGAIN && result != -EBUSY)
        return (int)result;
    count = reap(queue, ring, out);
    ring->busy -= count;
    return (int)count;
}

const struct sl_queue_kind sl_uring = {"io_uring", uring_open, uring_close, NULL, uring_prepare, uring_finish};
const struct sl_queue_kind sl_nop = {"nop", uring_open, uring_close, NULL, uring_prepare, uring_finish};
