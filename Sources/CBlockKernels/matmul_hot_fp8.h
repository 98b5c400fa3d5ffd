// Operands of at most eight bits and four significand bits, for the kernels whose terms are single
// products.
#ifndef BK_MATMUL_HOT_FP8_H
#define BK_MATMUL_HOT_FP8_H

#include <string.h>

#include "matmul_hot_lanes.h"

enum { FP8_STEP = 32, FP8_ZERO = -100 };

// What codes stand for, and the exponents of their products: a subnormal keeps the format's smallest
// one, and a zero has FP8_ZERO.
typedef struct {
  float values[256];
  int8_t exponents[256];
} fp8_values;

typedef struct {
  fp8_values a, b;
  int64_t steps;  // of 32 products
} fp8_context;

// 0 unless the element is such a float of one byte and every code is finite.
int fp8_read(const bk_operand *operand, fp8_values *values);

// Whether every scale is 2^e with |e| ≤ limit, and blocks end where steps do.
int fp8_scales_within(const bk_operand *operand, int limit);

// The unscaled product where F is 13, in 16-bit lanes. The caller has checked the unit, the operands
// and c.
int hot_fp8_words(const bk_matmul *problem, void *output, const fp8_context *operands);

// Codes [k, k + 32) of a line; code 0, which is zero, beyond its end.
static inline void fp8_load(const bk_operand *o, int64_t line, int exists, int64_t k,
                            uint8_t codes[FP8_STEP]) {
  int64_t count = !exists ? 0 : o->depth - k < FP8_STEP ? o->depth - k : FP8_STEP;
  memset(codes, 0, FP8_STEP);
  memcpy(codes, (const uint8_t *)o->codes + (exists ? line * o->depth + k : 0), (size_t)count);
}

// The exponent of the scale at k.
static inline int32_t fp8_scale(const bk_operand *o, int64_t line, int64_t k) {
  if (!o->scale) return 0;
  int64_t blocks = (o->depth + o->block - 1) / o->block;
  return (int32_t)(o->scale_codes[line * blocks + k / o->block] & 255) - 127;
}

#endif
