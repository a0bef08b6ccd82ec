/* Fuzzes the parser of options: any bytes are taken or refused, and what is taken is consistent. */
#include "stripelab.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sl_options options;

    if (sl_options_parse((const char *)data, size, &options) == 0) {
        if (!(options.reads || options.writes) || !options.jobs || !options.iodepth || options.iodepth > SL_DEPTH)
            abort();
        for (uint32_t job = 0; job < options.jobs; job++)
            for (uint32_t file = 0; file < options.job[job].files; file++)
                if (options.job[job].file[file].size < options.split[SL_READ].largest ||
                    options.job[job].file[file].size < options.split[SL_WRITE].largest)
                    abort();
    }
    sl_options_free(&options);
    return 0;
}
