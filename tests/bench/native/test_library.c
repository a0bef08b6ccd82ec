/* The C library on its own, without Python: built with sanitizers and run by test_c_library.py. */
#include "stripelab.h"
#include "testing.h"

#include <inttypes.h>
#include <stdio.h>

static int failures;

void expect(const char *what, uint64_t got, uint64_t wanted)
{
    if (got == wanted)
        return;
    printf("%s: got %" PRIu64 ", wanted %" PRIu64 "\n", what, got, wanted);
    failures++;
}

static void test_exact_below_128(void)
{
    for (uint64_t value = 0; value < 128; value++)
        expect("index of a small value", sl_bucket_index(value), value);
}

/* The first and the last value of each bucket fall into it, and buckets leave no gap. */
static void test_bounds_of_every_bucket(void)
{
    for (uint32_t index = 128; index < SL_HISTOGRAM_BUCKETS; index++) {
        uint32_t shift = (index >> 6) - 1;
        uint64_t first = (uint64_t)(64 + (index & 63)) << shift;
        uint64_t last = first + (UINT64_C(1) << shift) - 1;

        expect("index of a bucket's first value", sl_bucket_index(first), index);
        expect("index of a bucket's last value", sl_bucket_index(last), index);
        expect("index below a bucket", sl_bucket_index(first - 1), index - 1);
    }
}

static void test_last_bucket_takes_the_rest(void)
{
    expect("index of the largest value", sl_bucket_index(UINT64_MAX), SL_HISTOGRAM_BUCKETS - 1);
    expect("index of 2^40", sl_bucket_index(UINT64_C(1) << 40), SL_HISTOGRAM_BUCKETS - 1);
}

static void test_clock_never_goes_back(void)
{
    uint64_t before = sl_clock_ns();

    for (int reading = 0; reading < 100000; reading++) {
        uint64_t now = sl_clock_ns();

        expect("clock goes forward", now >= before, 1);
        before = now;
    }
    expect("clock runs", before > 0, 1);
}

int main(void)
{
    test_exact_below_128();
    test_bounds_of_every_bucket();
    test_last_bucket_takes_the_rest();
    test_clock_never_goes_back();
    test_workloads();
    printf("%s\n", failures ? "failed" : "ok");
    return failures != 0;
}
