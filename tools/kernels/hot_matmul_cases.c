// The AVX-512 matrix kernels against a scalar model. Printed checksums are the model's, so that
// they agree between machines; where the machine lacks the instructions nothing is compared.
#include "hot_model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "formats.h"
#include "harness.h"
#include "matmul_hot.h"

#pragma STDC FP_CONTRACT OFF

static int has_instructions(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vbmi");
#else
  return 0;
#endif
}

// Distributions of codes, and of scale exponents.
enum { CODES_ANY, CODES_SPARSE, CODES_SMALL, CODES_CANCEL, CODES_LARGE, CODE_KINDS };
enum { SCALES_NARROW, SCALES_WIDE, SCALES_ZEROS, SCALES_HIGH, SCALE_KINDS };
enum { C_NONE, C_NEAR, C_WIDE, C_KINDS };

typedef struct {
  bk_operand operand;
  bk_scale scale;
} operand_case;

static uint8_t element_code(const bk_element *e, int kind, int64_t line, int64_t k, uint64_t *state) {
  uint32_t bits = next_bits(state), sign = e->sign_mask & (bits >> 3);
  uint32_t magnitude = (bits >> 12) % (e->max_code + 1);
  switch (kind) {
  case CODES_SPARSE: return (uint8_t)(bits % 16 < 14 ? sign : magnitude | sign);
  case CODES_SMALL: return (uint8_t)((magnitude >> (bits >> 28 & 3)) | sign);
  // Neighbours of equal magnitude, so that products cancel with lines of one sign.
  case CODES_CANCEL:
    return (uint8_t)(e->max_code / 2 + (uint32_t)(line & 1) + (line % 3 == 0 && (k & 1) ? e->sign_mask : 0));
  case CODES_LARGE: return (uint8_t)(e->max_code - (bits >> 30 == 0) + sign);
  default: return (uint8_t)(magnitude | sign);
  }
}

static uint32_t scale_code(const bk_scale *s, int kind, uint64_t *state) {
  uint32_t bits = next_bits(state);
  if (s->kind == BK_SCALE_E8M0) {
    if (kind == SCALES_WIDE) return 112 + bits % 16;
    if (kind == SCALES_HIGH) return 127 + 8 + bits % 4;
    return 124 + bits % 6;
  }
  int narrow = s->format.mantissa_bits <= 3;
  if (kind == SCALES_WIDE && narrow) return bits % 127 | (bits >> 24 & 0x80);
  if (kind == SCALES_ZEROS && bits >> 30 == 0) return 0;
  if (kind == SCALES_HIGH && narrow) return bits >> 31 ? 120 + bits % 7 : 1 + bits % 4;
  if (s->format.mantissa_bits > 3) {
    uint32_t one = (uint32_t)(1 - s->format.min_exponent) << s->format.mantissa_bits;
    return one + (bits % 8 << s->format.mantissa_bits) + (bits >> 8 & ((1u << s->format.mantissa_bits) - 1));
  }
  return 60 + bits % 16;
}

static void fill(operand_case *o, const char *element, const char *scale, int64_t lines, int64_t depth,
                 int64_t block, int codes_kind, int scales_kind, uint64_t seed) {
  uint64_t state = seed * 2 + 1;
  const bk_element *e = &element_named(element)->format;
  uint8_t *codes = take((size_t)(lines * depth), 1, 0);
  for (int64_t i = 0; i < lines * depth; i++)
    codes[i] = element_code(e, codes_kind, i / depth, i % depth, &state);
  o->operand = (bk_operand){.element = e, .codes = codes, .lines = lines, .depth = depth};
  if (!scale) return;
  int64_t count = lines * ((depth + block - 1) / block);
  uint32_t *scales = take((size_t)count, sizeof(uint32_t), 0);
  o->scale = scale_for(scale_named(scale), e);
  for (int64_t i = 0; i < count; i++) scales[i] = scale_code(&o->scale, scales_kind, &state);
  o->operand.scale = &o->scale;
  o->operand.scale_codes = scales;
  o->operand.block = block;
}

static int64_t *make_c(int kind, int64_t count, uint64_t seed) {
  if (kind == C_NONE) return NULL;
  uint64_t state = seed * 2 + 1;
  int64_t *c = take((size_t)count, sizeof *c, 0);
  for (int64_t i = 0; i < count; i++) {
    uint32_t bits = next_bits(&state);
    uint32_t exponent = kind == C_WIDE ? 70 + next_bits(&state) % 140 : 120 + next_bits(&state) % 20;
    c[i] = bits % 13 == 0 ? (int64_t)(bits & 0x80000000) : (int64_t)((bits & 0x807fffff) | exponent << 23);
  }
  return c;
}

typedef int64_t (*model)(const bk_matmul *p, int64_t i, int64_t j);

// Runs one problem, expects the model's results and folds them into a checksum.
static checksum compare(const bk_matmul *p, model of, const char *name, uint64_t seed, int must_take,
                        checksum sum) {
  int64_t m = p->a.lines, n = p->b.lines;
  uint32_t *d = take((size_t)(m * n), sizeof *d, 0xee);
  int done = has_instructions() && bk_hot_matmul(p, d);
  expect(done || !must_take || !has_instructions(), "%s, case %llu: refused", name,
         (unsigned long long)seed);
  for (int64_t i = 0; i < m; i++) {
    for (int64_t j = 0; j < n; j++) {
      uint32_t expected = (uint32_t)of(p, i, j);
      sum = add_bytes(sum, &expected, sizeof expected);
      if (done && failures < 20)
        expect(d[i * n + j] == expected, "%s, case %llu, %lldx%lldx%lld, [%lld, %lld]: %08x, expected %08x",
               name, (unsigned long long)seed, (long long)m, (long long)n, (long long)p->a.depth,
               (long long)i, (long long)j, d[i * n + j], expected);
    }
  }
  return sum;
}

typedef struct {
  const char *a_scale, *b_scale;
  int64_t a_block, b_block;
} fp4_case;

static const fp4_case fp4_cases[] = {
    {"ue4m3", "ue4m3", 16, 16}, {"e8m0", "e8m0", 32, 32}, {"e8m0", "ue4m3", 16, 48},
    {"ue4m3", NULL, 160, 0},    {NULL, NULL, 0, 0},
};

static const bk_accumulator groups_unit = {.kind = BK_SUM_FUSED,
                                           .terms = 64,
                                           .group = 16,
                                           .scaling = BK_SCALING_GROUPS,
                                           .align_fraction = 35,
                                           .align_rounding = BK_ROUND_TOWARD_ZERO,
                                           .zero_exponent = -139,
                                           .mantissa_bits = 23,
                                           .rounding = BK_ROUND_TOWARD_ZERO,
                                           .nan = 0x7fffffff};

static checksum groups(int target, const void *context) {
  (void)target;
  const fp4_case *f = context;
  checksum sum = CHECKSUM_START;
  for (uint64_t seed = 0; seed < CODE_KINDS * SCALE_KINDS * C_KINDS; seed++) {
    int codes = (int)(seed % CODE_KINDS), scales = (int)(seed / CODE_KINDS % SCALE_KINDS);
    int64_t m = 1 + (int64_t)(seed * 7 % 10), n = 1 + (int64_t)(seed * 11 % 37);
    int64_t depth = 1 + (int64_t)(seed * 53 % 330);
    operand_case a, b;
    fill(&a, "e2m1", f->a_scale, m, depth, f->a_block, codes, scales, seed + 100);
    fill(&b, "e2m1", f->b_scale, n, depth, f->b_block, codes, scales, seed + 900);
    bk_matmul p = {.a = a.operand, .b = b.operand, .accumulator = groups_unit,
                   .output_type = BK_OUT_FLOAT32};
    p.c = make_c((int)(seed / (CODE_KINDS * SCALE_KINDS)), m * n, seed);
    if (seed % 4 == 3) p.a.has_tensor_scale = 1, p.a.tensor_scale = 0.37f;
    sum = compare(&p, model_groups, "groups", seed, 1, sum);
    release();
  }
  return sum;
}

static const bk_accumulator exact_unit = {.kind = BK_SUM_EXACT, .mantissa_bits = 23, .nan = 0x7fc00000};

static checksum exact(int target, const void *context) {
  (void)target;
  const fp4_case *f = context;
  static const float factors[] = {1, 0.37f, 0x1.fffffep-60f, 0x1.000002p-126f, 0x1.abcdeep100f, 3e-41f};
  checksum sum = CHECKSUM_START;
  for (uint64_t seed = 0; seed < CODE_KINDS * SCALE_KINDS * C_KINDS * 2; seed++) {
    int codes = (int)(seed % CODE_KINDS), scales = (int)(seed / CODE_KINDS % SCALE_KINDS);
    int64_t m = 1 + (int64_t)(seed * 7 % 10), n = 1 + (int64_t)(seed * 11 % 37);
    int64_t depth = 1 + (int64_t)(seed * 53 % 330);
    operand_case a, b;
    fill(&a, "e2m1", f->a_scale, m, depth, f->a_block, codes, scales, seed + 100);
    fill(&b, "e2m1", f->b_scale, n, depth, f->b_block, codes, scales, seed + 900);
    bk_matmul p = {.a = a.operand, .b = b.operand, .accumulator = exact_unit,
                   .output_type = BK_OUT_FLOAT32};
    p.c = make_c((int)(seed / (CODE_KINDS * SCALE_KINDS) % C_KINDS), m * n, seed);
    p.a.has_tensor_scale = seed & 1, p.a.tensor_scale = factors[seed % 6];
    p.b.has_tensor_scale = seed >> 1 & 1, p.b.tensor_scale = factors[seed / 2 % 6];
    sum = compare(&p, model_exact, "exact", seed, 1, sum);
    release();
  }
  return sum;
}

typedef struct {
  const char *a, *b, *a_scale, *b_scale;
  int64_t a_block, b_block;
  int saturates;
} integer_case;

static const integer_case integer_cases[] = {
    {"int8_full", "int8_full", NULL, NULL, 0, 0, 0}, {"int8", "int8", NULL, NULL, 0, 0, 1},
    {"int4", "e0m7", NULL, NULL, 0, 0, 1},           {"mxint8", "mxint8", "e8m0", "e8m0", 32, 32, 0},
    {"int8", "int8_full", "fp32", "fp16", 128, 64, 1}, {"int4", "int4", "ue4m3", NULL, 20, 0, 0},
    {"e0m3", "int8", NULL, "bf16", 0, 1024, 0},
};

static int64_t *integer_c(int kind, int64_t count, uint64_t seed) {
  if (kind == C_NONE) return NULL;
  uint64_t state = seed * 2 + 1;
  int64_t *c = take((size_t)count, sizeof *c, 0);
  for (int64_t i = 0; i < count; i++) {
    uint32_t bits = next_bits(&state);
    c[i] = kind == C_NEAR ? (int32_t)(bits & 0xffffff) - 0x800000
                          : (int32_t)((bits & 1 ? 0x7fffffffu : 0x80000000u) ^ (bits >> 12));
  }
  return c;
}

// Whole bytes of any pattern, the least one too.
static void fill_integers(operand_case *o, uint64_t seed, int extreme) {
  uint64_t state = seed * 2 + 1;
  uint8_t *codes = (uint8_t *)(uintptr_t)o->operand.codes;
  uint32_t mask = o->operand.element->code_mask, least = (mask + 1) / 2;
  for (int64_t i = 0; i < o->operand.lines * o->operand.depth; i++) {
    uint32_t bits = next_bits(&state) >> 8;
    codes[i] = (uint8_t)(extreme ? (bits % 9 ? least : least - 1) : bits & mask);
  }
}

static checksum integers(int target, const void *context) {
  (void)target;
  const integer_case *f = context;
  checksum sum = CHECKSUM_START;
  for (uint64_t seed = 0; seed < 4 * C_KINDS * SCALE_KINDS; seed++) {
    int64_t m = 1 + (int64_t)(seed * 7 % 18), n = 1 + (int64_t)(seed * 11 % 71);
    int64_t depth = 1 + (int64_t)(seed * 53 % 330);
    if (seed == 3) depth = 3000;
    int scales = (int)(seed / 4 % SCALE_KINDS), c = (int)(seed / (4 * SCALE_KINDS));
    operand_case a, b;
    fill(&a, f->a, f->a_scale, m, depth, f->a_block, CODES_ANY, scales, seed + 100);
    fill(&b, f->b, f->b_scale, n, depth, f->b_block, CODES_ANY, scales, seed + 900);
    fill_integers(&a, seed, seed % 4 == 1);
    fill_integers(&b, seed + 50, seed % 4 == 1);
    bk_accumulator unit = {.kind = BK_SUM_INTEGER, .width = 32, .saturates = f->saturates,
                           .nan = 0x7fc00000};
    int runs = f->a_scale || f->b_scale;
    bk_matmul p = {.a = a.operand, .b = b.operand, .accumulator = unit, .sums_runs = runs,
                   .output_type = runs ? BK_OUT_FLOAT32 : BK_OUT_INT32};
    p.c = runs ? make_c(c, m * n, seed) : integer_c(c, m * n, seed);
    if (runs && seed % 4 == 3) p.a.has_tensor_scale = 1, p.a.tensor_scale = 0.37f;
    sum = compare(&p, model_integer, "integers", seed, 1, sum);
    release();
  }
  return sum;
}

typedef struct {
  const char *a, *b;
  int scaled;
  int32_t terms, fraction, zero, mantissa;
} product_case;

static const product_case product_cases[] = {
    {"e4m3", "e4m3", 0, 32, 13, -133, 13}, {"e4m3", "e5m2", 0, 32, 13, -133, 13},
    {"e5m2", "e5m2", 0, 16, 13, -132, 13}, {"e4m3", "e4m3", 1, 32, 25, -133, 23},
    {"e5m2", "e2m3", 1, 32, 25, -133, 23}, {"e5m2", "e5m2", 1, 32, 25, -133, 23},
    {"e2m1", "e3m2", 1, 32, 25, -133, 23}, {"e4m3", "e4m3", 0, 32, 25, -133, 23},
};

static checksum products(int target, const void *context) {
  (void)target;
  const product_case *f = context;
  checksum sum = CHECKSUM_START;
  for (uint64_t seed = 0; seed < CODE_KINDS * SCALE_KINDS * C_KINDS; seed++) {
    int codes = (int)(seed % CODE_KINDS), scales = (int)(seed / CODE_KINDS % SCALE_KINDS);
    int64_t m = 1 + (int64_t)(seed * 7 % 10), n = 1 + (int64_t)(seed * 11 % 37);
    int64_t depth = 1 + (int64_t)(seed * 53 % 330);
    operand_case a, b;
    fill(&a, f->a, f->scaled ? "e8m0" : NULL, m, depth, 32, codes, scales, seed + 100);
    fill(&b, f->b, f->scaled && seed % 5 ? "e8m0" : NULL, n, depth, 96, codes, scales, seed + 900);
    bk_accumulator unit = {.kind = BK_SUM_FUSED,
                           .terms = f->terms,
                           .group = 1,
                           .scaling = f->scaled ? BK_SCALING_PRODUCTS : BK_SCALING_NONE,
                           .align_fraction = f->fraction,
                           .align_rounding = BK_ROUND_TOWARD_ZERO,
                           .zero_exponent = f->zero,
                           .mantissa_bits = f->mantissa,
                           .rounding = BK_ROUND_TOWARD_ZERO,
                           .nan = 0x7fffffff};
    bk_matmul p = {.a = a.operand, .b = b.operand, .accumulator = unit,
                   .output_type = BK_OUT_FLOAT32};
    p.c = make_c((int)(seed / (CODE_KINDS * SCALE_KINDS)), m * n, seed);
    if (seed % 4 == 3) p.a.has_tensor_scale = 1, p.a.tensor_scale = 0.37f;
    sum = compare(&p, model_products, "products", seed, 1, sum);
    release();
  }
  return sum;
}

void hot_matmul_cases(void) {
  for (size_t i = 0; i < sizeof fp4_cases / sizeof *fp4_cases; i++)
    run_case(groups, &fp4_cases[i], "hot matmul groups %zu", i);
  for (size_t i = 0; i < sizeof fp4_cases / sizeof *fp4_cases; i++)
    run_case(exact, &fp4_cases[i], "hot matmul exact %zu", i);
  for (size_t i = 0; i < sizeof integer_cases / sizeof *integer_cases; i++)
    run_case(integers, &integer_cases[i], "hot matmul integers %zu", i);
  for (size_t i = 0; i < sizeof product_cases / sizeof *product_cases; i++)
    run_case(products, &product_cases[i], "hot matmul products %zu", i);
}
