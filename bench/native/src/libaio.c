/* Linux AIO by raw system calls (io_submit(2)): batches, and completions taken from the ring in user space. */
#define _GNU_SOURCE

#include "calls.h"

#include <errno.h>
#include <linux/aio_abi.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define RING_MAGIC 0xa10a10a1U

struct ring { /* fs/aio.c, struct aio_ring: mapped at the context's address, stable since 2.6 */
    uint32_t id, entries, head, tail, magic, compat, incompat, header_length;
    struct io_event events[];
};

struct aio {
    aio_context_t context;
    struct ring *ring; /* NULL where the layout is not the known one: io_getevents(2), then */
    struct iocb *control;
    struct iocb **waiting; /* handed over by the job and not yet taken by the kernel */
    uint32_t unsubmitted;
};

static void libaio_close(struct sl_queue *queue)
{
    struct aio *aio = queue->state;

    if (!aio)
        return;
    if (aio->context)
        syscall(SYS_io_destroy, aio->context);
    free(aio->control);
    free(aio->waiting);
    free(aio);
    queue->state = NULL;
}

static int libaio_open(struct sl_queue *queue)
{
    struct aio *aio = calloc(1, sizeof *aio);
    int status = -ENOMEM;

    queue->state = aio;
    if (!aio)
        return -ENOMEM;
    aio->control = calloc(queue->depth, sizeof *aio->control);
    aio->waiting = calloc(queue->depth, sizeof(struct iocb *));
    if (aio->control && aio->waiting)
        status = syscall(SYS_io_setup, queue->depth, &aio->context) < 0 ? -errno : 0;
    if (status) {
        libaio_close(queue);
        return status;
    }
    aio->ring = (struct ring *)(uintptr_t)aio->context;
    if (aio->ring->magic != RING_MAGIC || aio->ring->incompat)
        aio->ring = NULL;
    snprintf(queue->detail, sizeof queue->detail, "%s", aio->ring ? "completions read in user space" : "io_getevents");
    return 0;
}

static void prepare(const struct sl_queue *queue, struct aio *aio, uint32_t index)
{
    const struct sl_slot *slot = &queue->slot[index];
    struct iocb *control = &aio->control[index];

    *control = (struct iocb){
        .aio_data = index,
        .aio_lio_opcode = slot->io.direction == SL_READ ? IOCB_CMD_PREAD : IOCB_CMD_PWRITE,
        .aio_fildes = (uint32_t)queue->fd[slot->io.file],
        .aio_buf = (uint64_t)(uintptr_t)sl_slot_buffer(queue, index),
        .aio_nbytes = slot->io.length - slot->done,
        .aio_offset = (int64_t)(slot->io.offset + slot->done),
    };
    aio->waiting[aio->unsubmitted++] = control;
}

/* Hand over what is waiting.  The kernel may take a part; the rest stays for the next call.  An I/O that it refuses
 * is completed with the error. */
static uint32_t submit(struct aio *aio, struct sl_completion *out)
{
    uint32_t done = 0, refused = 0;

    while (done < aio->unsubmitted) {
        long taken = syscall(SYS_io_submit, aio->context, aio->unsubmitted - done, aio->waiting + done);

        if (taken > 0) {
            done += (uint32_t)taken;
        } else if (taken < 0 && errno == EINTR) {
            continue;
        } else if (taken == 0 || errno == EAGAIN) {
            break;
        } else {
            out[refused++] = (struct sl_completion){(uint32_t)aio->waiting[done++]->aio_data, -errno};
        }
    }
    for (uint32_t index = done; index < aio->unsubmitted; index++)
        aio->waiting[index - done] = aio->waiting[index];
    aio->unsubmitted -= done;
    return refused;
}

static uint32_t look(const struct sl_queue *queue, struct aio *aio, struct sl_completion *out, uint32_t count)
{
    struct ring *ring = aio->ring;
    uint32_t head = ring->head, tail = __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE);

    for (; head != tail && count < queue->depth; count++) {
        const struct io_event *event = &ring->events[head];

        out[count] = (struct sl_completion){(uint32_t)event->data, (int32_t)event->res};
        head = head + 1 == ring->entries ? 0 : head + 1;
    }
    __atomic_store_n(&ring->head, head, __ATOMIC_RELEASE);
    return count;
}

static uint32_t wait_in_kernel(const struct sl_queue *queue, struct aio *aio, struct sl_completion *out, uint32_t count,
                               uint32_t wait, uint64_t timeout_ns)
{
    struct io_event events[64];
    struct timespec timeout = {(time_t)(timeout_ns / 1000000000), (long)(timeout_ns % 1000000000)};
    long most = queue->depth - count < 64 ? (long)(queue->depth - count) : 64;
    long least = wait > count ? (long)(wait - count) : 0;
    long found = syscall(SYS_io_getevents, aio->context, least < most ? least : most, most, events, &timeout);

    for (long index = 0; index < found; index++)
        out[count++] = (struct sl_completion){(uint32_t)events[index].data, (int32_t)events[index].res};
    return count;
}

static int libaio_exchange(struct sl_queue *queue, const uint32_t *slots, uint32_t count, uint32_t wait,
                           uint64_t timeout_ns, struct sl_completion *out)
{
    struct aio *aio = queue->state;
    uint32_t synced = 0, found;

    for (uint32_t index = 0; index < count; index++)
        if (queue->slot[slots[index]].io.direction != SL_SYNC)
            prepare(queue, aio, slots[index]);
    found = submit(aio, out);
    for (uint32_t index = 0; index < count; index++)
        if (queue->slot[slots[index]].io.direction == SL_SYNC) { /* as in fio: after what was handed over before it */
            out[found + synced] = (struct sl_completion){slots[index], sl_do_now(queue, slots[index])};
            synced++;
        }
    found += synced;
    if (aio->ring)
        found = look(queue, aio, out, found);
    if (found < wait || (!aio->ring && found < queue->depth))
        found = wait_in_kernel(queue, aio, out, found, wait, timeout_ns);
    return (int)found;
}

const struct sl_queue_kind sl_libaio = {"libaio", libaio_open, libaio_close, libaio_exchange, NULL, NULL};
