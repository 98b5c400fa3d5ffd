// Decoding LANES codes at once.
#ifndef BK_DECODE_LANES_H
#define BK_DECODE_LANES_H

#include "lanes.h"
#include "prepared.h"

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
