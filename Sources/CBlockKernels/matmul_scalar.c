// One output at a time, as the definition reads: for lines with NaN or infinity, and wherever no
// bound proves that a vector kernel is exact.

#include "matmul_scalar.h"

#pragma STDC FP_CONTRACT OFF

static float flushed(const plan *p, float x) {
  return p->unit.flushes_results && fabsf(x) < 0x1p-126f ? copysignf(0, x) : x;
}

// fl(x · y · z · w), once.
static float product_once(float x, float y, float z, float w) {
  double approximate = (double)x * y * ((double)z * w);
  if (!isfinite(approximate)) return (float)approximate;
  if (x == 0 || y == 0 || z == 0 || w == 0) return (float)approximate;
  wide sum = {{0}};
  real r = real_of(x);
  real_times(&r, y);
  real_times(&r, z);
  real_times(&r, w);
  wide_add(&sum, &r);
  return wide_round(&sum, &single_precision);
}

static float step_product(const plan *p, const line *a, const line *b, int64_t k, int64_t last) {
  if (k >= last) return 0;
  if (!p->unit.scales_products) return flushed(p, a->value[k] * b->value[k]);
  return flushed(p, product_once(a->value[k], b->value[k], scale_at(a, k), scale_at(b, k)));
}

// Sums values 0 … count−1 as a tree over adjacent pairs, in place.
static float tree(const plan *p, float *values, int64_t count) {
  while (count > 1) {
    for (int64_t i = 0; i + 1 < count; i += 2) values[i / 2] = flushed(p, values[i] + values[i + 1]);
    if (count & 1) values[count / 2] = values[count - 1];
    count = (count + 1) / 2;
  }
  return count ? values[0] : 0;
}

static float float32_step(const plan *p, const line *a, const line *b, const step *s, float c,
                          float *values) {
  const bk_accumulator *u = &p->unit;
  if (u->order == BK_ORDER_SEQUENTIAL) {
    for (int64_t k = s->first; k < s->last; k++)
      c = flushed(p, c + step_product(p, a, b, k, s->last));
    return c;
  }
  if (u->order == BK_ORDER_PAIRWISE) {
    for (int64_t k = s->first; k < s->last; k++)
      values[k - s->first] = step_product(p, a, b, k, s->last);
    float sum = tree(p, values, s->last - s->first);
    // Products +0 beyond the last k only turn a sum of −0 into +0.
    return flushed(p, c + (s->padded ? sum + 0.0f : sum));
  }
  int64_t end = s->last;
  if (s->padded)
    end = u->terms - (s->last - s->first) < u->chains ? s->first + u->terms : s->last + u->chains;
  memset(values, 0, (size_t)u->chains * sizeof *values);
  for (int64_t k = s->first; k < end; k++) {
    float *chain = &values[(k - s->first) % u->chains];
    float x = k < s->last ? a->value[k] : 0, y = k < s->last ? b->value[k] : 0;
    if (u->fused_multiply_add) *chain = flushed(p, fmaf(x, y, *chain));
    else *chain = flushed(p, *chain + step_product(p, a, b, k, s->last));
  }
  return flushed(p, c + tree(p, values, u->chains));
}

static float flushed_addend(const plan *p, float c) {
  if (p->unit.kind != BK_SUM_FLOAT32 || !(fabsf(c) < 0x1p-126f)) return c;
  if (p->unit.input_subnormals == BK_SUBNORMALS_TO_POSITIVE_ZERO) return 0;
  return p->unit.input_subnormals == BK_SUBNORMALS_TO_SIGNED_ZERO ? copysignf(0, c) : c;
}

// The unit's chain over a run, from c.
static float float_chain(const plan *p, const line *a, const line *b, const run *r, float c) {
  float *values = NULL;
  if (p->unit.kind == BK_SUM_FLOAT32) {
    int64_t room = p->depth > p->unit.chains ? p->depth : p->unit.chains;
    values = bk_take((size_t)(room + 1) * sizeof *values);
    if (!values) return NAN;
    c = flushed_addend(p, c);
  }
  for (int64_t i = r->first_step; i < r->last_step; i++)
    c = values ? float32_step(p, a, b, &p->steps[i], c, values)
               : scalar_fused_step(p, a, b, &p->steps[i], c);
  bk_give(values);
  if (p->unit.kind == BK_SUM_FLOAT32 && p->unit.flushes_subnormals && fabsf(c) < 0x1p-126f)
    c = copysignf(0, c);
  return c;
}

// A float as the unit writes it when nothing was added.
static float rounded_output(const plan *p, float c) {
  if (c == 0 || !isfinite(c)) return c;
  wide sum = {{0}};
  add_float(&sum, c);
  return wide_round(&sum, &p->output);
}

static __int128 fit(const bk_accumulator *u, __int128 x) {
  __int128 limit = (__int128)1 << (u->width - 1);
  if (u->saturates) return x >= limit ? limit - 1 : x < -limit ? -limit : x;
  unsigned __int128 bits = (unsigned __int128)x << (128 - u->width);
  return (__int128)bits >> (128 - u->width);
}

static int64_t integer_chain(const plan *p, const line *a, const line *b, const run *r, int64_t c) {
  __int128 sum = c;
  for (int64_t i = r->first_step; i < r->last_step; i++) {
    for (int64_t k = p->steps[i].first; k < p->steps[i].last; k++)
      sum += (int64_t)ldexp((double)a->value[k] * b->value[k], p->fraction_bits);
    sum = fit(&p->unit, sum);
  }
  return (int64_t)sum;
}

static real register_value(const plan *p, int64_t sum) {
  return (real){{sum < 0 ? -(uint64_t)sum : (uint64_t)sum, 0, 0}, -p->fraction_bits, sum < 0};
}

// fl(P · scale) of an integer register's P.
static float scaled_integer(const plan *p, int64_t sum, float scale) {
  if (!isfinite(scale) || sum == 0 || scale == 0) return (float)sum * scale;
  real x = register_value(p, sum);
  real_times(&x, scale);
  wide w = {{0}};
  wide_add(&w, &x);
  return wide_round(&w, &single_precision);
}

// fl(acc + P) of an integer register's P.
static float plus_integer(const plan *p, float acc, int64_t sum) {
  if (sum == 0 || !isfinite(acc)) return acc + 0.0f;
  wide w = {{0}};
  real x = register_value(p, sum);
  wide_add(&w, &x);
  add_float(&w, acc);
  return wide_round(&w, &single_precision);
}

static float run_sum(const plan *p, const line *a, const line *b, float c) {
  int scaled = a->scale || b->scale;
  for (int64_t i = 0; i < p->run_count; i++) {
    const run *r = &p->runs[i];
    float scale = scale_at(a, r->first) * scale_at(b, r->first);
    if (p->unit.kind == BK_SUM_INTEGER) {
      int64_t sum = integer_chain(p, a, b, r, 0);
      c = scaled ? c + scaled_integer(p, sum, scale) : plus_integer(p, c, sum);
    } else {
      float sum = float_chain(p, a, b, r, 0);
      c += scaled ? sum * scale : sum;
    }
  }
  return c;
}

static real fixed_product(const plan *p, const line *a, const line *b, int64_t k) {
  const bk_matmul *m = p->problem;
  real x = real_of(a->value[k]);
  real_times(&x, b->value[k]);
  real_times(&x, scale_at(a, k));
  real_times(&x, scale_at(b, k));
  if (m->a.has_tensor_scale) real_times(&x, m->a.tensor_scale);
  if (m->b.has_tensor_scale) real_times(&x, m->b.tensor_scale);
  return x;
}

static int64_t fixed_sum(const plan *p, const line *a, const line *b, int64_t c) {
  const bk_accumulator *u = &p->unit;
  __int128 sum = c;
  for (int64_t i = 0; i < p->step_count; i++) {
    wide w = {{0}};
    for (int64_t k = p->steps[i].first; k < p->steps[i].last; k++) {
      real x = fixed_product(p, a, b, k);
      wide_add(&w, &x);
    }
    wide_cut(&w, u->lsb, u->cut_rounding);
    int beyond;
    __int128 t = wide_integer(&w, u->lsb, &beyond);
    if (beyond && u->saturates) t = wide_is_negative(&w) ? -((__int128)1 << 100) : (__int128)1 << 100;
    else if (beyond) t = (int64_t)t;
    sum = fit(u, sum + t);
  }
  return (int64_t)(p->depth ? sum : fit(u, sum));
}

static float exact_value(const plan *p, const line *a, const line *b, float c) {
  specials found = {0, 0, 0};
  note(&found, c);
  if (a->special || b->special)
    for (int64_t k = 0; k < p->depth; k++)
      note(&found, (double)a->value[k] * b->value[k] * scale_at(a, k) * scale_at(b, k));
  if (is_special(&found)) return special_value(&found);
  wide sum = {{0}};
  add_float(&sum, c);
  for (int64_t k = 0; k < p->depth; k++) {
    real x = fixed_product(p, a, b, k);
    wide_add(&sum, &x);
  }
  return wide_round(&sum, &p->output);
}

// Whether NaN is certain: a NaN, or infinity times zero, in any product. Most lines with a NaN are
// settled here.
static int has_nan(const plan *p, const line *a, const line *b) {
  int found = 0;
  for (int64_t k = 0; k < p->depth; k++) {
    float x = a->value[k] * b->value[k];
    found |= x != x;
  }
  for (int64_t i = 0; a->scale && i * a->block < p->depth; i++) found |= isnan(a->scale[i]);
  for (int64_t i = 0; b->scale && i * b->block < p->depth; i++) found |= isnan(b->scale[i]);
  return found;
}

int64_t scalar_output(const plan *p, const line *a, const line *b, int64_t c) {
  run all = {0, p->depth, 0, p->step_count};
  if (p->unit.kind == BK_SUM_FIXED) return fixed_sum(p, a, b, c);
  if (p->unit.kind == BK_SUM_INTEGER && p->problem->output_type >= BK_OUT_INT32)
    return p->depth ? integer_chain(p, a, b, &all, c) : (int64_t)fit(&p->unit, c);
  float start = p->problem->output_type == BK_OUT_FLOAT16 ? half_value((uint32_t)c)
                                                          : bk_float((uint32_t)c);
  if (p->depth == 0)
    return float_pattern(p, p->problem->sums_runs ? start : rounded_output(p, start));
  if ((a->special || b->special) && has_nan(p, a, b)) return float_pattern(p, NAN);
  float sum;
  if (p->unit.kind == BK_SUM_EXACT) sum = exact_value(p, a, b, start);
  else if (p->problem->sums_runs || p->unit.kind == BK_SUM_INTEGER) sum = run_sum(p, a, b, start);
  else sum = float_chain(p, a, b, &all, start);
  return finish_float(p, sum);
}
