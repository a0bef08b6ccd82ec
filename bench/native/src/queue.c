/* One I/O at a time by the plain system calls, and the queue that does nothing: the floor of what a job costs. */
#include "calls.h"

static int psync_exchange(struct sl_queue *queue, const uint32_t *slots, uint32_t count, uint32_t wait,
                          uint64_t timeout_ns, struct sl_completion *out)
{
    (void)wait;
    (void)timeout_ns;
    for (uint32_t index = 0; index < count; index++)
        out[index] = (struct sl_completion){slots[index], sl_do_now(queue, slots[index])};
    return (int)count;
}

static int null_exchange(struct sl_queue *queue, const uint32_t *slots, uint32_t count, uint32_t wait,
                         uint64_t timeout_ns, struct sl_completion *out)
{
    (void)wait;
    (void)timeout_ns;
    for (uint32_t index = 0; index < count; index++) {
        const struct sl_slot *slot = &queue->slot[slots[index]];

        out[index] = (struct sl_completion){slots[index], (int32_t)(slot->io.length - slot->done)};
    }
    return (int)count;
}

const struct sl_queue_kind sl_psync = {"psync", NULL, NULL, psync_exchange, NULL, NULL};
const struct sl_queue_kind sl_null = {"null", NULL, NULL, null_exchange, NULL, NULL};
