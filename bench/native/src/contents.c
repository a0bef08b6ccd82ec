/* What is written, and what is found: incompressible buffers, and a pattern that tells lost and torn writes. */
#include "stripelab.h"

#include <pthread.h>
#include <string.h>

#define MAGIC UINT64_C(0x3145504952545300) /* "\0STRIPE1", little-endian */
#define TOUCHED 4096                         /* the smallest block that storage deduplicates */

struct header { /* at the start of every sector; little-endian as the machine is */
    uint64_t magic, offset, generation;
    uint32_t crc, reserved;
};

void sl_contents_fill(unsigned char *buffer, size_t length, uint64_t seed, uint64_t compress_pct)
{
    size_t random = SL_SECTOR - SL_SECTOR * (size_t)compress_pct / 100;

    for (size_t at = 0; at < length; at += sizeof seed) {
        uint64_t value = at % SL_SECTOR < random ? sl_random(&seed) : 0;

        memcpy(buffer + at, &value, length - at < sizeof value ? length - at : sizeof value);
    }
}

void sl_contents_touch(unsigned char *buffer, size_t length, uint64_t offset, uint64_t sequence)
{
    for (size_t at = 0; at + 2 * sizeof offset <= length; at += TOUCHED, offset += TOUCHED) {
        memcpy(buffer + at, &offset, sizeof offset);
        memcpy(buffer + at + sizeof offset, &sequence, sizeof sequence);
    }
}

static uint32_t crc_table[256];
static pthread_once_t crc_once = PTHREAD_ONCE_INIT;

static void make_crc_table(void)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t value = byte;

        for (int bit = 0; bit < 8; bit++)
            value = (value >> 1) ^ (value & 1 ? UINT32_C(0xEDB88320) : 0);
        crc_table[byte] = value;
    }
}

uint32_t sl_crc32(const unsigned char *data, size_t length)
{
    uint32_t crc = UINT32_MAX;

    pthread_once(&crc_once, make_crc_table);
    while (length--)
        crc = crc_table[(crc ^ *data++) & 0xFF] ^ (crc >> 8);
    return ~crc;
}

static uint32_t checksum(const unsigned char *sector)
{
    unsigned char copy[SL_SECTOR];

    memcpy(copy, sector, sizeof copy);
    memset(copy + offsetof(struct header, crc), 0, sizeof(uint32_t));
    return sl_crc32(copy, sizeof copy);
}

void sl_pattern_write(unsigned char *buffer, size_t length, uint64_t offset, uint64_t generation)
{
    for (size_t at = 0; at < length; at += SL_SECTOR) {
        struct header header = {MAGIC, offset + at, generation, 0, 0};

        memcpy(buffer + at, &header, sizeof header);
        header.crc = checksum(buffer + at);
        memcpy(buffer + at, &header, sizeof header);
    }
}

enum sl_finding sl_pattern_check(const unsigned char *buffer, size_t length, uint64_t offset, uint64_t expected)
{
    size_t whole = 0, foreign = 0, sectors = length / SL_SECTOR;
    uint64_t generation = 0;
    int misplaced = 0, mixed = 0;

    for (size_t at = 0; at < length; at += SL_SECTOR) {
        struct header header;

        memcpy(&header, buffer + at, sizeof header);
        if (header.magic != MAGIC) {
            foreign++;
        } else if (header.crc == checksum(buffer + at)) {
            misplaced |= header.offset != offset + at;
            mixed |= whole && header.generation != generation;
            generation = header.generation;
            whole++;
        }
    }
    if (foreign == sectors)
        return expected ? SL_LOST : SL_UNWRITTEN;
    if (misplaced)
        return SL_MISPLACED;
    if (whole && (mixed || whole < sectors))
        return SL_TORN;
    if (!whole)
        return SL_CORRUPT;
    return generation < expected ? SL_LOST : SL_WHOLE;
}
