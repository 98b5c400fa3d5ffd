// tiesToEven to one-byte codes: what nearly every run consists of.
//
// |x| + M, with M the power of two whose unit in the last place is the format's step at x, leaves
// the rounded significand in the low bits; the exponent's part of the code is added to it. Bits
// above the eighth hold leftovers and fall away when the code is stored in a byte.
#ifndef BK_ENCODE_HOT_H
#define BK_ENCODE_HOT_H

#include "encode_lanes.h"

typedef struct {
  float max_positive, max_negative, magic, margin, uniform_margin;
  uint32_t min_normal, to_magic, offset, sign_mask, code_mask;
  int32_t shift, sign_shift;
} hot_encoder;

INLINE hot_encoder make_hot_encoder(const encoder *p, const bk_element *e) {
  hot_encoder h;
  h.max_positive = p->max_positive;
  h.max_negative = p->max_negative;
  h.magic = p->magic;
  h.shift = p->shift;
  h.min_normal = bk_bits(p->min_normal);
  h.to_magic = (uint32_t)p->shift << 23;
  h.offset = (bk_bits(p->min_normal) >> p->shift);
  h.sign_shift = 31 - p->sign_shift;
  h.sign_mask = e->sign_mask;
  h.code_mask = e->code_mask;
  // Half a step less what an error of 4 units in the last place of x can amount to there.
  int significand = p->uniform ? 32 - __builtin_clz(e->max_code_negative) : p->mantissa_bits + 1;
  float share = 1 - ldexpf(1, significand + 1 - 20);
  h.margin = 0x1p-24f * share;
  h.uniform_margin = p->magic * h.margin;
  return h;
}

// Whether the hot loop can express a format.
INLINE int is_hot(const bk_element *e, const encoder *p) {
  return e->code_bytes == 1 && !p->deep && p->rounding == BK_ROUND_TIES_TO_EVEN &&
         (e->twos_complement || e->has_negative_zero) && p->shift >= 12 + 8 * !p->uniform - 8;
}

INLINE vu hot_codes(vf q, vu x_bits, const hot_encoder *h, int uniform, int full_range, int checked,
                    vi *unsure) {
  vf a = bits_f(magnitude_u(q));
  vf limit = full_range ? select_f((vi)x_bits < 0, (vf)h->max_negative, (vf)h->max_positive)
                        : (vf)h->max_positive;
  a = min_f(a, limit);
  vf magic, sum;
  vu k;
  if (uniform) {
    magic = (vf)h->magic;
    sum = a + magic;
    k = bits_u(sum);
    vu negative = mask_u((vi)x_bits >> 31);
    k = (k ^ negative) - negative;
  } else {
    vu binade = max_magnitude(bits_u(a) & 0x7f800000u, (vu)h->min_normal);
    magic = bits_f(binade + h->to_magic);
    sum = a + magic;
    k = bits_u(sum) + ((binade >> h->shift) - h->offset);
  }
  if (checked) {
    vf rest = bits_f(magnitude_u((sum - magic) - a));
    *unsure = ~(rest < (uniform ? (vf)h->uniform_margin : magic * h->margin));
  }
  return k;
}

#endif
