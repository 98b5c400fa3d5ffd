#include "harness.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#pragma STDC FP_CONTRACT OFF

int failures = 0;
const char *const kind_names[KIND_COUNT] = {"normal", "ties",  "bf16",   "wide",
                                            "subnormal", "zeros", "special"};

uint32_t next_bits(uint64_t *state) {
  *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  uint64_t mixed = *state ^ (*state >> 29);
  return (uint32_t)((mixed * UINT64_C(0xbf58476d1ce4e5b9)) >> 32);
}

float float_of(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

uint32_t bits_of(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

static void *taken[256];
static int taken_count = 0;

void *take(size_t count, size_t size, int fill) {
  size_t lead = (size_t)taken_count % 4;
  if (taken_count == 256) abort();
  uint8_t *base = malloc((count + lead) * size);
  if (!base && count + lead > 0) abort();
  taken[taken_count++] = base;
  memset(base, fill, (count + lead) * size);
  return base + lead * size;
}

void release(void) {
  while (taken_count > 0) free(taken[--taken_count]);
}

// The sum of twelve uniform numbers less 6: near enough to normal, and exact.
static float normal(uint64_t *state) {
  int32_t sum = 0;
  for (int i = 0; i < 12; i++) sum += (int32_t)(next_bits(state) >> 16);
  return ldexpf((float)(sum - 6 * 65536), -16);
}

static float special(uint64_t *state) {
  static const uint32_t patterns[] = {0,          0x80000000, 1,          0x80000001, 0x7f7fffff,
                                      0xff7fffff, 0x00800000, 0x7f800000, 0xff800000, 0x7fc00000,
                                      0xffc01234, 0x7f800001};
  uint32_t pick = next_bits(state) % 96;
  return pick < 12 ? float_of(patterns[pick]) : normal(state);
}

static float one_number(int kind, uint64_t *state) {
  uint32_t bits = next_bits(state);
  switch (kind) {
  case TIES: return ldexpf((float)((int32_t)(bits % 769) - 384), -(int)(bits >> 30));
  case BFLOAT16: return float_of(bits_of(normal(state)) & 0xffff0000);
  case WIDE: return float_of((bits & 0x7f800000) == 0x7f800000 ? bits ^ 0x40000000 : bits);
  case SUBNORMAL: return float_of(bits & (bits & 0x100 ? 0x807fffff : 0x81ffffff));
  case SPECIAL: return special(state);
  default: return normal(state);
  }
}

float *make_input(int kind, size_t count, uint64_t seed) {
  float *x = take(count, sizeof(float), 0);
  uint64_t state = seed * 2 + 1;
  uint32_t run = 0;
  int zeros = 0;
  for (size_t i = 0; i < count; i++) {
    // Whole blocks of zeros of both signs beside blocks with numbers.
    if (run-- == 0) run = next_bits(&state) % 70, zeros = !zeros;
    x[i] = one_number(kind, &state);
    if (kind == ZEROS && zeros) x[i] = float_of(next_bits(&state) & 0x80000000);
  }
  return x;
}

uint32_t *make_random(size_t count, int bits, uint64_t seed) {
  uint32_t *random = take(count, sizeof(uint32_t), 0);
  uint64_t state = seed * 2 + 1;
  for (size_t i = 0; i < count; i++) random[i] = next_bits(&state) >> (32 - bits);
  return random;
}

checksum add_bytes(checksum sum, const void *bytes, size_t count) {
  for (size_t i = 0; i < count; i++)
    sum = (sum ^ ((const uint8_t *)bytes)[i]) * UINT64_C(0x100000001b3);
  return sum;
}

void expect(int holds, const char *format, ...) {
  if (holds) return;
  failures++;
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
}

const char *target_name(int target) {
  static const char *const names[] = {"auto", "avx512", "avx2", "baseline"};
  return names[target];
}

void run_case(driver_case run, const void *context, const char *format, ...) {
  char name[200];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(name, sizeof name, format, arguments);
  va_end(arguments);
  checksum baseline = run(BK_TARGET_BASELINE, context);
  printf("%s %016llx\n", name, (unsigned long long)baseline);
  for (int target = BK_TARGET_AVX512; target < BK_TARGET_BASELINE; target++) {
    if (!bk_target_available(target)) continue;
    checksum other = run(target, context);
    expect(other == baseline, "%s: %s gives %016llx, baseline %016llx", name, target_name(target),
           (unsigned long long)other, (unsigned long long)baseline);
  }
}
