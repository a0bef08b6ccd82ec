/* Threads of one process that each hold patterns in their widest vector registers while others run.
 * Exit status 1 where a register changed; the first argument is the rounds a thread makes.
 */
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 4, BYTES = 64 };

static long rounds;

static int held_256(const unsigned char *pattern)
{
    _Alignas(64) unsigned char now[BYTES] = {0};
    __asm__ volatile("vmovdqu (%0), %%ymm7" : : "r"(pattern) : "xmm7");
    for (volatile int spin = 0; spin < 20000; spin++)
        ;
    sched_yield();
    __asm__ volatile("vmovdqu %%ymm7, (%0)" : : "r"(now) : "memory");
    return memcmp(now, pattern, 32) == 0;
}

__attribute__((target("avx512f"))) static int held_512(const unsigned char *pattern)
{
    _Alignas(64) unsigned char now[BYTES];
    __asm__ volatile("vmovdqu64 (%0), %%zmm20" : : "r"(pattern) : "xmm20");
    for (volatile int spin = 0; spin < 20000; spin++)
        ;
    sched_yield();
    __asm__ volatile("vmovdqu64 %%zmm20, (%0)" : : "r"(now) : "memory");
    return memcmp(now, pattern, BYTES) == 0;
}

static void *hold(void *argument)
{
    unsigned char pattern[BYTES];
    memset(pattern, 17 * (int)(intptr_t)argument + 3, sizeof pattern);
    const int wide = __builtin_cpu_supports("avx512f"), some = __builtin_cpu_supports("avx2");
    for (long round = 0; round < rounds; round++)
        if ((some && !held_256(pattern)) || (wide && !held_512(pattern)))
            return "changed";
    return NULL;
}

int main(int count, char **words)
{
    rounds = count > 1 ? atol(words[1]) : 1;
    pthread_t threads[THREADS];
    int changed = 0;
    for (intptr_t number = 0; number < THREADS; number++)
        if (pthread_create(&threads[number], NULL, hold, (void *)number))
            return 2;
    for (int number = 0; number < THREADS; number++) {
        void *result;
        pthread_join(threads[number], &result);
        changed += result != NULL;
    }
    printf("%d of %d threads lost a register\n", changed, THREADS);
    return changed != 0;
}
