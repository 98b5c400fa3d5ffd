#include "element_exact.h"

#pragma STDC FP_CONTRACT OFF

uint32_t bk_signed_code(const bk_element *e, uint32_t magnitude, int negative) {
  if (!negative) return magnitude;
  if (e->twos_complement) return (0u - magnitude) & e->code_mask;
  if (magnitude == 0 && !e->has_negative_zero) return 0;
  return magnitude | e->sign_mask;
}

// The largest code whose value is at most a/d, not beyond `limit`.
static uint32_t floor_code(const bk_element *e, float a, bk_exact d, uint32_t limit) {
  double q = (double)a / bk_approximate(d);
  uint32_t k = 0;
  if (q >= bk_magnitude(e, limit)) {
    k = limit;
  } else if (q > 0) {
    int exponent;
    double fraction = frexp(q, &exponent);  // q = fraction · 2^exponent, fraction in [½, 1)
    exponent -= 1;
    if (exponent < e->min_exponent) {
      k = (uint32_t)ldexp(q, e->mantissa_bits - e->min_exponent);
    } else {
      uint32_t one = 1u << e->mantissa_bits;
      uint32_t scaled = (uint32_t)ldexp(fraction, e->mantissa_bits + 1);
      k = ((uint32_t)(exponent - e->min_exponent + 1) << e->mantissa_bits) + (scaled - one);
    }
    if (k > limit) k = limit;
  }
  while (k < limit && bk_compare(a, bk_magnitude(e, k + 1), d) >= 0) k++;
  while (k > 0 && bk_compare(a, bk_magnitude(e, k), d) < 0) k--;
  return k;
}

// Whether a number strictly between lower and upper goes to the upper one. `odd`: the lower's code.
static int goes_up(float a, bk_exact d, double lower, double upper, int odd, int rounding,
                   int negative, int random_bits, uint32_t random) {
  switch (rounding) {
  case BK_ROUND_TOWARD_ZERO: return 0;
  case BK_ROUND_TOWARD_POSITIVE: return !negative;
  case BK_ROUND_TOWARD_NEGATIVE: return negative;
  case BK_ROUND_TO_ODD: return !odd;
  case BK_ROUND_STOCHASTIC: {
    if (random == 0) return 0;
    double share = ldexp(ldexp(1, random_bits) - (double)random, -random_bits);
    return bk_compare(a, lower + (upper - lower) * share, d) >= 0;
  }
  default: {
    int side = bk_compare(a, (lower + upper) / 2, d);
    if (side != 0) return side > 0;
    return rounding == BK_ROUND_TIES_TO_EVEN ? odd : rounding == BK_ROUND_TIES_TO_AWAY;
  }
  }
}

// The sign of q − v for a signed x = q·d and a signed codebook value v.
static int compare_signed(float x, double v, bk_exact d) {
  if ((x < 0) != (v < 0)) return x < v ? -1 : x > v;
  int sign = bk_compare(fabsf(x), fabs(v), d);
  return x < 0 ? -sign : sign;
}

static uint32_t codebook_exact(const bk_element *e, float x, bk_exact d, int rounding,
                               int random_bits, uint32_t random) {
  const float *book = e->codebook;
  uint32_t last = (uint32_t)e->codebook_count - 1, low = 0, high = last;
  if (compare_signed(x, book[0], d) <= 0) return 0;
  if (compare_signed(x, book[last], d) >= 0) return last;
  while (high - low > 1) {
    uint32_t middle = (low + high) / 2;
    if (compare_signed(x, book[middle], d) >= 0) low = middle;
    else high = middle;
  }
  if (compare_signed(x, book[low], d) == 0) return low;
  double lower = book[low], upper = book[high];
  int negative = x < 0;
  switch (rounding) {
  case BK_ROUND_TOWARD_POSITIVE: return high;
  case BK_ROUND_TOWARD_NEGATIVE: return low;
  case BK_ROUND_TOWARD_ZERO: return negative ? high : low;
  case BK_ROUND_TO_ODD: return low & 1 ? low : high;
  case BK_ROUND_STOCHASTIC: {
    if (random == 0) return negative ? high : low;
    double share = ldexp(ldexp(1, random_bits) - (double)random, -random_bits);
    if (negative) {
      double threshold = upper - (upper - lower) * share;
      return compare_signed(x, threshold, d) <= 0 ? low : high;
    }
    return compare_signed(x, lower + (upper - lower) * share, d) >= 0 ? high : low;
  }
  default: {
    int side = compare_signed(x, (lower + upper) / 2, d);
    if (side != 0) return side > 0 ? high : low;
    if (rounding == BK_ROUND_TIES_TO_EVEN) return low & 1 ? high : low;
    double l = fabs(lower), u = fabs(upper);
    int away = l == u ? !negative : u > l;
    if (rounding == BK_ROUND_TIES_TOWARD_ZERO) away = l == u ? negative : u < l;
    return away ? high : low;
  }
  }
}

uint32_t bk_element_exact(const bk_element *e, float x, bk_exact d, int rounding, int random_bits,
                          uint32_t random) {
  if (e->is_codebook) return codebook_exact(e, x, d, rounding, random_bits, random);
  int negative = (bk_bits(x) >> 31) != 0;
  float a = fabsf(x);
  uint32_t limit = negative ? e->max_code_negative : e->max_code;
  uint32_t k = floor_code(e, a, d, limit);
  if (k < limit) {
    double lower = bk_magnitude(e, k), upper = bk_magnitude(e, k + 1);
    if (bk_compare(a, lower, d) != 0)
      k += (uint32_t)goes_up(a, d, lower, upper, k & 1, rounding, negative, random_bits, random);
  }
  return bk_signed_code(e, k, negative);
}

uint32_t bk_magnitude_exact(const bk_element *e, float a, bk_exact d) {
  // FP32 has codes up to 0x7f7fffff; one more stands for overflow.
  uint32_t limit = e->max_code + 1;
  uint32_t k = floor_code(e, a, d, limit);
  if (k == limit) return limit;
  double lower = bk_magnitude(e, k), upper = bk_magnitude(e, k + 1);
  if (bk_compare(a, lower, d) == 0) return k;
  return k + (uint32_t)goes_up(a, d, lower, upper, k & 1, BK_ROUND_TIES_TO_EVEN, 0, 0, 0);
}
