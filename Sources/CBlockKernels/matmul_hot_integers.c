// Integer codes of at most eight bits in a 32-bit register; and the same in blocks whose sums are
// scaled and added in float32 (spec A.6b, the run rule).
//
// `vpdpbusd` takes unsigned bytes of B: its values are biased by 128, and 128·Σa is taken off. Sums
// modulo 2^32 are right for a register that wraps. Where it saturates, K < 2^17 keeps the sum of
// products within the register.
#include "matmul_hot_lanes.h"

#include <math.h>

#pragma STDC FP_CONTRACT OFF

#if defined(__x86_64__)

enum { PLAIN_ROWS = 8, RUN_ROWS = 4, COLUMNS = 32, MAX_K = 131071, MAX_RUN = 1024 };

typedef struct {
  int8_t a_values[256], b_values[256];
  int a_direct, b_direct;  // whether codes are the values
  int64_t quads;           // of k, padded
  int64_t run_quads, runs;
  const float *a_scales, *b_scales;  // lines × runs
  float unit;                        // of a product
} context;

static int read_values(const bk_element *e, int8_t values[256], int *direct) {
  if (e->is_codebook || e->code_bytes != 1 || e->min_exponent != 1000 ||
      e->first_special != UINT32_MAX || e->code_mask > 255)
    return 0;
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t code = i & e->code_mask, sign = (e->code_mask + 1) / 2;
    int32_t value = (int32_t)code;
    if (e->twos_complement && code >= sign) value -= (int32_t)e->code_mask + 1;
    if (!e->twos_complement && (code & e->sign_mask))
      value = -(int32_t)(code & ~e->sign_mask);
    values[i] = (int8_t)value;
  }
  *direct = e->twos_complement && e->code_mask == 255;
  return 1;
}

HOT_INLINE __m512i load_values(const bk_operand *o, int64_t line, int64_t k, int direct,
                               const int8_t *table) {
  __m512i codes = load_bytes((const uint8_t *)o->codes + line * o->depth + k, o->depth - k);
  if (direct) return codes;
  __m512i low = _mm512_permutex2var_epi8(_mm512_loadu_si512(table), codes,
                                         _mm512_loadu_si512(table + 64));
  __m512i high = _mm512_permutex2var_epi8(_mm512_loadu_si512(table + 128), codes,
                                          _mm512_loadu_si512(table + 192));
  return _mm512_mask_mov_epi8(low, _mm512_movepi8_mask(codes), high);
}

// A panel of A: what removes the bias, run by run and row by row; then the rows' values.
HOT_INLINE void pack_rows(const hot_tiling *t, int64_t line, int count, uint8_t *panel) {
  const context *x = t->context;
  int32_t *starts = (int32_t *)panel;
  int8_t *values = (int8_t *)panel + (x->runs * t->rows * 4 + 63) / 64 * 64;
  for (int r = 0; r < t->rows; r++) {
    int8_t *row = values + r * x->quads * 4;
    for (int64_t k = 0; k < 4 * x->quads; k += 64) {
      __m512i v = _mm512_setzero_si512();
      if (r < count) v = load_values(&t->problem->a, line + r, k, x->a_direct, x->a_values);
      _mm512_storeu_si512(row + k, v);
    }
    for (int64_t i = 0; i < x->runs; i++) {
      int64_t first = 4 * i * x->run_quads, end = first + 4 * x->run_quads;
      if (end > 4 * x->quads) end = 4 * x->quads;
      __m512i sum = _mm512_setzero_si512();
      for (int64_t k = first; k < end; k += 64)
        sum = _mm512_dpbusd_epi32(sum, _mm512_set1_epi8(1),
                                  load_bytes((const uint8_t *)row + k, end - k));
      starts[i * t->rows + r] = (int32_t)(-128 * (int64_t)_mm512_reduce_add_epi32(sum));
    }
  }
}

static HOT void pack_a(const hot_tiling *t, int64_t line, int count, uint8_t *panel) {
  pack_rows(t, line, count, panel);
}

static HOT void pack_b(const hot_tiling *t, int64_t line, int count, uint8_t *panel) {
  const context *x = t->context;
  for (int half = 0; half < 2; half++) {
    for (int64_t k = 0; k < 4 * x->quads; k += 64) {
      __m512i v[16];
      for (int i = 0; i < 16; i++) {
        int64_t j = 16 * half + i;
        v[i] = _mm512_setzero_si512();
        if (j < count)
          v[i] = load_values(&t->problem->b, line + j, k, x->b_direct, x->b_values);
      }
      transpose_dwords(v);
      for (int i = 0; i < 16; i++)
        _mm512_store_si512(panel + (k / 4 + i) * 128 + 64 * half,
                           _mm512_xor_si512(v[i], _mm512_set1_epi8(-128)));
    }
  }
}

HOT_INLINE void add_products(int rows, const int8_t *a, int64_t stride, const uint8_t *b,
                             int64_t quads, __m512i sums[][2]) {
  for (int64_t q = 0; q < quads; q++, a += 4, b += 128) {
    __m512i b0 = _mm512_load_si512(b), b1 = _mm512_load_si512(b + 64);
    HOT_UNROLL for (int r = 0; r < rows; r++) {
      __m512i v = broadcast_dword(a + r * stride);
      sums[r][0] = _mm512_dpbusd_epi32(sums[r][0], b0, v);
      sums[r][1] = _mm512_dpbusd_epi32(sums[r][1], b1, v);
    }
  }
}

HOT_INLINE __m512i add_c(__m512i c, __m512i sum, int saturates) {
  if (!saturates) return _mm512_add_epi32(c, sum);
  __m512i low = _mm512_add_epi64(_mm512_cvtepi32_epi64(_mm512_castsi512_si256(c)),
                                 _mm512_cvtepi32_epi64(_mm512_castsi512_si256(sum)));
  __m512i high = _mm512_add_epi64(_mm512_cvtepi32_epi64(_mm512_extracti64x4_epi64(c, 1)),
                                  _mm512_cvtepi32_epi64(_mm512_extracti64x4_epi64(sum, 1)));
  return _mm512_inserti64x4(_mm512_castsi256_si512(_mm512_cvtsepi64_epi32(low)),
                            _mm512_cvtsepi64_epi32(high), 1);
}

static HOT void plain_tile(const hot_tiling *t, const uint8_t *a, const uint8_t *b, int64_t row,
                           int rows, int64_t column, int columns) {
  const context *x = t->context;
  const bk_matmul *p = t->problem;
  const int32_t *starts = (const int32_t *)a;
  __m512i sums[PLAIN_ROWS][2];
  HOT_UNROLL for (int r = 0; r < PLAIN_ROWS; r++)
    sums[r][0] = sums[r][1] = _mm512_set1_epi32(starts[r]);
  add_products(PLAIN_ROWS, (const int8_t *)a + 64, 4 * x->quads, b, x->quads, sums);
  HOT_UNROLL for (int r = 0; r < PLAIN_ROWS; r++) {
    HOT_UNROLL for (int half = 0; half < 2; half++) {
      int count = columns - 16 * half < 16 ? columns - 16 * half : 16;
      if (r >= rows || count <= 0) continue;
      int64_t at = (row + r) * p->b.lines + column + 16 * half;
      __m512i d = sums[r][half];
      if (p->c) d = add_c(load_patterns(p->c + at, count), d, p->accumulator.saturates);
      _mm512_mask_storeu_epi32((int32_t *)t->output + at, (__mmask16)(0xffffu >> (16 - count)), d);
    }
  }
}

// Scales of up to 16 lines for one run.
HOT_INLINE __m512 gather_scales(const float *scales, int64_t runs, int64_t line, int count) {
  __m512i index = _mm512_mullo_epi64(_mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7),
                                     _mm512_set1_epi64(runs));
  __mmask16 valid = (__mmask16)(0xffffu >> (16 - count));
  const float *from = scales + line * runs;
  __m256 low = _mm512_mask_i64gather_ps(_mm256_setzero_ps(), (__mmask8)valid, index, from, 4);
  __m256 high = _mm512_mask_i64gather_ps(_mm256_setzero_ps(), (__mmask8)(valid >> 8), index,
                                         from + 8 * runs, 4);
  return _mm512_insertf32x8(_mm512_castps256_ps512(low), high, 1);
}

static HOT void run_tile(const hot_tiling *t, const uint8_t *a, const uint8_t *b, int64_t row,
                         int rows, int64_t column, int columns) {
  const context *x = t->context;
  const bk_matmul *p = t->problem;
  const int32_t *starts = (const int32_t *)a;
  const int8_t *values = (const int8_t *)a + (x->runs * RUN_ROWS * 4 + 63) / 64 * 64;
  const float *b_scales = (const float *)(b + x->quads * 128);
  __m512 d[RUN_ROWS][2];
  int counts[2] = {columns < 16 ? columns : 16, columns < 16 ? 0 : columns - 16};
  HOT_UNROLL for (int r = 0; r < RUN_ROWS; r++) {
    HOT_UNROLL for (int half = 0; half < 2; half++) {
      d[r][half] = _mm512_setzero_ps();
      if (p->c && r < rows && counts[half] > 0)
        d[r][half] = _mm512_castsi512_ps(
            load_patterns(p->c + (row + r) * p->b.lines + column + 16 * half, counts[half]));
    }
  }
  for (int64_t i = 0; i < x->runs; i++) {
    int64_t first = i * x->run_quads, count = x->quads - first;
    __m512i sums[RUN_ROWS][2];
    HOT_UNROLL for (int r = 0; r < RUN_ROWS; r++)
      sums[r][0] = sums[r][1] = _mm512_set1_epi32(starts[i * RUN_ROWS + r]);
    add_products(RUN_ROWS, values + 4 * first, 4 * x->quads, b + 128 * first,
                 count < x->run_quads ? count : x->run_quads, sums);
    HOT_UNROLL for (int r = 0; r < RUN_ROWS; r++) {
      int64_t line = r < rows ? row + r : row;
      __m512 scale = _mm512_set1_ps(x->a_scales ? x->a_scales[line * x->runs + i] : 1);
      HOT_UNROLL for (int half = 0; half < 2; half++) {
        __m512 s = _mm512_mul_ps(scale, _mm512_load_ps(b_scales + 32 * i + 16 * half));
        __m512 sum = _mm512_mul_ps(_mm512_cvtepi32_ps(sums[r][half]), _mm512_set1_ps(x->unit));
        d[r][half] = _mm512_add_ps(d[r][half], _mm512_mul_ps(sum, s));
      }
    }
  }
  HOT_UNROLL for (int r = 0; r < RUN_ROWS; r++) {
    HOT_UNROLL for (int half = 0; half < 2; half++) {
      if (r >= rows || counts[half] <= 0) continue;
      _mm512_mask_storeu_ps((float *)t->output + (row + r) * p->b.lines + column + 16 * half,
                            (__mmask16)(0xffffu >> (16 - counts[half])),
                            finish_float(d[r][half], p));
    }
  }
}

static HOT void pack_b_runs(const hot_tiling *t, int64_t line, int count, uint8_t *panel) {
  const context *x = t->context;
  pack_b(t, line, count, panel);
  float *scales = (float *)(panel + x->quads * 128);
  for (int64_t i = 0; i < x->runs; i++) {
    for (int half = 0; half < 2; half++) {
      int valid = count - 16 * half < 16 ? count - 16 * half : 16;
      __m512 s = _mm512_set1_ps(1);
      if (x->b_scales && valid > 0)
        s = gather_scales(x->b_scales + i, x->runs, line + 16 * half, valid);
      _mm512_store_ps(scales + 32 * i + 16 * half, s);
    }
  }
}

// A line's scale for each run. NULL: no memory, or a scale is not finite.
static float *run_scales(const bk_operand *o, int64_t run, int64_t runs, float *largest) {
  int64_t blocks = (o->depth + o->block - 1) / o->block;
  float *all = bk_take((size_t)(o->lines * blocks) * sizeof *all);
  float *scales = bk_take((size_t)(o->lines * runs) * sizeof *scales);
  int usable = all && scales;
  if (usable) bk_decode_scales(o->scale, o->scale_codes, (size_t)(o->lines * blocks), all);
  for (int64_t i = 0; usable && i < o->lines * blocks; i++) {
    if (!isfinite(all[i])) usable = 0;
    else if (fabsf(all[i]) > *largest) *largest = fabsf(all[i]);
  }
  for (int64_t line = 0; usable && line < o->lines; line++)
    for (int64_t i = 0; i < runs; i++)
      scales[line * runs + i] = all[line * blocks + i * run / o->block];
  bk_give(all);
  if (usable) return scales;
  bk_give(scales);
  return NULL;
}

// The length of all runs, or 0.
static int64_t common_run(const bk_matmul *p) {
  int64_t a = p->a.scale ? p->a.block : 0, b = p->b.scale ? p->b.block : 0;
  if (a < 0 || b < 0) return 0;
  int64_t run = a == 0 ? b : b == 0 ? a : a < b ? a : b;
  if (run < 4 || run % 4 != 0 || run > MAX_RUN || a % run != 0 || b % run != 0) return 0;
  return run;
}

static int multiply_runs(const bk_matmul *p, void *output, context *x) {
  int64_t run = common_run(p);
  int exponent = p->a.element->mantissa_bits + p->b.element->mantissa_bits - 2000;
  if (run == 0 || p->accumulator.promote_every || p->output_type != BK_OUT_FLOAT32) return 0;
  float a_largest = 1, b_largest = 1, *a_scales = NULL, *b_scales = NULL;
  x->unit = ldexpf(1, -exponent);
  x->run_quads = run / 4;
  x->runs = (p->a.depth + run - 1) / run;
  int usable = 1;
  if (p->a.scale) usable = (a_scales = run_scales(&p->a, run, x->runs, &a_largest)) != NULL;
  if (usable && p->b.scale)
    usable = (b_scales = run_scales(&p->b, run, x->runs, &b_largest)) != NULL;
  if (usable && (double)a_largest * b_largest < 0x1p127) {
    x->a_scales = a_scales;
    x->b_scales = b_scales;
    hot_tiling tiling = {.problem = p,
                         .output = output,
                         .context = x,
                         .rows = RUN_ROWS,
                         .columns = COLUMNS,
                         .a_bytes = (x->runs * RUN_ROWS * 4 + 63) / 64 * 64 + RUN_ROWS * 4 * x->quads,
                         .b_bytes = (x->quads + x->runs) * 128,
                         .pack_a = pack_a,
                         .pack_b = pack_b_runs,
                         .tile = run_tile};
    usable = hot_run(&tiling);
  } else {
    usable = 0;
  }
  bk_give(a_scales);
  bk_give(b_scales);
  return usable;
}

int bk_hot_integers(const bk_matmul *p, void *output) {
  const bk_accumulator *u = &p->accumulator;
  context x = {.quads = (p->a.depth + 63) / 64 * 16};
  if (u->width != 32 || !read_values(p->a.element, x.a_values, &x.a_direct) ||
      !read_values(p->b.element, x.b_values, &x.b_direct))
    return 0;
  if (p->sums_runs) return multiply_runs(p, output, &x);
  if (p->a.scale || p->b.scale || hot_has_tensor_scale(p) || p->output_type != BK_OUT_INT32)
    return 0;
  if (u->saturates && (u->terms != 0 || p->a.depth > MAX_K)) return 0;
  x.run_quads = x.quads;
  x.runs = 1;
  hot_tiling tiling = {.problem = p,
                       .output = output,
                       .context = &x,
                       .rows = PLAIN_ROWS,
                       .columns = COLUMNS,
                       .a_bytes = 64 + PLAIN_ROWS * 4 * x.quads,
                       .b_bytes = x.quads * 128,
                       .pack_a = pack_a,
                       .pack_b = pack_b,
                       .tile = plain_tile};
  return hot_run(&tiling);
}

#else

int bk_hot_integers(const bk_matmul *p, void *output) {
  (void)p, (void)output;
  return 0;
}

#endif
