// Seeded inputs, buffers that end where their numbers end, checksums, the comparison of targets.
#ifndef DRIVER_HARNESS_H
#define DRIVER_HARNESS_H

#include <stddef.h>
#include <stdint.h>

#include "block_kernels.h"

// Kinds of inputs.
enum { NORMAL, TIES, BFLOAT16, WIDE, SUBNORMAL, ZEROS, SPECIAL, KIND_COUNT };
extern const char *const kind_names[KIND_COUNT];

// A multiply-with-carry step: the same bits on every machine.
uint32_t next_bits(uint64_t *state);
float float_of(uint32_t bits);
uint32_t bits_of(float value);

// A malloc of exactly `count` items, up to three items of alignment aside, filled with `fill`.
// Sanitizers catch a step beyond it. `release` frees all that were taken.
void *take(size_t count, size_t size, int fill);
void release(void);

// `count` numbers of a kind; only SPECIAL has NaN and infinities.
float *make_input(int kind, size_t count, uint64_t seed);
uint32_t *make_random(size_t count, int bits, uint64_t seed);

// FNV-1a over bytes.
typedef uint64_t checksum;
#define CHECKSUM_START UINT64_C(0xcbf29ce484222325)
checksum add_bytes(checksum sum, const void *bytes, size_t count);

// Counts a failed expectation and prints it to standard error.
void expect(int holds, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Runs a case on every target of this machine, expects equal checksums and prints one line.
typedef checksum (*driver_case)(int target, const void *context);
void run_case(driver_case run, const void *context, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
const char *target_name(int target);

// How many expectations failed so far.
extern int failures;

void single_cases(void);
void block_cases(void);
void e2m1_cases(void);
void recipe_cases(void);
void statistics_cases(void);
void hot_matmul_cases(void);
void matmul_cases(void);

#endif
