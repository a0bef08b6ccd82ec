/* What to run, read from text: lines of key=number that are checked here once and trusted everywhere else.
 *
 * Whoever wrote the text has been told what is wrong with it (bench/native/text.py has the same rules and the words for
 * them): here it is refused and no more. */
#define _GNU_SOURCE

#include "stripelab.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WEEK_NS (UINT64_C(7) * 24 * 3600 * 1000000000)
#define LARGEST_OFFSET (UINT64_C(1) << 62)
#define MEMORY (UINT64_C(1) << 36)
#define FIELD(name) offsetof(struct sl_options, name)

static const struct { const char *key; size_t field; uint64_t least, most; } numbers[] = {
    {"ioengine", FIELD(ioengine), SL_AUTO, SL_NOP},
    {"random", FIELD(random), 0, 1},
    {"reads", FIELD(reads), 0, 1},
    {"writes", FIELD(writes), 0, 1},
    {"iodepth", FIELD(iodepth), 1, SL_DEPTH},
    {"batch_submit", FIELD(batch_submit), 0, SL_DEPTH},
    {"batch_complete", FIELD(batch_complete), 0, SL_DEPTH},
    {"rwmixread_pct", FIELD(rwmixread_pct), 0, 100},
    {"io_size", FIELD(io_size), 0, LARGEST_OFFSET},
    {"runtime_ns", FIELD(runtime_ns), 0, WEEK_NS},
    {"ramp_ns", FIELD(ramp_ns), 0, WEEK_NS},
    {"time_based", FIELD(time_based), 0, 1},
    {"seed", FIELD(seed), 0, UINT64_MAX},
    {"random_map", FIELD(random_map), 0, 1},
    {"distribution", FIELD(distribution), SL_UNIFORM, SL_PARETO},
    {"theta_ppm", FIELD(theta_ppm), 1, 100000000},
    {"fsync", FIELD(fsync_every), 0, UINT32_MAX},
    {"fdatasync", FIELD(fdatasync_every), 0, UINT32_MAX},
    {"direct", FIELD(direct), 0, 1},
    {"exclusive", FIELD(exclusive), 0, 1},
    {"record", FIELD(record), 0, 1},
    {"slat_every", FIELD(slat_every), 0, UINT32_MAX},
    {"compress_pct", FIELD(compress_pct), 0, 100},
    {"huge_pages", FIELD(huge_pages), 0, 1},
    {"verify", FIELD(verify), 0, 1},
    {"verify_random", FIELD(verify_random), 0, 1},
    {"verify_writes", FIELD(verify_writes), 0, LARGEST_OFFSET},
    {"rate_iops", FIELD(rate_iops), 0, 1000000000},
    {"poisson", FIELD(poisson), 0, 1},
    {"go_on", FIELD(go_on), 0, 1},
};

/* A decimal number that ends at `end`; the text goes on behind that. */
static int number(const char **text, char end, uint64_t *out)
{
    char *after;

    errno = 0;
    *out = strtoull(*text, &after, 10);
    if (**text < '0' || **text > '9' || *after != end || errno)
        return -1;
    *text = end ? after + 1 : after;
    return 0;
}

/* DIRECTION:BYTES:BELOW, a block size that is chosen where a draw of 32 bits is at most BELOW. */
static int add_split(struct sl_options *out, const char *text)
{
    uint64_t direction, bytes, below;

    if (number(&text, ':', &direction) || number(&text, ':', &bytes) || number(&text, '\0', &below) || direction > SL_WRITE ||
        bytes < 1 || bytes > SL_LARGEST_BS || below > UINT32_MAX)
        return -1;
    struct sl_split *split = &out->split[direction];

    if (split->count == SL_SPLITS || (split->count && split->below[split->count - 1] >= below))
        return -1;
    if (!split->count || bytes < split->smallest)
        split->smallest = (uint32_t)bytes;
    if (bytes > split->largest)
        split->largest = (uint32_t)bytes;
    split->below[split->count] = (uint32_t)below;
    split->bytes[split->count++] = (uint32_t)bytes;
    return 0;
}

/* OFFSET:SIZE:PATH, of which the path is for who opens the file. */
static int add_file(struct sl_job_options *job, const char *text)
{
    struct sl_file file;

    if (number(&text, ':', &file.offset) || number(&text, ':', &file.size) || !*text || file.offset > LARGEST_OFFSET ||
        file.size > LARGEST_OFFSET || job->files == UINT16_MAX)
        return -1;
    job->file[job->files++] = file;
    return 0;
}

static int set(struct sl_options *out, const char *key, const char *value)
{
    struct sl_job_options *job = out->jobs ? &out->job[out->jobs - 1] : NULL;
    uint64_t found;

    if (strcmp(key, "split") == 0)
        return add_split(out, value);
    if (strcmp(key, "file") == 0 && job)
        return add_file(job, value);
    if (number(&value, '\0', &found))
        return -1;
    if (strcmp(key, "cpu") == 0 && job && found < UINT16_MAX)
        return 0; /* for who starts the thread */
    for (size_t index = 0; index < sizeof numbers / sizeof *numbers; index++)
        if (strcmp(numbers[index].key, key) == 0 && found >= numbers[index].least && found <= numbers[index].most) {
            memcpy((char *)out + numbers[index].field, &found, sizeof found);
            return 0;
        }
    return -1;
}

/* What is well-formed and makes no sense together. */
static int check(const struct sl_options *out)
{
    const struct sl_split *reads = &out->split[SL_READ], *writes = &out->split[SL_WRITE];
    uint64_t largest = sl_largest(out);

    if (!(out->reads || out->writes) || !reads->count || !writes->count || !out->jobs ||
        reads->below[reads->count - 1] != UINT32_MAX || writes->below[writes->count - 1] != UINT32_MAX ||
        largest * out->iodepth > MEMORY || (out->distribution == SL_PARETO && out->theta_ppm >= 1000000) ||
        (out->time_based && !out->runtime_ns) || (out->fsync_every && out->fdatasync_every))
        return -1;
    if (out->verify && ((out->reads && out->writes) || reads->count > 1 || writes->count > 1 ||
                        reads->largest != writes->largest || largest % SL_SECTOR ||
                        ((out->random || out->verify_random) && (!out->random_map || out->distribution != SL_UNIFORM))))
        return -1;
    for (uint32_t job = 0; job < out->jobs; job++) {
        if (!out->job[job].files)
            return -1;
        for (uint32_t at = 0; at < out->job[job].files; at++) {
            const struct sl_file *file = &out->job[job].file[at];

            if (file->size < largest ||
                (out->verify && (file->offset % SL_SECTOR || file->size / largest < 2 * out->iodepth)))
                return -1;
        }
    }
    return 0;
}

int sl_options_parse(const char *text, size_t length, struct sl_options *out)
{
    char *copy = strndup(text, length), *rest = copy;
    int refused = !copy || strlen(copy) != length; /* no memory, or a zero byte */
    size_t files = 1;

    *out = (struct sl_options){.iodepth = 1, .rwmixread_pct = 50, .random_map = 1, .direct = 1, .record = 1,
                               .slat_every = 16, .theta_ppm = 1100000};
    for (size_t at = 0; at < length; at++)
        files += text[at] == '\n'; /* there are no more files than lines */
    out->file = calloc(files, sizeof *out->file);
    refused = refused || !out->file;
    for (files = 0; !refused && rest && *rest;) {
        char *line = strsep(&rest, "\n"), *equals = strchr(line, '=');

        if (equals) {
            *equals = '\0';
            refused = set(out, line, equals + 1);
            files += strcmp(line, "file") == 0;
        } else if (strcmp(line, "job") == 0 && out->jobs < SL_JOBS) {
            out->job[out->jobs++].file = out->file + files;
        } else {
            refused = 1;
        }
    }
    free(copy);
    return refused || check(out) ? -1 : 0;
}

void sl_options_free(struct sl_options *options)
{
    free(options->file);
    options->file = NULL;
}
