/* Which I/O comes next: direction, size, file and offset, from two streams of random numbers. */
#include "stripelab.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

static double unit_interval(uint64_t *state)
{
    return (double)(sl_random(state) >> 11) * 0x1p-53;
}

/* A Feistel network of four rounds on the fewest bits that hold count - 1, walked until it lands below count (Black and
 * Rogaway, CT-RSA 2002): each index once, in an order that looks random, with no memory at all. */
uint64_t sl_permute(uint64_t index, uint64_t count, uint64_t key)
{
    unsigned bits = count > 2 ? 64 - (unsigned)__builtin_clzll(count - 1) : 2;
    unsigned low_bits = bits / 2, high_bits = bits - low_bits;

    do {
        for (unsigned round = 0; round < 4; round++) {
            unsigned swap = low_bits;
            uint64_t low = index & ((UINT64_C(1) << low_bits) - 1), high = index >> low_bits;
            uint64_t mixed = (low + key + round) * UINT64_C(0x9E3779B97F4A7C15);

            mixed = (mixed ^ (mixed >> 32)) * UINT64_C(0xBF58476D1CE4E5B9);
            index = (low << high_bits) | ((high ^ (mixed >> 32)) & ((UINT64_C(1) << high_bits) - 1));
            low_bits = high_bits;
            high_bits = swap;
        }
    } while (index >= count);
    return index;
}

/* Zipf by rejection-inversion (Hörmann and Derflinger, ACM TOMACS 6, 1996): exact for any number of blocks, no table. */
static double zipf_integral(double theta, double x)
{
    double log_x = log(x), scaled = (1 - theta) * log_x;

    return fabs(scaled) > 1e-8 ? expm1(scaled) / (1 - theta) : log_x * (1 + scaled / 2);
}

static double zipf_inverse(double theta, double y)
{
    double scaled = y * (1 - theta);

    if (scaled < -1)
        scaled = -1;
    return exp(fabs(scaled) > 1e-8 ? log1p(scaled) / (1 - theta) : y * (1 - scaled / 2));
}

static uint64_t zipf(struct sl_generator *generator, const struct sl_place *place)
{
    double theta = generator->theta, last = (double)place->blocks;

    for (;;) {
        double area = generator->zipf_start + unit_interval(&generator->offsets) * place->zipf_span;
        double x = zipf_inverse(theta, area), rank = floor(x + 0.5);

        rank = rank < 1 ? 1 : rank > last ? last : rank;
        if (rank - x <= generator->zipf_cut || area >= zipf_integral(theta, rank + 0.5) - exp(-theta * log(rank)))
            return (uint64_t)rank - 1;
    }
}

/* fio's pareto: the share 1 - h of the I/Os falls on the share h of the blocks (lib/zipf.c, pareto_init). */
static uint64_t pareto(struct sl_generator *generator, uint64_t count)
{
    return (uint64_t)((double)(count - 1) * pow(unit_interval(&generator->offsets), generator->theta));
}

static uint64_t random_unit(struct sl_generator *generator, struct sl_place *place)
{
    if (generator->options->distribution == SL_ZIPF)
        return sl_permute(zipf(generator, place), place->blocks, place->key);
    if (generator->options->distribution == SL_PARETO)
        return sl_permute(pareto(generator, place->blocks), place->blocks, place->key);
    if (!generator->options->random_map)
        return sl_random_below(&generator->offsets, place->blocks);
    if (place->position[0] == place->blocks) { /* a pass is over: the next has an order of its own */
        place->position[0] = 0;
        if (!generator->options->verify) /* but a block must never be in flight twice */
            place->key = sl_random(&generator->offsets);
    }
    return sl_permute(place->position[0]++, place->blocks, place->key);
}

static uint64_t random_offset(struct sl_generator *generator)
{
    uint32_t file = generator->file;

    generator->file = file + 1 == generator->job->files ? 0 : file + 1;
    return random_unit(generator, &generator->place[file]) * generator->unit;
}

/* One file after the other, from end to end; reads and writes have positions of their own. */
static uint64_t sequential_offset(struct sl_generator *generator, uint32_t direction, uint32_t length)
{
    uint64_t *position = &generator->place[generator->file].position[direction];

    if (generator->job->file[generator->file].size - *position < length) {
        *position = 0;
        generator->file = generator->file + 1 == generator->job->files ? 0 : generator->file + 1;
        position = &generator->place[generator->file].position[direction];
        if (generator->job->file[generator->file].size - *position < length)
            *position = 0;
    }
    *position += length;
    return *position - length;
}

static uint32_t choose_length(const struct sl_split *split, uint32_t draw)
{
    uint64_t index = 0;

    while (split->below[index] < draw)
        index++;
    return split->bytes[index];
}

void sl_generator_draw(struct sl_generator *generator, struct sl_request *request)
{
    const struct sl_options *options = generator->options;
    uint64_t every = options->fsync_every + options->fdatasync_every, draw = 0;

    if (every && generator->since_sync == every) {
        generator->since_sync = 0;
        *request = (struct sl_request){0, generator->writes, 0, generator->last_written, SL_SYNC, 0};
        return;
    }
    request->direction = options->reads ? SL_READ : SL_WRITE;
    if (options->reads && options->writes) {
        draw = sl_random(&generator->mix);
        if ((draw >> 32) * 100 >> 32 >= options->rwmixread_pct)
            request->direction = SL_WRITE;
    }
    const struct sl_split *split = &options->split[request->direction];
    if (split->count > 1)
        request->length = choose_length(split, (uint32_t)(draw ? draw : sl_random(&generator->mix)));
    else
        request->length = split->bytes[0];
    if (options->random) {
        request->file = generator->file;
        request->offset = random_offset(generator);
    } else {
        request->offset = sequential_offset(generator, request->direction, request->length);
        request->file = generator->file;
    }
    request->offset += generator->job->file[request->file].offset;
    request->sequence = 0;
    if (request->direction == SL_WRITE) {
        request->sequence = ++generator->writes;
        generator->since_sync++;
        generator->last_written = request->file;
    }
}

int sl_generator_init(struct sl_generator *generator, const struct sl_options *options, uint32_t job)
{
    const struct sl_split *reads = &options->split[SL_READ], *writes = &options->split[SL_WRITE];
    uint64_t state = options->seed + ((uint64_t)job << 32);

    *generator = (struct sl_generator){.options = options, .job = &options->job[job]};
    generator->place = calloc(generator->job->files, sizeof *generator->place);
    if (!generator->place)
        return -ENOMEM;
    generator->unit = reads->smallest < writes->smallest ? reads->smallest : writes->smallest;
    generator->offsets = sl_random(&state);
    generator->mix = sl_random(&state);
    double theta = (double)options->theta_ppm / 1e6;

    generator->theta = options->distribution == SL_PARETO ? log(theta) / log(1 - theta) : theta;
    generator->zipf_start = zipf_integral(theta, 1.5) - 1;
    generator->zipf_cut = 2 - zipf_inverse(theta, zipf_integral(theta, 2.5) - exp(-theta * log(2)));
    for (uint32_t file = 0; file < generator->job->files; file++) {
        struct sl_place *place = &generator->place[file];

        /* Units at which even the largest block fits, so that no block has to be cut. */
        place->blocks = (generator->job->file[file].size - sl_largest(options)) / generator->unit + 1;
        place->zipf_span = zipf_integral(theta, (double)place->blocks + 0.5) - generator->zipf_start;
        place->key = sl_random(&state);
    }
    generator->plain = options->random && options->reads != options->writes && !options->random_map &&
                       options->distribution == SL_UNIFORM && generator->job->files == 1 && reads->count == 1 &&
                       writes->count == 1 && reads->largest == writes->largest && !options->fsync_every &&
                       !options->fdatasync_every;
    generator->plain_direction = options->writes ? SL_WRITE : SL_READ;
    generator->plain_offset = generator->job->file[0].offset;
    generator->plain_blocks = generator->place[0].blocks;
    return 0;
}

void sl_generator_free(struct sl_generator *generator)
{
    free(generator->place);
    generator->place = NULL;
}
