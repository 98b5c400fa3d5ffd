// tiesToEven to one-byte codes: what nearly every run consists of.
//
// |x| + M, with M the power of two whose unit in the last place is the format's step at x, leaves
// the rounded significand in the low bits; the exponent's part of the code is added to it, and
// leftovers above the magnitude are masked away.
#ifndef BK_ENCODE_HOT_H
#define BK_ENCODE_HOT_H

#include "encode_lanes.h"

INLINE vu sign_joined(vu k, vu x_bits, const hot_encoder *h) {
  vu sign = x_bits >> h->sign_shift, magnitude = h->sign_mask - 1;
  return ((k ^ sign) & magnitude) ^ sign;
}

// The checked codes of a narrow float: M carries FINE more digits, whose halfway point rounds up.
// Whatever lies within two units of it, ties among them, is in doubt.
INLINE vu narrow_codes(vf q, vu x_bits, const hot_encoder *h, vu *doubt) {
  vf a = bits_f(magnitude_u(q)), limit = (vf)h->max_positive;
  a = limit < a ? limit : a;  // NaN stays NaN
  vu binade = max_magnitude(bits_u(a) & 0x7f800000u, (vu)h->min_normal);
  vu fine = bits_u(a + bits_f(binade + h->to_fine)) + ((1u << (FINE - 1)) + 2);
  *doubt = (fine & ((1u << FINE) - 1)) - 5;
  return sign_joined((fine >> FINE) + (binade >> h->shift), x_bits, h);
}

// Codes of x with quotient q. Where `checked`, q is known to within 4 units in the last place and
// the sign bit of a lane of `doubt` says that this is not enough.
INLINE vu hot_codes(vf q, vu x_bits, const hot_encoder *h, int kind, int checked, vu *doubt) {
  if (kind == HOT_FLOAT_NARROW && checked) return narrow_codes(q, x_bits, h, doubt);
  vf a = bits_f(magnitude_u(q));
  vf limit = kind == HOT_TWOS_COMPLEMENT_FULL
                 ? select_f((vi)x_bits < 0, (vf)h->max_negative, (vf)h->max_positive)
                 : (vf)h->max_positive;
  a = limit < a ? limit : a;  // NaN stays NaN
  int uniform = kind >= HOT_SIGN_MAGNITUDE && kind <= HOT_TWOS_COMPLEMENT_FULL;
  vu binade = max_magnitude(bits_u(a) & 0x7f800000u, (vu)h->min_normal);
  vf magic = uniform ? (vf)h->magic : bits_f(binade + h->to_magic);
  vf sum = a + magic;
  vu k = uniform ? bits_u(sum) : bits_u(sum) + (binade >> h->shift);
  if (checked) {
    // The distance to the code's value, against half a step less the margin; both as bits.
    vu rest = magnitude_u((sum - magic) - a);
    *doubt = (uniform ? (vu)h->uniform_margin : binade + h->to_margin) - rest;
  }
  if (kind == HOT_TWOS_COMPLEMENT || kind == HOT_TWOS_COMPLEMENT_FULL) {
    vu negative = mask_u((vi)x_bits >> 31);
    return ((k ^ negative) - negative) & h->code_mask;
  }
  vu code = sign_joined(k, x_bits, h);
  if (kind == HOT_FLOAT_ONE_ZERO) code &= mask_u((k & (h->sign_mask - 1)) != 0);
  return code;
}

#endif
