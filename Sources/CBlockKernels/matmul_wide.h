// A fixed-point number wide enough for any sum of products of elements, scales and tensor scales,
// and its one rounding. Slow and without bounds to prove: the kernels fall back on it.
#ifndef BK_MATMUL_WIDE_H
#define BK_MATMUL_WIDE_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "exact_compare.h"
#include "matmul.h"

#pragma STDC FP_CONTRACT OFF

// Bit i weighs 2^(i + WIDE_BASE). The smallest product is 2^-894, the largest sum below 2^832.
enum { WIDE_LIMBS = 34, WIDE_BASE = -1088, WIDE_BITS = 64 * WIDE_LIMBS };

// Two's complement, least significant limb first.
typedef struct {
  uint64_t limb[WIDE_LIMBS];
} wide;

// A real number (−1)^negative · magnitude · 2^exponent.
typedef struct {
  uint64_t magnitude[3];
  int32_t exponent;
  int32_t negative;
} real;

static inline void real_times(real *x, float factor) {
  bk_exact f = bk_split(factor);
  unsigned __int128 carry = 0;
  for (int i = 0; i < 3; i++) {
    carry += (unsigned __int128)x->magnitude[i] * f.significand;
    x->magnitude[i] = (uint64_t)carry;
    carry >>= 64;
  }
  x->exponent += f.exponent;
  x->negative ^= (int32_t)(bk_bits(factor) >> 31);
}

static inline real real_of(float value) {
  real x = {{1, 0, 0}, 0, 0};
  real_times(&x, value);
  return x;
}

static inline int real_is_zero(const real *x) {
  return (x->magnitude[0] | x->magnitude[1] | x->magnitude[2]) == 0;
}

void wide_add(wide *sum, const real *x);
static inline int wide_is_negative(const wide *x) { return x->limb[WIDE_LIMBS - 1] >> 63; }
int wide_is_zero(const wide *x);
void wide_add_wide(wide *sum, const wide *x);
// Rounds to a multiple of 2^grid.
void wide_cut(wide *x, int grid, int rounding);
// floor(log2 |x|) of a number that is not zero.
int wide_exponent(const wide *x);
// x / 2^lsb, a multiple of 2^lsb, in the low 128 bits; `beyond` where it does not fit.
__int128 wide_integer(const wide *x, int lsb, int *beyond);

// A binary format with an exponent range of its own.
typedef struct {
  int32_t mantissa_bits, min_exponent, max_exponent;
  int32_t rounding, overflows_to_largest, flushes_subnormals;
  double smallest, largest;  // normal, finite
} float_format;

static const float_format single_precision = {
    23, -126, 127, BK_ROUND_TIES_TO_EVEN, 0, 0, 0x1p-126, 0x1.fffffep127};

// One rounding; a zero is +0, a nonzero number that vanishes keeps its sign.
float wide_round(const wide *x, const float_format *format);

#endif
