// Codebook elements: the index is the number of boundaries below the quotient.
#define BK_VECTOR_CODEBOOK 16

typedef struct {
  int32_t count;
  float boundary[BK_VECTOR_CODEBOOK];  // midpoints, +infinity behind the last
  uint32_t zero_code;
} boundaries;

static boundaries make_boundaries(const bk_element *e) {
  boundaries p;
  p.count = e->codebook_count - 1;
  for (int j = 0; j < BK_VECTOR_CODEBOOK; j++)
    p.boundary[j] = j < p.count
                        ? (float)(((double)e->codebook[j] + (double)e->codebook[j + 1]) / 2)
                        : INFINITY;
  bk_exact one = bk_split(1);
  p.zero_code = bk_element_exact(e, 0, one, BK_ROUND_TIES_TO_EVEN, 0, 0);
  return p;
}

INLINE vu boundaries_below(vf q, const boundaries *p) {
#if LANES == 16 && defined(BK_AVX512)
  // Binary search in a register that holds all boundaries.
  vf table = load_f(p->boundary);
  vu k = bits_u(q) & 0;
  for (uint32_t step = 8; step; step >>= 1) {
    vf probe = (vf)_mm512_permutexvar_ps((__m512i)(k + (step - 1)), (__m512)table);
    k += mask_u(q > probe) & step;
  }
  return k;
#else
  vu k = bits_u(q) & 0;
  for (int j = 0; j < p->count; j++) k -= mask_u(q > p->boundary[j]);
  return k;
#endif
}

// One vector: the search, then how near the quotient came to the boundaries beside it.
INLINE vu codebook_lanes(vf x, vf factor, const boundaries *p, vi *unsure) {
  vf q = x * factor, margin = bits_f(magnitude_u(q)) * 0x1p-21f;
  vu k = boundaries_below(q - margin, p), other = boundaries_below(q + margin, p);
  vi zero = magnitude_u(x) == 0;
  *unsure = ((k != other) | (magnitude_u(q) < bk_bits(TINY)) | (q != q)) & ~zero;
  return select_u(zero, k - k + p->zero_code, k);
}

static void encode_codebook(const bk_row *row) {
  const bk_element *e = &row->job->element;
  boundaries p = make_boundaries(e);
  int vector = row->job->rounding == BK_ROUND_TIES_TO_EVEN &&
               e->codebook_count <= BK_VECTOR_CODEBOOK && e->code_bytes == 1;
  float expanded[BK_CHUNK + 2 * LANES];
  const float *factor = expand_factors(row, expanded);
  for (int64_t i = 0; i < row->columns; i += LANES) {
    int lanes = row->columns - i < LANES ? (int)(row->columns - i) : LANES;
    vi unsure = ALL_LANES;
    if (vector && lanes == LANES)
      store_codes(row->codes, (size_t)i, 1,
                  codebook_lanes(load_f(row->x + i), load_f(factor + i), &p, &unsure));
    if (__builtin_expect(any(unsure), 0)) settle(row, i, lanes, unsure);
  }
}
