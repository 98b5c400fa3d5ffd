// Block maxima, as the bits of |x|: their order is that of the numbers, with NaN above infinity.
INLINE vu block_maximum(const float *x, int64_t count) {
  vu m = magnitude_u(load_f(x));
  int64_t i = LANES;
  for (; i + LANES <= count; i += LANES) m = max_magnitude(m, magnitude_u(load_f(x + i)));
  if (i < count) m = max_magnitude(m, magnitude_u(load_f(x + count - LANES)));
  return m;
}

INLINE void amax_short(const float *x, int64_t count, uint32_t *amax) {
  uint32_t m = *amax;
  for (int64_t i = 0; i < count; i++) {
    // Copied: what lies there may be integers, the maxima of smaller blocks.
    uint32_t a;
    memcpy(&a, x + i, sizeof a);
    a &= 0x7fffffff;
    m = a > m ? a : m;
  }
  *amax = m;
}

// Blocks of at least LANES numbers, LANES blocks at a time. `tile` constant where inlined so.
INLINE int64_t amax_groups(const float *x, int64_t columns, int64_t tile, uint32_t *amax) {
  int64_t block = 0;
  for (; (block + LANES) * tile <= columns; block += LANES) {
    vu v[LANES];
    const float *p = x + block * tile;
    for (int i = 0; i < LANES; i++) v[i] = block_maximum(p + i * tile, tile);
    store_u(amax + block, max_magnitude(load_u(amax + block), reduce_each(v)));
  }
  return block;
}

static void row_amax(const float *x, int64_t columns, int64_t tile, uint32_t *amax) {
  int64_t block = 0;
  if (tile == 1) {
    for (; block + LANES <= columns; block += LANES)
      store_u(amax + block, max_magnitude(load_u(amax + block), magnitude_u(load_f(x + block))));
  } else if (tile == 16) {
    block = amax_groups(x, columns, 16, amax);
  } else if (tile == 32) {
    block = amax_groups(x, columns, 32, amax);
  } else if (tile >= LANES) {
    block = amax_groups(x, columns, tile, amax);
  }
  for (; block * tile < columns; block++) {
    int64_t start = block * tile, count = columns - start < tile ? columns - start : tile;
    if (count >= LANES) {
      vu m = block_maximum(x + start, count);
      uint32_t a = __builtin_reduce_max(m);
      if (a > amax[block]) amax[block] = a;
    } else {
      amax_short(x + start, count, amax + block);
    }
  }
}

static float finite_amax(const float *x, size_t count, int64_t *non_finite) {
  vu largest = {0}, bad = {0};
  size_t i = 0;
  int64_t special = 0;
  while (i + LANES <= count) {
    size_t end = count - i > 1 << 20 ? i + (1 << 20) : count;
    bad = (vu){0};
    for (; i + LANES <= end; i += LANES) {
      vu a = magnitude_u(load_f(x + i));
      vu outside = mask_u(a >= 0x7f800000u);
      bad -= outside;
      largest = max_magnitude(largest, a & ~outside);
    }
    for (int l = 0; l < LANES; l++) special += bad[l];
  }
  uint32_t m = __builtin_reduce_max(largest);
  for (; i < count; i++) {
    uint32_t a = bk_bits(x[i]) & 0x7fffffff;
    if (a >= 0x7f800000) special++;
    else if (a > m) m = a;
  }
  *non_finite = special;
  return bk_float(m);
}
