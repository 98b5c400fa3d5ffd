// The units' chains of steps, each compiled for the roundings that the units of the table use, and
// the run rule around them.
#ifndef BK_MATMUL_CHAINS_H
#define BK_MATMUL_CHAINS_H

#include "matmul_exact_steps.h"
#include "matmul_float32.h"
#include "matmul_registers.h"

// Sums c of `rows` rows over a run. Rows take turns at every step, so that the processor may work on
// several.
#define CHAIN(name, statement)                                                                     \
  static void name(const kernel_job *job, const packed *rows_of_a, int rows, const packed *b,      \
                   const run *r, vf *sums) {                                                       \
    const bk_accumulator *u = &job->plan->unit;                                                    \
    int one_window = job->bounds.one_window;                                                       \
    (void)u, (void)one_window;                                                                     \
    for (int64_t i = r->first_step; i < r->last_step; i++) {                                       \
      const step *s = &job->plan->steps[i];                                                        \
      for (int row = 0; row < rows; row++) {                                                       \
        const packed *a = &rows_of_a[row];                                                         \
        vf c = sums[row];                                                                          \
        vf next = statement;                                                                       \
        sums[row] = with_specials(job, a, b, s, c, next);                                          \
      }                                                                                            \
    }                                                                                              \
  }
#define CHAINS(name, step_of)                                                                      \
  CHAIN(name##_rz_rz, step_of(job, a, b, s, c, BK_ROUND_TOWARD_ZERO, BK_ROUND_TOWARD_ZERO))        \
  CHAIN(name##_rz_rne, step_of(job, a, b, s, c, BK_ROUND_TOWARD_ZERO, BK_ROUND_TIES_TO_EVEN))      \
  CHAIN(name##_any, step_of(job, a, b, s, c, u->align_rounding, u->rounding))

CHAINS(fused, fused_step)
CHAINS(grouped, grouped_step)
CHAINS(late, late_step)
CHAIN(add_odd, add_step(job, a, b, s, c, BK_ROUND_TO_ODD, BK_ROUND_TO_ODD))
CHAIN(add_any, add_step(job, a, b, s, c, u->align_rounding, u->join_rounding))
CHAIN(exact_rne, exact_step(job, a, b, s, c, BK_ROUND_TIES_TO_EVEN, one_window))
CHAIN(exact_any, exact_step(job, a, b, s, c, u->rounding, one_window))

#define FLOAT32_CHAIN(name, order, flushes)                                                        \
  static void name(const kernel_job *job, const packed *a, int rows, const packed *b, const run *r, \
                   vf *sums) {                                                                     \
    float32_chain(job, a, rows, b, r, sums, order, flushes);                                       \
  }
FLOAT32_CHAIN(sequential, BK_ORDER_SEQUENTIAL, 0)
FLOAT32_CHAIN(sequential_flushing, BK_ORDER_SEQUENTIAL, 1)
FLOAT32_CHAIN(pairwise, BK_ORDER_PAIRWISE, 0)
FLOAT32_CHAIN(pairwise_flushing, BK_ORDER_PAIRWISE, 1)
FLOAT32_CHAIN(chains, BK_ORDER_CHAINS, 0)
FLOAT32_CHAIN(chains_flushing, BK_ORDER_CHAINS, 1)

typedef void (*chain_of)(const kernel_job *, const packed *, int, const packed *, const run *, vf *);

static chain_of chain_for(const kernel_job *job) {
  const bk_accumulator *u = &job->plan->unit;
  int cuts = u->align_rounding == BK_ROUND_TOWARD_ZERO;
  int zero = cuts && u->rounding == BK_ROUND_TOWARD_ZERO;
  int even = cuts && u->rounding == BK_ROUND_TIES_TO_EVEN;
  switch (job->bounds.chain) {
  case CHAIN_FUSED: return zero ? fused_rz_rz : even ? fused_rz_rne : fused_any;
  case CHAIN_GROUPS: return zero ? grouped_rz_rz : even ? grouped_rz_rne : grouped_any;
  case CHAIN_LATE: return zero ? late_rz_rz : even ? late_rz_rne : late_any;
  case CHAIN_ADD: {
    int odd = u->align_rounding == BK_ROUND_TO_ODD && u->join_rounding == BK_ROUND_TO_ODD;
    return odd ? add_odd : add_any;
  }
  case CHAIN_EXACT: return u->rounding == BK_ROUND_TIES_TO_EVEN ? exact_rne : exact_any;
  default: {
    static const chain_of orders[3][2] = {
        {sequential, sequential_flushing}, {pairwise, pairwise_flushing}, {chains, chains_flushing}};
    return orders[u->order][u->flushes_results != 0];
  }
  }
}

// fl(s_A · s_B) of a run.
INLINE vf run_scale(const packed *a, const packed *b, const run *r) {
  const line *la = a->lines, *lb = b->lines;
  vf scale = (vf){0} + 1;
  if (lb->scale) scale = to_f(load_d(b->scale + r->first / lb->block * LANES));
  return la->scale ? scale * la->scale[r->first / la->block] : scale;
}

static void add_runs_of(const kernel_job *job, chain_of chain, const packed *a, int rows,
                        const packed *b, const run *r, vf *acc) {
  int scaled = a->lines->scale || b->lines->scale;
  vf sums[MOST_ROWS];
  for (int row = 0; row < rows; row++) sums[row] = (vf){0};
  if (chain) chain(job, a, rows, b, r, sums);
  for (int row = 0; row < rows; row++) {
    vf scale = scaled ? run_scale(&a[row], b, r) : (vf){0} + 1;
    if (chain) acc[row] += scaled ? sums[row] * scale : sums[row];
    else acc[row] = add_integer_run(job, &a[row], b, r, acc[row], scale, scaled);
  }
}

static void float_sums(const kernel_job *job, const packed *a, int rows, const packed *b,
                       float *sums) {
  const plan *p = job->plan;
  chain_of chain = p->unit.kind == BK_SUM_INTEGER ? NULL : chain_for(job);
  vf acc[MOST_ROWS];
  for (int row = 0; row < rows; row++) acc[row] = load_f(sums + row * LANES);
  if (p->problem->sums_runs || !chain) {
    for (int64_t i = 0; i < p->run_count; i++)
      add_runs_of(job, chain, a, rows, b, &p->runs[i], acc);
  } else {
    run all = {0, p->depth, 0, p->step_count};
    chain(job, a, rows, b, &all, acc);
  }
  for (int row = 0; row < rows; row++) store_f(sums + row * LANES, acc[row]);
}

#endif
