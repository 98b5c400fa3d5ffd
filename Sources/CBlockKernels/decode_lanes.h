// Decoding LANES codes at once.
#ifndef BK_DECODE_LANES_H
#define BK_DECODE_LANES_H

#include "exact_compare.h"
#include "lanes.h"

typedef struct {
  int32_t uniform, twos_complement, shift, sign_shift, width_shift;
  uint32_t sign_mask, first_special, infinity_code, code_mask;
  int32_t has_infinity, has_specials, fnuz;
  uint32_t nan_positive;
  float factor;  // what the raw pattern read as a float32, or the integer, is multiplied by
} decoder;

INLINE decoder make_decoder(const bk_element *e) {
  decoder p;
  p.uniform = e->min_exponent > 127;
  p.twos_complement = e->twos_complement;
  p.shift = 23 - e->mantissa_bits;
  p.sign_mask = e->twos_complement ? 0 : e->sign_mask;
  p.sign_shift = p.sign_mask ? 31 - __builtin_ctz(p.sign_mask) : 0;
  p.width_shift = e->code_mask ? __builtin_clz(e->code_mask) : 0;
  p.code_mask = e->code_mask;
  p.first_special = e->first_special;
  p.has_specials = e->has_nan;
  p.fnuz = e->has_nan && !e->has_negative_zero && e->sign_mask && !e->twos_complement;
  p.nan_positive = e->nan_positive;
  p.has_infinity = e->has_infinity;
  p.infinity_code = e->infinity_code;
  p.factor = (float)bk_power(p.uniform ? e->min_exponent - e->mantissa_bits : e->min_exponent + 126);
  return p;
}

INLINE vf decode_lanes(vu code, const decoder *p) {
  code &= p->code_mask;
  if (p->twos_complement) {
    vi value = (vi)(code << p->width_shift) >> p->width_shift;
    return __builtin_convertvector(value, vf) * p->factor;
  }
  vu sign = (code & p->sign_mask) << p->sign_shift, k = code & ~p->sign_mask;
  vf a = p->uniform ? __builtin_convertvector((vi)k, vf) : bits_f(k << p->shift);
  vu bits = bits_u(a * p->factor) | sign;
  if (p->has_specials) {
    vu nan = k - k + 0x7fc00000u;
    if (p->fnuz) {
      bits = select_u(code == p->nan_positive, nan, bits);
    } else {
      vu special = p->has_infinity ? select_u(k == p->infinity_code, sign | 0x7f800000u, nan) : nan;
      bits = select_u(k >= p->first_special, special, bits);
    }
  }
  return bits_f(bits);
}

#endif
