// E2M1 codes, packed, by a multiplier known to within 2 units in the last place: NVFP4's hot loop.
//
// x·m + 48 holds the quotient in units of 2^-18: the code follows from its upper half, ⌊4q⌋, by a
// table, as every boundary of E2M1 is a multiple of ¼. Below 8 the product is off by at most a quarter
// unit and the sum by half a unit more, so that only those are in doubt that come out as a multiple
// of ¼. Zeros are among them: there only the sign is at stake.
#if defined(BK_AVX512)

#define E2M1_GROUP 128
#define E2M1_VECTORS 8
#define E2M1_ZERO 0x42400000u  // 48
// The bits of ⌊4q⌋, modulo 64, at which the code changes.
#define E2M1_BOUNDARIES 0xaa441000001044aaull

// ⌊4q⌋ modulo 64 to the code in every nibble of a word.
static const uint16_t e2m1_table[64] = {
#define CODE(c) (c) * 0x1111
    CODE(0),  CODE(1),  CODE(1),  CODE(2),  CODE(2),  CODE(3),  CODE(3),  CODE(4),
    CODE(4),  CODE(4),  CODE(5),  CODE(5),  CODE(5),  CODE(5),  CODE(6),  CODE(6),
    CODE(6),  CODE(6),  CODE(6),  CODE(6),  CODE(7),  CODE(7),  CODE(7),  CODE(7),
    CODE(7),  CODE(7),  CODE(7),  CODE(7),  CODE(7),  CODE(7),  CODE(7),  CODE(7),
    CODE(15), CODE(15), CODE(15), CODE(15), CODE(15), CODE(15), CODE(15), CODE(15),
    CODE(15), CODE(15), CODE(15), CODE(15), CODE(14), CODE(14), CODE(14), CODE(14),
    CODE(14), CODE(14), CODE(13), CODE(13), CODE(13), CODE(13), CODE(12), CODE(12),
    CODE(12), CODE(11), CODE(11), CODE(10), CODE(10), CODE(9),  CODE(9),  CODE(8),
#undef CODE
};

// The upper halves of 32 numbers: those of even place, then those of odd.
static const uint16_t e2m1_upper[32] = {1,  5,  9,  13, 17, 21, 25, 29, 33, 37, 41, 45, 49, 53, 57, 61,
                                        3,  7,  11, 15, 19, 23, 27, 31, 35, 39, 43, 47, 51, 55, 59, 63};

typedef struct {
  __m512i upper, low_table, high_table, split, join;
  __m512 zero;
} e2m1_constants;

INLINE e2m1_constants make_e2m1_constants(void) {
  e2m1_constants k;
  k.upper = _mm512_loadu_si512(e2m1_upper);
  k.low_table = _mm512_loadu_si512(e2m1_table);
  k.high_table = _mm512_loadu_si512(e2m1_table + 32);
  k.split = _mm512_broadcast_i32x4(_mm_setr_epi8(0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15));
  k.join = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
  k.zero = _mm512_castsi512_ps(_mm512_set1_epi32((int)E2M1_ZERO));
  return k;
}

INLINE __m512i e2m1_pair(__m512i a, __m512i b, const e2m1_constants *k) {
  __m512i quarters = _mm512_permutex2var_epi16(a, k->upper, b);
  return _mm512_permutex2var_epi16(k->low_table, quarters, k->high_table);
}

// 64 bytes of codes.
INLINE __m512i e2m1_pack(const __m512i *y, const e2m1_constants *k) {
  __m512i a = e2m1_pair(y[0], y[1], k), b = e2m1_pair(y[2], y[3], k);
  __m512i c = e2m1_pair(y[4], y[5], k), d = e2m1_pair(y[6], y[7], k);
  const __m512i low_byte = _mm512_set1_epi16(0x00ff), low_nibble = _mm512_set1_epi8(0x0f);
  __m512i ac = _mm512_ternarylogic_epi64(low_byte, a, c, 0xca);
  __m512i bd = _mm512_ternarylogic_epi64(low_byte, b, d, 0xca);
  __m512i even = _mm512_shuffle_i64x2(ac, bd, 0x44), odd = _mm512_shuffle_i64x2(ac, bd, 0xee);
  __m512i bytes = _mm512_ternarylogic_epi64(low_nibble, even, odd, 0xca);
  return _mm512_permutexvar_epi64(k->join, _mm512_shuffle_epi8(bytes, k->split));
}

// Gives zeros and what rounds to them the sign of x; which other lanes are in doubt.
INLINE __mmask16 e2m1_doubt(const float *x, __m512i *y) {
  __mmask16 near = _mm512_testn_epi32_mask(*y, _mm512_set1_epi32(0xffff));
  __mmask16 zero = _mm512_cmpeq_epi32_mask(*y, _mm512_set1_epi32((int)E2M1_ZERO));
  __mmask16 minus = zero & _mm512_movepi32_mask(_mm512_loadu_si512(x));
  *y = _mm512_mask_mov_epi32(*y, minus, _mm512_set1_epi32((int)E2M1_ZERO - 1));
  return near & ~zero;
}

static __attribute__((noinline)) void e2m1_settle(const bk_row *row, int64_t column, int64_t count,
                                                  const uint32_t *y, const __mmask16 *doubt,
                                                  uint8_t *bytes) {
  for (int v = 0; v < E2M1_VECTORS; v++)
    for (uint32_t left = doubt[v]; left; left &= left - 1) {
      int64_t lane = v * LANES + __builtin_ctz(left), i = column + lane;
      if (lane >= count || !(E2M1_BOUNDARIES >> (y[lane] >> 16 & 63) & 1)) continue;
      uint32_t scale = row->scales[i / row->tile];
      bk_exact d = bk_scale_value(&row->job->scale, scale) > 0 ? bk_divisor(row->job, scale)
                                                               : bk_split(1);
      uint32_t code =
          bk_element_exact(&row->job->element, row->x[i], d, BK_ROUND_TIES_TO_EVEN, 0, 0);
      int shift = (int)(lane % 2 * 4);
      bytes[lane / 2] = (uint8_t)((bytes[lane / 2] & ~(15 << shift)) | code << shift);
    }
}

// 128 numbers whose factors are in `f`, vector by vector. Of them `count` are the row's.
INLINE void e2m1_group(const bk_row *row, const e2m1_constants *k, const float *x, int64_t column,
                       int64_t count, const __m512 *f, int stream, uint8_t *bytes) {
  __m512i y[E2M1_VECTORS];
  for (int v = 0; v < E2M1_VECTORS; v++)
    y[v] = _mm512_castps_si512(_mm512_fmadd_ps(_mm512_loadu_ps(x + v * LANES), f[v], k->zero));
  __m512i least = y[0];
  for (int v = 1; v < E2M1_VECTORS; v++) least = _mm512_min_epu16(least, y[v]);
  if (__builtin_expect(_mm512_testn_epi32_mask(least, _mm512_set1_epi32(0xffff)) == 0, 1)) {
    __m512i codes = e2m1_pack(y, k);
    if (stream) _mm512_stream_si512((__m512i *)(void *)bytes, codes);
    else _mm512_storeu_si512(bytes, codes);
    return;
  }
  __mmask16 doubt[E2M1_VECTORS];
  uint32_t any = 0;
  for (int v = 0; v < E2M1_VECTORS; v++) any |= doubt[v] = e2m1_doubt(x + v * LANES, &y[v]);
  _mm512_storeu_si512(bytes, e2m1_pack(y, k));
  if (!any) return;
  uint32_t kept[E2M1_GROUP];
  for (int v = 0; v < E2M1_VECTORS; v++) _mm512_storeu_si512(kept + v * LANES, y[v]);
  e2m1_settle(row, column, count, kept, doubt, bytes);
}

#define E2M1_STEP_16 0
#define E2M1_STEP_32 1
#define E2M1_ONE 2
#define E2M1_EXPANDED 3

INLINE void e2m1_factors(const float *factor, int64_t block, int64_t column, int how, __m512 *f) {
  for (int v = 0; v < E2M1_VECTORS; v++)
    f[v] = how == E2M1_STEP_16   ? _mm512_set1_ps(factor[block + v])
           : how == E2M1_STEP_32 ? _mm512_set1_ps(factor[block + v / 2])
           : how == E2M1_ONE     ? _mm512_set1_ps(factor[block])
                                 : _mm512_loadu_ps(factor + column + v * LANES);
}

INLINE int64_t e2m1_groups(const bk_row *row, const e2m1_constants *constants, const float *factor,
                           int how, int stream, uint8_t *packed) {
  const e2m1_constants k = *constants;
  int64_t i = 0;
  for (; i + E2M1_GROUP <= row->columns; i += E2M1_GROUP) {
    for (int line = 0; line < E2M1_GROUP; line += 16)
      __builtin_prefetch(row->x + i + line + row->ahead, 0, 3);
    __m512 f[E2M1_VECTORS];
    int64_t block = how == E2M1_STEP_16   ? i / 16
                    : how == E2M1_STEP_32 ? i / 32
                    : how == E2M1_ONE     ? i / row->tile
                                          : 0;
    e2m1_factors(factor, block, i, how, f);
    e2m1_group(row, &k, row->x + i, i, E2M1_GROUP, f, stream, packed + i / 2);
  }
  return i;
}

// The end of a row, by way of buffers. The nibble behind an odd end is 0.
static void e2m1_tail(const bk_row *row, const e2m1_constants *k, int64_t i, uint8_t *packed) {
  int64_t count = row->columns - i;
  float x[E2M1_GROUP] = {0}, factor[E2M1_GROUP] = {0};
  uint8_t bytes[E2M1_GROUP / 2];
  memcpy(x, row->x + i, (size_t)count * 4);
  int64_t block = i / row->tile, left = (block + 1) * row->tile - i;
  for (int64_t j = 0; j < count; j++, left--) {
    if (left == 0) block++, left = row->tile;
    factor[j] = row->factor[block];
  }
  __m512 f[E2M1_VECTORS];
  e2m1_factors(factor, 0, 0, E2M1_EXPANDED, f);
  e2m1_group(row, k, x, i, count, f, 0, bytes);
  if (count % 2) bytes[count / 2] &= 15;
  memcpy(packed + i / 2, bytes, (size_t)(count + 1) / 2);
}

// Whether the loop above may be used: every quotient of these blocks is known and below 8.
static int e2m1_fits(const uint32_t *amax, const float *factor, int64_t blocks) {
  __mmask16 outside = 0;
  for (int64_t b = 0; b < blocks; b += LANES) {
    __mmask16 lanes = blocks - b < LANES ? (__mmask16)((1u << (blocks - b)) - 1) : 0xffff;
    __m512 a = _mm512_maskz_loadu_ps(lanes, amax + b), f = _mm512_maskz_loadu_ps(lanes, factor + b);
    outside |= _mm512_cmp_ps_mask(_mm512_mul_ps(a, f), _mm512_set1_ps(7.99f), _CMP_NLT_UQ);
  }
  return outside == 0;
}

INLINE int64_t e2m1_whole(const bk_row *row, const e2m1_constants *k, int stream, uint8_t *packed) {
  int64_t tile = row->tile;
  if (tile == 16) return e2m1_groups(row, k, row->factor, E2M1_STEP_16, stream, packed);
  if (tile == 32) return e2m1_groups(row, k, row->factor, E2M1_STEP_32, stream, packed);
  if (tile % E2M1_GROUP == 0 || tile >= row->columns)
    return e2m1_groups(row, k, row->factor, E2M1_ONE, stream, packed);
  float expanded[BK_CHUNK + 2 * LANES];
  return e2m1_groups(row, k, expand_factors(row, expanded), E2M1_EXPANDED, stream, packed);
}

static void e2m1_row(const bk_row *row, uint8_t *packed) {
  const e2m1_constants k = make_e2m1_constants();
  int64_t i;
  if (row->stream && (uintptr_t)packed % 64 == 0) i = e2m1_whole(row, &k, 1, packed);
  else i = e2m1_whole(row, &k, 0, packed);
  if (i < row->columns) e2m1_tail(row, &k, i, packed);
}

#endif
