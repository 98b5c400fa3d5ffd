// Steps of 16 or 32 products and c, each cut to 2^(e_max − F) and rounded toward zero: FP8 and
// narrower operands of Ada, Hopper and Blackwell (spec A.2, T-FDPA and ST-FDPA).
//
// A product of two four-bit significands is exact in float32; cutting it is a conversion of
// a·b·2^(F − e_max) to int32. Sixteen terms below 3.52·2^F, F at most 25, and c fit 31 bits.
#include "matmul_hot_fp8.h"

#include <math.h>

#pragma STDC FP_CONTRACT OFF

#if defined(__x86_64__)

// Biased exponents of float32. A product's exponent is at least −32 + scales; sums are multiples of
// 2^(e_max − F), so that c, where it is not zero, stays above C_LOW.
enum { BIAS = 127, SCALE_LIMIT = 30, C_LOW = -87, C_HIGH = 90, LEAST = -90, NO_PRODUCT = -60 };
enum { ROWS = 8, HALF = 4, COLUMNS = 16 };

// Rows beside each other keep addresses short, and with them the inner loop's code.
typedef struct {
  float values[FP8_STEP][ROWS];
  int8_t exponents[FP8_STEP / 4][ROWS][4];
  int32_t scale[ROWS];
} a_step;

typedef struct {
  float values[FP8_STEP][COLUMNS];
  int8_t exponents[FP8_STEP / 4][COLUMNS][4];
  int32_t scale[COLUMNS];
} b_step;

// The upper two bytes of each value; the lower ones are zero.
typedef struct {
  fp8_context x;
  int8_t a_bytes[2][256], b_bytes[2][256];
} context;

static void fill_bytes(int8_t bytes[2][256], const fp8_values *values) {
  for (int i = 0; i < 256; i++) {
    uint32_t bits;
    __builtin_memcpy(&bits, &values->values[i], sizeof bits);
    bytes[0][i] = (int8_t)(bits >> 24);
    bytes[1][i] = (int8_t)(bits >> 16 & 255);
  }
}

// The values of k = i of four, from the bytes of all four.
HOT_INLINE __m512 join_bytes(__m512i high, __m512i low, int i) {
  __m512i top = _mm512_set1_epi32((int32_t)0xff000000);
  high = _mm512_and_si512(_mm512_slli_epi32(high, (unsigned)(24 - 8 * i)), top);
  low = _mm512_and_si512(_mm512_slli_epi32(low, (unsigned)(24 - 8 * i)), top);
  return _mm512_castsi512_ps(_mm512_or_si512(high, _mm512_srli_epi32(low, 8)));
}

static HOT void pack_a(const hot_tiling *t, int64_t line, int count, uint8_t *panel) {
  const context *x = t->context;
  const bk_operand *o = &t->problem->a;
  for (int64_t i = 0; i < x->x.steps; i += 2) {
    __m512i e[16], high[16], low[16];
    look_up_lines(o, line, count, FP8_STEP * i, x->x.a.exponents, e);
    look_up_lines(o, line, count, FP8_STEP * i, x->a_bytes[0], high);
    look_up_lines(o, line, count, FP8_STEP * i, x->a_bytes[1], low);
    for (int q = 0; q < 16 && i + q / 8 < x->x.steps; q++) {
      a_step *step = (a_step *)panel + i + q / 8;
      _mm256_storeu_si256((__m256i *)step->exponents[q % 8], _mm512_castsi512_si256(e[q]));
      for (int k = 0; k < 4; k++)
        _mm256_storeu_ps(step->values[q % 8 * 4 + k],
                         _mm512_castps512_ps256(join_bytes(high[q], low[q], k)));
    }
    for (int r = 0; r < 2 * ROWS && i + r / ROWS < x->x.steps; r++)
      ((a_step *)panel + i + r / ROWS)->scale[r % ROWS] =
          r % ROWS < count ? fp8_scale(o, line + r % ROWS, FP8_STEP * (i + r / ROWS)) : 0;
  }
}

static HOT void pack_b(const hot_tiling *t, int64_t line, int count, uint8_t *panel) {
  const context *x = t->context;
  const bk_operand *o = &t->problem->b;
  for (int64_t i = 0; i < x->x.steps; i += 2) {
    __m512i e[16], high[16], low[16];
    look_up_lines(o, line, count, FP8_STEP * i, x->x.b.exponents, e);
    look_up_lines(o, line, count, FP8_STEP * i, x->b_bytes[0], high);
    look_up_lines(o, line, count, FP8_STEP * i, x->b_bytes[1], low);
    for (int q = 0; q < 16 && i + q / 8 < x->x.steps; q++) {
      b_step *step = (b_step *)panel + i + q / 8;
      _mm512_store_si512(step->exponents[q % 8], e[q]);
      for (int k = 0; k < 4; k++)
        _mm512_store_ps(step->values[q % 8 * 4 + k], join_bytes(high[q], low[q], k));
    }
    for (int j = 0; j < 2 * COLUMNS && i + j / COLUMNS < x->x.steps; j++)
      ((b_step *)panel + i + j / COLUMNS)->scale[j % COLUMNS] =
          j % COLUMNS < count ? fp8_scale(o, line + j % COLUMNS, FP8_STEP * (i + j / COLUMNS)) : 0;
  }
}

typedef struct {
  __m512 product;  // 2^(F − e_max + scales)
  __m512 c;        // 2^(F − e_max)
  __m512 unit;     // 2^(e_max − F)
} grid;

// The grid of products [k, k + terms) of a step, and c.
HOT_INLINE grid make_grid(const a_step *a, int r, const b_step *b, int k, int terms, int fraction,
                          __m512 c) {
  __m512i e = _mm512_set1_epi8(-128);
  HOT_UNROLL for (int q = 0; q < terms / 4; q++)
    e = _mm512_max_epi8(e, _mm512_adds_epi8(_mm512_load_si512(b->exponents[k / 4 + q]),
                                            broadcast_dword(a->exponents[k / 4 + q][r])));
  e = _mm512_max_epi8(e, _mm512_rol_epi32(e, 16));
  e = _mm512_srai_epi32(_mm512_max_epi8(e, _mm512_rol_epi32(e, 8)), 24);
  __mmask16 some = _mm512_cmpgt_epi32_mask(e, _mm512_set1_epi32(NO_PRODUCT));
  __m512i scale = _mm512_add_epi32(_mm512_load_si512(b->scale), _mm512_set1_epi32(a->scale[r]));
  __m512i bits = _mm512_castps_si512(c);
  __m512i of_c = _mm512_srli_epi32(_mm512_add_epi32(bits, bits), 24);
  e = _mm512_mask_add_epi32(_mm512_set1_epi32(LEAST), some, e, scale);
  e = _mm512_max_epi32(_mm512_add_epi32(e, _mm512_set1_epi32(BIAS)), of_c);
  __m512i field = _mm512_sub_epi32(_mm512_set1_epi32(fraction + 2 * BIAS), e);
  // Without a product the factor is only kept finite.
  __m512i product = _mm512_min_epi32(_mm512_add_epi32(field, scale), _mm512_set1_epi32(2 * BIAS));
  __m512i unit = _mm512_sub_epi32(_mm512_set1_epi32(2 * BIAS), field);
  return (grid){_mm512_castsi512_ps(_mm512_slli_epi32(product, 23)),
                _mm512_castsi512_ps(_mm512_slli_epi32(field, 23)),
                _mm512_castsi512_ps(_mm512_slli_epi32(unit, 23))};
}

// Half of a tile's rows in one step. While one half waits for its last sum to be rounded, the
// other adds products.
typedef struct {
  grid g[HALF];
  __m512i sums[HALF];
  __m512 c[HALF];
} rows_state;

// A step of `terms` products from `k` on; `narrow` where all sums are exact in float32.
typedef struct {
  const a_step *a;
  const b_step *b;
  int k;
} position;

HOT_INLINE position position_of(const uint8_t *a, const uint8_t *b, int64_t step, int terms) {
  int64_t k = step * terms;
  return (position){(const a_step *)a + k / FP8_STEP, (const b_step *)b + k / FP8_STEP,
                    (int)(k % FP8_STEP)};
}

HOT_INLINE void begin_step(rows_state *s, position at, int row, int terms, int fraction) {
  HOT_UNROLL for (int r = 0; r < HALF; r++) {
    s->g[r] = make_grid(at.a, row + r, at.b, at.k, terms, fraction, s->c[r]);
    s->sums[r] = _mm512_cvttps_epi32(_mm512_mul_ps(s->c[r], s->g[r].c));
  }
}

// Adds 16 cut products of each row.
HOT_INLINE void add_products(const rows_state *s, position at, int row, int k, __m512i sums[HALF]) {
  const float *rows = at.a->values[at.k + k] + row, *columns = at.b->values[at.k + k];
  _Pragma("clang loop unroll_count(4)") for (int i = 0; i < 16; i++) {
    __m512 v = _mm512_load_ps(columns + COLUMNS * i);
    // The same k of the next step.
    if (row == 0) _mm_prefetch((const char *)(columns + COLUMNS * i) + 2 * sizeof(b_step), _MM_HINT_T0);
    HOT_UNROLL for (int r = 0; r < HALF; r++) {
      __m512 x = _mm512_mul_ps(_mm512_mul_ps(v, _mm512_set1_ps(rows[ROWS * i + r])),
                               s->g[r].product);
      sums[r] = _mm512_add_epi32(sums[r], _mm512_cvttps_epi32(x));
    }
  }
}

// Two sums, rounded toward zero to 24 bits.
HOT_INLINE __m512 round_sums(__m512i x, __m512i y) {
  __m512d low = _mm512_add_pd(_mm512_cvtepi32_pd(_mm512_castsi512_si256(x)),
                              _mm512_cvtepi32_pd(_mm512_castsi512_si256(y)));
  __m512d high = _mm512_add_pd(_mm512_cvtepi32_pd(_mm512_extracti64x4_epi64(x, 1)),
                               _mm512_cvtepi32_pd(_mm512_extracti64x4_epi64(y, 1)));
  __m256 l = _mm512_cvt_roundpd_ps(low, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
  __m256 h = _mm512_cvt_roundpd_ps(high, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
  return _mm512_insertf32x8(_mm512_castps256_ps512(l), h, 1);
}

HOT_INLINE void end_step(rows_state *s, position at, int row, int terms, int narrow, __m512i mask) {
  __m512i first[HALF], second[HALF];
  HOT_UNROLL for (int r = 0; r < HALF; r++) {
    first[r] = s->sums[r];
    second[r] = _mm512_setzero_si512();
  }
  add_products(s, at, row, 0, first);
  if (terms > 16) add_products(s, at, row, 16, narrow ? first : second);
  HOT_UNROLL for (int r = 0; r < HALF; r++) {
    __m512 sum = narrow ? _mm512_cvtepi32_ps(first[r]) : round_sums(first[r], second[r]);
    __m512i kept = _mm512_and_si512(_mm512_castps_si512(sum), mask);
    s->c[r] = _mm512_mul_ps(_mm512_castsi512_ps(kept), s->g[r].unit);
  }
}

HOT_INLINE void any_tile(const hot_tiling *t, const uint8_t *a, const uint8_t *b, int64_t row,
                         int rows, int64_t column, int columns, int terms, int narrow) {
  const context *x = t->context;
  const bk_matmul *p = t->problem;
  int fraction = p->accumulator.align_fraction;
  int64_t steps = x->x.steps * (FP8_STEP / terms);
  __m512i mask = _mm512_set1_epi32(-(1 << (23 - p->accumulator.mantissa_bits)));
  rows_state halves[2];
  HOT_UNROLL for (int r = 0; r < ROWS; r++) {
    __m512 c = _mm512_setzero_ps();
    if (p->c && r < rows)
      c = _mm512_castsi512_ps(load_patterns(p->c + (row + r) * p->b.lines + column, columns));
    halves[r / HALF].c[r % HALF] = c;
  }
  HOT_UNROLL for (int h = 0; h < 2; h++)
    begin_step(&halves[h], position_of(a, b, 0, terms), HALF * h, terms, fraction);
  for (int64_t i = 0; i < steps; i++) {
    position at = position_of(a, b, i, terms);
    // After the last step, a grid that nothing uses.
    position next = position_of(a, b, i + 1 < steps ? i + 1 : i, terms);
    HOT_UNROLL for (int h = 0; h < 2; h++) {
      end_step(&halves[h], at, HALF * h, terms, narrow, mask);
      begin_step(&halves[h], next, HALF * h, terms, fraction);
    }
  }
  __mmask16 valid = (__mmask16)(0xffffu >> (COLUMNS - columns));
  HOT_UNROLL for (int r = 0; r < ROWS; r++)
    if (r < rows)
      _mm512_mask_storeu_ps((float *)t->output + (row + r) * p->b.lines + column, valid,
                            finish_float(halves[r / HALF].c[r % HALF], p));
}

#define TILE(terms, narrow)                                                                        \
  static HOT void tile_##terms##_##narrow(const hot_tiling *t, const uint8_t *a, const uint8_t *b, \
                                          int64_t row, int rows, int64_t column, int columns) {    \
    any_tile(t, a, b, row, rows, column, columns, terms, narrow);                                  \
  }
TILE(16, 0)
TILE(16, 1)
TILE(32, 0)
TILE(32, 1)

static int is_unit(const bk_accumulator *u) {
  return (u->terms == 16 || u->terms == 32) && u->group <= 1 && u->align_fraction >= 0 &&
         u->align_fraction <= 25 && u->align_rounding == BK_ROUND_TOWARD_ZERO &&
         u->zero_exponent <= LEAST && u->zero_exponent != BK_NONE && u->join == BK_JOIN_FUSED &&
         !u->splits_even_odd && !u->infinite_products && u->mantissa_bits >= 1 &&
         u->mantissa_bits <= 23 && !u->half && u->rounding == BK_ROUND_TOWARD_ZERO &&
         !u->overflows_to_largest && !u->flushes_subnormals;
}

static int scales_fit(const bk_matmul *p) {
  if (!p->a.scale && !p->b.scale) return 1;
  if (p->accumulator.scaling != BK_SCALING_PRODUCTS || p->accumulator.terms != FP8_STEP) return 0;
  return fp8_scales_within(&p->a, SCALE_LIMIT) && fp8_scales_within(&p->b, SCALE_LIMIT);
}

int bk_hot_fp8(const bk_matmul *p, void *output) {
  context x = {.x = {.steps = (p->a.depth + FP8_STEP - 1) / FP8_STEP}};
  if (!is_unit(&p->accumulator) || p->sums_runs || p->output_type != BK_OUT_FLOAT32) return 0;
  if (!scales_fit(p) || !fp8_read(&p->a, &x.x.a) || !fp8_read(&p->b, &x.x.b) ||
      !hot_c_within(p, C_LOW, C_HIGH))
    return 0;
  if (p->accumulator.align_fraction == 13 && !p->a.scale && !p->b.scale)
    return hot_fp8_words(p, output, &x.x);
  fill_bytes(x.a_bytes, &x.x.a);
  fill_bytes(x.b_bytes, &x.x.b);
  // 33 terms below 3.52·2^17 are below 2^24.
  int narrow = p->accumulator.align_fraction <= 17, terms = p->accumulator.terms;
  hot_tiling tiling = {.problem = p,
                       .output = output,
                       .context = &x,
                       .rows = ROWS,
                       .columns = COLUMNS,
                       .a_bytes = x.x.steps * (int64_t)sizeof(a_step),
                       .b_bytes = x.x.steps * (int64_t)sizeof(b_step),
                       .pack_a = pack_a,
                       .pack_b = pack_b,
                       .tile = terms == 16 ? (narrow ? tile_16_1 : tile_16_0)
                                           : (narrow ? tile_32_1 : tile_32_0)};
  tiling.a_bytes = (tiling.a_bytes + 63) / 64 * 64;
  return hot_run(&tiling);
}

#else

int bk_hot_fp8(const bk_matmul *p, void *output) {
  (void)p, (void)output;
  return 0;
}

#endif
