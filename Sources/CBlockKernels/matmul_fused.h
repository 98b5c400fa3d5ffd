// Fused steps of LANES outputs at once: products aligned to their largest exponent, cut to a grid
// and added exactly in float64.
#ifndef BK_MATMUL_FUSED_H
#define BK_MATMUL_FUSED_H

#include "matmul_lanes.h"

// e_max of products, and whether any of them is zero.
typedef struct {
  vi exponent;  // far below any other where every product is zero
  vi has_zero;
} alignment;

INLINE alignment align(const kernel_job *job, const packed *a, const packed *b, int64_t first,
                       int64_t last, int64_t stride) {
  vs top = (vs){0} + INT16_MIN, bottom = (vs){0} + INT16_MAX;
  // Where zeros never raise e_max above a nonzero product's exponent, assume one.
  if (!job->bounds.tracks_zeros && last > first) bottom = top;
  if (job->bounds.tracks_zeros) {
    for (int64_t k = first; k < last; k += stride) {
      vs e = load_s(b->exponent + k * LANES) + a->exponent[k];
      top = __builtin_elementwise_max(top, e);
      bottom = __builtin_elementwise_min(bottom, e);
    }
  } else {
    for (int64_t k = first; k < last; k += stride)
      top = __builtin_elementwise_max(top, load_s(b->exponent + k * LANES) + a->exponent[k]);
  }
  alignment r = {__builtin_convertvector(top, vi), __builtin_convertvector(bottom, vi) < ZERO_BELOW};
  return r;
}

INLINE vi max_i(vi a, vi b) { return a > b ? a : b; }

// e_max with the exponent that zeros count with; 0 where there is nothing but zeros.
INLINE vi with_zeros(const bk_accumulator *u, alignment x, vi zero_present) {
  vi e = x.exponent;
  if (u->zero_exponent != BK_NONE)
    e = (x.has_zero | zero_present) ? max_i(e, (vi){0} + u->zero_exponent) : e;
  return e;
}

// Exponents of c in its format; zeros are marked.
INLINE vi addend_exponent(vf c, int smallest) {
  vi e = (vi)(magnitude_u(c) >> 23) - 127;
  e = max_i(e, (vi){0} + smallest);
  return c == 0 ? (vi){0} + ZERO_EXPONENT : e;
}

// Σ of products cut to multiples of 1 / `to_grid`, in those units.
INLINE vd cut_products(const packed *a, const packed *b, int64_t first, int64_t last, int64_t stride,
                       vd to_grid, int rounding) {
  vd sum = (vd){0};
  for (int64_t k = first; k < last; k += stride)
    sum += round_number(load_d(b->wide + k * LANES) * a->wide[k] * to_grid, rounding);
  return sum;
}

// What infinite terms make of a sum: those of c, and of products of 2^128 or more.
INLINE vf with_specials(const kernel_job *job, const packed *a, const packed *b, const step *s, vf c,
                        vf sum) {
  vi special = not_finite(c);
  vf value = special ? c : (vf){0};
  if (job->bounds.infinite_products) {
    vd top = (vd){0}, bottom = (vd){0};
    for (int64_t k = s->first; k < s->last; k++) {
      vd p = load_d(b->wide + k * LANES) * a->wide[k];
      top = max_d(top, p);
      bottom = p < bottom ? p : bottom;
    }
    vi positive = narrow_mask(top >= 0x1p128), negative = narrow_mask(bottom <= -0x1p128);
    value += positive ? (vf){0} + INFINITY : (vf){0};
    value += negative ? (vf){0} - INFINITY : (vf){0};
    special |= positive | negative;
  }
  return special ? value : sum;
}

INLINE vf fused_step(const kernel_job *job, const packed *a, const packed *b, const step *s, vf c,
                     int cut, int rounding) {
  const plan *p = job->plan;
  const bk_accumulator *u = &p->unit;
  alignment x = align(job, a, b, s->first, s->last, 1);
  x.exponent = max_i(x.exponent, addend_exponent(c, p->output.min_exponent));
  vi e = with_zeros(u, x, (c == 0) | (vi){0} - s->padded);
  e = e < ZERO_BELOW ? (vi){0} : e;
  vd to_grid = power(u->align_fraction - e);
  vd sum = cut_products(a, b, s->first, s->last, 1, to_grid, cut);
  sum += round_number(to_d(c) * to_grid, cut);
  return to_f(round_to((sum + 0.0) * power(e - u->align_fraction), &p->output, rounding));
}

// Σ over a group's exact sums, times the scales and cut to the grid.
INLINE vf grouped_step(const kernel_job *job, const packed *a, const packed *b, const step *s, vf c,
                       int cut, int rounding) {
  const plan *p = job->plan;
  const bk_accumulator *u = &p->unit;
  int64_t block_a = a->lines->scale ? a->lines->block : INT64_MAX;
  int64_t block_b = b->lines->scale ? b->lines->block : INT64_MAX;
  int64_t words = group_words(p);
  alignment x = {addend_exponent(c, p->output.min_exponent), c == 0};
  for (int64_t g = s->first_group, k = s->first; g < s->last_group; k = p->groups[g++]) {
    vi nonzero = NO_LANES;
    for (int64_t w = g * words; w < (g + 1) * words; w++)
      nonzero |= (load_u(b->nonzero + w * LANES) & a->nonzero[w]) != 0;
    vs e = load_s(b->scale_exponent + k / block_b * LANES) + a->scale_exponent[k / block_a];
    vi exponent = __builtin_convertvector(e, vi);
    nonzero &= exponent > ZERO_BELOW;
    x.has_zero |= ~nonzero;
    x.exponent = max_i(x.exponent, nonzero ? exponent : (vi){0} + ZERO_EXPONENT);
  }
  vi e = with_zeros(u, x, (vi){0} - s->padded);
  e = e < ZERO_BELOW ? (vi){0} : e;
  vd to_grid = power(u->align_fraction - e), sum = round_number(to_d(c) * to_grid, cut);
  for (int64_t g = s->first_group, k = s->first; g < s->last_group; g++) {
    vd scale = load_d(b->scale + k / block_b * LANES) * a->scale[k / block_a];
    vd group = (vd){0};
    for (; k < p->groups[g]; k++) group += load_d(b->wide + k * LANES) * a->wide[k];
    sum += round_number(group * (scale * to_grid), cut);
  }
  return to_f(round_to((sum + 0.0) * power(e - u->align_fraction), &p->output, rounding));
}

INLINE vd floor_number(vd x) { return round_number(x, BK_ROUND_TOWARD_NEGATIVE); }

// The largest exponent of products at every `stride`th lane from `first`, zeros included.
INLINE vi dot_exponent(const kernel_job *job, const packed *a, const packed *b, const step *s,
                       int64_t first, int64_t stride) {
  const bk_accumulator *u = &job->plan->unit;
  int64_t lanes = s->last - s->first, last = u->terms - 1;
  int padded = s->padded && (stride == 1 || lanes < last || (last & 1) == first - s->first);
  return with_zeros(u, align(job, a, b, first, s->last, stride), (vi){0} - padded);
}

// CDNA3: products' sums first, floored to the products' own grid; then sum and c floored to theirs.
INLINE vf late_step(const kernel_job *job, const packed *a, const packed *b, const step *s, vf c,
                    int cut, int rounding) {
  const plan *p = job->plan;
  const bk_accumulator *u = &p->unit;
  int64_t parts = u->splits_even_odd ? 2 : 1;
  vi own[2], dot = (vi){0} + ZERO_EXPONENT;
  for (int64_t i = 0; i < parts; i++) {
    own[i] = dot_exponent(job, a, b, s, s->first + i, parts);
    dot = max_i(dot, own[i]);
  }
  vi c_exponent = c == 0 ? (vi){0} - 126 : addend_exponent(c, p->output.min_exponent);
  vi top = max_i(dot, c_exponent);
  dot = dot < ZERO_BELOW ? top : dot;
  vd sum = (vd){0};
  for (int64_t i = 0; i < parts; i++) {
    vi e = own[i] < ZERO_BELOW ? dot : own[i];
    vd part = cut_products(a, b, s->first + i, s->last, parts, power(u->align_fraction - e), cut);
    sum += parts == 1 ? part : floor_number(part * power(max_i(e - dot, (vi){0} - 1000)));
  }
  int finest = u->late_sum_fraction > u->late_addend_fraction ? u->late_sum_fraction
                                                               : u->late_addend_fraction;
  vi down = dot - top + (u->late_sum_fraction - u->align_fraction);
  sum = floor_number(sum * power(max_i(down, (vi){0} - 1000)));
  vd addend = floor_number(to_d(c) * power(u->late_addend_fraction - top));
  if (u->late_drops_below != BK_NONE)
    addend = wide_mask(c_exponent < top - u->late_drops_below) ? (vd){0} : addend;
  sum = sum * bk_power(finest - u->late_sum_fraction) +
        addend * bk_power(finest - u->late_addend_fraction);
  sum = (sum + 0.0) * power(top - finest);
  if (u->late_result_fraction != BK_NONE) {
    vd unit = unit_of(sum, 0x1p-126, u->late_result_fraction);
    sum = floor_number(sum * inverse_power(unit)) * unit;
  }
  return to_f(round_to(sum, &p->output, rounding));
}

// fl(P + c) in float32, then the output's own format where it is another.
INLINE vf join_rounded(const plan *p, vd products, vf c, int rounding) {
  vf partial = to_f(round_to(products, &p->intermediate, rounding));
  vf total = to_f(round_to(add_to_odd(to_d(partial), to_d(c)), &p->intermediate, rounding));
  total = not_finite(partial) ? partial : total;
  if (p->output_is_intermediate) return total;
  vf result = to_f(round_to(to_d(total), &p->output, p->output.rounding));
  return not_finite(total) ? total : result;
}

INLINE vf add_step(const kernel_job *job, const packed *a, const packed *b, const step *s, vf c,
                   int cut, int rounding) {
  const bk_accumulator *u = &job->plan->unit;
  vi e = with_zeros(u, align(job, a, b, s->first, s->last, 1), (vi){0} - s->padded);
  e = e < ZERO_BELOW ? (vi){0} : e;
  vd sum = cut_products(a, b, s->first, s->last, 1, power(u->align_fraction - e), cut);
  return join_rounded(job->plan, (sum + 0.0) * power(e - u->align_fraction), c, rounding);
}

#endif
