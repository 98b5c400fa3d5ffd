// Frames of the C tests: a failed check is told and counted.
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blockscale.h"

static int failures;

#define CHECK(condition, ...)                              \
  do {                                                     \
    if (!(condition)) {                                    \
      printf("%s:%d: %s: ", __FILE__, __LINE__, #condition); \
      printf(__VA_ARGS__);                                 \
      printf(" (last error: %s)\n", bs_last_error());      \
      failures++;                                          \
    }                                                      \
  } while (0)

// Pseudo-random words, the same everywhere.
static inline uint32_t next_word(uint64_t *state) {
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(*state >> 33);
}

static inline void fill_values(float *values, int64_t count, uint64_t seed) {
  for (int64_t i = 0; i < count; i++) {
    int32_t word = (int32_t)(next_word(&seed) << 1);
    values[i] = (float)word / (float)(1 << (10 + next_word(&seed) % 20));
  }
}

static inline void fill_codes(uint8_t *codes, int64_t count, uint32_t mask, uint64_t seed) {
  for (int64_t i = 0; i < count; i++) codes[i] = (uint8_t)(next_word(&seed) & mask);
}

static inline bs_format *format(const char *name, const char *block, const char *recipe) {
  bs_format *f = NULL;
  int code = bs_format_open(name, block, recipe, &f);
  CHECK(code == BS_OK && f, "%s does not open: %s", name, bs_message(code));
  if (!f) exit(1);
  return f;
}

static inline bs_mma *unit(const char *element, const char *scale, int64_t block,
                           const char *accumulator) {
  bs_mma *u = NULL;
  int code = bs_mma_open(NULL, element, scale, block, NULL, scale, block, accumulator, &u);
  CHECK(code == BS_OK && u, "%s does not open: %s", accumulator, bs_message(code));
  if (!u) exit(1);
  return u;
}

static inline int finish(void) {
  if (!failures) printf("ok\n");
  return failures > 0;
}

#endif
