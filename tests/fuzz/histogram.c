/* Fuzzes the histogram: every value lies within the bounds of its bucket, and seconds add up to the whole. */
#include "stripelab.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The bounds by which fio defines a bucket (the table above plat_val_to_idx() in its stat.c). */
static void check(uint64_t value)
{
    uint32_t index = sl_bucket_index(value), shift = index < 128 ? 0 : (index >> 6) - 1;
    uint64_t first = index < 128 ? index : (uint64_t)(64 + (index & 63)) << shift;

    if (index >= SL_HISTOGRAM_BUCKETS || value < first ||
        (index < SL_HISTOGRAM_BUCKETS - 1 && value - first >= UINT64_C(1) << shift))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sl_recorder *recorder = calloc(1, sizeof *recorder);
    uint64_t value, count = 0, counted = 0;
    uint32_t second = 0;

    if (!recorder)
        return 0;
    sl_recorder_reset(recorder);
    for (size_t at = 0; at + sizeof value <= size; at += sizeof value, count++) {
        memcpy(&value, data + at, sizeof value);
        check(value);
        recorder->now_bytes[SL_WRITE]++;
        sl_record(&recorder->now[SL_WRITE], value, 1);
        if (value % 3 == 0 && sl_recorder_roll(recorder, ++second) < 0)
            abort();
    }
    if (sl_recorder_roll(recorder, second + 1) < 0)
        abort();
    for (uint32_t bucket = 0; bucket < SL_HISTOGRAM_BUCKETS; bucket++)
        counted += recorder->lat[SL_WRITE].buckets[bucket];
    if (counted != count || recorder->ios[SL_WRITE] != count || recorder->bytes[SL_WRITE] != count || recorder->lat[SL_WRITE].samples != count)
        abort();
    sl_recorder_free(recorder);
    free(recorder);
    return 0;
}
