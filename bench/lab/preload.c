/* Preloaded into User-Mode Linux: works around two faults of its kernels up to 6.10.
 *
 * 1. Extended state.  The vector registers of its processes lie in buffers of a fixed size, 2,696 bytes: room
 *    for AVX-512, not for AMX.  Linux reads a register set of any length, but since it writes only a whole one,
 *    PTRACE_SETREGSET fails with EFAULT on a CPU with AMX, and the first process of the guest is killed.  Here
 *    the missing end is supplied, as components in their initial state.  Nothing is lost by that: a process
 *    must ask Linux for AMX with arch_prctl(2), and User-Mode Linux has no such call.
 *    Layout of the XSAVE area: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 1, 13.4.
 *
 * 2. Lost alarms.  The guest's clock is a one-shot timer of the host, which each alarm arms again.  An alarm
 *    that arrives while the one before is still handled, with interrupts off, is dropped (arch/um/os-Linux/
 *    signal.c, unblock_signals: "Do not reenter the handler").  Nothing arms the timer then, and no sleep and
 *    no time-out of the guest ever ends.  A busy host makes it likely.  Here a second, periodic timer sends the
 *    same signal as long as the first is in use; an alarm with nothing due only looks at the clock.
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { MOST_BYTES = 1 << 16, COMPONENTS_AT = 512, FIRST_EXTENDED = 2, COMPONENTS = 63, XSAVE_LEAF = 0xD };
enum { BEAT_NS = 100 * 1000 * 1000 };

typedef int set_timer(timer_t, int, const struct itimerspec *, struct itimerspec *);

/* Not on the stack: those of User-Mode Linux are small, and one thread alone traces. */
static _Alignas(64) unsigned char area[MOST_BYTES];
static size_t whole_bytes;

/* The bytes of a whole register set on this host; 0 where it cannot be read. */
static size_t whole_set(pid_t pid)
{
    if (!whole_bytes) {
        struct iovec set = {area, sizeof area};
        if (syscall(SYS_ptrace, PTRACE_GETREGSET, pid, NT_X86_XSTATE, &set) == 0)
            whole_bytes = set.iov_len;
    }
    return whole_bytes;
}

/* The components, as bits, that do not lie within the first `bytes`. */
static uint64_t components_beyond(size_t bytes)
{
    uint64_t beyond = 0;
    for (unsigned component = FIRST_EXTENDED; component < COMPONENTS; component++) {
        unsigned size, offset, c, d;
        if (__get_cpuid_count(XSAVE_LEAF, component, &size, &offset, &c, &d) && size && (size_t)offset + size > bytes)
            beyond |= UINT64_C(1) << component;
    }
    return beyond;
}

static long set_whole(pid_t pid, const struct iovec *given)
{
    static uint64_t beyond;
    if (!beyond)
        beyond = components_beyond(given->iov_len);
    memcpy(area, given->iov_base, given->iov_len);
    memset(area + given->iov_len, 0, whole_bytes - given->iov_len);
    uint64_t present;
    memcpy(&present, area + COMPONENTS_AT, sizeof present);
    present &= ~beyond;
    memcpy(area + COMPONENTS_AT, &present, sizeof present);
    struct iovec set = {area, whole_bytes};
    return syscall(SYS_ptrace, PTRACE_SETREGSET, pid, NT_X86_XSTATE, &set);
}

long ptrace(enum __ptrace_request request, ...)
{
    va_list rest;
    va_start(rest, request);
    pid_t pid = va_arg(rest, pid_t);
    void *address = va_arg(rest, void *);
    void *data = va_arg(rest, void *);
    va_end(rest);

    if (request == PTRACE_SETREGSET && (uintptr_t)address == NT_X86_XSTATE) {
        const struct iovec *given = data;
        if (given->iov_len > COMPONENTS_AT + sizeof(uint64_t) && given->iov_len < whole_set(pid))
            return set_whole(pid, given);
    }
    if (request != PTRACE_PEEKTEXT && request != PTRACE_PEEKDATA && request != PTRACE_PEEKUSER)
        return syscall(SYS_ptrace, request, pid, address, data);
    /* The system call stores the word; the library returns it (ptrace(2), C library/kernel differences). */
    long word;
    if (syscall(SYS_ptrace, request, pid, address, &word) < 0)
        return -1;
    errno = 0;
    return word;
}

/* Start or stop the periodic alarm; without a timer the guest runs as it would without this library. */
static void beat(set_timer *set, int on)
{
    static timer_t timer;
    static int there, beating;
    if (on == beating)
        return;
    struct sigevent alarm = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
    if (!there && timer_create(CLOCK_MONOTONIC, &alarm, &timer) < 0)
        return;
    there = 1;
    struct timespec every = {.tv_nsec = on ? BEAT_NS : 0};
    struct itimerspec period = {every, every};
    if (set(timer, 0, &period, NULL) == 0)
        beating = on;
}

int timer_settime(timer_t timer, int flags, const struct itimerspec *given, struct itimerspec *before)
{
    static set_timer *next;
    if (!next)
        *(void **)&next = dlsym(RTLD_NEXT, "timer_settime");
    int done = next(timer, flags, given, before);
    int kept_errno = errno;
    beat(next, given->it_value.tv_sec || given->it_value.tv_nsec);
    errno = kept_errno;
    return done;
}
