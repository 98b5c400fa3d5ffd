// Four groups of 16 products and c in each step, aligned to 2^(e_max − 35), cut, added and rounded
// toward zero: Blackwell's K = 64 unit (spec A.2, GST-FDPA).
//
// A group's product p·s_A·s_B has at most 20 bits, so float32 holds it exactly, scaled by any power
// of two; cutting it to the grid is a conversion to int64 of p·s_A·s_B·2^(35 − e_max).
#include "matmul_hot_fp4.h"

#pragma STDC FP_CONTRACT OFF

// Scale exponents within ±30, so that a group's exponent is at least −60 and every factor is a
// normal float32. Nonzero c stay above 2^-60: sums are multiples of 2^(e_max − 35), or c itself.
enum { SCALE_LIMIT = 30, LEAST = -60, C_HIGH = 90, BIAS = 127 };

#if defined(__x86_64__)

enum { ROWS = 4, COLUMNS = 16 };

typedef struct {
  int8_t values[64];
  float scale[4];      // a quarter of s_A
  int32_t start[4];    // what removes the bias of B's values
  uint16_t exponent[4];
  uint16_t nonzero[4];
  uint8_t padding[16];
} a_step;

typedef struct {
  uint8_t values[16][64];
  float scale[4][COLUMNS];
  uint16_t exponent[2][COLUMNS][2];
  uint16_t nonzero[2][COLUMNS][2];
} b_step;

typedef struct {
  fp4_scales a, b;
  int64_t steps;
} context;

static float scale_value(const fp4_scales *s, uint32_t code) {
  if (s->significand[code] == 0) return 0;
  union {
    uint32_t bits;
    float value;
  } power = {(uint32_t)(s->exponent[code] - 3 + BIAS) << 23};
  return (float)s->significand[code] * power.value;
}

static HOT void pack_a(const hot_tiling *t, int64_t line, int count, uint8_t *panel) {
  const context *x = t->context;
  const bk_operand *o = &t->problem->a;
  a_step *to = (a_step *)panel;
  for (int r = 0; r < ROWS; r++) {
    fp4_cursor cursor = fp4_start(o, line + r);
    for (int64_t i = 0; i < x->steps; i++) {
      a_step *step = to + i * ROWS + r;
      *step = (a_step){0};
      if (r >= count) continue;
      const uint8_t *codes = (const uint8_t *)o->codes + (line + r) * o->depth + 64 * i;
      __m512i values = fp4_values(load_bytes(codes, o->depth - 64 * i));
      uint64_t nonzero = _mm512_test_epi8_mask(values, values);
      _mm512_store_si512(step->values, values);
      _mm_store_si128((__m128i *)step->start,
                      _mm_mullo_epi32(fp4_group_sums(values), _mm_set1_epi32(-12)));
      for (int g = 0; g < 4 && 64 * i + 16 * g < o->depth; g++) {
        uint32_t code = fp4_next(&cursor, &x->a);
        if (x->a.significand[code] == 0) continue;
        step->scale[g] = scale_value(&x->a, code) * 0.25f;
        step->exponent[g] = (uint16_t)(x->a.exponent[code] + BIAS);
        step->nonzero[g] = (uint16_t)(nonzero >> (16 * g));
      }
    }
  }
}

static HOT void pack_b(const hot_tiling *t, int64_t line, int count, uint8_t *panel) {
  const context *x = t->context;
  const bk_operand *o = &t->problem->b;
  fp4_cursor cursors[COLUMNS];
  for (int j = 0; j < count; j++) cursors[j] = fp4_start(o, line + j);
  for (int64_t i = 0; i < x->steps; i++) {
    b_step *step = (b_step *)panel + i;
    uint64_t nonzero[COLUMNS];
    fp4_pack_columns(o, line, count, 64 * i, step->values[0], nonzero);
    __builtin_memset(step->scale, 0, sizeof *step - sizeof step->values);
    for (int j = 0; j < count; j++) {
      for (int g = 0; g < 4 && 64 * i + 16 * g < o->depth; g++) {
        uint32_t code = fp4_next(&cursors[j], &x->b);
        if (x->b.significand[code] == 0) continue;
        step->scale[g][j] = scale_value(&x->b, code);
        step->exponent[g / 2][j][g % 2] = (uint16_t)x->b.exponent[code];
        step->nonzero[g / 2][j][g % 2] = (uint16_t)(nonzero[j] >> (16 * g));
      }
    }
  }
}

// Biased e_max of the steps' nonzero groups and c.
HOT_INLINE __m512i largest_exponent(const a_step *a, const b_step *b, __m512 c) {
  __m512i least = _mm512_set1_epi16(LEAST + BIAS), words[2];
  HOT_UNROLL for (int h = 0; h < 2; h++) {
    __mmask32 nonzero = _mm512_test_epi16_mask(_mm512_load_si512(b->nonzero[h]),
                                               broadcast_dword(a->nonzero + 2 * h));
    words[h] = _mm512_mask_add_epi16(least, nonzero, _mm512_load_si512(b->exponent[h]),
                                     broadcast_dword(a->exponent + 2 * h));
  }
  __m512i e = _mm512_max_epi16(words[0], words[1]);
  e = _mm512_srai_epi32(_mm512_max_epi16(e, _mm512_rol_epi32(e, 16)), 16);
  __m512i bits = _mm512_castps_si512(c);
  return _mm512_max_epi32(e, _mm512_srli_epi32(_mm512_add_epi32(bits, bits), 24));
}

// One step of 16 columns of each row.
HOT_INLINE void add_step(const a_step *a, const b_step *b, __m512 c[ROWS]) {
  __m512 grid[ROWS], unit[ROWS];
  __m512i low[ROWS], high[ROWS];
  HOT_UNROLL for (int r = 0; r < ROWS; r++) {
    __m512i e = largest_exponent(a + r, b, c[r]);
    __m512i g = _mm512_slli_epi32(_mm512_sub_epi32(_mm512_set1_epi32(35 + 2 * BIAS), e), 23);
    grid[r] = _mm512_castsi512_ps(g);
    unit[r] = _mm512_castsi512_ps(_mm512_sub_epi32(_mm512_set1_epi32(2 * BIAS << 23), g));
    __m512 cut = _mm512_mul_ps(c[r], grid[r]);
    low[r] = _mm512_cvttps_epi64(_mm512_castps512_ps256(cut));
    high[r] = _mm512_cvttps_epi64(_mm512_extractf32x8_ps(cut, 1));
  }
  HOT_UNROLL for (int g = 0; g < 4; g++) {
    __m512 scale = _mm512_load_ps(b->scale[g]);
    HOT_UNROLL for (int r = 0; r < ROWS; r++) {
      __m512i p = _mm512_set1_epi32(a[r].start[g]);
      HOT_UNROLL for (int q = 4 * g; q < 4 * g + 4; q++)
        p = _mm512_dpbusd_epi32(p, _mm512_load_si512(b->values[q]),
                                broadcast_dword(a[r].values + 4 * q));
      __m512 factor = _mm512_mul_ps(grid[r], _mm512_set1_ps(a[r].scale[g]));
      __m512 term = _mm512_mul_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(p), scale), factor);
      low[r] = _mm512_add_epi64(low[r], _mm512_cvttps_epi64(_mm512_castps512_ps256(term)));
      high[r] = _mm512_add_epi64(high[r], _mm512_cvttps_epi64(_mm512_extractf32x8_ps(term, 1)));
    }
  }
  HOT_UNROLL for (int r = 0; r < ROWS; r++) {
    __m256 l = _mm512_cvt_roundepi64_ps(low[r], _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
    __m256 h = _mm512_cvt_roundepi64_ps(high[r], _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
    c[r] = _mm512_mul_ps(_mm512_insertf32x8(_mm512_castps256_ps512(l), h, 1), unit[r]);
  }
}

static HOT void tile(const hot_tiling *t, const uint8_t *a, const uint8_t *b, int64_t row,
                     int rows, int64_t column, int columns) {
  const context *x = t->context;
  const bk_matmul *p = t->problem;
  __m512 c[ROWS];
  HOT_UNROLL for (int r = 0; r < ROWS; r++) {
    c[r] = _mm512_setzero_ps();
    if (p->c && r < rows)
      c[r] = _mm512_castsi512_ps(load_patterns(p->c + (row + r) * p->b.lines + column, columns));
  }
  for (int64_t i = 0; i < x->steps; i++)
    add_step((const a_step *)a + i * ROWS, (const b_step *)b + i, c);
  __mmask16 valid = (__mmask16)(0xffffu >> (COLUMNS - columns));
  HOT_UNROLL for (int r = 0; r < ROWS; r++)
    if (r < rows)
      _mm512_mask_storeu_ps((float *)t->output + (row + r) * p->b.lines + column, valid,
                            finish_float(c[r], p));
}

static int is_unit(const bk_accumulator *u) {
  return u->terms == 64 && u->group == 16 && u->scaling == BK_SCALING_GROUPS &&
         u->align_fraction == 35 && u->align_rounding == BK_ROUND_TOWARD_ZERO &&
         u->zero_exponent <= LEAST && u->zero_exponent != BK_NONE && u->join == BK_JOIN_FUSED &&
         !u->splits_even_odd && !u->infinite_products && u->mantissa_bits == 23 && !u->half &&
         u->rounding == BK_ROUND_TOWARD_ZERO && !u->overflows_to_largest && !u->flushes_subnormals;
}

int bk_hot_fp4_groups(const bk_matmul *p, void *output) {
  context x;
  if (!is_unit(&p->accumulator) || p->sums_runs || p->output_type != BK_OUT_FLOAT32) return 0;
  if (!fp4_read(&p->a, &x.a) || !fp4_read(&p->b, &x.b)) return 0;
  if (x.a.low < -SCALE_LIMIT || x.a.high > SCALE_LIMIT || x.b.low < -SCALE_LIMIT ||
      x.b.high > SCALE_LIMIT || !hot_c_within(p, LEAST, C_HIGH))
    return 0;
  x.steps = (p->a.depth + 63) / 64;
  hot_tiling tiling = {.problem = p,
                       .output = output,
                       .context = &x,
                       .rows = ROWS,
                       .columns = COLUMNS,
                       .a_bytes = x.steps * ROWS * (int64_t)sizeof(a_step),
                       .b_bytes = x.steps * (int64_t)sizeof(b_step),
                       .pack_a = pack_a,
                       .pack_b = pack_b,
                       .tile = tile};
  return hot_run(&tiling);
}

#else

int bk_hot_fp4_groups(const bk_matmul *p, void *output) {
  (void)p, (void)output;
  return 0;
}

#endif
