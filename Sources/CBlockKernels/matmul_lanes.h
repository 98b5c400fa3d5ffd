// Float64 lanes: rounding to integers in every mode, to a float format, and exact sums and products
// rounded to odd, which a later rounding to at most 51 bits cannot tell from the exact number.
#ifndef BK_MATMUL_LANES_H
#define BK_MATMUL_LANES_H

#include "lanes.h"
#include "matmul_kernels.h"

// Vectors of two registers pass between functions that are all inlined: there is no ABI to change.
#pragma clang diagnostic ignored "-Wpsabi"

typedef double vd __attribute__((ext_vector_type(LANES)));
typedef int64_t vl __attribute__((ext_vector_type(LANES)));
typedef int16_t vs __attribute__((ext_vector_type(LANES)));

#define EXPONENT_BITS 0x7ff0000000000000

INLINE vd load_d(const double *p) {
  vd v;
  memcpy(&v, p, sizeof v);
  return v;
}

INLINE vs load_s(const int16_t *p) {
  vs v;
  memcpy(&v, p, sizeof v);
  return v;
}

INLINE vl bits_l(vd v) {
  vl r;
  memcpy(&r, &v, sizeof r);
  return r;
}

INLINE vd bits_d(vl v) {
  vd r;
  memcpy(&r, &v, sizeof r);
  return r;
}

// One number in every lane; adding it to zeros would lose the sign of −0.
INLINE vd every_d(double x) { return (vd)x; }
INLINE vf every_f(float x) { return (vf)x; }

INLINE vd abs_d(vd x) { return bits_d(bits_l(x) & INT64_MAX); }
INLINE vd with_sign(vd magnitude, vd sign) {
  return bits_d(bits_l(magnitude) | (bits_l(sign) & INT64_MIN));
}
INLINE vd max_d(vd a, vd b) { return a > b ? a : b; }
INLINE vd to_d(vf x) { return __builtin_convertvector(x, vd); }
INLINE vf to_f(vd x) { return __builtin_convertvector(x, vf); }
INLINE vi narrow_mask(vl mask) { return __builtin_convertvector(mask, vi); }
INLINE vl wide_mask(vi mask) { return __builtin_convertvector(mask, vl); }
INLINE int any_d(vl mask) { return __builtin_reduce_or(mask) != 0; }

// 2^e for −1022 ≤ e ≤ 1023.
INLINE vd power(vi e) { return bits_d(__builtin_convertvector(e + 1023, vl) << 52); }

// 0 ≤ x ≤ 2^51 to integers.
INLINE vd nearest(vd x) { return (x + 0x1p52) - 0x1p52; }
INLINE vd truncated(vd x) {
#ifdef BK_HAS_ROUND
  return __builtin_elementwise_trunc(x);
#else
  vd r = nearest(x);
  return r > x ? r - 1 : r;
#endif
}

// A magnitude of at most 2^51 to an integer; `sign` has the number's sign.
INLINE vd round_magnitude(vd x, vd sign, int rounding) {
  if (rounding == BK_ROUND_TOWARD_ZERO) return truncated(x);
  if (rounding == BK_ROUND_TIES_TO_EVEN) return nearest(x);
  vd whole = truncated(x), rest = x - whole, next = whole + 1;
  vl negative = bits_l(sign) < 0;
  switch (rounding) {
  case BK_ROUND_TIES_TO_AWAY: return rest >= 0.5 ? next : whole;
  case BK_ROUND_TIES_TOWARD_ZERO: return rest > 0.5 ? next : whole;
  case BK_ROUND_TOWARD_POSITIVE: return ((rest > 0) & ~negative) ? next : whole;
  case BK_ROUND_TOWARD_NEGATIVE: return ((rest > 0) & negative) ? next : whole;
  default: {  // to odd
    vd half = whole * 0.5;
    return ((rest > 0) & (truncated(half) == half)) ? next : whole;
  }
  }
}

// |x| ≤ 2^51 to an integer.
INLINE vd round_number(vd x, int rounding) {
#ifdef BK_HAS_ROUND
  if (rounding == BK_ROUND_TOWARD_ZERO) return __builtin_elementwise_trunc(x);
  if (rounding == BK_ROUND_TOWARD_NEGATIVE) return __builtin_elementwise_floor(x);
#endif
  return with_sign(round_magnitude(abs_d(x), x, rounding), x);
}

// The unit 2^(e − bits) of numbers with exponent e, at least that of `smallest`.
INLINE vd unit_of(vd x, double smallest, int bits) {
  vd magnitude = max_d(abs_d(x), (vd){0} + smallest);
  return bits_d((bits_l(magnitude) & EXPONENT_BITS) - ((int64_t)bits << 52));
}

INLINE vd inverse_power(vd power) { return bits_d((INT64_C(2046) << 52) - bits_l(power)); }

// One rounding to a format, by the mode given; the zero sum of a nonzero number keeps its sign.
INLINE vd round_to(vd x, const float_format *f, int rounding) {
  double smallest = f->smallest, largest = f->largest;
  vd unit = unit_of(x, smallest, f->mantissa_bits);
  vd result = round_magnitude(abs_d(x) * inverse_power(unit), x, rounding) * unit;
  vd beyond = (vd){0} + (f->overflows_to_largest ? largest : (double)INFINITY);
  result = result > largest ? beyond : result;
  if (f->flushes_subnormals) result = result < smallest ? (vd){0} : result;
  return with_sign(result, x);
}

// An infinite sum stays: its error is NaN.
INLINE vd to_odd(vd sum, vd error) {
  vl odd = bits_l(sum) & 1, away = (bits_l(sum) ^ bits_l(error)) >= 0;
  vl changes = ((error < 0) | (error > 0)) & (odd == 0);
  return bits_d(bits_l(sum) + (changes & (away ? (vl){0} + 1 : (vl){0} - 1)));
}

INLINE vd add_error(vd a, vd b, vd sum) {
  vd t = sum - a;
  return (a - (sum - t)) + (b - t);
}

INLINE vd add_to_odd(vd a, vd b) {
  vd sum = a + b;
  return to_odd(sum, add_error(a, b, sum));
}

// a + b + c. The middle sum is exact or at most an ulp of the whole, so the last error's sign is
// that of all that is left.
INLINE vd add_three_to_odd(vd a, vd b, vd c) {
  vd ab = a + b, e1 = add_error(a, b, ab);
  vd abc = ab + c, e2 = add_error(ab, c, abc);
  vd rest = e1 + e2, e3 = add_error(e1, e2, rest);
  vd sum = abc + rest, error = add_error(abc, rest, sum);
  return to_odd(sum, error != 0 ? error : e3);
}

INLINE vd multiply_error(vd a, vd b, vd product) {
#ifdef BK_HAS_FMA
  return __builtin_elementwise_fma(a, b, -product);
#else
  vd ta = a * 0x1.0000002p27, tb = b * 0x1.0000002p27;
  vd ah = ta - (ta - a), al = a - ah, bh = tb - (tb - b), bl = b - bh;
  return ((ah * bh - product) + ah * bl + al * bh) + al * bl;
#endif
}

INLINE vd multiply_to_odd(vd a, vd b) {
  vd product = a * b;
  return to_odd(product, multiply_error(a, b, product));
}

INLINE vf flush_f(vf x) {
  vu bits = bits_u(x);
  return bits_f((bits & 0x7fffffffu) < 0x800000u ? bits & 0x80000000u : bits);
}

INLINE vi not_finite(vf x) { return magnitude_u(x) >= 0x7f800000u; }

#endif
