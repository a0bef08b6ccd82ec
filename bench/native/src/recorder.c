/* What is counted: sums and full histograms, for the whole run and for every second of it. */
#include "stripelab.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_WORDS 13 /* second, direction, pairs; then ios, bytes, sum, least and most, low word first */

static void reset(struct sl_latency *latency)
{
    memset(latency, 0, sizeof *latency);
    latency->min_ns = UINT64_MAX;
}

void sl_recorder_reset(struct sl_recorder *recorder)
{
    recorder->series_words = recorder->second = 0;
    for (int direction = 0; direction < SL_DIRECTIONS; direction++) {
        recorder->ios[direction] = recorder->bytes[direction] = recorder->now_bytes[direction] = 0;
        reset(&recorder->now[direction]);
        reset(&recorder->lat[direction]);
        reset(&recorder->slat[direction]);
        reset(&recorder->clat[direction]);
    }
}

void sl_recorder_free(struct sl_recorder *recorder)
{
    free(recorder->series);
    recorder->series = NULL;
}

static uint32_t *room_for(struct sl_recorder *recorder, size_t words)
{
    if (recorder->series_words + words > recorder->series_room) {
        size_t room = 2 * recorder->series_room + words + 4096;
        uint32_t *grown = realloc(recorder->series, room * sizeof *grown);

        if (!grown)
            return NULL;
        recorder->series = grown;
        recorder->series_room = room;
    }
    return recorder->series + recorder->series_words;
}

/* Append the second to the series, histogram and all: only what is not zero. */
static int append(struct sl_recorder *recorder, uint32_t direction, uint32_t pairs)
{
    const struct sl_latency *now = &recorder->now[direction];
    const uint64_t sums[] = {now->samples, recorder->now_bytes[direction], now->sum_ns, now->min_ns, now->max_ns};
    uint32_t *words = room_for(recorder, HEADER_WORDS + 2 * (size_t)pairs);

    if (!words)
        return -ENOMEM;
    *words++ = recorder->second;
    *words++ = direction;
    *words++ = pairs;
    for (size_t index = 0; index < sizeof sums / sizeof *sums; index++) {
        *words++ = (uint32_t)sums[index];
        *words++ = (uint32_t)(sums[index] >> 32);
    }
    for (uint32_t bucket = 0; bucket < SL_HISTOGRAM_BUCKETS; bucket++)
        if (now->buckets[bucket]) {
            *words++ = bucket;
            *words++ = (uint32_t)now->buckets[bucket];
        }
    recorder->series_words = (size_t)(words - recorder->series);
    return 0;
}

static int close_second(struct sl_recorder *recorder, uint32_t direction)
{
    struct sl_latency *now = &recorder->now[direction], *whole = &recorder->lat[direction];
    uint32_t pairs = 0;
    int status;

    for (uint32_t bucket = 0; bucket < SL_HISTOGRAM_BUCKETS; bucket++) {
        whole->buckets[bucket] += now->buckets[bucket];
        pairs += now->buckets[bucket] != 0;
    }
    status = append(recorder, direction, pairs);
    recorder->ios[direction] += now->samples;
    recorder->bytes[direction] += recorder->now_bytes[direction];
    whole->samples += now->samples;
    whole->sum_ns += now->sum_ns;
    whole->sum_square_ns += now->sum_square_ns;
    whole->min_ns = now->min_ns < whole->min_ns ? now->min_ns : whole->min_ns;
    whole->max_ns = now->max_ns > whole->max_ns ? now->max_ns : whole->max_ns;
    recorder->now_bytes[direction] = 0;
    reset(now);
    return status;
}

int sl_recorder_roll(struct sl_recorder *recorder, uint32_t second)
{
    int status = 0;

    for (uint32_t direction = 0; direction < SL_DIRECTIONS; direction++)
        if (recorder->now[direction].samples && close_second(recorder, direction) < 0)
            status = -ENOMEM;
    recorder->second = second;
    return status;
}
