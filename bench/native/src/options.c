/* What to run, read from text: lines of key=number that are checked here once and trusted everywhere else. */
#define _GNU_SOURCE

#include "stripelab.h"

#include <stdarg.h>
#include <stdio.h>
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

struct parser {
    struct sl_options *out;
    char *message;
    size_t message_size;
    unsigned line;
};

__attribute__((format(printf, 2, 3))) static int refuse(struct parser *parser, const char *format, ...)
{
    int used = parser->line ? snprintf(parser->message, parser->message_size, "line %u: ", parser->line) : 0;
    va_list arguments;

    va_start(arguments, format);
    if (used >= 0 && (size_t)used < parser->message_size)
        (void)vsnprintf(parser->message + used, parser->message_size - (size_t)used, format, arguments);
    va_end(arguments);
    return -1;
}

/* A decimal number that ends at `end`; the text goes on behind that. */
static int number(const char **text, char end, uint64_t *out)
{
    uint64_t value = 0;
    const char *at = *text;

    if (*at < '0' || *at > '9')
        return -1;
    for (; *at >= '0' && *at <= '9'; at++)
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, (uint64_t)(*at - '0'), &value))
            return -1;
    if (*at != end)
        return -1;
    *text = end ? at + 1 : at;
    *out = value;
    return 0;
}

/* DIRECTION:BYTES:BELOW, a block size that is chosen where a draw of 32 bits is at most BELOW. */
static int add_split(struct parser *parser, const char *text)
{
    uint64_t direction, bytes, below;

    if (number(&text, ':', &direction) || number(&text, ':', &bytes) || number(&text, '\0', &below) || direction > SL_WRITE ||
        bytes < 1 || bytes > SL_LARGEST_BS || below > UINT32_MAX)
        return refuse(parser, "no DIRECTION:BYTES:BELOW");
    struct sl_split *split = &parser->out->split[direction];

    if (split->count == SL_SPLITS || (split->count && split->below[split->count - 1] >= below))
        return refuse(parser, "more than %d block sizes, or not in rising order", SL_SPLITS);
    split->smallest = !split->count || bytes < split->smallest ? (uint32_t)bytes : split->smallest;
    split->largest = bytes > split->largest ? (uint32_t)bytes : split->largest;
    split->below[split->count] = (uint32_t)below;
    split->bytes[split->count++] = (uint32_t)bytes;
    return 0;
}

/* One more element at the end of an array, zeroed; NULL where there is no memory. */
static void *grow(void *array, size_t count, size_t size, void **element)
{
    char *grown = realloc(array, (count + 1) * size);

    if (grown)
        *element = memset(grown + count * size, 0, size);
    return grown;
}

static int add_job(struct parser *parser)
{
    struct sl_options *out = parser->out;
    void *added = NULL, *grown = out->jobs < SL_JOBS ? grow(out->job, out->jobs, sizeof *out->job, &added) : NULL;

    if (!grown)
        return refuse(parser, "more than %d jobs, or out of memory", SL_JOBS);
    out->job = grown;
    out->job[out->jobs++].cpu = -1;
    return 0;
}

/* OFFSET:SIZE:PATH */
static int add_file(struct parser *parser, struct sl_job_options *job, const char *text)
{
    uint64_t offset, size;
    void *added = NULL, *grown;

    if (number(&text, ':', &offset) || number(&text, ':', &size) || !*text || offset > LARGEST_OFFSET || size > LARGEST_OFFSET)
        return refuse(parser, "no OFFSET:SIZE:PATH");
    grown = job->files < UINT16_MAX ? grow(job->file, job->files, sizeof *job->file, &added) : NULL;
    if (!grown)
        return refuse(parser, "more than %d files, or out of memory", UINT16_MAX);
    job->file = grown;
    job->file[job->files++] = (struct sl_file){strdup(text), offset, size};
    return job->file[job->files - 1].path ? 0 : refuse(parser, "out of memory");
}

static int set(struct parser *parser, const char *key, const char *value)
{
    struct sl_options *out = parser->out;
    struct sl_job_options *job = out->jobs ? &out->job[out->jobs - 1] : NULL;
    uint64_t found;

    if (strcmp(key, "split") == 0)
        return add_split(parser, value);
    if (strcmp(key, "file") == 0 && job)
        return add_file(parser, job, value);
    if (number(&value, '\0', &found))
        return refuse(parser, "no number: %.40s", value);
    if (strcmp(key, "cpu") == 0 && job && found < UINT16_MAX) {
        job->cpu = (int64_t)found;
        return 0;
    }
    for (size_t index = 0; index < sizeof numbers / sizeof *numbers; index++)
        if (strcmp(numbers[index].key, key) == 0 && found >= numbers[index].least && found <= numbers[index].most) {
            memcpy((char *)out + numbers[index].field, &found, sizeof found);
            return 0;
        }
    return refuse(parser, "unknown key, or out of range: %.40s", key);
}

static int check_file(struct parser *parser, const struct sl_file *file, uint64_t largest)
{
    const struct sl_options *out = parser->out;

    if (file->size < largest)
        return refuse(parser, "%.200s: no room for a block of %llu bytes", file->path, (unsigned long long)largest);
    if (out->verify && (file->offset % SL_SECTOR || file->size / largest < 2 * out->iodepth))
        return refuse(parser, "%.200s: verify needs whole sectors and room for twice the iodepth", file->path);
    return 0;
}

/* What is well-formed and makes no sense together. */
static int check(struct parser *parser)
{
    const struct sl_options *out = parser->out;
    const struct sl_split *reads = &out->split[SL_READ], *writes = &out->split[SL_WRITE];
    uint64_t largest = reads->largest > writes->largest ? reads->largest : writes->largest;

    parser->line = 0;
    if (!(out->reads || out->writes) || !reads->count || !writes->count || !out->jobs)
        return refuse(parser, "no direction, no block size or no job");
    if (reads->below[reads->count - 1] != UINT32_MAX || writes->below[writes->count - 1] != UINT32_MAX)
        return refuse(parser, "the shares of the block sizes are not whole");
    if (largest * out->iodepth > MEMORY)
        return refuse(parser, "iodepth times block size is more than %llu bytes", (unsigned long long)MEMORY);
    if ((out->distribution == SL_PARETO && out->theta_ppm >= 1000000) || (out->time_based && !out->runtime_ns) ||
        (out->fsync_every && out->fdatasync_every))
        return refuse(parser, "a pareto share of 1, no runtime, or fsync and fdatasync at once");
    if (out->verify && ((out->reads && out->writes) || reads->count > 1 || writes->count > 1 ||
                        reads->largest != writes->largest || largest % SL_SECTOR ||
                        ((out->random || out->verify_random) && (!out->random_map || out->distribution != SL_UNIFORM))))
        return refuse(parser, "verify needs one direction, one block size of whole sectors, and the random map");
    for (uint32_t job = 0; job < out->jobs; job++) {
        if (!out->job[job].files)
            return refuse(parser, "job %u has no file", job);
        for (uint32_t file = 0; file < out->job[job].files; file++)
            if (check_file(parser, &out->job[job].file[file], largest))
                return -1;
    }
    return 0;
}

int sl_options_parse(const char *text, size_t length, struct sl_options *out, char *message, size_t message_size)
{
    struct parser parser = {out, message, message_size, 0};
    char *copy = strndup(text, length), *rest = copy;
    int status = copy && strlen(copy) == length ? 0 : refuse(&parser, "a zero byte, or out of memory");

    *out = (struct sl_options){.iodepth = 1, .rwmixread_pct = 50, .random_map = 1, .direct = 1, .record = 1,
                               .slat_every = 16, .theta_ppm = 1100000};
    while (!status && rest && *rest) {
        char *line = strsep(&rest, "\n"), *equals = strchr(line, '=');

        parser.line++;
        if (equals)
            *equals = '\0';
        if (strcmp(line, "job") == 0 && !equals)
            status = add_job(&parser);
        else if (equals)
            status = set(&parser, line, equals + 1);
        else
            status = refuse(&parser, "neither key=number nor job: %.40s", line);
    }
    free(copy);
    return status ? status : check(&parser);
}

void sl_options_free(struct sl_options *options)
{
    for (uint32_t job = 0; job < options->jobs; job++) {
        for (uint32_t file = 0; file < options->job[job].files; file++)
            free(options->job[job].file[file].path);
        free(options->job[job].file);
    }
    free(options->job);
    options->job = NULL;
    options->jobs = 0;
}
