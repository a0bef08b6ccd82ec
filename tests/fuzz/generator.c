/* Fuzzes the request generator: whatever the options, each I/O lies inside its file's part and has a length that was
 * asked for. */
#include "stripelab.h"

#include <stdlib.h>

#define DRAWS 200

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct sl_options *options, uint32_t job, const struct sl_request *io)
{
    const struct sl_file *file = &options->job[job].file[io->file];
    const struct sl_split *split;
    uint64_t at = 0;

    if (io->file >= options->job[job].files || io->direction > SL_SYNC)
        abort();
    if (io->direction == SL_SYNC)
        return;
    split = &options->split[io->direction];
    while (at < split->count && split->bytes[at] != io->length)
        at++;
    if (at == split->count || !(io->direction == SL_READ ? options->reads : options->writes))
        abort();
    if (io->offset < file->offset || io->offset - file->offset > file->size - io->length)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sl_options options;

    if (sl_options_parse((const char *)data, size, &options) == 0)
        for (uint32_t job = 0; job < options.jobs && job < 4; job++) {
            struct sl_generator generator;

            if (sl_generator_init(&generator, &options, job) < 0)
                continue;
            for (int draw = 0; draw < DRAWS; draw++) {
                struct sl_request io;

                sl_generator_next(&generator, &io);
                check(&options, job, &io);
            }
            sl_generator_free(&generator);
        }
    sl_options_free(&options);
    return 0;
}
