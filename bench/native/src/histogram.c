#include "stripelab.h"

#define PER_GROUP (UINT32_C(1) << SL_HISTOGRAM_BITS)

uint32_t sl_bucket_index(uint64_t value_ns)
{
    if (value_ns < 2 * PER_GROUP)
        return (uint32_t)value_ns;

    uint32_t msb = 63 - (uint32_t)__builtin_clzll(value_ns);
    uint32_t dropped_bits = msb - SL_HISTOGRAM_BITS;
    uint32_t offset = (uint32_t)(value_ns >> dropped_bits) & (PER_GROUP - 1);
    uint32_t index = ((dropped_bits + 1) << SL_HISTOGRAM_BITS) + offset;

    return index < SL_HISTOGRAM_BUCKETS ? index : SL_HISTOGRAM_BUCKETS - 1;
}

uint64_t sl_bucket_midpoint_ns(uint32_t index)
{
    if (index < 2 * PER_GROUP)
        return index;

    uint32_t dropped_bits = (index >> SL_HISTOGRAM_BITS) - 1;
    uint64_t lower = (uint64_t)(PER_GROUP + (index & (PER_GROUP - 1))) << dropped_bits;

    return lower + (UINT64_C(1) << (dropped_bits - 1));
}
