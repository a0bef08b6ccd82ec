/* What a job needs before its first I/O, memory and a queue; and giving it back. */
#define _GNU_SOURCE

#include "record.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE 4096
#define HUGE_PAGE (UINT64_C(2) << 20)
#define APART (UINT64_C(1) << 20) /* bytes written before contents repeat: more than compression looks back over */
#define MOST_BUFFERS (UINT64_C(16) << 20) /* of all slots of a job together, for that */

static int fail(struct sl_job *job, int code, const char *step, const char *object)
{
    job->result.failed = code;
    snprintf(job->result.where, sizeof job->result.where, "%s%s", step, object);
    return -1;
}

/* How many buffers a slot takes in turn.  One that is written again and again compresses to nothing: 128 KiB of a file
 * in blocks of 4 KiB would be the same block 32 times. */
static uint32_t slot_buffers(const struct sl_options *options, uint64_t stride)
{
    uint64_t wanted = (APART + stride - 1) / stride, room = MOST_BUFFERS / (stride * options->iodepth);

    if (!options->writes || options->verify || options->compress_pct >= 100 || room < 2)
        return 1;
    return (uint32_t)(wanted < room ? wanted : room);
}

/* Buffers of each I/O in flight, their pages there before anything is measured. */
static int make_buffers(struct sl_job *job)
{
    const struct sl_options *options = job->options;
    uint64_t largest = sl_largest(options), stride = (largest + PAGE - 1) / PAGE * PAGE, used;
    unsigned char *memory;

    job->queue.turns = slot_buffers(options, stride);
    used = stride * options->iodepth * job->queue.turns;
    job->memory_size = (used + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE + HUGE_PAGE;
    memory = mmap(NULL, job->memory_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return fail(job, errno, "memory for buffers", "");
    job->memory = memory;
    memory += HUGE_PAGE - (uintptr_t)memory % HUGE_PAGE;
    /* A block that lies in one huge page is one segment to the device, which may take it in one request: a large block
     * in pages as programs have them would be several.  So huge pages are for small blocks, and for who asks. */
    (void)madvise(memory, used, options->huge_pages || largest <= PAGE ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
    job->queue.buffer = memory;
    job->queue.stride = stride;
    if (options->writes)
        sl_contents_fill(memory, used, options->seed + job->index + 1, options->compress_pct);
    else
        memset(memory, 0, used);
    return 0;
}

static int make_slots(struct sl_job *job)
{
    size_t depth = job->options->iodepth;

    job->queue.slot = calloc(depth, sizeof *job->queue.slot);
    job->done = calloc(depth, sizeof *job->done);
    job->free = calloc(2 * depth, sizeof *job->free);
    job->list = job->free + depth;
    if (!job->queue.slot || !job->done || !job->free)
        return fail(job, ENOMEM, "memory for I/Os in flight", "");
    return 0;
}

/* Newest first, but what io_uring would punt to threads goes by libaio, or by the plain calls where one is in flight. */
static int open_queue(struct sl_job *job)
{
    static const struct sl_queue_kind *const kinds[] = {NULL, &sl_uring, &sl_libaio, &sl_psync, &sl_null, &sl_nop};
    const struct sl_queue_kind *order[4] = {kinds[job->options->ioengine]};
    int status = -EINVAL;

    if (!order[0]) {
        order[0] = job->nowait ? &sl_uring : job->options->iodepth > 1 ? &sl_libaio : &sl_psync;
        order[1] = job->nowait ? &sl_libaio : &sl_uring;
        order[2] = &sl_psync;
    }
    for (int at = 0; order[at] && status < 0; at++) {
        job->queue.kind = order[at];
        job->queue.depth = order[at] == &sl_psync ? 1 : (uint32_t)job->options->iodepth;
        status = order[at]->open ? order[at]->open(&job->queue) : 0;
    }
    if (status < 0)
        return fail(job, -status, "opening a queue by ", job->queue.kind->name);
    job->result.ioengine = job->queue.kind->name;
    job->result.iodepth = job->queue.depth;
    memcpy(job->result.detail, job->queue.detail, sizeof job->queue.detail);
    return 0;
}

/* The write that must be found in each block: the writes are drawn again as they were. */
static int expect_writes(struct sl_job *job)
{
    struct sl_options writes = *job->options;
    struct sl_generator generator;
    struct sl_request request = {0};
    uint64_t size = writes.split[SL_WRITE].largest;

    if (!writes.verify || writes.writes || !writes.verify_writes)
        return 0;
    writes.reads = 0;
    writes.writes = 1;
    writes.random = writes.verify_random;
    writes.fsync_every = writes.fdatasync_every = 0;
    job->expected = calloc(job->own->files, sizeof *job->expected);
    for (uint32_t file = 0; job->expected && file < job->own->files; file++)
        if (!(job->expected[file] = calloc(job->own->file[file].size / size, sizeof **job->expected)))
            return -1;
    if (!job->expected || sl_generator_init(&generator, &writes, job->index) < 0)
        return -1;
    while (request.sequence < writes.verify_writes) {
        sl_generator_next(&generator, &request);
        job->expected[request.file][(request.offset - job->own->file[request.file].offset) / size] = request.sequence;
    }
    sl_generator_free(&generator);
    return 0;
}

/* Of a job that syncs: which writes wait for a sync, by file; none so far. */
static int expect_commits(struct sl_job *job)
{
    if (!job->options->fsync_every && !job->options->fdatasync_every)
        return 0;
    job->waiting_ticks = calloc(job->own->files, sizeof *job->waiting_ticks);
    if (!job->waiting_ticks)
        return -1;
    for (uint32_t file = 0; file < job->own->files; file++)
        job->waiting_ticks[file] = SL_COVERED;
    return 0;
}

int sl_job_open(struct sl_job *job)
{
    uint64_t largest = sl_largest(job->options), all = 0;

    job->clock = sl_clock_get();
    job->own = &job->options->job[job->index];
    job->queue.datasync = job->options->fdatasync_every != 0;
    job->queue.files = job->own->files;
    sl_recorder_reset(&job->result.recorder);
    if (make_slots(job) || make_buffers(job))
        return -1;
    if (expect_writes(job) || expect_commits(job) || sl_generator_init(&job->generator, job->options, job->index) < 0)
        return fail(job, ENOMEM, "memory for offsets and what must be found", "");
    if (open_queue(job))
        return -1;
    for (uint32_t index = job->queue.depth; index > 0; index--)
        job->free[job->free_count++] = index - 1;
    for (uint32_t file = 0; file < job->own->files; file++)
        all += job->own->file[file].size / largest * largest; /* what is left is too small for a block */
    job->quota_bytes = job->options->io_size ? job->options->io_size : job->options->time_based ? UINT64_MAX : all;
    job->arrivals_state = job->options->seed ^ ((uint64_t)job->index + 1);
    return 0;
}

void sl_job_close(struct sl_job *job)
{
    int idle = job->in_flight == 0;

    for (uint32_t file = 0; job->expected && file < job->own->files; file++)
        free(job->expected[file]);
    free(job->expected);
    free(job->waiting_ticks);
    if (job->queue.state && (idle || job->queue.kind != &sl_libaio))
        job->queue.kind->close(&job->queue); /* closing a context of libaio waits for what is in flight */
    if (job->memory && idle) /* else the kernel may still read or write here: it is kept for good */
        munmap(job->memory, job->memory_size);
    sl_generator_free(&job->generator);
    free(job->queue.slot);
    free(job->done);
    free(job->free);
}
