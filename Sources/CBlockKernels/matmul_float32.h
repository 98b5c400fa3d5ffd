// Units of float32 operations, LANES outputs at once.
#ifndef BK_MATMUL_FLOAT32_H
#define BK_MATMUL_FLOAT32_H

#include "matmul_lanes.h"

enum { MOST_CHAINS = 16 };

INLINE vf flush_if(vf x, int flushes) { return flushes ? flush_f(x) : x; }

// fl(a·b), or fl(a·s_A·b·s_B).
INLINE vf float32_product(const kernel_job *job, const packed *a, const packed *b, int64_t k,
                          int flushes) {
  if (!job->bounds.uses_wide)
    return flush_if(load_f(b->narrow + k * LANES) * a->narrow[k], flushes);
  vd x = load_d(b->wide + k * LANES), y = every_d(a->wide[k]);
  return flush_if(to_f(job->bounds.products_exact ? x * y : multiply_to_odd(x, y)), flushes);
}

INLINE vf multiply_add(vf x, float y, vf sum) {
#ifdef BK_HAS_FMA
  return __builtin_elementwise_fma(x, every_f(y), sum);
#else
  return to_f(add_to_odd(to_d(x) * (double)y, to_d(sum)));
#endif
}

// A balanced tree over values that come one by one: adjacent pairs, an odd value carried up.
typedef struct {
  vf value[64];
  int32_t held;
  uint64_t count;
} pair_tree;

INLINE void tree_add(pair_tree *t, vf v, int flushes) {
  for (uint64_t n = t->count++; n & 1; n >>= 1) v = flush_if(t->value[--t->held] + v, flushes);
  t->value[t->held++] = v;
}

INLINE vf tree_sum(pair_tree *t, int flushes) {
  vf sum = t->value[--t->held];
  while (t->held > 0) sum = flush_if(t->value[--t->held] + sum, flushes);
  return sum;
}

INLINE vf pairwise_step(const kernel_job *job, const packed *a, const packed *b, const step *s,
                        int flushes) {
  pair_tree t;
  t.held = 0;
  t.count = 0;
  for (int64_t k = s->first; k < s->last; k++)
    tree_add(&t, float32_product(job, a, b, k, flushes), flushes);
  vf sum = tree_sum(&t, flushes);
  // Products +0 beyond the last k only turn a sum of −0 into +0.
  return s->padded ? sum + 0.0f : sum;
}

INLINE vf chains_step(const kernel_job *job, const packed *a, const packed *b, const step *s,
                      int flushes) {
  const bk_accumulator *u = &job->plan->unit;
  vf chain[MOST_CHAINS];
  for (int i = 0; i < u->chains; i++) chain[i] = (vf){0};
  int at = 0;
  for (int64_t k = s->first; k < s->last; k++) {
    if (u->fused_multiply_add)
      chain[at] = multiply_add(load_f(b->narrow + k * LANES), a->narrow[k], chain[at]);
    else
      chain[at] += float32_product(job, a, b, k, flushes);
    chain[at] = flush_if(chain[at], flushes);
    at = at + 1 == u->chains ? 0 : at + 1;
  }
  // Products +0 beyond the last k only turn a −0 into +0.
  int64_t empty = s->padded ? u->terms - (s->last - s->first) : 0;
  for (int64_t i = 0; i < empty && i < u->chains; i++) {
    chain[at] += 0.0f;
    at = at + 1 == u->chains ? 0 : at + 1;
  }
  pair_tree t;
  t.held = 0;
  t.count = 0;
  for (int i = 0; i < u->chains; i++) tree_add(&t, chain[i], flushes);
  return tree_sum(&t, flushes);
}

INLINE vf flush_addend(const plan *p, vf c) {
  vi subnormal = magnitude_u(c) < 0x800000u;
  if (p->unit.input_subnormals == BK_SUBNORMALS_TO_POSITIVE_ZERO) return subnormal ? (vf){0} : c;
  if (p->unit.input_subnormals == BK_SUBNORMALS_TO_SIGNED_ZERO) return flush_f(c);
  return c;
}

// Rows in turn at every k, as each addition waits for the last.
INLINE void sequential_step(const kernel_job *job, const packed *a, int rows, const packed *b,
                            const step *s, vf *c, int flushes) {
  for (int64_t k = s->first; k < s->last; k++)
    for (int row = 0; row < rows; row++)
      c[row] = flush_if(c[row] + float32_product(job, &a[row], b, k, flushes), flushes);
}

INLINE void float32_step(const kernel_job *job, const packed *a, int rows, const packed *b,
                         const step *s, vf *c, int order, int flushes) {
  if (order == BK_ORDER_SEQUENTIAL) {
    // Constants keep the sums in registers.
    if (rows == MOST_ROWS) sequential_step(job, a, MOST_ROWS, b, s, c, flushes);
    else
      for (int row = 0; row < rows; row++)
        sequential_step(job, &a[row], 1, b, s, &c[row], flushes);
    return;
  }
  for (int row = 0; row < rows; row++) {
    vf sum = order == BK_ORDER_PAIRWISE ? pairwise_step(job, &a[row], b, s, flushes)
                                        : chains_step(job, &a[row], b, s, flushes);
    c[row] = flush_if(c[row] + sum, flushes);
  }
}

INLINE void float32_chain(const kernel_job *job, const packed *a, int rows, const packed *b,
                          const run *r, vf *sums, int order, int flushes) {
  const plan *p = job->plan;
  vf c[MOST_ROWS];
  for (int row = 0; row < rows; row++) c[row] = flush_addend(p, sums[row]);
  for (int64_t i = r->first_step; i < r->last_step; i++)
    float32_step(job, a, rows, b, &p->steps[i], c, order, flushes);
  for (int row = 0; row < rows; row++)
    sums[row] = p->unit.flushes_subnormals ? flush_f(c[row]) : c[row];
}

#endif
