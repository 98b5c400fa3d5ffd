// Codebook elements: the index is the number of boundaries below the quotient.
// The codes of q by counting boundaries below, and which lanes lie within `margin` of one.
INLINE vu count_boundaries(vf q, vf margin, const boundaries *p, vi *unsure) {
  vu k = bits_u(q) & 0, other = k;
  vf low = q - margin, high = q + margin;
  for (int j = 0; j < p->count; j++) {
    k -= mask_u(low > p->boundary[j]);
    other -= mask_u(high > p->boundary[j]);
  }
  *unsure = (k != other) | (q != q);
  return k;
}

INLINE vu counted_lanes(vf x, vf factor, const boundaries *p, vi *unsure) {
  vf q = x * factor;
  vu k = count_boundaries(q, bits_f(magnitude_u(q)) * 0x1p-21f, p, unsure);
  vi zero = magnitude_u(x) == 0;
  *unsure = (*unsure | (magnitude_u(q) < bk_bits(TINY))) & ~zero;
  return select_u(zero, k - k + p->zero_code, k);
}

#if defined(BK_AVX512)
// The cell of q, the one boundary in it, and the distance to that: its sign bit raises the code, and
// the sign bit of `doubt` says that it is too small to trust. Factors are not NaN here.
INLINE vu cell_lanes(vf x, vf factor, const boundaries *p, vu *doubt) {
  __m512i low = (__m512i)load_u(p->below_cell), high = (__m512i)load_u(p->below_cell + 16);
  vf q = x * factor;
  vf at = (q - p->origin) * p->cells_per_unit;
  at = at > (vf)0.0f ? at : (vf)0.0f;
  at = min_f(at, (vf)(BK_CELLS - 0.5f));
  __m512i cell = _mm512_cvttps_epi32((__m512)at);
  vu k = (vu)_mm512_permutex2var_epi32(low, cell, high);
  vf boundary = (vf)_mm512_permutexvar_ps((__m512i)k, (__m512)load_f(p->boundary));
  vu distance = bits_u(boundary - q);
  // |q|·2^-21 or, where that is below float32's range, something negative: never in doubt.
  vu margin = magnitude_u(q) - (21u << 23);
  *doubt = (distance & 0x7fffffffu) - (vu)((vi)margin > 0 ? (vi)margin : (vi)(margin & 0) + 1);
  return k + (distance >> 31);
}
#endif

INLINE int64_t counted_rows(const bk_row *row, const float *factor) {
  const boundaries p = row->prepared->book;
  int64_t i = 0;
  for (; i + LANES <= row->columns; i += LANES) {
    vi unsure;
    __builtin_prefetch(row->x + i + row->ahead, 0, 3);
    vu k = counted_lanes(load_f(row->x + i), load_f(factor + i), &p, &unsure);
    store_codes(row->codes, (size_t)i, 1, k);
    if (__builtin_expect(any(unsure), 0)) settle(row, i, LANES, unsure);
  }
  return i;
}

INLINE int64_t cell_rows(const bk_row *row, const float *factor) {
#if defined(BK_AVX512)
  const boundaries p = row->prepared->book;
  int64_t i = 0;
  for (; i + 4 * LANES <= row->columns; i += 4 * LANES) {
    vu doubt[4], k[4];
    for (int j = 0; j < 4; j++) {
      int64_t at = i + j * LANES;
      __builtin_prefetch(row->x + at + row->ahead, 0, 3);
      k[j] = cell_lanes(load_f(row->x + at), load_f(factor + at), &p, &doubt[j]);
    }
    store_four((uint8_t *)row->codes + i, k[0], k[1], k[2], k[3]);
    if (__builtin_expect(any((vi)(doubt[0] | doubt[1] | doubt[2] | doubt[3]) < 0), 0))
      settle_four(row, i, doubt[0], doubt[1], doubt[2], doubt[3]);
  }
  return i;
#else
  return counted_rows(row, factor);
#endif
}

// Whether every block of the row has a factor that float32 holds.
INLINE int all_factors(const bk_row *row) {
  int64_t blocks = (row->columns + row->tile - 1) / row->tile;
  int known = 1;
  for (int64_t b = 0; b < blocks; b++) known &= row->factor[b] == row->factor[b];
  return known;
}

static void encode_codebook(const bk_row *row) {
  const bk_element *e = &row->job->element;
  int vector = row->job->rounding == BK_ROUND_TIES_TO_EVEN &&
               e->codebook_count <= BK_VECTOR_CODEBOOK && e->code_bytes == 1;
  float expanded[BK_CHUNK + 2 * LANES];
  const float *factor = expand_factors(row, expanded);
  int64_t i = 0;
  if (vector)
    i = row->prepared->book.has_cells && all_factors(row) ? cell_rows(row, factor)
                                                          : counted_rows(row, factor);
  for (; i < row->columns; i += LANES) {
    int lanes = row->columns - i < LANES ? (int)(row->columns - i) : LANES;
    settle(row, i, lanes, ALL_LANES);
  }
}
