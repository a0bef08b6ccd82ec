/* Preloaded behind bench/lab/preload.c: a timer of the host that goes unarmed now and then.
 *
 * That is what User-Mode Linux does to itself when it drops an alarm: nothing arms its timer again.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>

enum { FIRST = 100, EACH = 50 };

typedef int set_timer(timer_t, int, const struct itimerspec *, struct itimerspec *);

int timer_settime(timer_t timer, int flags, const struct itimerspec *given, struct itimerspec *before)
{
    static set_timer *next;
    static int armed;
    if (!next)
        *(void **)&next = dlsym(RTLD_NEXT, "timer_settime");
    int is_one_shot = !given->it_interval.tv_sec && !given->it_interval.tv_nsec;
    if (is_one_shot && (given->it_value.tv_sec || given->it_value.tv_nsec) && ++armed > FIRST && armed % EACH == 0)
        return 0;
    return next(timer, flags, given, before);
}
