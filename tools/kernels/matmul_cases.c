// Matrix products under every kind of accumulator.
#include <stdio.h>
#include <string.h>

#include "formats.h"
#include "harness.h"
#include "matmul.h"

#pragma STDC FP_CONTRACT OFF

enum { ROWS = 5, COLUMNS = 19 };

typedef struct {
  const char *element, *scale;  // scale NULL: unscaled
  bk_accumulator unit;
  int64_t depth, block_a, block_b;
  int32_t output_type;
  int addend, special;
} product_context;

static bk_accumulator unit_of(int kind) {
  bk_accumulator u;
  memset(&u, 0, sizeof u);
  u.kind = kind;
  u.group = 1;
  u.align_fraction = u.zero_exponent = u.late_drops_below = u.late_result_fraction = BK_NONE;
  u.align_rounding = BK_ROUND_TOWARD_ZERO;
  u.mantissa_bits = 23;
  u.nan = 0x7fc00001;
  return u;
}

static bk_accumulator fused(int terms, int fraction, int zero, int rounding) {
  bk_accumulator u = unit_of(BK_SUM_FUSED);
  u.terms = terms;
  u.align_fraction = fraction;
  u.zero_exponent = zero;
  u.rounding = rounding;
  return u;
}

// Codes of every pattern; where `special` is 0, few of them NaN or infinite.
static void *make_codes(const bk_element *e, int64_t lines, int64_t depth, int special,
                        uint64_t *state) {
  size_t count = (size_t)(lines * depth);
  uint8_t *codes = take(count, (size_t)e->code_bytes, 0);
  for (size_t i = 0; i < count; i++) {
    uint32_t code = next_bits(state) & e->code_mask;
    if (!special) code &= ~(e->code_mask + 1) >> 2 | e->sign_mask;
    if (e->is_codebook) code %= (uint32_t)e->codebook_count;
    memcpy(codes + i * (size_t)e->code_bytes, &code, (size_t)e->code_bytes);
  }
  return codes;
}

static uint32_t *make_scales(const bk_scale *s, int64_t count, int special, uint64_t *state) {
  uint32_t *codes = take((size_t)count, sizeof *codes, 0);
  int mantissa = s->kind == BK_SCALE_E8M0 ? 0 : s->format.mantissa_bits;
  uint32_t one = (uint32_t)(1 - (s->kind == BK_SCALE_E8M0 ? -126 : s->format.min_exponent)) << mantissa;
  for (int64_t i = 0; i < count; i++)
    codes[i] = special ? next_bits(state) & ~s->ignored_bits
                       : one + (next_bits(state) % 5 << mantissa) - (2u << mantissa);
  return codes;
}

static bk_operand make_operand(const product_context *c, int64_t lines, int64_t block,
                               uint64_t *state) {
  const bk_element *e = &element_named(c->element)->format;
  bk_operand o = {.element = e, .lines = lines, .depth = c->depth, .tensor_scale = 1};
  o.codes = make_codes(e, lines, c->depth, c->special, state);
  if (!c->scale) return o;
  o.scale = &scale_named(c->scale)->format;
  o.block = block;
  o.scale_codes = make_scales(o.scale, lines * ((c->depth + block - 1) / block), c->special, state);
  return o;
}

static int64_t addend_of(int32_t type, uint64_t *state) {
  uint32_t bits = next_bits(state);
  if (type == BK_OUT_FLOAT16) return bits & 0xffff;
  if (type == BK_OUT_FLOAT32) return bits & 0xbfffffff;
  return (int64_t)(int32_t)bits >> 8;
}

static checksum multiply(int target, const void *context) {
  const product_context *c = context;
  uint64_t state = (uint64_t)c->depth * 2 + 1;
  bk_matmul m = {.a = make_operand(c, ROWS, c->block_a, &state),
                 .b = make_operand(c, COLUMNS, c->block_b, &state),
                 .accumulator = c->unit,
                 .output_type = c->output_type};
  int applies = c->unit.kind == BK_SUM_EXACT || c->unit.kind == BK_SUM_FIXED ||
                c->unit.scales_products || c->unit.scaling != BK_SCALING_NONE;
  m.sums_runs = c->unit.promote_every > 0 || (c->scale && !applies);
  if (m.sums_runs && c->output_type >= BK_OUT_INT32) m.output_type = BK_OUT_FLOAT32;
  int64_t *addends = take(ROWS * COLUMNS, sizeof *addends, 0);
  for (int i = 0; i < ROWS * COLUMNS; i++) addends[i] = addend_of(m.output_type, &state);
  if (c->addend) m.c = addends;
  static const size_t bytes[] = {4, 2, 4, 8};
  size_t width = bytes[m.output_type];
  void *output = take(ROWS * COLUMNS, width, 0xaa);
  bk_matmul_result r = bk_multiply(target, &m, output);
  checksum sum = add_bytes(CHECKSUM_START, &r.status, sizeof r.status);
  sum = add_bytes(sum, &r.line, sizeof r.line);
  if (r.status == BK_OK) sum = add_bytes(sum, output, ROWS * COLUMNS * width);
  release();
  return sum;
}

// A unit over elements and scales (NULL ends each list), tails of steps and blocks, c, NaN.
static void unit_cases(const char *name, bk_accumulator unit, int32_t output_type,
                       const char *const *elements, const char *const *scales) {
  static const int64_t depths[] = {1, 31, 70}, blocks[][2] = {{16, 32}, {3, 17}, {1, 24}};
  for (; *elements; elements++)
    for (int s = 0; s == 0 || scales[s - 1]; s++)
      for (int i = 0; i < 3; i++) {
        product_context c = {*elements,     s ? scales[s - 1] : NULL, unit,  depths[i],
                             blocks[i][0], blocks[i][1],             output_type, i != 1, i == 2};
        run_case(multiply, &c, "matmul %s %s %s k=%d", name, c.element, c.scale ? c.scale : "-",
                 (int)c.depth);
      }
}

static const char *const wide[] = {"bf16", "fp16", "tf32", NULL};
static const char *const narrow[] = {"e4m3", "e5m2", "e2m1", NULL};
static const char *const codes[] = {"int8", "e0m7", "mxint8", NULL};
static const char *const any[] = {"e4m3", "bf16", "nf4", "int8", NULL};
static const char *const mx[] = {"e8m0", "ue4m3", NULL};
static const char *const float_scales[] = {"fp32", "e8m0", NULL};

static void fused_cases(void) {
  unit_cases("fused", fused(8, 25, -133, BK_ROUND_TOWARD_ZERO), BK_OUT_FLOAT32, wide, float_scales);
  unit_cases("fused", fused(32, 13, -133, BK_ROUND_TOWARD_ZERO), BK_OUT_FLOAT32, narrow, mx);
  unit_cases("fused F=60", fused(5, 60, 0, 0), BK_OUT_FLOAT32, narrow, mx);
  bk_accumulator u = fused(16, 25, -22, 0);
  u.half = 1;
  u.mantissa_bits = 10;
  unit_cases("fused fp16", u, BK_OUT_FLOAT16, wide, mx);
  u = fused(32, 25, -133, BK_ROUND_TOWARD_ZERO);
  u.scaling = BK_SCALING_PRODUCTS;
  unit_cases("products", u, BK_OUT_FLOAT32, narrow, mx);
  u = fused(64, 35, -139, BK_ROUND_TOWARD_ZERO);
  u.scaling = BK_SCALING_GROUPS;
  u.group = 16;
  unit_cases("groups", u, BK_OUT_FLOAT32, narrow, mx);
  u = fused(16, 24, BK_NONE, 0);
  u.join = BK_JOIN_LATE;
  u.late_sum_fraction = u.late_result_fraction = 31;
  u.late_addend_fraction = 24;
  u.splits_even_odd = u.infinite_products = 1;
  unit_cases("late", u, BK_OUT_FLOAT32, wide, mx);
  for (int rounding = 0; rounding < BK_ROUND_STOCHASTIC; rounding++) {
    char name[32];
    snprintf(name, sizeof name, "rounding %d", rounding);
    u = fused(8, 26, BK_NONE, rounding);
    u.align_rounding = u.join_rounding = rounding;
    u.join = rounding & 1 ? BK_JOIN_FUSED : BK_JOIN_ADD;
    unit_cases(name, u, BK_OUT_FLOAT32, any, mx);
    u = unit_of(BK_SUM_FUSED);
    u.terms = rounding + 1;
    u.rounding = rounding;
    unit_cases(name, u, BK_OUT_FLOAT32, any, mx);
  }
}

static void other_cases(void) {
  bk_accumulator u = unit_of(BK_SUM_FLOAT32);
  for (int order = BK_ORDER_SEQUENTIAL; order <= BK_ORDER_CHAINS; order++)
    for (int flushes = 0; flushes < 2; flushes++) {
      char name[32];
      snprintf(name, sizeof name, "float32 %d %d", order, flushes);
      u.order = order;
      u.chains = 2;
      u.terms = flushes ? 4 : 0;
      u.flushes_results = u.flushes_subnormals = u.input_subnormals = flushes;
      u.fused_multiply_add = order == BK_ORDER_CHAINS;
      u.scales_products = !u.fused_multiply_add;
      unit_cases(name, u, BK_OUT_FLOAT32, any, float_scales);
    }
  for (int saturates = 0; saturates < 2; saturates++) {
    u = unit_of(BK_SUM_INTEGER);
    u.width = saturates ? 64 : 32;
    u.saturates = saturates;
    u.promote_every = saturates ? 7 : 0;
    unit_cases("integer", u, saturates ? BK_OUT_INT64 : BK_OUT_INT32, codes, mx);
    u = unit_of(BK_SUM_FIXED);
    u.width = 30 + 33 * saturates;
    u.lsb = -20;
    u.saturates = saturates;
    u.terms = 1 + saturates;
    u.cut_rounding = saturates ? 0 : BK_ROUND_TOWARD_ZERO;
    unit_cases("fixed", u, BK_OUT_INT64, any, float_scales);
  }
  unit_cases("exact", unit_of(BK_SUM_EXACT), BK_OUT_FLOAT32, any, float_scales);
}

void matmul_cases(void) {
  fused_cases();
  other_cases();
}
