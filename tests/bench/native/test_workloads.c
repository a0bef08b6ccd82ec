/* Options, generator, recorder, contents and whole jobs of the C library, without Python. */
#define _GNU_SOURCE

#include "stripelab.h"
#include "testing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SPLITS "split=0:4096:4294967295\nsplit=1:4096:4294967295\n"

static int parse(const char *text, struct sl_options *options)
{
    return sl_options_parse(text, strlen(text), options);
}

static void test_texts_that_are_refused(void)
{
    static const char *const texts[] = {
        "", "\n", "reads=1", "reads=2\n" SPLITS "job\nfile=0:4096:/x", SPLITS "job\nfile=0:4096:/x",
        "reads=1\n" SPLITS "job", "reads=1\n" SPLITS "job\nfile=0:4095:/x", "reads=1\nsplit=0:4096:7\njob\nfile=0:4096:/x",
        "seed=18446744073709551616", "reads=1\n" SPLITS "job\nfile=0:4096:", "file=0:4096:/x", "reads=1\nsplit=0:0:1",
    };

    for (size_t at = 0; at < sizeof texts / sizeof *texts; at++) {
        struct sl_options options;

        expect("a text that makes no sense", parse(texts[at], &options) == -1, 1);
        sl_options_free(&options);
    }
}

static void test_a_pass_of_the_map_is_a_permutation(void)
{
    struct sl_options options;
    struct sl_generator generator;
    unsigned char seen[100] = {0};

    expect("a text", (uint64_t)parse("reads=1\nrandom=1\nseed=5\n" SPLITS "job\nfile=8192:409600:/x", &options), 0);
    expect("a generator", (uint64_t)sl_generator_init(&generator, &options, 0), 0);
    for (int draw = 0; draw < 300; draw++) {
        struct sl_request io;

        sl_generator_next(&generator, &io);
        seen[(io.offset - 8192) / 4096]++;
    }
    for (int block = 0; block < 100; block++)
        expect("visits of a block in three passes", seen[block], 3);
    sl_generator_free(&generator);
    sl_options_free(&options);
}

static void test_seconds_add_up(void)
{
    struct sl_recorder *recorder = calloc(1, sizeof *recorder);
    uint64_t total = 0;

    sl_recorder_reset(recorder);
    for (uint32_t second = 0; second < 5; second++) {
        for (uint64_t value = 1; value < 1000000; value *= 3)
            sl_record(&recorder->now[SL_READ], value, 2);
        recorder->now_bytes[SL_READ] += (uint64_t)13 * 8192;
        expect("a second ends", (uint64_t)sl_recorder_roll(recorder, second + 1), 0);
    }
    for (uint32_t bucket = 0; bucket < SL_HISTOGRAM_BUCKETS; bucket++)
        total += recorder->lat[SL_READ].buckets[bucket];
    expect("I/Os in the histogram", total, recorder->ios[SL_READ]);
    expect("I/Os", total, 5 * 13 * 2);
    expect("bytes", recorder->bytes[SL_READ], 5 * 13 * 8192);
    expect("words of the series", recorder->series_words, 5 * (13 + 2 * 13));
    sl_recorder_free(recorder);
    free(recorder);
}

static void test_the_pattern_tells_damage(void)
{
    unsigned char block[4096] = {0};

    expect("unwritten", sl_pattern_check(block, sizeof block, 0, 0), SL_UNWRITTEN);
    sl_pattern_write(block, sizeof block, 4096, 7);
    expect("whole", sl_pattern_check(block, sizeof block, 4096, 7), SL_WHOLE);
    expect("lost", sl_pattern_check(block, sizeof block, 4096, 8), SL_LOST);
    expect("misplaced", sl_pattern_check(block, sizeof block, 0, 7), SL_MISPLACED);
    block[600] ^= 1;
    expect("torn", sl_pattern_check(block, sizeof block, 4096, 7), SL_TORN);
    expect("check value of CRC-32 (ISO 3309)", sl_crc32((const unsigned char *)"123456789", 9), 0xCBF43926);
}

static struct sl_job *job_of(const struct sl_options *options, const int *fd)
{
    struct sl_job *job = calloc(1, sizeof *job);

    job->options = options;
    job->index = 1;
    job->nowait = 1;
    job->grace_ns = 1000000000;
    job->queue.fd = fd;
    return job;
}

static void drive_to_its_end(const char *text, int descriptor, uint64_t ios)
{
    struct sl_options options;
    struct sl_job *job;

    expect("a text", (uint64_t)parse(text, &options), 0);
    job = job_of(&options, &descriptor);
    expect("a job", (uint64_t)sl_job_open(job), 0);
    sl_job_drive(job);
    sl_job_close(job);
    expect("failed", (uint64_t)job->result.failed, 0);
    expect("errors", job->result.errors, 0);
    expect("in flight", job->in_flight, 0);
    expect("I/Os of a job", job->result.recorder.ios[SL_READ] + job->result.recorder.ios[SL_WRITE], ios);
    sl_recorder_free(&job->result.recorder);
    sl_options_free(&options);
    free(job);
}

static void test_jobs(void)
{
    char path[] = "/tmp/stripelab-test-XXXXXX", text[512];
    int descriptor = mkstemp(path);
    static const char *const loads[] = {"reads=1", "writes=1\nrandom=1\nfsync=5\nverify=1", "reads=1\nwrites=1\nrandom=1"};

    expect("a file", descriptor >= 0 && ftruncate(descriptor, 65536) == 0, 1);
    drive_to_its_end("reads=1\nioengine=4\niodepth=8\nio_size=4096000\n" SPLITS "job\nfile=0:65536:/x\njob\nfile=0:65536:/x",
                     -1, 1000);
    for (size_t at = 0; at < sizeof loads / sizeof *loads; at++) {
        snprintf(text, sizeof text, "%s\nioengine=3\ndirect=0\n" SPLITS "job\nfile=0:65536:/x\njob\nfile=0:65536:/x", loads[at]);
        drive_to_its_end(text, descriptor, 16);
    }
    close(descriptor);
    unlink(path);
}

static void test_a_job_that_cannot_be_opened_says_at_which_step(void)
{
    struct rlimit before, none;
    struct sl_options options;
    struct sl_job *job;
    int status;

    expect("a text", (uint64_t)parse("reads=1\nioengine=1\n" SPLITS "job\nfile=0:4096:/x\njob\nfile=0:4096:/x", &options), 0);
    job = job_of(&options, NULL);
    getrlimit(RLIMIT_NOFILE, &before);
    none = before;
    none.rlim_cur = 0;
    setrlimit(RLIMIT_NOFILE, &none);
    status = sl_job_open(job);
    setrlimit(RLIMIT_NOFILE, &before);
    expect("a ring without a descriptor", status == -1, 1);
    expect("the step", (uint64_t)strcmp(job->result.where, "opening a queue by io_uring"), 0);
    expect("an errno", job->result.failed > 0, 1);
    sl_job_close(job);
    sl_options_free(&options);
    free(job);
}

void test_workloads(void)
{
    test_texts_that_are_refused();
    test_a_pass_of_the_map_is_a_permutation();
    test_seconds_add_up();
    test_the_pattern_tells_damage();
    test_jobs();
    test_a_job_that_cannot_be_opened_says_at_which_step();
}
