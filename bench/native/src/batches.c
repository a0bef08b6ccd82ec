/* How many I/Os to hand over at a time and how many to wait for, chosen by what is seen.
 *
 * I/O that is complete when it has been handed over goes in small batches, which keep its buffers in the cache.  Other
 * I/O is tried both ways before the ramp: all that is free and wait for one, or by quarters of the depth. */
#include "stripelab.h"

#define INLINE_BATCH 64
#define INLINE_STREAK 3   /* looks in a row: a fast device may be done with one by chance */
#define SLICE_NS 30000000 /* the two ways take turns, so that a drift of the machine falls on both */
#define SLICES 6
#define FEW_IOPS 10000    /* below this the device sets the pace: waiting for several would only delay the first */
#define AS_MANY 0.97      /* quarters cost less CPU: above that they need not move more, just as much within noise */

static uint32_t quarter_of(uint32_t depth)
{
    return depth >= 4 ? depth / 4 : 1;
}

static void choose(struct sl_job *job)
{
    const struct sl_options *options = job->options;
    uint32_t depth = job->queue.depth, submit = depth, complete = 1;

    if (job->all)
        submit = depth < INLINE_BATCH ? depth : INLINE_BATCH;
    else if (job->quarter)
        submit = complete = quarter_of(depth);
    job->submit = options->batch_submit ? (uint32_t)options->batch_submit : submit;
    job->complete = options->batch_complete ? (uint32_t)options->batch_complete : complete;
    job->all = job->all && !options->batch_complete;
}

static void begin_slice(struct sl_job *job, uint64_t now)
{
    job->quarter = job->slice % 2 != 0;
    job->slice_began = now;
    job->seen = 0;
    job->mark = now + sl_ns_to_ticks(job->clock, SLICE_NS);
    choose(job);
}

int sl_batches_begin(struct sl_job *job, uint64_t now)
{
    const struct sl_options *options = job->options;

    choose(job);
    if (job->queue.depth < 4 || !options->time_based || options->runtime_ns < 1000000000 || options->rate_iops ||
        options->verify || options->batch_submit || options->batch_complete)
        return 0;
    begin_slice(job, now);
    return 1;
}

int sl_batches_try(struct sl_job *job, uint64_t now)
{
    double rate[2];

    job->slice_ios[job->quarter] += job->seen;
    job->slice_ticks[job->quarter] += now - job->slice_began;
    job->slice++;
    if (job->slice < SLICES) {
        begin_slice(job, now);
        return 1;
    }
    for (int way = 0; way < 2; way++)
        rate[way] = (double)job->slice_ios[way] * 1e9 / (double)(sl_ticks_to_ns(job->clock, job->slice_ticks[way]) + 1);
    job->quarter = rate[1] > FEW_IOPS && rate[1] > AS_MANY * rate[0];
    job->result.tune_ns = SLICES * (uint64_t)SLICE_NS;
    choose(job);
    return 0;
}

/* A single I/O at a time that is complete at once goes quickest by the plain calls. */
static void use_psync(struct sl_job *job)
{
    job->queue.kind->close(&job->queue);
    job->queue.kind = &sl_psync;
    job->result.ioengine = sl_psync.name;
    job->result.detail[0] = '\0';
}

void sl_batches_learn(struct sl_job *job, int at_once)
{
    const struct sl_options *options = job->options;
    int all;

    job->result.looked_at++;
    job->result.completed_inline += (uint64_t)at_once;
    if (job->queue.kind == &sl_psync)
        return;
    job->inline_streak = at_once ? job->inline_streak + 1 : 0;
    if (job->inline_streak == INLINE_STREAK && job->queue.depth == 1 && options->ioengine == SL_AUTO)
        use_psync(job);
    all = job->inline_streak >= INLINE_STREAK && !options->rate_iops;
    if (all != job->all) {
        job->all = all;
        choose(job);
    }
}
