// Fused steps whose sum is exact: products gathered in one or two float64 windows, joined with c and
// rounded to odd, then once to the output.
#ifndef BK_MATMUL_EXACT_STEPS_H
#define BK_MATMUL_EXACT_STEPS_H

#include "matmul_fused.h"

typedef struct {
  vd high, low;
  vl beyond;  // the windows do not hold every product
} windows;

INLINE windows two_products(const packed *a, const packed *b, const step *s) {
  windows w = {load_d(b->wide + s->first * LANES) * a->wide[s->first], (vd){0}, (vl){0}};
  if (s->last - s->first == 2)
    w.low = load_d(b->wide + (s->first + 1) * LANES) * a->wide[s->first + 1];
  return w;
}

// The upper window reaches `digits` bits below the largest product, the lower as many more.
INLINE windows many_products(const kernel_job *job, const packed *a, const packed *b, const step *s) {
  vd top = (vd){0};
  for (int64_t k = s->first; k < s->last; k++)
    top = max_d(top, abs_d(load_d(b->wide + k * LANES) * a->wide[k]));
  int digits = 50 - (64 - __builtin_clzll((uint64_t)(s->last - s->first)));
  // Adding 1.5·2^52 units rounds to a multiple of the unit.
  vd unit = bits_d((bits_l(max_d(top, (vd){0} + 0x1p-600)) & EXPONENT_BITS) -
                   ((int64_t)digits << 52));
  vd magic = unit * 0x1.8p52, fine = magic * bk_power(-digits);
  windows w = {(vd){0}, (vd){0}, (vl){0}};
  for (int64_t k = s->first; k < s->last; k++) {
    vd p = load_d(b->wide + k * LANES) * a->wide[k];
    vd high = (p + magic) - magic, rest = p - high, low = (rest + fine) - fine;
    w.high += high;
    w.low += low;
    w.beyond |= low != rest;
  }
  (void)job;
  return w;
}

INLINE vf exact_step(const kernel_job *job, const packed *a, const packed *b, const step *s, vf c,
                     int rounding, int one_window) {
  const plan *p = job->plan;
  windows w = {(vd){0}, (vd){0}, (vl){0}};
  if (one_window) {
    for (int64_t k = s->first; k < s->last; k++)
      w.high += load_d(b->wide + k * LANES) * a->wide[k];
  } else if (s->last - s->first <= 2) {
    w = two_products(a, b, s);
  } else {
    w = many_products(job, a, b, s);
  }
  vf result;
  if (p->unit.join == BK_JOIN_ADD) {
    vd products = one_window ? w.high : add_to_odd(w.high, w.low);
    result = join_rounded(p, products + 0.0, c, p->intermediate.rounding);
  } else {
    vd sum = one_window ? add_to_odd(w.high, to_d(c)) : add_three_to_odd(w.high, w.low, to_d(c));
    result = to_f(round_to(sum + 0.0, &p->output, rounding));
  }
  if (any_d(w.beyond))
    for (int i = 0; i < LANES; i++)
      if (w.beyond[i] && !b->lines[i].special)
        result[i] = scalar_fused_step(p, a->lines, &b->lines[i], s, c[i]);
  return result;
}

#endif
