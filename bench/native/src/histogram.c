/* The latency histogram of fio: which bucket counts a value. */
#include "stripelab.h"

#define PER_GROUP (UINT32_C(1) << SL_HISTOGRAM_BITS)

uint32_t sl_bucket_index(uint64_t value_ns)
{
    if (value_ns < 2 * PER_GROUP)
        return (uint32_t)value_ns;

    uint32_t dropped_bits = 63 - (uint32_t)__builtin_clzll(value_ns) - SL_HISTOGRAM_BITS;
    uint32_t offset = (uint32_t)(value_ns >> dropped_bits) & (PER_GROUP - 1);
    uint32_t index = ((dropped_bits + 1) << SL_HISTOGRAM_BITS) + offset;

    return index < SL_HISTOGRAM_BUCKETS ? index : SL_HISTOGRAM_BUCKETS - 1;
}
