/* How an I/O that is done is counted, and how long a commit takes: a sync with the writes that it makes durable.
 *
 * A sync covers the writes of its file that were done when it was made up, less those that an earlier sync of the file
 * covered.  A commit's clock starts with that of the earliest of them and stops when the sync's completion is seen.  A
 * sync that covers no write, or fails, does not count as a commit. */
#ifndef STRIPELAB_RECORD_H
#define STRIPELAB_RECORD_H

#include "stripelab.h"

#define SL_COVERED UINT64_MAX /* no write waits for a sync */

struct sl_alike { /* completions with the same start, issue and direction: one latency, one bucket */
    uint64_t start_ticks, issue_ticks, ios, bytes;
    uint32_t direction;
};

static inline uint64_t sl_elapsed_ns(struct sl_job *job, uint64_t from, uint64_t to)
{
    if (to < from) {
        job->result.clock_back++;
        return 0;
    }
    return sl_ticks_to_ns(job->clock, to - from);
}

/* Count I/Os that are done, seen at `now` (ticks). */
static inline void sl_job_record(struct sl_job *job, struct sl_alike alike, uint64_t now)
{
    struct sl_recorder *recorder = &job->result.recorder;
    uint32_t direction = alike.direction;

    if (!alike.ios)
        return;
    if (!job->options->record) {
        recorder->ios[direction] += alike.ios;
        recorder->bytes[direction] += alike.bytes;
        return;
    }
    recorder->now_bytes[direction] += alike.bytes;
    sl_record(&recorder->now[direction], sl_elapsed_ns(job, alike.start_ticks, now), alike.ios);
    if (alike.issue_ticks) {
        sl_record(&recorder->slat[direction], sl_elapsed_ns(job, alike.start_ticks, alike.issue_ticks), alike.ios);
        sl_record(&recorder->clat[direction], sl_elapsed_ns(job, alike.issue_ticks, now), alike.ios);
    }
}

/* A sync is made up: it takes over the writes of its file that wait for one. */
static inline void sl_commit_begin(struct sl_job *job, struct sl_slot *slot)
{
    slot->commit_ticks = job->waiting_ticks[slot->io.file];
    job->waiting_ticks[slot->io.file] = SL_COVERED;
}

/* An I/O of a job that syncs is done, seen at `now`: a write waits for a sync from now on, a sync ends a commit. */
static inline void sl_commit_note(struct sl_job *job, const struct sl_slot *slot, uint64_t now)
{
    uint64_t *waiting = &job->waiting_ticks[slot->io.file];

    if (slot->io.direction == SL_WRITE && slot->start_ticks < *waiting)
        *waiting = slot->start_ticks;
    else if (slot->io.direction == SL_SYNC && slot->commit_ticks != SL_COVERED)
        sl_job_record(job, (struct sl_alike){.start_ticks = slot->commit_ticks, .ios = 1, .direction = SL_COMMIT}, now);
}

#endif
