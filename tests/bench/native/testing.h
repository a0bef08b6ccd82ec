/* What the C tests share. */
#ifndef STRIPELAB_TESTING_H
#define STRIPELAB_TESTING_H

#include <stdint.h>

void expect(const char *what, uint64_t got, uint64_t wanted); /* a difference is printed, and fails the program */
void test_workloads(void);

#endif
