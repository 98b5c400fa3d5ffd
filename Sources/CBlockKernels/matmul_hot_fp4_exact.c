// c + T_A·T_B·Σ a·b·s_A·s_B rounded once, for E2M1: every scaled group of 16 products is an integer
// on one grid, and so is the sum of a whole line.
//
// Scales are integers of 2^(low − 3), low being an operand's smallest exponent in use. A group's sum
// has at most 2304 quarters; times s_B it must fit 31 bits. A line's sum stays below 2^53, so that
// it is a double too, and T_A·T_B has at most 48 bits: the last step needs no more than the sum of
// three doubles, rounded to odd before it is rounded to float32 (Boldo and Melquiond, 2008).
#include "matmul_hot_fp4.h"

#include <math.h>

#pragma STDC FP_CONTRACT OFF

#if defined(__x86_64__)

enum { ROWS = 4, COLUMNS = 16, GROUP_SUM = 2304 };

typedef struct {
  int8_t values[16];
  int32_t start;
  int32_t scale;
} a_group;

typedef struct {
  uint8_t values[4][64];
  int32_t scale[COLUMNS];
} b_group;

typedef struct {
  fp4_scales a, b;
  int64_t groups;  // a multiple of four
  int32_t a_scale[256], b_scale[256];
  double unit;  // T_A·T_B times the weight of the sum's last bit
} context;

static HOT void pack_a(const hot_tiling *t, int64_t line, int count, uint8_t *panel) {
  const context *x = t->context;
  const bk_operand *o = &t->problem->a;
  a_group *to = (a_group *)panel;
  for (int r = 0; r < ROWS; r++) {
    fp4_cursor cursor = fp4_start(o, line + r);
    for (int64_t i = 0; i < x->groups; i += 4) {
      __m512i values = _mm512_setzero_si512();
      if (r < count)
        values = fp4_values(load_bytes(
            (const uint8_t *)o->codes + (line + r) * o->depth + 16 * i, o->depth - 16 * i));
      int32_t sums[4];
      _mm_storeu_si128((__m128i *)sums, fp4_group_sums(values));
      int8_t bytes[64];
      _mm512_storeu_si512(bytes, values);
      for (int g = 0; g < 4; g++) {
        a_group *group = to + (i + g) * ROWS + r;
        __builtin_memcpy(group->values, bytes + 16 * g, 16);
        group->start = -12 * sums[g];
        group->scale = 0;
        if (r < count && 16 * (i + g) < o->depth)
          group->scale = x->a_scale[fp4_next(&cursor, &x->a)];
      }
    }
  }
}

static HOT void pack_b(const hot_tiling *t, int64_t line, int count, uint8_t *panel) {
  const context *x = t->context;
  const bk_operand *o = &t->problem->b;
  fp4_cursor cursors[COLUMNS];
  for (int j = 0; j < count; j++) cursors[j] = fp4_start(o, line + j);
  for (int64_t i = 0; i < x->groups; i += 4) {
    b_group *groups = (b_group *)panel + i;
    uint64_t nonzero[COLUMNS];
    _Alignas(64) uint8_t values[16][64];
    fp4_pack_columns(o, line, count, 16 * i, values[0], nonzero);
    for (int g = 0; g < 4; g++) {
      __builtin_memcpy(groups[g].values, values[4 * g], 256);
      for (int j = 0; j < COLUMNS; j++)
        groups[g].scale[j] = j < count && 16 * (i + g) < o->depth
                                 ? x->b_scale[fp4_next(&cursors[j], &x->b)]
                                 : 0;
    }
  }
}

typedef struct {
  __m512d high, low;
} pair;

HOT_INLINE pair two_sum(__m512d a, __m512d b) {
  __m512d s = _mm512_add_pd(a, b), t = _mm512_sub_pd(s, a);
  return (pair){s, _mm512_add_pd(_mm512_sub_pd(a, _mm512_sub_pd(s, t)), _mm512_sub_pd(b, t))};
}

// a + b rounded to odd.
HOT_INLINE __m512d odd_sum(__m512d a, __m512d b) {
  __m512d cut = _mm512_add_round_pd(a, b, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
  __m512d up = _mm512_add_round_pd(a, b, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC);
  __m512d down = _mm512_add_round_pd(a, b, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
  __mmask8 inexact = _mm512_cmp_pd_mask(up, down, _CMP_NEQ_OQ);
  __m512i bits = _mm512_castpd_si512(cut);
  return _mm512_castsi512_pd(_mm512_mask_or_epi64(bits, inexact, bits, _mm512_set1_epi64(1)));
}

// c + unit·sum rounded once. Without c the product alone is rounded.
HOT_INLINE __m256 round_once(__m512i sum, double unit, __m256 c) {
  __m512d s = _mm512_cvtepi64_pd(sum), t = _mm512_set1_pd(unit), addend = _mm512_cvtps_pd(c);
  __m512d high = _mm512_mul_pd(s, t), low = _mm512_fmsub_pd(s, t, high);
  pair inner = two_sum(addend, low), outer = two_sum(high, inner.high);
  return _mm512_cvtpd_ps(odd_sum(outer.high, odd_sum(inner.low, outer.low)));
}

HOT_INLINE void add_group(const a_group *a, const b_group *b, __m512i even[ROWS],
                          __m512i odd[ROWS]) {
  __m512i scale = _mm512_load_si512(b->scale);
  HOT_UNROLL for (int r = 0; r < ROWS; r++) {
    __m512i p = _mm512_set1_epi32(a[r].start);
    HOT_UNROLL for (int q = 0; q < 4; q++)
      p = _mm512_dpbusd_epi32(p, _mm512_load_si512(b->values[q]),
                              broadcast_dword(a[r].values + 4 * q));
    p = _mm512_mullo_epi32(p, scale);
    __m512i factor = _mm512_set1_epi32(a[r].scale);
    even[r] = _mm512_add_epi64(even[r], _mm512_mul_epi32(p, factor));
    odd[r] = _mm512_add_epi64(odd[r], _mm512_mul_epi32(_mm512_srli_epi64(p, 32), factor));
  }
}

static HOT void tile(const hot_tiling *t, const uint8_t *a, const uint8_t *b, int64_t row,
                     int rows, int64_t column, int columns) {
  const context *x = t->context;
  const bk_matmul *p = t->problem;
  __m512i even[ROWS], odd[ROWS];
  HOT_UNROLL for (int r = 0; r < ROWS; r++) even[r] = odd[r] = _mm512_setzero_si512();
  for (int64_t i = 0; i < x->groups; i++)
    add_group((const a_group *)a + i * ROWS, (const b_group *)b + i, even, odd);
  __mmask16 valid = (__mmask16)(0xffffu >> (COLUMNS - columns));
  const __m512i first = _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11);
  const __m512i second = _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15);
  HOT_UNROLL for (int r = 0; r < ROWS; r++) {
    if (r >= rows) continue;
    int64_t at = (row + r) * p->b.lines + column;
    __m512 c = _mm512_setzero_ps();
    if (p->c) c = _mm512_castsi512_ps(load_patterns(p->c + at, columns));
    __m256 low = round_once(_mm512_permutex2var_epi64(even[r], first, odd[r]), x->unit,
                            _mm512_castps512_ps256(c));
    __m256 high = round_once(_mm512_permutex2var_epi64(even[r], second, odd[r]), x->unit,
                             _mm512_extractf32x8_ps(c, 1));
    _mm512_mask_storeu_ps((float *)t->output + at, valid,
                          _mm512_insertf32x8(_mm512_castps256_ps512(low), high, 1));
  }
}

// Scales as integers of at most `bits` bits. 0: their range is too wide.
static int make_integers(const fp4_scales *s, int bits, int32_t *to, int32_t *largest) {
  *largest = 0;
  for (int i = 0; i < 256; i++) {
    to[i] = 0;
    if (s->significand[i] == 0) continue;
    int shift = s->exponent[i] - s->low;
    if (shift > bits - 4) return 0;
    to[i] = s->significand[i] << shift;
    if (to[i] > *largest) *largest = to[i];
  }
  return 1;
}

// The largest sum of a line's scales, one a group.
static double largest_line(const bk_operand *o, const fp4_scales *s, const int32_t *integers) {
  double largest = 0;
  for (int64_t line = 0; line < o->lines; line++) {
    int64_t sum = 0;
    fp4_cursor cursor = fp4_start(o, line);
    for (int64_t k = 0; k < o->depth; k += 16) sum += integers[fp4_next(&cursor, s)];
    if ((double)sum > largest) largest = (double)sum;
  }
  return largest;
}

// Whether every partial sum is below 2^53.
static int sums_fit(const bk_matmul *p, const context *x, int32_t a_largest, int32_t b_largest) {
  double groups = (double)x->groups, quick = GROUP_SUM * groups * a_largest * (double)b_largest;
  if (quick < 0x1p52) return 1;
  double by_a = GROUP_SUM * largest_line(&p->a, &x->a, x->a_scale) * b_largest;
  if (by_a < 0x1p52) return 1;
  return GROUP_SUM * largest_line(&p->b, &x->b, x->b_scale) * a_largest < 0x1p52;
}

static double tensor_scale(const bk_operand *o) {
  return o->has_tensor_scale ? (double)o->tensor_scale : 1;
}

int bk_hot_fp4_exact(const bk_matmul *p, void *output) {
  context x;
  const bk_accumulator *u = &p->accumulator;
  int32_t a_largest, b_largest;
  if (p->sums_runs || p->output_type != BK_OUT_FLOAT32 || u->half || u->mantissa_bits != 23 ||
      u->rounding != BK_ROUND_TIES_TO_EVEN || u->overflows_to_largest || u->flushes_subnormals)
    return 0;
  if (!fp4_read(&p->a, &x.a) || !fp4_read(&p->b, &x.b) || !hot_c_within(p, -127, 128)) return 0;
  if (!make_integers(&x.a, 31, x.a_scale, &a_largest) ||
      !make_integers(&x.b, 19, x.b_scale, &b_largest))
    return 0;
  x.groups = (p->a.depth + 63) / 64 * 4;
  double units = tensor_scale(&p->a) * tensor_scale(&p->b);
  if (!(units > 0) || !sums_fit(p, &x, a_largest, b_largest)) return 0;
  int low = (a_largest ? x.a.low : 0) + (b_largest ? x.b.low : 0);
  x.unit = ldexp(units, low - 8);
  hot_tiling tiling = {.problem = p,
                       .output = output,
                       .context = &x,
                       .rows = ROWS,
                       .columns = COLUMNS,
                       .a_bytes = x.groups * ROWS * (int64_t)sizeof(a_group),
                       .b_bytes = x.groups * (int64_t)sizeof(b_group),
                       .pack_a = pack_a,
                       .pack_b = pack_b,
                       .tile = tile};
  if (tiling.a_bytes % 64 != 0) tiling.a_bytes += 64 - tiling.a_bytes % 64;
  return hot_run(&tiling);
}

#else

int bk_hot_fp4_exact(const bk_matmul *p, void *output) {
  (void)p, (void)output;
  return 0;
}

#endif
