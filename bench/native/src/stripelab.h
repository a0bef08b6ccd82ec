/* The C library of stripelab: it measures and counts, Python decides.
 *
 * Nothing here knows of Python; binding.c is the only file that does.  No call allocates, locks or
 * fails for any reason but an argument out of range, which the caller checks.
 */
#ifndef STRIPELAB_H
#define STRIPELAB_H

#include <stdint.h>

/* Latency histogram of fio (stat.h, FIO_IO_U_PLAT_BITS and FIO_IO_U_PLAT_GROUP_NR): log-linear,
 * 29 groups of 2^6 buckets, exact below 128 ns, relative width at most 1/64 above. */
#define SL_HISTOGRAM_BITS 6
#define SL_HISTOGRAM_GROUPS 29
#define SL_HISTOGRAM_BUCKETS (SL_HISTOGRAM_GROUPS << SL_HISTOGRAM_BITS)

/* Monotonic clock (clock_gettime(2), CLOCK_MONOTONIC), nanoseconds. */
uint64_t sl_clock_ns(void);

/* Bucket that counts the value; the last bucket takes everything above its lower bound. */
uint32_t sl_bucket_index(uint64_t value_ns);

/* Value that stands for a bucket: its midpoint.  index < SL_HISTOGRAM_BUCKETS. */
uint64_t sl_bucket_midpoint_ns(uint32_t index);

#endif
