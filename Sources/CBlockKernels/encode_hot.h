// tiesToEven to one-byte codes: what nearly every run consists of.
//
// |x| + M, with M the power of two whose unit in the last place is the format's step at x, leaves
// the rounded significand in the low bits; the exponent's part of the code is added to it, and
// leftovers above the magnitude are masked away.
#ifndef BK_ENCODE_HOT_H
#define BK_ENCODE_HOT_H

#include "encode_lanes.h"

typedef struct {
  float max_positive, max_negative, magic;
  uint32_t min_normal, to_magic, to_margin, uniform_margin, offset, sign_mask, code_mask;
  int32_t shift, sign_shift;
} hot_encoder;

INLINE hot_encoder make_hot_encoder(const encoder *p, const bk_element *e) {
  hot_encoder h;
  h.max_positive = p->max_positive;
  h.max_negative = p->max_negative;
  h.magic = p->magic;
  h.shift = p->uniform ? 0 : p->shift;
  h.min_normal = bk_bits(p->min_normal);
  h.to_magic = (uint32_t)h.shift << 23;
  h.offset = h.min_normal >> h.shift;
  h.sign_shift = 31 - p->sign_shift;
  h.sign_mask = e->sign_mask;
  h.code_mask = e->code_mask;
  // Half a step less what an error of 4 units in the last place of x can amount to there.
  int significand = p->uniform ? 32 - __builtin_clz(e->max_code_negative) : p->mantissa_bits + 1;
  uint32_t units = 1u << (significand + 1 + 24 - 20);
  h.to_margin = h.to_magic - (24u << 23) - units;
  h.uniform_margin = bk_bits(p->magic) - (24u << 23) - units;
  return h;
}

// What a hot loop is compiled for.
#define HOT_FLOAT 0
#define HOT_FLOAT_ONE_ZERO 1  // no negative zero (FNUZ)
#define HOT_SIGN_MAGNITUDE 2
#define HOT_TWOS_COMPLEMENT 3
#define HOT_TWOS_COMPLEMENT_FULL 4

// The kind of hot loop for a format, or -1 where it needs the general one.
INLINE int hot_kind(const bk_element *e, const encoder *p) {
  if (e->code_bytes != 1 || p->deep || p->rounding != BK_ROUND_TIES_TO_EVEN) return -1;
  if (e->twos_complement)
    return e->max_code == e->max_code_negative ? HOT_TWOS_COMPLEMENT : HOT_TWOS_COMPLEMENT_FULL;
  if (p->uniform) return HOT_SIGN_MAGNITUDE;
  return e->has_negative_zero ? HOT_FLOAT : HOT_FLOAT_ONE_ZERO;
}

// Codes of x with quotient q. Where `checked`, q is known to within 4 units in the last place and
// the sign bit of a lane of `doubt` says that this is not enough.
INLINE vu hot_codes(vf q, vu x_bits, const hot_encoder *h, int kind, int checked, vu *doubt) {
  vf a = bits_f(magnitude_u(q));
  vf limit = kind == HOT_TWOS_COMPLEMENT_FULL
                 ? select_f((vi)x_bits < 0, (vf)h->max_negative, (vf)h->max_positive)
                 : (vf)h->max_positive;
  a = limit < a ? limit : a;  // NaN stays NaN
  int uniform = kind >= HOT_SIGN_MAGNITUDE;
  vu binade = max_magnitude(bits_u(a) & 0x7f800000u, (vu)h->min_normal);
  vf magic = uniform ? (vf)h->magic : bits_f(binade + h->to_magic);
  vf sum = a + magic;
  vu k = uniform ? bits_u(sum) : bits_u(sum) + ((binade >> h->shift) - h->offset);
  if (checked) {
    // The distance to the code's value, against half a step less the margin; both as bits.
    vu rest = magnitude_u((sum - magic) - a);
    *doubt = (uniform ? (vu)h->uniform_margin : binade + h->to_margin) - rest;
  }
  if (kind >= HOT_TWOS_COMPLEMENT) {
    vu negative = mask_u((vi)x_bits >> 31);
    return ((k ^ negative) - negative) & h->code_mask;
  }
  vu sign = x_bits >> h->sign_shift, magnitude = h->sign_mask - 1;
  vu code = (k & magnitude) | (sign & ~magnitude);
  if (kind == HOT_FLOAT_ONE_ZERO) code &= mask_u((k & magnitude) != 0);
  return code;
}

#endif
