// E2M1 operands for the kernels that add exact groups of 16 products. Codes become integers in
// units of one half.
#ifndef BK_MATMUL_HOT_FP4_H
#define BK_MATMUL_HOT_FP4_H

#include "matmul_hot_lanes.h"

// What the scale patterns of an operand stand for: significand · 2^(exponent − 3).
typedef struct {
  int32_t significand[256];
  int32_t exponent[256];
  uint8_t used[256];
  uint32_t code_mask;
  int low, high;  // of the exponents of nonzero scales that occur; low > high if none does
} fp4_scales;

// 0 unless the operand is E2M1 in blocks of a multiple of 16 with finite scales of at most four
// significand bits.
int fp4_read(const bk_operand *operand, fp4_scales *scales);

// A line's scale patterns group by group.
typedef struct {
  const uint32_t *codes;
  int64_t block, left;
} fp4_cursor;

static inline fp4_cursor fp4_start(const bk_operand *o, int64_t line) {
  if (!o->scale) return (fp4_cursor){NULL, 0, 0};
  return (fp4_cursor){o->scale_codes + line * ((o->depth + o->block - 1) / o->block), o->block,
                      o->block};
}

static inline uint32_t fp4_next(fp4_cursor *c, const fp4_scales *scales) {
  if (!c->codes) return 0;
  if (c->left == 0) c->codes++, c->left = c->block;
  c->left -= 16;
  return *c->codes & scales->code_mask;
}

#if defined(__x86_64__)

// Values of 64 codes in halves.
HOT_INLINE __m512i fp4_values(__m512i codes) {
  const __m512i table = _mm512_broadcast_i32x4(
      _mm_setr_epi8(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12));
  return _mm512_shuffle_epi8(table, _mm512_and_si512(codes, _mm512_set1_epi8(15)));
}

// Sums of four groups of 16 bytes.
HOT_INLINE __m128i fp4_group_sums(__m512i values) {
  __m512i s = _mm512_dpbusd_epi32(_mm512_setzero_si512(), _mm512_set1_epi8(1), values);
  s = _mm512_add_epi32(s, _mm512_shuffle_epi32(s, _MM_PERM_BADC));
  s = _mm512_add_epi32(s, _mm512_shuffle_epi32(s, _MM_PERM_CDAB));
  return _mm512_castsi512_si128(
      _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 4, 8, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), s));
}

// 64 k of 16 lines, as 16 vectors of four k per line, biased by 12. Missing lines are zero.
HOT_INLINE void fp4_pack_columns(const bk_operand *o, int64_t line, int count, int64_t k,
                                 uint8_t *to, uint64_t nonzero[16]) {
  __m512i v[16];
  for (int i = 0; i < 16; i++) {
    __m512i codes = _mm512_setzero_si512();
    if (i < count)
      codes = load_bytes((const uint8_t *)o->codes + (line + i) * o->depth + k, o->depth - k);
    v[i] = fp4_values(codes);
    nonzero[i] = _mm512_test_epi8_mask(v[i], v[i]);
  }
  transpose_dwords(v);
  for (int i = 0; i < 16; i++)
    _mm512_store_si512(to + 64 * i, _mm512_add_epi8(v[i], _mm512_set1_epi8(12)));
}

#endif
#endif
