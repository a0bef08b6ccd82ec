/* The monotonic clock: the CPU's counter where the kernel itself keeps time by it, else clock_gettime(2). */
#define _GNU_SOURCE

#include "stripelab.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static struct sl_clock machine;
static pthread_once_t once = PTHREAD_ONCE_INIT;

uint64_t sl_clock_ns(void)
{
    struct timespec now;

    /* Fails only for a clock that does not exist, and Linux always has this one. */
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

/* Whether the kernel found the counter fit to keep time: invariant, and the same on every CPU. */
static int kernel_trusts_tsc(void)
{
    char name[32] = "";
    FILE *file = fopen("/sys/devices/system/clocksource/clocksource0/current_clocksource", "re");

    if (!file)
        return 0;
    if (!fgets(name, sizeof name, file))
        name[0] = '\0';
    fclose(file);
    return strcmp(name, "tsc\n") == 0;
}

/* One moment by both clocks: of several tries the one that took the least time, so that nothing came between. */
static void moment(const struct sl_clock *clock, uint64_t *ticks, uint64_t *ns)
{
    uint64_t least = UINT64_MAX;

    for (int attempt = 0; attempt < 16; attempt++) {
        uint64_t before = sl_ticks(clock), now = sl_clock_ns(), after = sl_ticks(clock);

        if (after - before < least) {
            least = after - before;
            *ticks = before + (after - before) / 2;
            *ns = now;
        }
    }
}

static void calibrate(void)
{
    const struct timespec pause = {.tv_nsec = 5000000};
    uint64_t ticks, ns, started;

    machine.ns_per_tick = UINT64_C(1) << 32;
#if defined(__x86_64__)
    machine.tsc = kernel_trusts_tsc();
#endif
    moment(&machine, &machine.base_ticks, &machine.base_ns);
    if (machine.tsc) {
        nanosleep(&pause, NULL);
        moment(&machine, &ticks, &ns);
        machine.ns_per_tick = ((ns - machine.base_ns) << 32) / (ticks - machine.base_ticks);
    }
    started = sl_clock_ns();
    for (int reading = 0; reading < 1000; reading++)
        (void)sl_ticks(&machine);
    machine.read_ns = (sl_clock_ns() - started) / 1000;
}

const struct sl_clock *sl_clock_get(void)
{
    pthread_once(&once, calibrate);
    return &machine;
}

double sl_clock_drift_ppm(const struct sl_clock *clock)
{
    uint64_t ticks = 0, ns = 0;

    moment(clock, &ticks, &ns);
    double by_ticks = (double)sl_ticks_to_ns(clock, ticks - clock->base_ticks);
    double by_kernel = (double)(ns - clock->base_ns);

    return by_kernel > 0 ? (by_ticks / by_kernel - 1) * 1e6 : 0;
}
