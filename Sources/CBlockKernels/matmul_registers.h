// Two's complement registers of LANES outputs at once: integer dot products in float32 chunks that
// are exact, fixed-point cuts in float64.
#ifndef BK_MATMUL_REGISTERS_H
#define BK_MATMUL_REGISTERS_H

#include "matmul_lanes.h"

// Integers below 2^51 in magnitude.
INLINE vl to_integers(vd x) { return bits_l(x + 0x1.8p52) - INT64_C(0x4338000000000000); }

// The overflow rule of a register of at most 62 bits, for sums of at most 63.
INLINE vl fit(const bk_accumulator *u, vl x) {
  if (!u->saturates) return (x << (64 - u->width)) >> (64 - u->width);
  int64_t limit = INT64_C(1) << (u->width - 1);
  x = x >= limit ? (vl){0} + (limit - 1) : x;
  return x < -limit ? (vl){0} - limit : x;
}

// Σ a·b of integers.
INLINE vl integer_dot(const kernel_job *job, const packed *a, const packed *b, int64_t first,
                      int64_t last) {
  vl total = (vl){0};
  for (int64_t k = first; k < last;) {
    int64_t left = last - k, end = left < job->bounds.integer_chunk ? last : k + job->bounds.integer_chunk;
    vf sum[4] = {(vf){0}, (vf){0}, (vf){0}, (vf){0}};
    for (; k + 4 <= end; k += 4)
      for (int i = 0; i < 4; i++) sum[i] += load_f(b->narrow + (k + i) * LANES) * a->narrow[k + i];
    for (; k < end; k++) sum[0] += load_f(b->narrow + k * LANES) * a->narrow[k];
    vi chunk = __builtin_convertvector((sum[0] + sum[1]) + (sum[2] + sum[3]), vi);
    total += __builtin_convertvector(chunk, vl);
  }
  return total;
}

INLINE vl integer_chain(const kernel_job *job, const packed *a, const packed *b, const run *r, vl sum) {
  const plan *p = job->plan;
  for (int64_t i = r->first_step; i < r->last_step; i++)
    sum = fit(&p->unit, sum + integer_dot(job, a, b, p->steps[i].first, p->steps[i].last));
  return sum;
}

INLINE vl load_l(const int64_t *p) {
  vl v;
  memcpy(&v, p, sizeof v);
  return v;
}

static void integer_sums(const kernel_job *job, const packed *a, int rows, const packed *b,
                         int64_t *sums) {
  run all = {0, job->plan->depth, 0, job->plan->step_count};
  for (int row = 0; row < rows; row++) {
    vl sum = integer_chain(job, &a[row], b, &all, load_l(sums + row * LANES));
    memcpy(sums + row * LANES, &sum, sizeof sum);
  }
}

// A register of at most 51 bits: acc + P · scale, the product and the sum each rounded once.
INLINE vf add_integer_run(const kernel_job *job, const packed *a, const packed *b, const run *r, vf acc,
                          vf scale, int scaled) {
  vl sum = integer_chain(job, a, b, r, (vl){0});
  vd exact = bits_d(sum + INT64_C(0x4338000000000000)) - 0x1.8p52;
  exact *= bk_power(-job->plan->fraction_bits);
  if (scaled) return acc + to_f(multiply_to_odd(exact, to_d(scale)));
  vf plain = acc + to_f(exact);
  return not_finite(acc) ? plain : to_f(add_to_odd(to_d(acc), exact));
}

// The products of a step in units of the register, cut to integers.
INLINE vl fixed_step(const packed *a, const packed *b, const step *s,
                     double to_grid, int rounding, int exact) {
  vd sum = (vd){0};
  if (exact) {
    for (int64_t k = s->first; k < s->last; k++) sum += load_d(b->wide + k * LANES) * a->wide[k];
  } else {
    sum = multiply_to_odd(load_d(b->wide + s->first * LANES), every_d(a->wide[s->first]));
  }
  return to_integers(round_number(sum * to_grid, rounding));
}

INLINE void fixed_chain(const kernel_job *job, const packed *a, int rows, const packed *b,
                        vl *total, int rounding, int exact) {
  const plan *p = job->plan;
  double to_grid = bk_power(-p->unit.lsb);
  for (int64_t i = 0; i < p->step_count; i++)
    for (int row = 0; row < rows; row++) {
      vl cut = fixed_step(&a[row], b, &p->steps[i], to_grid, rounding, exact);
      total[row] = fit(&p->unit, total[row] + cut);
    }
}

static void fixed_sums(const kernel_job *job, const packed *a, int rows, const packed *b,
                       int64_t *sums) {
  int rounding = job->plan->unit.cut_rounding, exact = job->bounds.products_exact;
  vl total[MOST_ROWS];
  for (int row = 0; row < rows; row++) total[row] = load_l(sums + row * LANES);
  if (rounding != BK_ROUND_TOWARD_ZERO) fixed_chain(job, a, rows, b, total, rounding, exact);
  else if (exact) fixed_chain(job, a, rows, b, total, BK_ROUND_TOWARD_ZERO, 1);
  else fixed_chain(job, a, rows, b, total, BK_ROUND_TOWARD_ZERO, 0);
  for (int row = 0; row < rows; row++)
    memcpy(sums + row * LANES, &total[row], sizeof total[row]);
}

#endif
