// Codebook elements: the index is the number of boundaries below the quotient.
// The codes of finite q, and which lanes lie within `margin` of a boundary.
#if defined(BK_AVX512)
// Binary search in a register that holds all boundaries, then the two beside the result.
INLINE vu search_boundaries(vf q, vf margin, const boundaries *p, vi *unsure) {
  __m512 upper = (__m512)load_f(p->boundary), lower = (__m512)load_f(p->below);
  vu k = bits_u(q) & 0;
  for (uint32_t step = 8; step; step >>= 1) {
    vf probe = (vf)_mm512_permutexvar_ps((__m512i)(k + (step - 1)), upper);
    k = select_u(q > probe, k + step, k);
  }
  vf over = q - (vf)_mm512_permutexvar_ps((__m512i)k, lower);
  vf under = (vf)_mm512_permutexvar_ps((__m512i)k, upper) - q;
  *unsure = ~(min_f(over, under) > margin);
  return k;
}
#else
INLINE vu search_boundaries(vf q, vf margin, const boundaries *p, vi *unsure) {
  vu k = bits_u(q) & 0, other = k;
  vf low = q - margin, high = q + margin;
  for (int j = 0; j < p->count; j++) {
    k -= mask_u(low > p->boundary[j]);
    other -= mask_u(high > p->boundary[j]);
  }
  *unsure = (k != other) | (q != q);
  return k;
}
#endif

// One vector: the search, then how near the quotient came to the boundaries beside it.
INLINE vu codebook_lanes(vf x, vf factor, const boundaries *p, vi *unsure) {
  vf q = x * factor;
  vu k = search_boundaries(q, bits_f(magnitude_u(q)) * 0x1p-21f, p, unsure);
  vi zero = magnitude_u(x) == 0;
  *unsure = (*unsure | (magnitude_u(q) < bk_bits(TINY))) & ~zero;
  return select_u(zero, k - k + p->zero_code, k);
}

static void encode_codebook(const bk_row *row) {
  const bk_element *e = &row->job->element;
  const boundaries p = row->prepared->book;
  int vector = row->job->rounding == BK_ROUND_TIES_TO_EVEN &&
               e->codebook_count <= BK_VECTOR_CODEBOOK && e->code_bytes == 1;
  float expanded[BK_CHUNK + 2 * LANES];
  const float *factor = expand_factors(row, expanded);
  int64_t i = 0;
  for (; vector && i + 4 * LANES <= row->columns; i += 4 * LANES) {
    vi unsure[4];
    vu k[4];
    for (int j = 0; j < 4; j++) {
      int64_t at = i + j * LANES;
      if (at % 16 == 0) __builtin_prefetch(row->x + at + AHEAD, 0, 3);
      k[j] = codebook_lanes(load_f(row->x + at), load_f(factor + at), &p, &unsure[j]);
    }
    store_four((uint8_t *)row->codes + i, k[0], k[1], k[2], k[3]);
    if (__builtin_expect(any(unsure[0] | unsure[1] | unsure[2] | unsure[3]), 0))
      for (int j = 0; j < 4; j++) settle(row, i + j * LANES, LANES, unsure[j]);
  }
  for (; i < row->columns; i += LANES) {
    int lanes = row->columns - i < LANES ? (int)(row->columns - i) : LANES;
    settle(row, i, lanes, ALL_LANES);
  }
}
