// Decoded lines laid out for the kernels: k by k, the lanes side by side.

#include "matmul_kernels.h"

#pragma STDC FP_CONTRACT OFF

static int64_t blocks_of(const kernel_job *job, int side) {
  return block_count(side ? &job->plan->problem->b : &job->plan->problem->a);
}

int make_packed(packed *p, const kernel_job *job, int side, int64_t lanes) {
  memset(p, 0, sizeof *p);
  const bounds *use = &job->bounds;
  if (!use->vectors) return 1;
  size_t count = (size_t)(job->plan->depth * lanes) + 1;
  size_t blocks = (size_t)(blocks_of(job, side) * lanes) + (size_t)lanes;
  size_t words = (size_t)(job->plan->group_count * group_words(job->plan) * lanes) + 1;
  p->tops = bk_take_zeroed((size_t)lanes, sizeof *p->tops);
  p->lows = bk_take_zeroed((size_t)lanes, sizeof *p->lows);
  int ready = p->tops && p->lows;
  if (use->uses_wide) ready &= (p->wide = bk_take(count * sizeof *p->wide)) != NULL;
  if (use->uses_narrow) ready &= (p->narrow = bk_take(count * sizeof *p->narrow)) != NULL;
  if (use->uses_exponent) ready &= (p->exponent = bk_take(count * sizeof *p->exponent)) != NULL;
  if (use->uses_scales) {
    p->scale = bk_take(blocks * sizeof *p->scale);
    p->scale_exponent = bk_take(blocks * sizeof *p->scale_exponent);
    ready &= p->scale && p->scale_exponent;
  }
  if (use->chain == CHAIN_GROUPS) ready &= (p->nonzero = bk_take(words * sizeof *p->nonzero)) != NULL;
  return ready;
}

void free_packed(packed *p) {
  bk_give(p->tops);
  bk_give(p->lows);
  bk_give(p->wide);
  bk_give(p->narrow);
  bk_give(p->exponent);
  bk_give(p->scale);
  bk_give(p->scale_exponent);
  bk_give(p->nonzero);
}

packed packed_row(const packed *rows, const kernel_job *job, const line *decoded, int64_t i) {
  packed r = *rows;
  r.lines = decoded;
  if (!job->bounds.vectors) return r;
  int64_t depth = job->plan->depth, blocks = blocks_of(job, 0);
  if (blocks == 0) blocks = 1;
  if (r.wide) r.wide += i * depth;
  if (r.narrow) r.narrow += i * depth;
  if (r.exponent) r.exponent += i * depth;
  if (r.scale) r.scale += i * blocks;
  if (r.scale_exponent) r.scale_exponent += i * blocks;
  if (r.nonzero) r.nonzero += i * job->plan->group_count * group_words(job->plan);
  r.top = r.tops[i];
  r.low = r.lows[i];
  return r;
}

static float scale_of(const line *l, int64_t k) { return l->scale ? l->scale[k / l->block] : 1; }

// A line's values times its scales and, in a fixed-point unit, its tensor scale: exact in float64.
static void pack_wide(packed *p, const kernel_job *job, int side, const line *l, int64_t lane,
                      int64_t lanes) {
  const bk_operand *o = side ? &job->plan->problem->b : &job->plan->problem->a;
  int fixed = job->plan->unit.kind == BK_SUM_FIXED;
  double tensor = fixed && o->has_tensor_scale ? o->tensor_scale : 1;
  for (int64_t k = 0; k < job->plan->depth; k++) {
    double v = l->value[k];
    if (job->bounds.scales_join) v *= scale_of(l, k);
    p->wide[k * lanes + lane] = v * tensor;
  }
}

static void pack_exponents(packed *p, const kernel_job *job, const line *l, int64_t lane,
                           int64_t lanes) {
  int scaled = job->bounds.scales_join && l->scale;
  for (int64_t k = 0; k < job->plan->depth; k++) {
    int e = l->exponent[k];
    if (scaled) e = l->scale[k / l->block] == 0 ? ZERO_EXPONENT : e + l->scale_exponent[k / l->block];
    p->exponent[k * lanes + lane] = (int16_t)(e < ZERO_BELOW ? ZERO_EXPONENT : e);
  }
}

static void pack_scales(packed *p, const kernel_job *job, int side, const line *l, int64_t lane,
                        int64_t lanes) {
  int64_t blocks = blocks_of(job, side);
  for (int64_t i = 0; i < (blocks ? blocks : 1); i++) {
    p->scale[i * lanes + lane] = l->scale ? l->scale[i] : 1;
    p->scale_exponent[i * lanes + lane] = l->scale ? l->scale_exponent[i] : 0;
  }
}

static void pack_groups(packed *p, const kernel_job *job, const line *l, int64_t lane, int64_t lanes) {
  const plan *s = job->plan;
  int64_t words = group_words(s), k = 0;
  for (int64_t g = 0; g < s->group_count; g++) {
    int64_t first = k;
    for (int64_t w = 0; w < words; w++) {
      uint32_t bits = 0;
      for (; k < s->groups[g] && k < first + 32 * (w + 1); k++)
        bits |= (uint32_t)(l->value[k] != 0) << ((k - first) & 31);
      p->nonzero[(g * words + w) * lanes + lane] = bits;
    }
  }
}

// The largest magnitude, and the weight of the lowest bit that is set anywhere.
static void measure(packed *p, int64_t count) {
  double top = 0;
  int low = INT32_MAX;
  for (int64_t i = 0; i < count; i++) {
    double v = fabs(p->wide[i]);
    if (v == 0) continue;
    top = v > top ? v : top;
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    int zeros = __builtin_ctzll(bits | UINT64_C(1) << 52);
    int weight = (int)(bits >> 52) - 1075 + zeros;
    low = weight < low ? weight : low;
  }
  p->top = top;
  p->low = top > 0 ? low : 0;
}

static void clear_panel(packed *p, const kernel_job *job, int side, int64_t lanes) {
  size_t count = (size_t)(job->plan->depth * lanes), blocks = (size_t)blocks_of(job, side);
  blocks = (blocks ? blocks : 1) * (size_t)lanes;
  if (p->wide) memset(p->wide, 0, count * sizeof *p->wide);
  if (p->narrow) memset(p->narrow, 0, count * sizeof *p->narrow);
  for (size_t i = 0; p->exponent && i < count; i++) p->exponent[i] = ZERO_EXPONENT;
  for (size_t i = 0; p->scale && i < blocks; i++) p->scale[i] = 0;
  for (size_t i = 0; p->scale && i < blocks; i++) p->scale_exponent[i] = ZERO_EXPONENT;
  if (p->nonzero)
    memset(p->nonzero, 0,
           (size_t)(job->plan->group_count * group_words(job->plan) * lanes) * sizeof *p->nonzero);
}

void pack_lines(packed *p, const kernel_job *job, int side, const line *lines, int64_t count,
                int64_t lanes) {
  const plan *s = job->plan;
  p->lines = lines;
  int partial = count < lanes;
  for (int64_t i = 0; i < count; i++) partial |= lines[i].special;
  if (partial) clear_panel(p, job, side, lanes);
  double unit = s->unit.kind == BK_SUM_INTEGER ? bk_power(-s->element[side].low) : 1;
  for (int64_t i = 0; i < count; i++) {
    const line *l = &lines[i];
    if (l->special) continue;
    if (p->wide) pack_wide(p, job, side, l, i, lanes);
    if (p->narrow)
      for (int64_t k = 0; k < s->depth; k++) p->narrow[k * lanes + i] = l->value[k] * (float)unit;
    if (p->exponent) pack_exponents(p, job, l, i, lanes);
    if (p->scale) pack_scales(p, job, side, l, i, lanes);
    if (p->nonzero) pack_groups(p, job, l, i, lanes);
  }
  if (job->bounds.uses_stats) measure(p, s->depth * lanes);
}
