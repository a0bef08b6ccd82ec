/* The C library of stripelab: it measures and counts, Python decides.
 *
 * Nothing here knows of Python; binding.c is the only file that does.  Times are nanoseconds unless a name
 * says ticks; offsets and lengths are bytes.  docs/native-engine.md says what each option means.
 */
#ifndef STRIPELAB_H
#define STRIPELAB_H

#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

/* ---- histogram.c: the latency histogram of fio ------------------------------------------------------ */

/* stat.h of fio, FIO_IO_U_PLAT_BITS and FIO_IO_U_PLAT_GROUP_NR: log-linear, 29 groups of 2^6 buckets, exact
 * below 128 ns, relative width at most 1/64 above. */
#define SL_HISTOGRAM_BITS 6
#define SL_HISTOGRAM_GROUPS 29
#define SL_HISTOGRAM_BUCKETS (SL_HISTOGRAM_GROUPS << SL_HISTOGRAM_BITS)

/* Bucket that counts the value; the last bucket takes everything above its lower bound. */
static inline uint32_t sl_bucket_index(uint64_t value_ns)
{
    if (value_ns < 2 << SL_HISTOGRAM_BITS)
        return (uint32_t)value_ns;

    uint32_t dropped_bits = 63 - (uint32_t)__builtin_clzll(value_ns) - SL_HISTOGRAM_BITS;
    uint32_t index = (dropped_bits << SL_HISTOGRAM_BITS) + (uint32_t)(value_ns >> dropped_bits);

    return index < SL_HISTOGRAM_BUCKETS ? index : SL_HISTOGRAM_BUCKETS - 1;
}

/* ---- clock.c: the monotonic clock, read from the CPU's counter where the kernel does so too ---------- */

struct sl_clock {
    int tsc;                /* ticks are the time-stamp counter's, else nanoseconds of clock_gettime(2) */
    uint64_t ns_per_tick;   /* fixed point, 32 bits of fraction */
    uint64_t read_ns;       /* what one reading costs */
    uint64_t base_ticks, base_ns; /* one moment by both clocks: the drift is measured against it */
};

/* CLOCK_MONOTONIC. */
uint64_t sl_clock_ns(void);

/* The clock of this machine, calibrated at the first call (5 ms); may be called by any thread. */
const struct sl_clock *sl_clock_get(void);

/* How far the ticks have run away from CLOCK_MONOTONIC since the calibration, parts per million. */
double sl_clock_drift_ppm(const struct sl_clock *clock);

static inline uint64_t sl_ticks(const struct sl_clock *clock)
{
#if defined(__x86_64__)
    if (clock->tsc)
        return __builtin_ia32_rdtsc();
#endif
    (void)clock;
    return sl_clock_ns();
}

static inline uint64_t sl_ticks_to_ns(const struct sl_clock *clock, uint64_t ticks)
{
    return (uint64_t)(((unsigned __int128)ticks * clock->ns_per_tick) >> 32);
}

static inline uint64_t sl_ns_to_ticks(const struct sl_clock *clock, uint64_t ns)
{
    return (uint64_t)(((unsigned __int128)ns << 32) / clock->ns_per_tick);
}

/* ---- options.c: what to run, read from text --------------------------------------------------------- */

enum sl_direction { SL_READ, SL_WRITE, SL_SYNC, SL_COMMIT, SL_DIRECTIONS }; /* commit: counted, never issued; record.h */
enum sl_ioengine { SL_AUTO, SL_URING, SL_LIBAIO, SL_PSYNC, SL_NULL, SL_NOP };
enum sl_distribution { SL_UNIFORM, SL_ZIPF, SL_PARETO };

#define SL_SPLITS 16 /* block sizes of a bssplit */
#define SL_LARGEST_BS (UINT64_C(1) << 30)
#define SL_JOBS 1024
#define SL_DEPTH 4096
#define SL_SECTOR 512 /* unit of the verify pattern and of compressible contents */

struct sl_split {
    uint64_t count; /* entries in use */
    uint32_t bytes[SL_SPLITS];
    uint32_t below[SL_SPLITS]; /* chosen where a draw of 32 bits is at most this: cumulative share */
    uint32_t smallest, largest;
};

struct sl_file { /* the part of a file that a job works on */
    uint64_t offset, size;
};

struct sl_job_options {
    uint32_t files;
    struct sl_file *file;
};

struct sl_options {
    uint64_t ioengine, random, reads, writes; /* enum sl_ioengine; the rest are flags */
    uint64_t iodepth, batch_submit, batch_complete; /* 0: the engine picks */
    uint64_t rwmixread_pct, io_size, runtime_ns, ramp_ns, time_based;
    uint64_t seed, random_map, distribution, theta_ppm;
    uint64_t fsync_every, fdatasync_every, direct, exclusive, record, slat_every, compress_pct, huge_pages;
    uint64_t verify, verify_random, verify_writes;
    uint64_t rate_iops, poisson, go_on; /* go_on: count an error and continue */
    struct sl_split split[2];  /* block sizes of reads and writes */
    uint32_t jobs;
    struct sl_job_options job[SL_JOBS];
    struct sl_file *file; /* of all jobs, one after the other */
};

/* Read options: lines of key=number, then of each job "job", cpu= and file=.  0, or -1 where they make no sense; either
 * way sl_options_free() is due. */
int sl_options_parse(const char *text, size_t length, struct sl_options *out);
void sl_options_free(struct sl_options *options);

/* The largest block of both directions. */
static inline uint64_t sl_largest(const struct sl_options *options)
{
    const struct sl_split *reads = &options->split[SL_READ], *writes = &options->split[SL_WRITE];

    return reads->largest > writes->largest ? reads->largest : writes->largest;
}

/* ---- generator.c: which I/O comes next -------------------------------------------------------------- */

struct sl_request {
    uint64_t offset;
    uint64_t sequence; /* of a write: 1 for the first of the job; of a sync: the last write before it */
    uint32_t length, file, direction, unused;
};

struct sl_place { /* where a file's generator stands */
    uint64_t blocks, position[2], key; /* position: of reads and writes, or of the random map in [0] */
    double zipf_span;
};

struct sl_generator {
    const struct sl_options *options;
    const struct sl_job_options *job;
    uint64_t offsets, mix; /* states of the two random streams */
    uint64_t writes, since_sync;
    uint32_t file, last_written, unit;
    uint32_t plain, plain_direction;
    uint64_t plain_offset, plain_blocks;
    double theta, zipf_start, zipf_cut;
    struct sl_place *place;
};

int sl_generator_init(struct sl_generator *generator, const struct sl_options *options, uint32_t job); /* or -ENOMEM */
void sl_generator_free(struct sl_generator *generator);
void sl_generator_draw(struct sl_generator *generator, struct sl_request *request);

/* splitmix64 (Steele, Lea and Flood, OOPSLA 2014): one addition and three mixing steps. */
static inline uint64_t sl_random(uint64_t *state)
{
    uint64_t value = *state += UINT64_C(0x9E3779B97F4A7C15);

    value = (value ^ (value >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94D049BB133111EB);
    return value ^ (value >> 31);
}

/* Uniform in 0 … count - 1 (Lemire, ACM TOMACS 29, 2019, without the rejection: the bias is below count / 2^64). */
static inline uint64_t sl_random_below(uint64_t *state, uint64_t count)
{
    return (uint64_t)(((unsigned __int128)sl_random(state) * count) >> 64);
}

/* The next I/O.  The commonest workload, uniform over one file in one direction, takes the short way; both draw alike. */
static inline void sl_generator_next(struct sl_generator *restrict generator, struct sl_request *restrict request)
{
    if (!generator->plain) {
        sl_generator_draw(generator, request);
        return;
    }
    request->offset = generator->plain_offset +
                      sl_random_below(&generator->offsets, generator->plain_blocks) * generator->unit;
    request->sequence = generator->plain_direction == SL_WRITE ? ++generator->writes : 0;
    request->length = generator->unit;
    request->file = 0;
    request->direction = generator->plain_direction;
}

/* A permutation of 0 … count - 1 chosen by key. */
uint64_t sl_permute(uint64_t index, uint64_t count, uint64_t key);

/* ---- contents.c: what is written, and what is found ------------------------------------------------- */

enum sl_finding { SL_WHOLE, SL_UNWRITTEN, SL_LOST, SL_TORN, SL_MISPLACED, SL_CORRUPT, SL_FINDINGS };

/* Fill a buffer that will be written: random, the share compress_pct of each sector zeros. */
void sl_contents_fill(unsigned char *buffer, size_t length, uint64_t seed, uint64_t compress_pct);
/* Make each block of 4 KiB differ from what was written before. */
void sl_contents_touch(unsigned char *buffer, size_t length, uint64_t offset, uint64_t sequence);
/* Write the verify header into every sector: offset, generation, checksum. */
void sl_pattern_write(unsigned char *buffer, size_t length, uint64_t offset, uint64_t generation);
/* Judge a block of which at least the write `expected` must be there (0: nothing is known). */
enum sl_finding sl_pattern_check(const unsigned char *buffer, size_t length, uint64_t offset, uint64_t expected);
uint32_t sl_crc32(const unsigned char *data, size_t length); /* ISO 3309, as zlib's */

/* ---- recorder.c: what is counted -------------------------------------------------------------------- */

struct sl_latency { /* of one kind and direction */
    uint64_t samples, min_ns, max_ns, sum_ns;
    unsigned __int128 sum_square_ns;
    uint64_t buckets[SL_HISTOGRAM_BUCKETS];
};

struct sl_recorder {
    uint64_t ios[SL_DIRECTIONS], bytes[SL_DIRECTIONS], now_bytes[SL_DIRECTIONS];
    struct sl_latency lat[SL_DIRECTIONS], slat[SL_DIRECTIONS], clat[SL_DIRECTIONS];
    struct sl_latency now[SL_DIRECTIONS]; /* of the second that runs: folded into lat at its end */
    uint32_t second;
    uint32_t *series; /* closed seconds, see docs/native-engine.md */
    size_t series_words, series_room;
};

/* So many I/Os took so long. */
static inline void sl_record(struct sl_latency *latency, uint64_t value_ns, uint64_t ios)
{
    latency->samples += ios;
    latency->sum_ns += value_ns * ios;
    latency->sum_square_ns += (unsigned __int128)value_ns * value_ns * ios;
    latency->min_ns = value_ns < latency->min_ns ? value_ns : latency->min_ns;
    latency->max_ns = value_ns > latency->max_ns ? value_ns : latency->max_ns;
    latency->buckets[sl_bucket_index(value_ns)] += ios;
}

void sl_recorder_reset(struct sl_recorder *recorder);
void sl_recorder_free(struct sl_recorder *recorder);
/* End the seconds before `second`.  0, or -ENOMEM: the series is short, the sums are whole. */
int sl_recorder_roll(struct sl_recorder *recorder, uint32_t second);

/* ---- queue.c, uring.c, libaio.c: handing I/O to the kernel ------------------------------------------ */

struct sl_slot { /* an I/O in flight; one to a cache line */
    struct sl_request io; /* written in place by the generator; io.sequence is 0 in a slot that is free */
    uint64_t start_ticks, issue_ticks; /* issue: 0 unless this one was looked at on its way */
    uint32_t done; /* bytes that short I/Os have moved */
    uint32_t turn; /* which of the slot's buffers it uses */
    uint64_t commit_ticks; /* of a sync: when the earliest write that it covers was begun (record.h) */
};

struct sl_completion {
    uint32_t slot;
    int32_t result; /* bytes, or -errno */
};

struct sl_queue {
    const struct sl_queue_kind *kind;
    struct sl_slot *slot;
    unsigned char *buffer;
    size_t stride; /* from a buffer to the next */
    uint32_t turns; /* buffers of a slot: neighbouring writes must not be alike, or compression finds repeats */
    const int *fd;
    uint32_t files, depth;
    int datasync; /* syncs are fdatasync(2) */
    char detail[96]; /* what of the kernel's offers is in use */
    void *state;
};

struct sl_call { /* a system call, as sl_call() of calls.h takes it */
    long number, argument[6];
};

struct sl_queue_kind {
    const char *name;
    int (*open)(struct sl_queue *queue); /* 0 or -errno; NULL, as close: there is nothing to do */
    void (*close)(struct sl_queue *queue);
    /* Hand over the slots, wait for `wait` completions or `timeout_ns` (0: hand over and look only), take what has
     * completed, at most `depth`.  Returns how many, or -errno where nothing was handed over. */
    int (*exchange)(struct sl_queue *queue, const uint32_t *slots, uint32_t count, uint32_t wait, uint64_t timeout_ns,
                    struct sl_completion *out);
    /* Or, where that is one system call, what comes before it and after it: who drives the job makes the call. */
    void (*prepare)(struct sl_queue *queue, const uint32_t *slots, uint32_t count, uint32_t wait, uint64_t timeout_ns,
                    struct sl_call *call);
    int (*finish)(struct sl_queue *queue, long result, struct sl_completion *out);
};

extern const struct sl_queue_kind sl_uring, sl_libaio, sl_psync, sl_null, sl_nop;

static inline unsigned char *sl_slot_buffer(const struct sl_queue *queue, uint32_t slot) /* after what is done of it */
{
    size_t buffer = (size_t)slot * queue->turns + queue->slot[slot].turn;

    return queue->buffer + buffer * queue->stride + queue->slot[slot].done;
}

/* ---- job.c: one job, from its first I/O to its last -------------------------------------------------- */

#define SL_ERRORS 16
#define SL_FIRST 4

struct sl_error { /* one errno of one direction */
    int code;
    uint32_t direction;
    uint64_t count, first_offset[SL_FIRST];
};

struct sl_result { /* of one job */
    int failed;       /* errno of what ended the job, or 0 */
    char where[96];   /* the step that failed */
    char detail[128]; /* what of the kernel's offers is in use */
    const char *ioengine;
    uint32_t iodepth, batch_submit, batch_complete;  /* in use; batch_complete 0: all that is in flight */
    uint64_t looked_at, completed_inline; /* submissions looked at, and those that were complete at once */
    uint64_t tune_ns, runtime_ns, cpu_user_ns, cpu_system_ns, switches;
    uint64_t short_ios, retries, late, late_max_ns; /* late: started over 100 us behind the schedule of an open loop */
    uint64_t missed; /* arrivals of an open loop that were due but not started when the job ended */
    uint64_t clock_back; /* latencies that the clock made negative: counted as 0 */
    uint64_t sequence, acked, durable; /* writes issued, acknowledged without a gap, synced without a gap */
    uint64_t findings[SL_FINDINGS], first_finding[SL_FINDINGS];
    uint32_t errors;
    int series_short;
    struct sl_error error[SL_ERRORS];
    struct sl_recorder recorder;
};

struct sl_job {
    const struct sl_options *options; /* set by who opens the job, as are the next three and queue.fd */
    uint32_t index;
    int nowait; /* I/O that may not block works on its first file: io_uring need not hand it to threads */
    uint64_t grace_ns; /* how long a job that was stopped is waited for; it waits half of that for its I/O */
    int stop; /* anything but 0, set by any thread: end at once */
    const struct sl_job_options *own;
    const struct sl_clock *clock;
    struct sl_generator generator;
    struct sl_queue queue;
    struct sl_completion *done;
    uint32_t *free, *list; /* slots that are free, last in first out; slots to hand over next */
    uint32_t free_count, listed, in_flight;
    uint32_t submit, complete; /* batches in use: hand over at most so many, wait for so many */
    int all, quarter;          /* wait for all in flight; else by quarters of the depth, or for one */
    uint32_t until_look, inline_streak, slice;
    uint64_t slice_ios[2], slice_ticks[2], slice_began, seen;
    uint64_t issued_bytes, quota_bytes, limit_bytes;
    uint64_t mark, begin, end, next_arrival, origin; /* ticks; mark: when something other than I/O is due */
    double interval; /* ticks between the arrivals of an open loop */
    uint64_t arrivals, arrivals_state, failed_sequence;
    unsigned char *memory; /* holds the buffers */
    size_t memory_size;
    uint64_t **expected; /* by file and block: the write that must be there */
    uint64_t *waiting_ticks; /* by file: start of the earliest write that waits for a sync; NULL: nothing syncs */
    int phase, stopping;
    struct rusage before; /* what the thread had used when measuring began */
    struct sl_result result;
};

/* batches.c: how many I/Os to hand over at a time, and how many to wait for. */
int sl_batches_begin(struct sl_job *job, uint64_t now); /* whether batches are tried out before the ramp */
int sl_batches_try(struct sl_job *job, uint64_t now);   /* the same at the end of each slice of that time */
void sl_batches_learn(struct sl_job *job, int at_once); /* a batch that was looked at completed at once, or not */

/* completion.c: what has completed, job->done[0 … count - 1], was seen at `now` (ticks). */
void sl_job_complete(struct sl_job *job, uint32_t count, uint64_t now);
/* The last write before which, itself included, all are acknowledged: what is in flight or has failed ends the row. */
uint64_t sl_job_acknowledged(const struct sl_job *job);

/* By one thread, in this order; what is open stays open for sl_job_close(). */
int sl_job_open(struct sl_job *job);   /* 0, or -1 with failed and where set in the result */
void sl_job_drive(struct sl_job *job); /* until its end, or until stop */
void sl_job_close(struct sl_job *job); /* keeps what the kernel may still touch: in_flight says whether it may */

#endif
