// Proofs that the vector kernels' float64 arithmetic is exact for a product; without one, the
// scalar definition computes it.
#include "matmul_kernels.h"

#pragma STDC FP_CONTRACT OFF

// Bits of the product of two significands; a power of two adds none.
static int product_bits(int a, int b) { return a == 1 ? b : b == 1 ? a : a + b; }

static int ceil_log2(int64_t n) { return n <= 1 ? 0 : 64 - __builtin_clzll((uint64_t)n - 1); }

// What is multiplied on one side.
static number_range factor(const plan *p, int side, int with_scales, int with_tensor) {
  const bk_operand *o = side ? &p->problem->b : &p->problem->a;
  number_range r = p->element[side], s = p->scale[side];
  if (with_scales && o->scale)
    r = (number_range){r.low + s.low, r.high + s.high, product_bits(r.bits, s.bits)};
  if (with_tensor && o->has_tensor_scale) {
    bk_exact t = bk_split(o->tensor_scale);
    int length = bk_length(t.significand), zeros = t.significand ? __builtin_ctzll(t.significand) : 0;
    r = (number_range){r.low + t.exponent + zeros, r.high + t.exponent + length,
                       product_bits(r.bits, length - zeros)};
  }
  return r;
}

// Aligned sums: terms below 2^(e + reach), a grid 2^(e − fraction), so many terms and c.
static int aligned_is_exact(const plan *p, int reach, int low, int high) {
  const bk_accumulator *u = &p->unit;
  int fraction = u->align_fraction, zero = u->zero_exponent == BK_NONE ? 0 : u->zero_exponent;
  int largest = high > 128 ? high : 128;
  if (u->join == BK_JOIN_LATE) {
    if (u->late_sum_fraction > fraction) fraction = u->late_sum_fraction;
    if (u->late_addend_fraction > fraction) fraction = u->late_addend_fraction;
    if (u->late_result_fraction != BK_NONE && u->late_result_fraction > 49) return 0;
    fraction++;
  }
  if (zero > largest) largest = zero;
  return fraction + reach + ceil_log2(u->terms + 1) <= 51 && zero >= -700 && zero <= 700 &&
         low >= -700 && high <= 700 && low + u->align_fraction - largest >= -1074;
}

static void prove_fused(const plan *p, bounds *b) {
  const bk_accumulator *u = &p->unit;
  number_range x = factor(p, 0, 1, 0), y = factor(p, 1, 1, 0);
  int grouped = u->scaling == BK_SCALING_GROUPS, joins = u->scaling == BK_SCALING_PRODUCTS;
  if (!grouped && !joins) x = factor(p, 0, 0, 0), y = factor(p, 1, 0, 0);
  int low = x.low + y.low, high = x.high + y.high, exact = product_bits(x.bits, y.bits) <= 53;
  b->scales_join = joins;
  b->products_exact = exact;
  b->uses_wide = 1;
  b->uses_scales = 1;
  b->infinite_products = u->infinite_products && !grouped && high > 128;
  if (u->align_fraction == BK_NONE) {
    b->chain = CHAIN_EXACT;
    b->uses_stats = 1;
    b->vectors = exact && !grouped && u->join != BK_JOIN_LATE && low >= -590 && high <= 600;
    return;
  }
  b->uses_exponent = !grouped;
  b->tracks_zeros = u->zero_exponent != BK_NONE && u->zero_exponent > low;
  if (grouped) {
    number_range ex = factor(p, 0, 0, 0), ey = factor(p, 1, 0, 0);
    int reach = ex.high + ey.high + 2;
    int bits = ex.high + ey.high - ex.low - ey.low + ceil_log2(u->group);
    int scale_bits = product_bits(p->scale[0].bits, p->scale[1].bits);
    b->chain = CHAIN_GROUPS;
    b->vectors = product_bits(bits, scale_bits) <= 53 && u->join == BK_JOIN_FUSED &&
                 aligned_is_exact(p, reach > 2 ? reach : 2, low, high);
    return;
  }
  int reach = 2 + (joins && p->scale[0].bits > 1) + (joins && p->scale[1].bits > 1);
  b->chain = u->join == BK_JOIN_LATE ? CHAIN_LATE : u->join == BK_JOIN_ADD ? CHAIN_ADD : CHAIN_FUSED;
  b->vectors = exact && aligned_is_exact(p, reach, low, high);
}

static void prove_float32(const plan *p, bounds *b) {
  const bk_accumulator *u = &p->unit;
  int scaled = u->scales_products && (p->problem->a.scale || p->problem->b.scale);
  number_range x = factor(p, 0, scaled, 0), y = factor(p, 1, scaled, 0);
  b->chain = CHAIN_FLOAT32;
  b->scales_join = scaled;
  b->products_exact = product_bits(x.bits, y.bits) <= 53;
  b->uses_wide = scaled;
  b->uses_narrow = !scaled;
  b->uses_scales = 1;
  b->vectors = !(u->fused_multiply_add && scaled) && u->mantissa_bits == 23 &&
               (u->order != BK_ORDER_CHAINS || u->chains <= 16);
}

// Whether every c leaves room for a sum in 64 bits.
static int addends_fit(const plan *p) {
  if (!p->problem->c || p->problem->output_type != BK_OUT_INT64) return 1;
  for (int64_t i = 0; i < p->rows * p->columns; i++)
    if (p->problem->c[i] > INT64_MAX / 4 || p->problem->c[i] < -(INT64_MAX / 4)) return 0;
  return 1;
}

static void prove_integer(const plan *p, bounds *b) {
  const bk_operand *x = &p->problem->a, *y = &p->problem->b;
  int integers = !x->element->is_codebook && x->element->min_exponent > 127 &&
                 !y->element->is_codebook && y->element->min_exponent > 127;
  int bits = p->element[0].bits + p->element[1].bits - 2;
  int floats = p->problem->output_type < BK_OUT_INT32;
  b->uses_narrow = 1;
  b->uses_scales = floats;
  b->integer_chunk = bits < 24 ? 1 << (24 - bits) : 0;
  b->vectors = integers && bits < 24 && p->unit.width <= (floats ? 51 : 62) && addends_fit(p);
}

static void prove_fixed(const plan *p, bounds *b) {
  number_range x = factor(p, 0, 1, 1), y = factor(p, 1, 1, 1);
  b->scales_join = 1;
  b->uses_wide = 1;
  b->uses_stats = 1;
  b->products_exact = product_bits(x.bits, y.bits) <= 53;
  b->vectors = x.bits <= 53 && y.bits <= 53 && x.low + y.low >= -1000 &&
               (b->products_exact || p->unit.terms == 1) && p->unit.width <= 62 && addends_fit(p);
}

bounds prove_bounds(const plan *p) {
  bounds b = {0};
  if (p->depth == 0) return b;
  switch (p->unit.kind) {
  case BK_SUM_FUSED: prove_fused(p, &b); break;
  case BK_SUM_FLOAT32: prove_float32(p, &b); break;
  case BK_SUM_INTEGER: prove_integer(p, &b); break;
  case BK_SUM_FIXED: prove_fixed(p, &b); break;
  default: break;
  }
  return b;
}

int bounds_hold(kernel_job *job, const packed *a, const packed *b) {
  const bk_accumulator *u = &job->plan->unit;
  if (!job->bounds.uses_stats) return 1;
  int64_t terms = u->terms > 0 ? u->terms : job->plan->depth;
  double top = a->top * b->top * (double)terms;
  if (top == 0) {
    job->bounds.one_window = 1;
    return 1;
  }
  int low = a->low + b->low, high = ilogb(top) + 1;
  job->bounds.one_window = high - low <= 53;
  if (u->kind != BK_SUM_FIXED) return 1;
  return high - u->lsb <= 49 && low - u->lsb >= -1060 && (terms == 1 || job->bounds.one_window);
}
