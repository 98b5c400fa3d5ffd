// Operands of at most eight bits and four significand bits, for the kernels whose terms are single
// products.
#ifndef BK_MATMUL_HOT_FP8_H
#define BK_MATMUL_HOT_FP8_H

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

// The exponent of the scale at k.
static inline int32_t fp8_scale(const bk_operand *o, int64_t line, int64_t k) {
  if (!o->scale) return 0;
  int64_t blocks = (o->depth + o->block - 1) / o->block;
  return (int32_t)(o->scale_codes[line * blocks + k / o->block] & 255) - 127;
}

#if defined(__x86_64__)

HOT_INLINE __m512i look_up(const int8_t *table, __m512i codes) {
  __m512i low = _mm512_permutex2var_epi8(_mm512_loadu_si512(table), codes,
                                         _mm512_loadu_si512(table + 64));
  __m512i high = _mm512_permutex2var_epi8(_mm512_loadu_si512(table + 128), codes,
                                          _mm512_loadu_si512(table + 192));
  return _mm512_mask_mov_epi8(low, _mm512_movepi8_mask(codes), high);
}

// 64 k of up to 16 lines, looked up and turned: four k of each line in a vector.
HOT_INLINE void look_up_lines(const bk_operand *o, int64_t line, int count, int64_t k,
                              const int8_t *table, __m512i v[16]) {
  for (int i = 0; i < 16; i++) {
    __m512i codes = _mm512_setzero_si512();
    if (i < count)
      codes = load_bytes((const uint8_t *)o->codes + (line + i) * o->depth + k, o->depth - k);
    v[i] = look_up(table, codes);
  }
  transpose_dwords(v);
}

#endif

#endif
