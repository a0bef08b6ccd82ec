/* Fuzzes the histogram: every value has a bucket whose midpoint is in it and near, and seconds add up to the whole. */
#include "stripelab.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(uint64_t value)
{
    uint32_t index = sl_bucket_index(value);
    uint64_t midpoint, apart;

    if (index >= SL_HISTOGRAM_BUCKETS || (value && sl_bucket_index(value - 1) > index))
        abort();
    midpoint = sl_bucket_midpoint_ns(index);
    apart = midpoint > value ? midpoint - value : value - midpoint;
    if (sl_bucket_index(midpoint) != index || (index < SL_HISTOGRAM_BUCKETS - 1 && apart > value / 128 + 1))
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
        sl_record(recorder, SL_WRITE, value, 1, 1);
        if (value % 3 == 0 && sl_recorder_roll(recorder, ++second) < 0)
            abort();
    }
    if (sl_recorder_roll(recorder, second + 1) < 0)
        abort();
    for (uint32_t bucket = 0; bucket < SL_HISTOGRAM_BUCKETS; bucket++)
        counted += recorder->lat[SL_WRITE].buckets[bucket];
    if (counted != count || recorder->ios[SL_WRITE] != count || recorder->lat[SL_WRITE].samples != count)
        abort();
    sl_recorder_free(recorder);
    free(recorder);
    return 0;
}
