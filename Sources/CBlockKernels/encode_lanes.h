// Rounding LANES numbers to a format at once. Integer operations on the float's bits, so that no
// decision depends on an inexact operation; see NumberFormats/Rounding for the modes.
#ifndef BK_ENCODE_LANES_H
#define BK_ENCODE_LANES_H

#include "lanes.h"
#include "prepared.h"

#define TINY 0x1p-100f

// tiesToEven of |x|, which is at most the largest value or overflows into larger codes.
INLINE vu nearest_even(vf a, const encoder *p) {
  vu bits = bits_u(a);
  vu small = bits_u(a + p->magic) - bk_bits(p->magic);
  if (p->uniform) return small;
  uint32_t below_half = (1u << (p->shift - 1)) - 1;
  vu odd = ((bits >> p->shift) - p->rebias) & 1;
  vu large = ((bits + below_half + odd) >> p->shift) - p->rebias;
  return select_u(a < p->min_normal, small, large);
}

INLINE vi stochastic_up(vu rest, vu shift, vu random, int n) {
  vi wide = shift <= (uint32_t)n;
  vu left = rest << min_u(select_u(wide, (uint32_t)n - shift, shift - shift), shift - shift + 31);
  vu distance = select_u(wide, shift - shift, shift - (uint32_t)n);
  vu right = select_u(distance < 32, rest >> min_u(distance, distance - distance + 31),
                      rest - rest);
  vu fraction = select_u(wide, left, right);
  vu sum = fraction + random;
  if (n == 32) return sum < fraction;
  return (sum >> n) != 0;
}

// Any rounding of |x|, given as bits, at most the largest value or overflowing into larger codes.
INLINE vu any_rounding(vu bits, vi negative, vu random, const encoder *p) {
  vu field = bits >> 23;
  vu significand = (bits & 0x7fffffu) | select_u(field != 0, field - field + 0x800000u, field);
  vi exponent = (vi)max_u(field, field - field + 1) - 127;
  vi below = p->min_exponent - exponent;
  below = below > 0 ? below : below - below;
  vu shift = (vu)(below + p->shift), kept_shift = min_u(shift, shift - shift + 31);
  vu one = shift - shift + 1;
  vu code = significand >> kept_shift;
  vu rest = significand & ((one << kept_shift) - 1);
  if (!p->uniform) {
    vi above = exponent - p->min_exponent;
    above = above > 0 ? above : above - above;
    code += (vu)above << p->mantissa_bits;
  }
  vu half = one << (kept_shift - 1);
  vi odd = (code & 1) != 0, inexact = rest != 0, up;
  switch (p->rounding) {
  case BK_ROUND_TIES_TO_EVEN: up = (rest > half) | ((rest == half) & odd); break;
  case BK_ROUND_TIES_TO_AWAY: up = rest >= half; break;
  case BK_ROUND_TIES_TOWARD_ZERO: up = rest > half; break;
  case BK_ROUND_TOWARD_ZERO: up = NO_LANES; break;
  case BK_ROUND_TOWARD_POSITIVE: up = inexact & ~negative; break;
  case BK_ROUND_TOWARD_NEGATIVE: up = inexact & negative; break;
  case BK_ROUND_TO_ODD: up = inexact & ~odd; break;
  default: up = stochastic_up(rest, shift, random, p->random_bits); break;
  }
  return code - mask_u(up);
}

// Joins the sign of `q` to magnitude codes.
INLINE vu join_sign(vu k, vu q_bits, const encoder *p) {
  if (p->sign_shift < 0) {
    vu mask = mask_u((vi)q_bits >> 31);
    return ((k ^ mask) - mask) & p->code_mask;
  }
  vu sign = (q_bits >> 31) << p->sign_shift;
  if (!p->has_negative_zero) sign &= mask_u(k != 0);
  return k | sign;
}

INLINE vf saturated(vf a, vu q_bits, const encoder *p) {
  if (p->max_negative == p->max_positive) return min_f(a, (vf)p->max_positive);
  return min_f(a, select_f((vi)q_bits < 0, (vf)p->max_negative, (vf)p->max_positive));
}

// Codes of finite q, saturating.
INLINE vu encode_lanes(vf q, vu random, const encoder *p, int general) {
  vu bits = bits_u(q);
  vf a = saturated(bits_f(bits & 0x7fffffffu), bits, p);
  vu k = general ? any_rounding(bits_u(a), (vi)bits < 0, random, p) : nearest_even(a, p);
  return join_sign(k, bits, p);
}

// The same for q known to within 4 units in the last place; `unsure` marks lanes where that is not
// enough to tell.
INLINE vu encode_near_lanes(vf q, vu random, const encoder *p, vi *unsure) {
  vu bits = bits_u(q), a = bits & 0x7fffffffu;
  vu down = select_u(a > 4, a - 4, a - a), up = a + 4;
  vf low = saturated(bits_f(down), bits, p), high = saturated(bits_f(up), bits, p);
  vu k = any_rounding(bits_u(low), (vi)bits < 0, random, p);
  vu other = any_rounding(bits_u(high), (vi)bits < 0, random, p);
  *unsure = (k != other) | (a >= 0x7f800000u);
  *unsure |= (a != 0) & (a < bk_bits(TINY));
  return join_sign(k, bits, p);
}

#endif
