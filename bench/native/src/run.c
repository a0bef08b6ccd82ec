/* The jobs of a run, a thread each: started together, watched, stopped, and left behind where one is stuck. */
#define _GNU_SOURCE

#include "stripelab.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define POLL_NS 20000000

struct worker {
    struct sl_run *run;
    struct sl_job job;
    struct sl_result result;
    int ended;
};

struct sl_run {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct sl_options options;
    uint32_t holders, ready, ended; /* under the lock, as are go and the workers' ended */
    int go, stop;                   /* stop is read by the jobs without the lock */
    struct worker *worker;
};

static void announce(struct sl_run *run, uint32_t *count)
{
    pthread_mutex_lock(&run->lock);
    (*count)++;
    pthread_cond_broadcast(&run->changed);
    pthread_mutex_unlock(&run->lock);
}

void sl_run_release(struct sl_run *run)
{
    pthread_mutex_lock(&run->lock);
    uint32_t left = --run->holders;

    pthread_mutex_unlock(&run->lock);
    if (left)
        return;
    for (uint32_t job = 0; run->worker && job < run->options.jobs; job++)
        sl_recorder_free(&run->worker[job].result.recorder);
    free(run->worker);
    sl_options_free(&run->options);
    pthread_cond_destroy(&run->changed);
    pthread_mutex_destroy(&run->lock);
    free(run);
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct sl_run *run = worker->run;
    int opened = sl_job_open(&worker->job);

    announce(run, &run->ready);
    pthread_mutex_lock(&run->lock);
    while (!run->go)
        pthread_cond_wait(&run->changed, &run->lock);
    pthread_mutex_unlock(&run->lock);
    if (opened == 0 && !__atomic_load_n(&run->stop, __ATOMIC_RELAXED))
        sl_job_drive(&worker->job);
    sl_job_close(&worker->job);
    pthread_mutex_lock(&run->lock);
    worker->ended = 1;
    pthread_mutex_unlock(&run->lock);
    announce(run, &run->ended);
    sl_run_release(run);
    return NULL;
}

/* Start one thread for each job, no signal delivered to any: Python's handlers belong to its main thread. */
static int start(struct sl_run *run, uint64_t grace_ns)
{
    sigset_t every, before;
    pthread_attr_t attributes;
    int status = 0;

    sigfillset(&every);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_sigmask(SIG_SETMASK, &every, &before);
    for (uint32_t index = 0; index < run->options.jobs && !status; index++) {
        struct worker *worker = &run->worker[index];
        pthread_t thread;

        *worker = (struct worker){.run = run, .job = {.options = &run->options, .clock = sl_clock_get(),
                                                      .stop = &run->stop, .grace_ns = grace_ns, .index = index}};
        worker->job.result = &worker->result;
        pthread_mutex_lock(&run->lock);
        run->holders++;
        pthread_mutex_unlock(&run->lock);
        status = pthread_create(&thread, &attributes, work, worker);
        if (status) {
            pthread_mutex_lock(&run->lock);
            run->holders--;
            run->ready += run->options.jobs - index; /* those that were not started need not be waited for */
            run->ended += run->options.jobs - index;
            pthread_mutex_unlock(&run->lock);
        }
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return status;
}

static void wait_a_little(struct sl_run *run, uint64_t ns)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)ns;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_cond_timedwait(&run->changed, &run->lock, &until);
}

/* Wait until `*count` jobs have come that far, asking every 20 ms whether to stop; then for the grace and no longer. */
static void await(struct sl_run *run, const uint32_t *count, uint32_t wanted, sl_poll poll, void *context,
                  struct sl_progress *progress, uint64_t grace_ns)
{
    uint64_t stopped_ns = __atomic_load_n(&run->stop, __ATOMIC_RELAXED) ? sl_clock_ns() : 0; /* earlier, or by a failure */

    pthread_mutex_lock(&run->lock);
    while (*count < wanted && !(stopped_ns && sl_clock_ns() - stopped_ns > grace_ns)) {
        wait_a_little(run, POLL_NS);
        pthread_mutex_unlock(&run->lock);
        for (uint32_t job = 0; job < run->options.jobs; job++) {
            const struct sl_result *result = &run->worker[job].result;

            progress[job].acked = __atomic_load_n(&result->acked, __ATOMIC_RELAXED);
            progress[job].durable = __atomic_load_n(&result->durable, __ATOMIC_RELAXED);
        }
        if (!stopped_ns && poll && poll(context, progress, run->options.jobs)) {
            __atomic_store_n(&run->stop, 1, __ATOMIC_RELAXED);
            stopped_ns = sl_clock_ns();
        }
        pthread_mutex_lock(&run->lock);
    }
    pthread_mutex_unlock(&run->lock);
}

static int any_failed(const struct sl_run *run)
{
    for (uint32_t job = 0; job < run->options.jobs; job++)
        if (run->worker[job].result.failed)
            return 1;
    return 0;
}

static struct sl_run *make_run(struct sl_options *options)
{
    struct sl_run *run = calloc(1, sizeof *run);
    pthread_condattr_t attributes;

    if (!run)
        return NULL;
    run->holders = 1;
    run->options = *options;
    *options = (struct sl_options){0};
    pthread_mutex_init(&run->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&run->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    run->worker = calloc(run->options.jobs, sizeof *run->worker);
    if (!run->worker) {
        sl_run_release(run);
        return NULL;
    }
    return run;
}

int sl_run(struct sl_options *options, sl_poll poll, void *context, uint64_t grace_ns, struct sl_run **out)
{
    struct sl_run *run = make_run(options);
    struct sl_progress *progress = run ? calloc(run->options.jobs, sizeof *progress) : NULL;
    int status = -ENOMEM;

    if (progress) {
        status = -start(run, grace_ns);
        await(run, &run->ready, run->options.jobs, poll, context, progress, grace_ns);
        pthread_mutex_lock(&run->lock);
        run->go = 1;
        if (status || any_failed(run))
            __atomic_store_n(&run->stop, 1, __ATOMIC_RELAXED);
        pthread_cond_broadcast(&run->changed);
        pthread_mutex_unlock(&run->lock);
        await(run, &run->ended, run->options.jobs, poll, context, progress, grace_ns);
    }
    free(progress);
    if (status) {
        if (run)
            sl_run_release(run);
        return status;
    }
    pthread_mutex_lock(&run->lock);
    for (uint32_t job = 0; job < run->options.jobs; job++)
        run->worker[job].result.abandoned = !run->worker[job].ended || run->worker[job].job.in_flight;
    pthread_mutex_unlock(&run->lock);
    *out = run;
    return 0;
}

const struct sl_result *sl_run_result(const struct sl_run *run, uint32_t job)
{
    return &run->worker[job].result;
}

uint32_t sl_run_jobs(const struct sl_run *run)
{
    return run->options.jobs;
}

int sl_run_stopped(const struct sl_run *run)
{
    return __atomic_load_n(&run->stop, __ATOMIC_RELAXED);
}
