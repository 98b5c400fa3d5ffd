// Fused steps one output at a time.
#include "matmul_scalar.h"

#pragma STDC FP_CONTRACT OFF

static int exponent_of(float x, int smallest) {
  int field = (int)(bk_bits(x) >> 23 & 255) - 127;
  return field < smallest ? smallest : field;
}

// Rounds to a multiple of 2^grid; the magnitude has at most 128 bits.
static void cut(real *x, int grid, int rounding) {
  int drop = grid - x->exponent;
  if (drop <= 0 || real_is_zero(x)) return;
  unsigned __int128 m = (unsigned __int128)x->magnitude[1] << 64 | x->magnitude[0];
  unsigned __int128 kept = drop < 128 ? m >> drop : 0;
  unsigned __int128 rest = drop < 128 ? m - (kept << drop) : m;
  int half = drop <= 128 && (m >> (drop - 1) & 1);
  int sticky = half ? (rest << (128 - drop) << 1) != 0 : rest != 0, odd = (int)(kept & 1), up = 0;
  switch (rounding) {
  case BK_ROUND_TIES_TO_EVEN: up = half && (sticky || odd); break;
  case BK_ROUND_TIES_TO_AWAY: up = half; break;
  case BK_ROUND_TIES_TOWARD_ZERO: up = half && sticky; break;
  case BK_ROUND_TOWARD_POSITIVE: up = !x->negative; break;
  case BK_ROUND_TOWARD_NEGATIVE: up = x->negative; break;
  case BK_ROUND_TO_ODD: up = !odd; break;
  default: break;
  }
  if (rest) kept += (unsigned)up;
  x->magnitude[0] = (uint64_t)kept;
  x->magnitude[1] = (uint64_t)(kept >> 64);
  x->exponent = grid;
}

static real product_at(const plan *p, const line *a, const line *b, int64_t k) {
  real x = real_of(a->value[k]);
  real_times(&x, b->value[k]);
  if (p->unit.scaling != BK_SCALING_NONE) {
    real_times(&x, scale_at(a, k));
    real_times(&x, scale_at(b, k));
  }
  return x;
}

static void note_products(const plan *p, const line *a, const line *b, const step *s,
                          specials *found) {
  int scaled = p->unit.scaling != BK_SCALING_NONE;
  for (int64_t k = s->first; k < s->last; k++) {
    double x = (double)a->value[k] * b->value[k];
    if (scaled) x = x * scale_at(a, k) * scale_at(b, k);
    if (p->unit.infinite_products && !p->groups && isfinite(x) && fabs(x) >= 0x1p127) {
      real r = product_at(p, a, b, k);
      wide w = {{0}};
      wide_add(&w, &r);
      if (wide_exponent(&w) >= 128) x = copysign(INFINITY, x);
    }
    note(found, x);
  }
}

// One term of an aligned sum: a product, or a group of them.
typedef struct {
  int64_t first, last;
  int exponent;
  int zero;
} term;

static term make_term(const plan *p, const line *a, const line *b, int64_t first, int64_t last) {
  term t = {first, last, 0, 1};
  int grouped = p->groups != NULL, scaled = p->unit.scaling != BK_SCALING_NONE;
  for (int64_t k = first; k < last; k++)
    if (a->value[k] != 0 && b->value[k] != 0) t.zero = 0;
  if (!grouped) t.exponent = a->exponent[first] + b->exponent[first];
  if (scaled) {
    if (scale_at(a, first) == 0 || scale_at(b, first) == 0) t.zero = 1;
    t.exponent += scale_exponent_at(a, first) + scale_exponent_at(b, first);
  }
  return t;
}

static void add_cut(const plan *p, const line *a, const line *b, const term *t, int grid,
                    wide *sum) {
  if (t->zero) return;
  if (t->last - t->first == 1) {
    real x = product_at(p, a, b, t->first);
    cut(&x, grid, p->unit.align_rounding);
    wide_add(sum, &x);
    return;
  }
  wide group = {{0}};
  for (int64_t k = t->first; k < t->last; k++) {
    real x = product_at(p, a, b, k);
    wide_add(&group, &x);
  }
  wide_cut(&group, grid, p->unit.align_rounding);
  wide_add_wide(sum, &group);
}

// The aligned terms whose parity of lane is asked for (-1: all), cut at their largest exponent and
// at least `floor`. Returns that exponent, or ZERO_EXPONENT where no term has one.
static int aligned_sum(const plan *p, const line *a, const line *b, const step *s, int parity,
                       int floor, int zero_present, wide *sum) {
  int64_t count = p->groups ? s->last_group - s->first_group : s->last - s->first;
  int exponent = floor;
  for (int pass = 0; pass < 2; pass++) {
    int64_t first = s->first;
    for (int64_t i = 0; i < count; i++) {
      int64_t last = p->groups ? p->groups[s->first_group + i] : first + 1;
      if (parity < 0 || (int64_t)parity == (i & 1)) {
        term t = make_term(p, a, b, first, last);
        if (pass) add_cut(p, a, b, &t, exponent - p->unit.align_fraction, sum);
        else if (t.zero) zero_present = 1;
        else if (t.exponent > exponent) exponent = t.exponent;
      }
      first = last;
    }
    int zero = p->unit.zero_exponent;
    if (zero != BK_NONE && zero_present && zero > exponent) exponent = zero;
    if (exponent == ZERO_EXPONENT) return exponent;
  }
  return exponent;
}

static void exact_sum(const plan *p, const line *a, const line *b, const step *s, wide *sum) {
  for (int64_t k = s->first; k < s->last; k++) {
    real x = product_at(p, a, b, k);
    wide_add(sum, &x);
  }
}

static float fused_join(const plan *p, const line *a, const line *b, const step *s, float c) {
  wide sum = {{0}};
  if (p->unit.align_fraction == BK_NONE) {
    exact_sum(p, a, b, s, &sum);
    add_float(&sum, c);
    return wide_round(&sum, &p->output);
  }
  int floor = c == 0 ? ZERO_EXPONENT : exponent_of(c, p->output.min_exponent);
  int exponent = aligned_sum(p, a, b, s, -1, floor, s->padded || c == 0, &sum);
  real addend = real_of(c);
  cut(&addend, exponent - p->unit.align_fraction, p->unit.align_rounding);
  wide_add(&sum, &addend);
  return wide_round(&sum, &p->output);
}

// CDNA3. Each part is floored to the products' common grid, their sum and c to grids of their own.
static float late_join(const plan *p, const line *a, const line *b, const step *s, float c) {
  const bk_accumulator *u = &p->unit;
  wide part[2] = {{{0}}, {{0}}}, sum = {{0}};
  int parts = u->splits_even_odd ? 2 : 1, dot = ZERO_EXPONENT;
  int addend_exponent = c == 0 ? -126 : exponent_of(c, p->output.min_exponent);
  for (int i = 0; i < parts; i++) {
    // The lanes beyond the sum's end are both even and odd unless there is only one.
    int padded = s->padded && (parts == 1 || s->last - s->first + 1 < u->terms ||
                               ((u->terms - 1) & 1) == i);
    int e = aligned_sum(p, a, b, s, parts == 2 ? i : -1, ZERO_EXPONENT, padded, &part[i]);
    if (e > dot) dot = e;
  }
  for (int i = 0; i < parts; i++) {
    if (dot != ZERO_EXPONENT) wide_cut(&part[i], dot - u->align_fraction, BK_ROUND_TOWARD_NEGATIVE);
    wide_add_wide(&sum, &part[i]);
  }
  int exponent = dot > addend_exponent ? dot : addend_exponent;
  wide_cut(&sum, exponent - u->late_sum_fraction, BK_ROUND_TOWARD_NEGATIVE);
  if (u->late_drops_below == BK_NONE || addend_exponent >= exponent - u->late_drops_below) {
    real addend = real_of(c);
    cut(&addend, exponent - u->late_addend_fraction, BK_ROUND_TOWARD_NEGATIVE);
    wide_add(&sum, &addend);
  }
  if (u->late_result_fraction != BK_NONE && !wide_is_zero(&sum)) {
    int top = wide_exponent(&sum);
    wide_cut(&sum, (top < -126 ? -126 : top) - u->late_result_fraction, BK_ROUND_TOWARD_NEGATIVE);
  }
  return wide_round(&sum, &p->output);
}

static float add_join(const plan *p, const line *a, const line *b, const step *s, float c) {
  wide sum = {{0}};
  if (p->unit.align_fraction == BK_NONE) exact_sum(p, a, b, s, &sum);
  else aligned_sum(p, a, b, s, -1, ZERO_EXPONENT, s->padded, &sum);
  float partial = wide_round(&sum, &p->intermediate);
  if (isinf(partial)) return partial;
  if (partial == 0 && c == 0) return partial + c;
  memset(&sum, 0, sizeof sum);
  add_float(&sum, partial);
  add_float(&sum, c);
  float total = wide_round(&sum, &p->intermediate);
  if (isinf(total) || total == 0) return total;
  memset(&sum, 0, sizeof sum);
  add_float(&sum, total);
  return wide_round(&sum, &p->output);
}

float scalar_fused_step(const plan *p, const line *a, const line *b, const step *s, float c) {
  specials found = {0, 0, 0};
  note(&found, c);
  if (a->special || b->special || p->unit.infinite_products) note_products(p, a, b, s, &found);
  if (is_special(&found)) return special_value(&found);
  switch (p->unit.join) {
  case BK_JOIN_LATE: return late_join(p, a, b, s, c);
  case BK_JOIN_ADD: return add_join(p, a, b, s, c);
  default: return fused_join(p, a, b, s, c);
  }
}

