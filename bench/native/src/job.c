/* One job, from its first I/O to its last: take, hand over, wait, record.
 *
 * An I/O's clock starts with the reading taken before the batch that it is handed over in was made up, and stops with
 * the reading after the call in which its completion was seen.  Both err on the long side: no wait is hidden. */
#define _GNU_SOURCE

#include "calls.h"
#include "record.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#define TIMEOUT_NS 50000000     /* a job looks at least this often whether it is to stop */
#define SPIN_NS 60000           /* an open loop sleeps no closer to an arrival than a timer may be late */
#define LATE_NS 100000
#define MOST_WALKED 1000000

enum phase { TUNE, RAMP, MEASURE };

/* ---- the phases of a run ---------------------------------------------------------------------------- */

static void begin_ramp(struct sl_job *job, uint64_t now)
{
    job->phase = RAMP;
    job->begin = now + sl_ns_to_ticks(job->clock, job->options->ramp_ns);
    job->mark = job->begin;
}

static void begin_measuring(struct sl_job *job)
{
    job->phase = MEASURE;
    sl_recorder_reset(&job->result.recorder);
    job->result.late = job->result.late_max_ns = job->result.short_ios = job->result.retries = 0;
    job->end = job->options->runtime_ns ? job->begin + sl_ns_to_ticks(job->clock, job->options->runtime_ns) : UINT64_MAX;
    job->limit_bytes = job->quota_bytes < UINT64_MAX ? job->issued_bytes + job->quota_bytes : UINT64_MAX;
    getrusage(RUSAGE_THREAD, &job->before);
}

static void next_second(struct sl_job *job, uint64_t now)
{
    uint64_t second = sl_ticks_to_ns(job->clock, now - job->begin) / 1000000000;

    if (sl_recorder_roll(&job->result.recorder, (uint32_t)second) < 0)
        job->result.series_short = 1;
    job->mark = job->begin + sl_ns_to_ticks(job->clock, (second + 1) * 1000000000);
    if (now < job->end && job->mark > job->end)
        job->mark = job->end;
}

/* The clock has passed the mark: whatever is due. */
static void pass_mark(struct sl_job *job, uint64_t now)
{
    if (job->phase == TUNE) {
        if (sl_batches_try(job, now))
            return;
        begin_ramp(job, now);
    }
    if (job->phase == RAMP && now >= job->begin)
        begin_measuring(job);
    if (job->phase == MEASURE) {
        job->stopping |= now >= job->end;
        next_second(job, now);
    }
}

/* ---- taking I/Os ------------------------------------------------------------------------------------ */

static void schedule_next(struct sl_job *job)
{
    if (job->options->poisson) {
        uint64_t draw = sl_random(&job->arrivals_state);

        job->next_arrival += (uint64_t)(-log(((double)(draw >> 11) + 0.5) * 0x1p-53) * job->interval);
    } else { /* from the origin, so that rounding does not add up */
        job->next_arrival = job->origin + (uint64_t)((double)++job->arrivals * job->interval);
    }
}

/* How far behind its schedule an open loop is. */
static void note_lateness(struct sl_job *job, uint64_t now)
{
    uint64_t behind_ns = sl_ticks_to_ns(job->clock, now - job->next_arrival);

    job->result.late += behind_ns > LATE_NS;
    if (behind_ns > job->result.late_max_ns)
        job->result.late_max_ns = behind_ns;
}

/* Arrivals that were due by the end but not started.  A schedule that a stall has left far behind is walked no further
 * than a run can wait for: the rest is counted by its mean. */
static uint64_t count_missed(struct sl_job *job, uint64_t now)
{
    uint64_t until = now < job->end ? now : job->end, missed = 0;

    if (!job->options->rate_iops || job->phase != MEASURE || job->issued_bytes >= job->limit_bytes)
        return 0;
    for (; job->next_arrival < until && missed < MOST_WALKED; missed++)
        schedule_next(job);
    if (job->next_arrival < until)
        missed += 1 + (uint64_t)((double)(until - job->next_arrival) / job->interval);
    return missed;
}

static void prepare(struct sl_job *job, uint32_t index)
{
    struct sl_request *io = &job->queue.slot[index].io;
    uint32_t *turn = &job->queue.slot[index].turn;
    unsigned char *buffer;

    *turn = *turn + 1 < job->queue.turns ? *turn + 1 : 0;
    buffer = sl_slot_buffer(&job->queue, index);
    if (io->direction == SL_SYNC) {
        io->sequence = job->options->verify ? sl_job_acknowledged(job) : 0; /* what this sync makes durable */
        sl_commit_begin(job, &job->queue.slot[index]);
    } else if (job->options->verify) {
        sl_pattern_write(buffer, io->length, io->offset, io->sequence);
    } else if (job->options->compress_pct < 100) {
        sl_contents_touch(buffer, io->length, io->offset, io->sequence);
    }
}

/* Draw the next I/O into the slot; its clock starts at `start`. */
static inline void draw(struct sl_job *job, uint32_t index, uint64_t start)
{
    struct sl_slot *slot = &job->queue.slot[index];

    sl_generator_next(&job->generator, &slot->io);
    slot->start_ticks = start;
    slot->issue_ticks = 0;
    slot->done = 0;
    if (slot->io.direction != SL_READ)
        prepare(job, index);
}

/* Take up to `most` I/Os whose clocks start at `start`.  Of reads that the generator draws the short way, nothing of the
 * job is read again for each of them. */
static void take(struct sl_job *job, uint32_t most, uint64_t start)
{
    struct sl_generator *generator = &job->generator;
    const uint64_t first = generator->plain_offset, blocks = generator->plain_blocks;
    const uint32_t unit = generator->unit, *free = job->free + job->free_count;
    const int plain = generator->plain && generator->plain_direction == SL_READ;
    struct sl_slot *slots = job->queue.slot;
    uint64_t offsets = generator->offsets, issued_bytes = job->issued_bytes;
    uint32_t *list = job->list + job->listed, taken;

    most = most < job->free_count ? most : job->free_count;
    for (taken = 0; taken < most && issued_bytes < job->limit_bytes; taken++) {
        uint32_t index = *--free;
        struct sl_slot *slot = &slots[index];

        if (plain) {
            slot->io = (struct sl_request){.offset = first + sl_random_below(&offsets, blocks) * unit, .length = unit};
            slot->start_ticks = start;
            slot->issue_ticks = 0;
            slot->done = 0;
        } else {
            draw(job, index, start);
        }
        issued_bytes += slot->io.length;
        list[taken] = index;
    }
    if (plain)
        generator->offsets = offsets;
    job->free_count -= taken;
    job->listed += taken;
    job->issued_bytes = issued_bytes;
}

/* A closed loop fills every slot that is free; an open loop takes what is due, its clock running since then. */
static void take_what_may_start(struct sl_job *job, uint64_t now)
{
    if (job->stopping || job->listed >= job->submit)
        return;
    if (!job->options->rate_iops) {
        take(job, job->submit - job->listed, now);
        return;
    }
    while (job->next_arrival <= now && job->free_count && job->listed < job->submit) {
        note_lateness(job, now);
        take(job, 1, job->next_arrival);
        schedule_next(job);
    }
}

/* ---- handing over ----------------------------------------------------------------------------------- */

static inline __attribute__((always_inline)) int exchange(struct sl_job *job, uint32_t count, uint32_t wait,
                                                          uint64_t timeout_ns)
{
    const struct sl_queue_kind *kind = job->queue.kind;
    struct sl_call call;

    if (kind->exchange)
        return kind->exchange(&job->queue, job->list, count, wait, timeout_ns, job->done);
    kind->prepare(&job->queue, job->list, count, wait, timeout_ns, &call);
    return kind->finish(&job->queue, sl_call(call.number, call.argument), job->done);
}

/* Look at a batch on its way, as fio does with every I/O: a reading after it was handed over parts submission from
 * completion, and shows whether it was complete at once. */
static int look(struct sl_job *job, uint64_t *now)
{
    uint32_t count = job->listed, at_once = 0;
    int synchronous = job->queue.kind == &sl_psync;
    uint64_t start = *now, issued = start;

    for (uint32_t at = 0; at < count; at++)
        job->queue.slot[job->list[at]].issue_ticks = start;
    job->listed = 0;
    int done = exchange(job, count, 0, 0);

    *now = sl_ticks(job->clock);
    if (!synchronous) /* fio: issued when submission returns, but before the call where the call does the I/O */
        issued = *now;
    for (uint32_t at = 0; at < count; at++)
        job->queue.slot[job->list[at]].issue_ticks = issued;
    for (int at = 0; at < done; at++)
        at_once += job->queue.slot[job->done[at].slot].issue_ticks == issued;
    job->until_look = (uint32_t)job->options->slat_every - 1;
    sl_batches_learn(job, at_once == count);
    return done;
}

/* How long an open loop may wait for completions before the next arrival; 0 where it is due or near. */
static uint64_t until_arrival_ns(const struct sl_job *job, uint64_t now)
{
    uint64_t gap_ns = job->next_arrival > now ? sl_ticks_to_ns(job->clock, job->next_arrival - now) : 0;

    return gap_ns > TIMEOUT_NS ? TIMEOUT_NS : gap_ns > SPIN_NS ? gap_ns - SPIN_NS : 0;
}

/* An open loop with nothing in flight: sleep, or turn on the spot when the arrival is near. */
static void idle(const struct sl_job *job, uint64_t now)
{
    struct timespec pause = {.tv_nsec = (long)until_arrival_ns(job, now)};

    if (pause.tv_nsec)
        nanosleep(&pause, NULL);
}

/* What is due between two I/Os of a stream: the mark, a stop, the last I/O of the job. */
static inline int is_due(struct sl_job *job, uint64_t now)
{
    return now >= job->mark || __atomic_load_n(&job->stop, __ATOMIC_RELAXED) || job->issued_bytes >= job->limit_bytes;
}

/* A turn of a closed loop with one I/O at a time by the plain calls: after an I/O that went as it should comes the next,
 * with no call in between, until something is due.  The last one is left to be settled as ever. */
static int stream(struct sl_job *job, uint64_t *now)
{
    uint32_t index = job->list[0];
    struct sl_slot *slot = &job->queue.slot[index];
    int32_t result;

    for (;;) {
        result = sl_do_now(&job->queue, index);
        *now = sl_ticks(job->clock);
        if (result <= 0 || (uint32_t)result != slot->io.length || is_due(job, *now))
            break;
        sl_job_record(job, (struct sl_alike){slot->start_ticks, slot->issue_ticks, 1, slot->io.length, slot->io.direction},
                      *now);
        if (job->waiting_ticks)
            sl_commit_note(job, slot, *now);
        draw(job, index, *now);
        job->issued_bytes += slot->io.length;
        if (job->options->slat_every && job->until_look-- == 0) { /* as look() does */
            slot->issue_ticks = *now;
            job->until_look = (uint32_t)job->options->slat_every - 1;
            sl_batches_learn(job, 1);
        }
    }
    job->done[0] = (struct sl_completion){index, result};
    job->listed = 0;
    return 1;
}

/* One turn: hand over what is listed, wait, and return how many completed (or -errno). */
static int turn(struct sl_job *job, uint64_t *now)
{
    uint32_t wait = job->complete < job->in_flight && !job->all ? job->complete : job->in_flight, count;
    uint64_t timeout_ns = TIMEOUT_NS;
    int open_ended = !job->stopping && job->free_count && job->issued_bytes < job->limit_bytes, done;

    if (job->options->slat_every && job->listed && job->until_look-- == 0)
        return look(job, now);
    if (job->queue.kind == &sl_psync && !job->options->verify && !job->options->rate_iops)
        return stream(job, now);
    if (job->stopping && !job->all)
        wait = 1;
    if (open_ended && job->options->rate_iops) {
        timeout_ns = until_arrival_ns(job, *now);
        wait = timeout_ns != 0;
        timeout_ns += !timeout_ns;
    } else if (open_ended && !job->all && job->listed) {
        wait = 0; /* first hand over the rest, batch by batch: the device need not run dry */
        timeout_ns = 0;
    }
    count = job->listed;
    job->listed = 0; /* before completions put what has to be repeated there */
    done = exchange(job, count, wait, timeout_ns);
    *now = sl_ticks(job->clock);
    return done;
}

static uint64_t between_ns(struct timeval from, struct timeval to)
{
    return (uint64_t)((to.tv_sec - from.tv_sec) * 1000000 + to.tv_usec - from.tv_usec) * 1000;
}

static void finish(struct sl_job *job, uint64_t now)
{
    struct sl_result *result = &job->result;
    struct rusage used;

    getrusage(RUSAGE_THREAD, &used);
    result->cpu_user_ns = between_ns(job->before.ru_utime, used.ru_utime);
    result->cpu_system_ns = between_ns(job->before.ru_stime, used.ru_stime);
    result->switches = (uint64_t)(used.ru_nvcsw - job->before.ru_nvcsw + used.ru_nivcsw - job->before.ru_nivcsw);
    if (job->phase == MEASURE) {
        result->runtime_ns = sl_ticks_to_ns(job->clock, now - job->begin);
        next_second(job, now);
    }
    result->missed = count_missed(job, now);
    result->sequence = job->generator.writes;
    if (job->options->verify)
        result->acked = sl_job_acknowledged(job);
    result->batch_submit = job->submit;
    result->batch_complete = job->all ? 0 : job->complete;
}

void sl_job_drive(struct sl_job *job)
{
    uint64_t now = sl_ticks(job->clock), gave_up = 0;

    prctl(PR_SET_TIMERSLACK, 1UL);
    job->next_arrival = job->origin = now;
    job->limit_bytes = UINT64_MAX; /* until the ramp is over */
    job->failed_sequence = UINT64_MAX;
    job->interval = job->options->rate_iops
                        ? (double)sl_ns_to_ticks(job->clock, UINT64_C(1000000000)) / (double)job->options->rate_iops : 0;
    if (!sl_batches_begin(job, now))
        begin_ramp(job, now);
    for (;;) {
        if (now >= job->mark)
            pass_mark(job, now);
        if (__atomic_load_n(&job->stop, __ATOMIC_RELAXED)) {
            job->stopping = 1;
            gave_up = gave_up ? gave_up : now + sl_ns_to_ticks(job->clock, job->grace_ns / 2);
        }
        take_what_may_start(job, now);
        job->in_flight += job->listed;
        if (!job->in_flight) {
            if (job->stopping || job->issued_bytes >= job->limit_bytes)
                break;
            idle(job, now);
            now = sl_ticks(job->clock);
            continue;
        }
        if (gave_up && now >= gave_up)
            break;
        int done = turn(job, &now);

        if (done < 0) {
            job->result.failed = -done;
            snprintf(job->result.where, sizeof job->result.where, "handing over I/O");
            break;
        }
        job->in_flight -= (uint32_t)done;
        if (now >= job->mark)
            pass_mark(job, now); /* what was seen now belongs to the second that now is in */
        sl_job_complete(job, (uint32_t)done, now);
        if (job->options->verify)
            __atomic_store_n(&job->result.acked, sl_job_acknowledged(job), __ATOMIC_RELAXED);
    }
    finish(job, now);
}
