#include "matmul_plan.h"

#pragma STDC FP_CONTRACT OFF

static number_range range_of_values(const float *values, int count) {
  number_range r = {INT32_MAX, INT32_MIN, 1};
  for (int i = 0; i < count; i++) {
    bk_exact x = bk_split(values[i]);
    if (!x.significand) continue;
    int zeros = __builtin_ctzll(x.significand), length = bk_length(x.significand);
    if (x.exponent + zeros < r.low) r.low = x.exponent + zeros;
    if (x.exponent + length > r.high) r.high = x.exponent + length;
    if (length - zeros > r.bits) r.bits = length - zeros;
  }
  if (r.high < r.low) r = (number_range){0, 1, 1};
  return r;
}

static number_range element_range(const bk_element *e) {
  if (e->is_codebook) return range_of_values(e->codebook, e->codebook_count);
  if (e->min_exponent > 127) {
    int width = 32 - __builtin_clz(e->code_mask), quantum = e->min_exponent - e->mantissa_bits;
    return (number_range){quantum, quantum + width, width};
  }
  return (number_range){e->min_exponent - e->mantissa_bits, ilogbf(e->max_value) + 1,
                        e->mantissa_bits + 1};
}

static number_range scale_range(const bk_scale *s) {
  if (!s) return (number_range){0, 1, 1};
  if (s->kind == BK_SCALE_E8M0) return (number_range){-127, 128, 1};
  return element_range(&s->format);
}

static int64_t next_border(const bk_operand *o, int64_t k) {
  return o->scale ? (k / o->block + 1) * o->block : INT64_MAX;
}

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

// Steps of `terms` from first to last; or, where groups scale, of whole groups.
static void add_steps(plan *p, int64_t first, int64_t last) {
  int64_t terms = p->unit.terms > 0 ? p->unit.terms : last - first;
  int pads = p->unit.terms > 0;
  for (int64_t k = first; k < last;) {
    step s = {.first = k, .first_group = p->group_count};
    int64_t end = least(k + terms, last);
    if (p->groups) {
      int64_t limit = end;
      end = k;
      while (end < last) {
        int64_t to = least(least(end + p->unit.group, last),
                           least(next_border(&p->problem->a, end), next_border(&p->problem->b, end)));
        if (to > limit) break;
        p->groups[p->group_count++] = end = to;
      }
    }
    s.last = end;
    s.last_group = p->group_count;
    s.padded = pads && end - k < terms;
    p->steps[p->step_count++] = s;
    k = end;
  }
}

static void add_runs(plan *p) {
  const bk_matmul *m = p->problem;
  int has_runs = m->sums_runs && p->unit.kind != BK_SUM_FIXED && p->unit.kind != BK_SUM_EXACT;
  for (int64_t k = 0; k < p->depth;) {
    int64_t end = p->depth;
    if (has_runs) {
      end = least(end, least(next_border(&m->a, k), next_border(&m->b, k)));
      if (p->unit.promote_every > 0) end = least(end, k + p->unit.promote_every);
    }
    run r = {.first = k, .last = end, .first_step = p->step_count};
    add_steps(p, k, end);
    r.last_step = p->step_count;
    p->runs[p->run_count++] = r;
    k = end;
  }
}

int make_plan(plan *p, const bk_matmul *m) {
  memset(p, 0, sizeof *p);
  p->problem = m;
  p->unit = m->accumulator;
  p->rows = m->a.lines;
  p->columns = m->b.lines;
  p->depth = m->a.depth;
  p->element[0] = element_range(m->a.element);
  p->element[1] = element_range(m->b.element);
  p->scale[0] = scale_range(m->a.scale);
  p->scale[1] = scale_range(m->b.scale);
  p->fraction_bits = -(p->element[0].low + p->element[1].low);
  p->has_tensor_scale = (m->a.has_tensor_scale || m->b.has_tensor_scale) &&
                        p->unit.kind != BK_SUM_EXACT && p->unit.kind != BK_SUM_FIXED;
  p->tensor_scale = (m->a.has_tensor_scale ? m->a.tensor_scale : 1) *
                    (m->b.has_tensor_scale ? m->b.tensor_scale : 1);
  float_format f = {.mantissa_bits = p->unit.mantissa_bits,
                    .min_exponent = p->unit.half ? -14 : -126,
                    .max_exponent = p->unit.half ? 15 : 127,
                    .rounding = p->unit.rounding,
                    .overflows_to_largest = p->unit.overflows_to_largest,
                    .flushes_subnormals = p->unit.flushes_subnormals};
  f.smallest = ldexp(1, f.min_exponent);
  f.largest = ldexp(2 - ldexp(1, -f.mantissa_bits), f.max_exponent);
  p->output = f;
  p->intermediate = single_precision;
  p->intermediate.rounding = p->unit.join_rounding;
  p->intermediate.overflows_to_largest = p->unit.overflows_to_largest;
  p->output_is_intermediate =
      f.mantissa_bits == 23 && f.min_exponent == -126 && !f.flushes_subnormals;
  size_t room = (size_t)p->depth + 1;
  p->steps = bk_take(room * sizeof *p->steps);
  p->runs = bk_take(room * sizeof *p->runs);
  int grouped = p->unit.kind == BK_SUM_FUSED && p->unit.scaling == BK_SCALING_GROUPS;
  if (grouped) p->groups = bk_take(room * sizeof *p->groups);
  if (!p->steps || !p->runs || (grouped && !p->groups)) return 0;
  add_runs(p);
  return 1;
}

void free_plan(plan *p) {
  bk_give(p->steps);
  bk_give(p->runs);
  bk_give(p->groups);
}

int make_lines(line_buffer *b, const bk_operand *o, int64_t lines) {
  memset(b, 0, sizeof *b);
  size_t count = (size_t)(lines * o->depth) + 1, blocks = (size_t)(lines * block_count(o)) + 1;
  b->lines = lines;
  b->line = bk_take_zeroed((size_t)lines + 1, sizeof *b->line);
  b->values = bk_take(count * sizeof *b->values);
  b->exponents = bk_take(count * sizeof *b->exponents);
  b->scales = bk_take(blocks * sizeof *b->scales);
  b->scale_exponents = bk_take(blocks * sizeof *b->scale_exponents);
  return b->line && b->values && b->exponents && b->scales && b->scale_exponents;
}

void free_lines(line_buffer *b) {
  bk_give(b->line);
  bk_give(b->values);
  bk_give(b->exponents);
  bk_give(b->scales);
  bk_give(b->scale_exponents);
}

// Exponents of floats, at least `minimum`; returns whether any is NaN or infinite.
static int exponents_of(const float *values, int64_t count, int minimum, int16_t *exponents) {
  uint32_t largest = 0;
  for (int64_t i = 0; i < count; i++) {
    uint32_t bits = bk_bits(values[i]) & 0x7fffffff;
    largest = bits > largest ? bits : largest;
    int e = (int)(bits >> 23) - 127;
    e = e < minimum ? minimum : e;
    exponents[i] = (int16_t)(bits ? e : ZERO_EXPONENT);
  }
  return largest >= 0x7f800000;
}

// Integers, codebooks and powers of two have no smallest exponent of their own; their float32
// subnormals, where they have any, are counted from the leading bit.
static void normalise_subnormals(const float *values, int64_t count, int16_t *exponents) {
  for (int64_t i = 0; i < count; i++) {
    uint32_t bits = bk_bits(values[i]) & 0x7fffffff;
    if (bits && bits < 0x800000) exponents[i] = (int16_t)(31 - __builtin_clz(bits) - 149);
  }
}

static void flush_subnormals(float *values, int64_t count, const bk_element *e, int rule) {
  if (e->is_codebook || e->min_exponent > 127) return;
  float smallest = (float)ldexp(1, e->min_exponent);
  for (int64_t i = 0; i < count; i++)
    if (fabsf(values[i]) < smallest)
      values[i] = rule == BK_SUBNORMALS_TO_POSITIVE_ZERO ? 0 * fabsf(values[i]) : copysignf(0, values[i]);
}

void decode_lines_of(line_buffer *b, int target, const bk_operand *o, const bk_accumulator *unit,
                     int64_t first, int64_t count) {
  const bk_element *e = o->element;
  int natural = e->is_codebook || e->min_exponent > 127;
  int64_t blocks = block_count(o);
  b->first = first;
  for (int64_t i = 0; i < count; i++) {
    float *values = b->values + i * o->depth, *scales = b->scales + i * blocks;
    int16_t *exponents = b->exponents + i * o->depth, *tops = b->scale_exponents + i * blocks;
    bk_decode(target, e, (const uint8_t *)o->codes + (first + i) * o->depth * e->code_bytes,
              (size_t)o->depth, values);
    if (unit->kind == BK_SUM_FLOAT32 && unit->input_subnormals != BK_SUBNORMALS_KEEP)
      flush_subnormals(values, o->depth, e, unit->input_subnormals);
    int special = exponents_of(values, o->depth, natural ? -127 : e->min_exponent, exponents);
    if (natural) normalise_subnormals(values, o->depth, exponents);
    if (o->scale) {
      bk_decode_scales(o->scale, o->scale_codes + (first + i) * blocks, (size_t)blocks, scales);
      int power = o->scale->kind == BK_SCALE_E8M0;
      special |= exponents_of(scales, blocks, power ? -127 : o->scale->format.min_exponent, tops);
    }
    b->line[i] = (line){values, exponents, o->scale ? scales : NULL, tops, o->block, special};
  }
}
