/* What has completed: done, to be continued, or failed; recorded, judged, and its slot free again. */
#include "record.h"

#include <errno.h>

#define END_OF_FILE ENODATA /* a read or write that moves nothing */

static void count_error(struct sl_job *job, const struct sl_slot *slot, int code)
{
    struct sl_result *result = &job->result;
    uint32_t at = 0;

    while (at < result->errors && (result->error[at].code != code || result->error[at].direction != slot->io.direction))
        at++;
    if (at == SL_ERRORS)
        at--; /* the last entry takes what has no room */
    else if (at == result->errors)
        result->error[result->errors++] = (struct sl_error){.code = code, .direction = slot->io.direction};
    if (result->error[at].count < SL_FIRST)
        result->error[at].first_offset[result->error[at].count] = slot->io.offset + slot->done;
    result->error[at].count++;
    if (slot->io.direction == SL_WRITE && slot->io.sequence < job->failed_sequence)
        job->failed_sequence = slot->io.sequence;
    if (!job->options->go_on)
        job->stopping = 1;
}

static void judge_block(struct sl_job *job, uint32_t index)
{
    const struct sl_slot *slot = &job->queue.slot[index];
    const struct sl_file *file = &job->own->file[slot->io.file];
    uint64_t expected = job->expected ? job->expected[slot->io.file][(slot->io.offset - file->offset) / slot->io.length] : 0;
    const unsigned char *buffer = sl_slot_buffer(&job->queue, index) - slot->done;
    enum sl_finding found = sl_pattern_check(buffer, slot->io.length, slot->io.offset, expected);

    if (!job->result.findings[found]++)
        job->result.first_finding[found] = slot->io.offset;
}

enum settled { UNFINISHED, FAILED, DONE };

/* What a completion means; an I/O that is not done goes on with the next batch. */
static enum settled settle(struct sl_job *job, uint32_t index, int32_t result)
{
    struct sl_slot *slot = &job->queue.slot[index];

    if (result == -EAGAIN || result == -EINTR) {
        job->result.retries++;
    } else if (result < 0 || (result == 0 && slot->io.length)) {
        count_error(job, slot, result < 0 ? -result : END_OF_FILE);
        return FAILED;
    } else if (slot->done + (uint32_t)result < slot->io.length) {
        slot->done += (uint32_t)result;
        job->result.short_ios++;
    } else {
        if (slot->io.direction == SL_SYNC && slot->io.sequence > job->result.durable)
            job->result.durable = slot->io.sequence;
        if (slot->io.direction == SL_READ && job->options->verify)
            judge_block(job, index);
        return DONE;
    }
    slot->issue_ticks = 0;
    job->list[job->listed++] = index;
    return UNFINISHED;
}

void sl_job_complete(struct sl_job *job, uint32_t count, uint64_t now)
{
    const int plain = !job->options->verify, syncs = job->waiting_ticks != NULL;
    const struct sl_completion *done = job->done;
    uint32_t free_count = job->free_count, *free = job->free;
    struct sl_slot *slots = job->queue.slot;
    struct sl_alike alike = {0};

    for (uint32_t at = 0; at < count; at++) {
        uint32_t index = done[at].slot;
        int32_t result = done[at].result;
        struct sl_slot *slot = &slots[index];
        enum settled settled = DONE;

        if (!plain || result <= 0 || (uint32_t)result + slot->done != slot->io.length)
            settled = settle(job, index, result);
        if (settled == UNFINISHED)
            continue;
        slot->io.sequence = 0;
        free[free_count++] = index;
        if (settled == FAILED)
            continue;
        if (syncs)
            sl_commit_note(job, slot, now);
        if (slot->start_ticks != alike.start_ticks || slot->issue_ticks != alike.issue_ticks ||
            slot->io.direction != alike.direction) {
            sl_job_record(job, alike, now);
            alike = (struct sl_alike){slot->start_ticks, slot->issue_ticks, 0, 0, slot->io.direction};
        }
        alike.ios++;
        alike.bytes += slot->io.length;
    }
    sl_job_record(job, alike, now);
    job->free_count = free_count;
    job->seen += count;
}

uint64_t sl_job_acknowledged(const struct sl_job *job)
{
    uint64_t through = job->generator.writes;

    for (uint32_t index = 0; index < job->queue.depth; index++) {
        const struct sl_slot *slot = &job->queue.slot[index];

        if (slot->io.sequence && slot->io.direction == SL_WRITE && slot->io.sequence <= through)
            through = slot->io.sequence - 1;
    }
    return through < job->failed_sequence ? through : job->failed_sequence - 1;
}
