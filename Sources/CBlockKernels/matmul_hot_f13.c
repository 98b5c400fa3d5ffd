// Steps of 16 or 32 products cut to 2^(e_max − 13): the FP8 units of Ada and Hopper, whose terms fit
// 16-bit lanes.
//
// A product of two four-bit significands, times 2^7, is below 2^15; a shift by its distance from
// e_max cuts it, and `vpdpwssd` against ±1 adds it with its sign. Distances are bytes, four k to a
// dword; the words beside them hold k and k + 2.
#include "matmul_hot_fp8.h"

#pragma STDC FP_CONTRACT OFF

#if defined(__x86_64__)

enum { BIAS = 127, FRACTION = 13, LEAST = -90, NO_PRODUCT = -60 };
enum { ROWS = 8, HALF = 4, COLUMNS = 16, QUADS = FP8_STEP / 4 };

typedef struct {
  int8_t exponents[QUADS][ROWS][4];
  uint16_t significands[QUADS][2][ROWS][2];  // times 2^7
  uint16_t signs[QUADS][2][ROWS][2];         // turns 1 into −1
} a_step;

typedef struct {
  int8_t exponents[QUADS][COLUMNS][4];
  uint16_t significands[QUADS][2][COLUMNS][2];
  int16_t signs[QUADS][2][COLUMNS][2];  // ±1
} b_step;

// A code's significand, in eighths.
static uint16_t significand(const fp8_values *v, uint8_t code) {
  float x = v->values[code] < 0 ? -v->values[code] : v->values[code];
  if (x == 0) return 0;
  union {
    uint32_t bits;
    float value;
  } power = {(uint32_t)(3 - v->exponents[code] + BIAS) << 23};
  return (uint16_t)(x * power.value);
}

typedef struct {
  int8_t exponents[256], significands[256], signs[256];  // in eighths; ±1
} tables;

typedef struct {
  fp8_context x;
  tables a, b;
} context;

static void fill_tables(tables *to, const fp8_values *values) {
  for (int i = 0; i < 256; i++) {
    to->exponents[i] = values->exponents[i];
    to->significands[i] = (int8_t)significand(values, (uint8_t)i);
    to->signs[i] = values->values[i] < 0 ? -1 : 1;
  }
}

static HOT void pack_a(const hot_tiling *t, int64_t line, int count, uint8_t *panel) {
  const context *x = t->context;
  for (int64_t i = 0; i < x->x.steps; i += 2) {
    __m512i e[16], m[16], s[16];
    look_up_lines(&t->problem->a, line, count, FP8_STEP * i, x->a.exponents, e);
    look_up_lines(&t->problem->a, line, count, FP8_STEP * i, x->a.significands, m);
    look_up_lines(&t->problem->a, line, count, FP8_STEP * i, x->a.signs, s);
    for (int q = 0; q < 2 * QUADS && i + q / QUADS < x->x.steps; q++) {
      a_step *step = (a_step *)panel + i + q / QUADS;
      int at = q % QUADS;
      _mm256_storeu_si256((__m256i *)step->exponents[at], _mm512_castsi512_si256(e[q]));
      __m256i bytes = _mm512_castsi512_si256(m[q]), signs = _mm512_castsi512_si256(s[q]);
      __m256i even = _mm256_and_si256(bytes, _mm256_set1_epi16(255));
      _mm256_storeu_si256((__m256i *)step->significands[at][0], _mm256_slli_epi16(even, 7));
      _mm256_storeu_si256((__m256i *)step->significands[at][1],
                          _mm256_slli_epi16(_mm256_srli_epi16(bytes, 8), 7));
      even = _mm256_srai_epi16(_mm256_slli_epi16(signs, 8), 8);
      _mm256_storeu_si256((__m256i *)step->signs[at][0],
                          _mm256_xor_si256(even, _mm256_set1_epi16(1)));
      _mm256_storeu_si256((__m256i *)step->signs[at][1],
                          _mm256_xor_si256(_mm256_srai_epi16(signs, 8), _mm256_set1_epi16(1)));
    }
  }
}

static HOT void pack_b(const hot_tiling *t, int64_t line, int count, uint8_t *panel) {
  const context *x = t->context;
  for (int64_t i = 0; i < x->x.steps; i += 2) {
    __m512i e[16], m[16], s[16];
    look_up_lines(&t->problem->b, line, count, FP8_STEP * i, x->b.exponents, e);
    look_up_lines(&t->problem->b, line, count, FP8_STEP * i, x->b.significands, m);
    look_up_lines(&t->problem->b, line, count, FP8_STEP * i, x->b.signs, s);
    for (int q = 0; q < 2 * QUADS && i + q / QUADS < x->x.steps; q++) {
      b_step *step = (b_step *)panel + i + q / QUADS;
      int at = q % QUADS;
      _mm512_store_si512(step->exponents[at], e[q]);
      _mm512_store_si512(step->significands[at][0],
                         _mm512_and_si512(m[q], _mm512_set1_epi16(255)));
      _mm512_store_si512(step->significands[at][1], _mm512_srli_epi16(m[q], 8));
      _mm512_store_si512(step->signs[at][0],
                         _mm512_srai_epi16(_mm512_slli_epi16(s[q], 8), 8));
      _mm512_store_si512(step->signs[at][1], _mm512_srai_epi16(s[q], 8));
    }
  }
}

// Half of a tile's rows in one step. While one half waits for its last sum to be rounded, the
// other adds products.
typedef struct {
  __m512i largest[HALF];  // e_max in every byte
  __m512i sums[HALF];
  __m512 unit[HALF];  // 2^(e_max − F)
  __m512 c[HALF];
} rows_state;

typedef struct {
  const a_step *a;
  const b_step *b;
  int quad;
} position;

HOT_INLINE position position_of(const uint8_t *a, const uint8_t *b, int64_t step, int terms) {
  int64_t k = step * terms;
  return (position){(const a_step *)a + k / FP8_STEP, (const b_step *)b + k / FP8_STEP,
                    (int)(k % FP8_STEP / 4)};
}

HOT_INLINE __m512i exponent_sums(position at, int q, int row) {
  return _mm512_adds_epi8(_mm512_load_si512(at.b->exponents[at.quad + q]),
                          broadcast_dword(at.a->exponents[at.quad + q][row]));
}

HOT_INLINE void begin_step(rows_state *s, position at, int row, int terms) {
  __m512i e[HALF];
  HOT_UNROLL for (int r = 0; r < HALF; r++) e[r] = _mm512_set1_epi8(-128);
  HOT_UNROLL for (int q = 0; q < terms / 4; q++)
    HOT_UNROLL for (int r = 0; r < HALF; r++)
      e[r] = _mm512_max_epi8(e[r], exponent_sums(at, q, row + r));
  HOT_UNROLL for (int r = 0; r < HALF; r++) {
    e[r] = _mm512_max_epi8(e[r], _mm512_rol_epi32(e[r], 16));
    __m512i products = _mm512_srai_epi32(_mm512_max_epi8(e[r], _mm512_rol_epi32(e[r], 8)), 24);
    // Without a product that is not zero, c alone has an exponent.
    __mmask16 some = _mm512_cmpgt_epi32_mask(products, _mm512_set1_epi32(NO_PRODUCT));
    __m512i bits = _mm512_castps_si512(s->c[r]);
    __m512i of_c = _mm512_sub_epi32(_mm512_srli_epi32(_mm512_add_epi32(bits, bits), 24),
                                    _mm512_set1_epi32(BIAS));
    __m512i all = _mm512_max_epi32(
        of_c, _mm512_mask_mov_epi32(_mm512_set1_epi32(LEAST), some, products));
    __m512i field = _mm512_slli_epi32(
        _mm512_sub_epi32(_mm512_set1_epi32(FRACTION + BIAS), all), 23);
    s->largest[r] = _mm512_shuffle_epi8(
        all, _mm512_broadcast_i32x4(_mm_setr_epi8(0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8, 12, 12, 12, 12)));
    s->unit[r] = _mm512_castsi512_ps(_mm512_sub_epi32(_mm512_set1_epi32(2 * BIAS << 23), field));
    s->sums[r] = _mm512_cvttps_epi32(_mm512_mul_ps(s->c[r], _mm512_castsi512_ps(field)));
  }
}

HOT_INLINE void end_step(rows_state *s, position at, int row, int terms, __m512i mask) {
  const __m512i low_bytes = _mm512_set1_epi16(255);
  __m512i sums[HALF];
  HOT_UNROLL for (int r = 0; r < HALF; r++) sums[r] = s->sums[r];
  _Pragma("clang loop unroll_count(2)") for (int q = 0; q < terms / 4; q++) {
    int at_q = at.quad + q;
    if (row == 0) {
      const char *next = (const char *)(at.b + 1);
      _mm_prefetch(next + ((const char *)at.b->exponents[at_q] - (const char *)at.b), _MM_HINT_T0);
      HOT_UNROLL for (int h = 0; h < 2; h++) {
        _mm_prefetch(next + ((const char *)at.b->significands[at_q][h] - (const char *)at.b), _MM_HINT_T0);
        _mm_prefetch(next + ((const char *)at.b->signs[at_q][h] - (const char *)at.b), _MM_HINT_T0);
      }
    }
    HOT_UNROLL for (int r = 0; r < HALF; r++) {
      __m512i distance = _mm512_subs_epi8(s->largest[r], exponent_sums(at, q, row + r));
      __m512i shifts[2] = {_mm512_and_si512(distance, low_bytes), _mm512_srli_epi16(distance, 8)};
      HOT_UNROLL for (int h = 0; h < 2; h++) {
        __m512i product =
            _mm512_mullo_epi16(_mm512_load_si512(at.b->significands[at_q][h]),
                               broadcast_dword(at.a->significands[at_q][h][row + r]));
        __m512i sign = _mm512_xor_si512(_mm512_load_si512(at.b->signs[at_q][h]),
                                        broadcast_dword(at.a->signs[at_q][h][row + r]));
        sums[r] = _mm512_dpwssd_epi32(sums[r], _mm512_srlv_epi16(product, shifts[h]), sign);
      }
    }
  }
  HOT_UNROLL for (int r = 0; r < HALF; r++) {
    __m512i kept = _mm512_and_si512(_mm512_castps_si512(_mm512_cvtepi32_ps(sums[r])), mask);
    s->c[r] = _mm512_mul_ps(_mm512_castsi512_ps(kept), s->unit[r]);
  }
}

HOT_INLINE void any_tile(const hot_tiling *t, const uint8_t *a, const uint8_t *b, int64_t row,
                         int rows, int64_t column, int columns, int terms) {
  const context *x = t->context;
  const bk_matmul *p = t->problem;
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
    begin_step(&halves[h], position_of(a, b, 0, terms), HALF * h, terms);
  for (int64_t i = 0; i < steps; i++) {
    position at = position_of(a, b, i, terms);
    // After the last step, exponents that nothing uses.
    position next = position_of(a, b, i + 1 < steps ? i + 1 : i, terms);
    HOT_UNROLL for (int h = 0; h < 2; h++) {
      end_step(&halves[h], at, HALF * h, terms, mask);
      begin_step(&halves[h], next, HALF * h, terms);
    }
  }
  __mmask16 valid = (__mmask16)(0xffffu >> (COLUMNS - columns));
  HOT_UNROLL for (int r = 0; r < ROWS; r++)
    if (r < rows)
      _mm512_mask_storeu_ps((float *)t->output + (row + r) * p->b.lines + column, valid,
                            finish_float(halves[r / HALF].c[r % HALF], p));
}

static HOT void tile_16(const hot_tiling *t, const uint8_t *a, const uint8_t *b, int64_t row,
                        int rows, int64_t column, int columns) {
  any_tile(t, a, b, row, rows, column, columns, 16);
}

static HOT void tile_32(const hot_tiling *t, const uint8_t *a, const uint8_t *b, int64_t row,
                        int rows, int64_t column, int columns) {
  any_tile(t, a, b, row, rows, column, columns, 32);
}

int hot_fp8_words(const bk_matmul *p, void *output, const fp8_context *operands) {
  context x = {.x = *operands};
  fill_tables(&x.a, &x.x.a);
  fill_tables(&x.b, &x.x.b);
  hot_tiling tiling = {.problem = p,
                       .output = output,
                       .context = &x,
                       .rows = ROWS,
                       .columns = COLUMNS,
                       .a_bytes = x.x.steps * (int64_t)sizeof(a_step),
                       .b_bytes = x.x.steps * (int64_t)sizeof(b_step),
                       .pack_a = pack_a,
                       .pack_b = pack_b,
                       .tile = p->accumulator.terms == 16 ? tile_16 : tile_32};
  return hot_run(&tiling);
}

#endif
