// What the scalar definitions share.
#ifndef BK_MATMUL_SCALAR_H
#define BK_MATMUL_SCALAR_H

#include "matmul_plan.h"

#pragma STDC FP_CONTRACT OFF

// NaN and infinities of a sum.
typedef struct {
  int nan, positive, negative;
} specials;

static inline void note(specials *s, double x) {
  if (isnan(x)) s->nan = 1;
  if (isinf(x)) *(x > 0 ? &s->positive : &s->negative) = 1;
}

static inline int is_special(const specials *s) { return s->nan | s->positive | s->negative; }

static inline float special_value(const specials *s) {
  if (s->nan || (s->positive && s->negative)) return NAN;
  return s->positive ? INFINITY : -INFINITY;
}

static inline float scale_at(const line *l, int64_t k) { return l->scale ? l->scale[k / l->block] : 1; }
static inline int scale_exponent_at(const line *l, int64_t k) {
  return l->scale ? l->scale_exponent[k / l->block] : 0;
}

static inline void add_float(wide *sum, float x) {
  real r = real_of(x);
  wide_add(sum, &r);
}

#endif
