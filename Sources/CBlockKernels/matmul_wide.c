#include "matmul_wide.h"

#pragma STDC FP_CONTRACT OFF

void wide_add(wide *sum, const real *x) {
  int position = x->exponent - WIDE_BASE, limb = position / 64, shift = position % 64;
  uint64_t parts[4] = {
      x->magnitude[0] << shift,
      x->magnitude[1] << shift | (shift ? x->magnitude[0] >> (64 - shift) : 0),
      x->magnitude[2] << shift | (shift ? x->magnitude[1] >> (64 - shift) : 0),
      shift ? x->magnitude[2] >> (64 - shift) : 0,
  };
  uint64_t flip = x->negative ? UINT64_MAX : 0, carry = flip & 1;
  for (int i = 0; limb + i < WIDE_LIMBS; i++) {
    if (i >= 4 && (flip ? carry == 1 : carry == 0)) break;
    unsigned __int128 t = (unsigned __int128)sum->limb[limb + i] + ((i < 4 ? parts[i] : 0) ^ flip);
    t += carry;
    sum->limb[limb + i] = (uint64_t)t;
    carry = (uint64_t)(t >> 64);
  }
}

void wide_add_wide(wide *sum, const wide *x) {
  uint64_t carry = 0;
  for (int i = 0; i < WIDE_LIMBS; i++) {
    unsigned __int128 t = (unsigned __int128)sum->limb[i] + x->limb[i] + carry;
    sum->limb[i] = (uint64_t)t;
    carry = (uint64_t)(t >> 64);
  }
}

int wide_is_zero(const wide *x) {
  uint64_t all = 0;
  for (int i = 0; i < WIDE_LIMBS; i++) all |= x->limb[i];
  return all == 0;
}

static void negate(wide *x) {
  uint64_t carry = 1;
  for (int i = 0; i < WIDE_LIMBS; i++) {
    x->limb[i] = ~x->limb[i] + carry;
    carry = carry && x->limb[i] == 0;
  }
}

static int top_bit(const wide *x) {
  for (int i = WIDE_LIMBS - 1; i >= 0; i--)
    if (x->limb[i]) return 64 * i + 63 - __builtin_clzll(x->limb[i]);
  return -1;
}

static int bit(const wide *x, int position) {
  return (int)(x->limb[position / 64] >> (position % 64) & 1);
}

static int any_below(const wide *x, int position) {
  uint64_t all = 0;
  for (int i = 0; i < position / 64; i++) all |= x->limb[i];
  if (position % 64) all |= x->limb[position / 64] << (64 - position % 64);
  return all != 0;
}

int wide_exponent(const wide *x) {
  wide magnitude = *x;
  if (wide_is_negative(x)) negate(&magnitude);
  return top_bit(&magnitude) + WIDE_BASE;
}

// Whether a magnitude cut at a grid goes up by one step.
static int goes_up(int rounding, int odd, int half, int sticky, int negative) {
  int inexact = half | sticky;
  switch (rounding) {
  case BK_ROUND_TIES_TO_EVEN: return half && (sticky || odd);
  case BK_ROUND_TIES_TO_AWAY: return half;
  case BK_ROUND_TIES_TOWARD_ZERO: return half && sticky;
  case BK_ROUND_TOWARD_POSITIVE: return inexact && !negative;
  case BK_ROUND_TOWARD_NEGATIVE: return inexact && negative;
  case BK_ROUND_TO_ODD: return inexact && !odd;
  default: return 0;
  }
}

// Rounds a magnitude to a multiple of bit `position`.
static void cut_magnitude(wide *x, int position, int rounding, int negative) {
  if (position <= 0) return;
  int half = bit(x, position - 1), sticky = any_below(x, position - 1);
  int up = goes_up(rounding, bit(x, position), half, sticky, negative);
  for (int i = 0; i < position / 64; i++) x->limb[i] = 0;
  x->limb[position / 64] &= UINT64_MAX << (position % 64);
  if (!up) return;
  real one = {{1, 0, 0}, position + WIDE_BASE, 0};
  wide_add(x, &one);
}

void wide_cut(wide *x, int grid, int rounding) {
  int position = grid - WIDE_BASE;
  if (position > WIDE_BITS - 66) position = WIDE_BITS - 66;
  int negative = wide_is_negative(x);
  if (negative) negate(x);
  cut_magnitude(x, position, rounding, negative);
  if (negative) negate(x);
}

__int128 wide_integer(const wide *x, int lsb, int *beyond) {
  int negative = wide_is_negative(x), position = lsb - WIDE_BASE;
  wide magnitude = *x;
  if (negative) negate(&magnitude);
  int top = top_bit(&magnitude);
  *beyond = top - position >= 126;
  unsigned __int128 value = 0;
  for (int i = 127; i >= 0; i--) {
    int from = position + i;
    value = value << 1 | (from >= 0 && from < WIDE_BITS ? (unsigned)bit(&magnitude, from) : 0);
  }
  return (__int128)(negative ? -value : value);
}

float wide_round(const wide *x, const float_format *f) {
  int negative = wide_is_negative(x);
  wide magnitude = *x;
  if (negative) negate(&magnitude);
  int top = top_bit(&magnitude);
  if (top < 0) return 0;
  int exponent = top + WIDE_BASE;
  int grid = (exponent > f->min_exponent ? exponent : f->min_exponent) - f->mantissa_bits;
  cut_magnitude(&magnitude, grid - WIDE_BASE, f->rounding, negative);
  top = top_bit(&magnitude);
  double result = 0;
  if (top >= 0) {
    exponent = top + WIDE_BASE;
    uint64_t significand = 0;
    for (int i = f->mantissa_bits; i >= 0; i--) {
      int from = grid + i - WIDE_BASE;
      significand = significand << 1 | (uint64_t)bit(&magnitude, from);
    }
    if (exponent - grid > f->mantissa_bits) significand = UINT64_C(1) << (exponent - grid);
    result = ldexp((double)significand, grid);
  }
  if (top >= 0 && exponent > f->max_exponent)
    result = f->overflows_to_largest ? f->largest : (double)INFINITY;
  if (f->flushes_subnormals && result < f->smallest) result = 0;
  return (float)(negative ? -result : result);
}
