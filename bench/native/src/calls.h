/* System calls made inline, so that who makes one returns from nothing that was entered before the kernel.
 *
 * Where the kernel makes each of its own returns mispredict (Linux, admin-guide/hw-vuln/srso.rst, "Safe RET"), the first
 * return after it to a frame from before it goes astray too: 50 ns of a call that does nothing, 200 ns of a direct read on
 * AMD Zen 3, a quarter of it.  libc's pread(2) is such a frame, and looks for cancellation besides. */
#ifndef STRIPELAB_CALLS_H
#define STRIPELAB_CALLS_H

#include "stripelab.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What it returns, or -errno. */
static inline __attribute__((always_inline)) long sl_call(long number, const long argument[6])
{
#if defined(__x86_64__) && defined(__LP64__)
    register long fourth __asm__("r10") = argument[3], fifth __asm__("r8") = argument[4], sixth __asm__("r9") = argument[5];
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(argument[0]), "S"(argument[1]), "d"(argument[2]), "r"(fourth), "r"(fifth), "r"(sixth)
                     : "rcx", "r11", "memory");
    return result;
#else
    long result = syscall(number, argument[0], argument[1], argument[2], argument[3], argument[4], argument[5]);

    return result < 0 ? -errno : result;
#endif
}

/* pread(2), pwrite(2), fsync(2) or fdatasync(2) for the I/O in the slot: bytes or -errno. */
static inline __attribute__((always_inline)) int32_t sl_do_now(const struct sl_queue *queue, uint32_t index)
{
    const struct sl_slot *slot = &queue->slot[index];
    long number = slot->io.direction == SL_READ ? SYS_pread64 : SYS_pwrite64;

    if (slot->io.direction == SL_SYNC)
        number = queue->datasync ? SYS_fdatasync : SYS_fsync;
    return (int32_t)sl_call(number, (const long[]){queue->fd[slot->io.file], (long)(uintptr_t)sl_slot_buffer(queue, index),
                                                   (long)(slot->io.length - slot->done),
                                                   (long)(slot->io.offset + slot->done), 0, 0});
}

#endif
