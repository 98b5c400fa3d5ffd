// Numbers without a block, recipe rows, packing and decoding.

// What lies beyond the largest finite value, where overflow is not saturation.
INLINE vu overflow_lanes(vu k, vu bits, const bk_element *e, const encoder *p, int rounding) {
  vi negative = (vi)bits < 0;
  vi beyond = k > e->max_code;
  vi infinite = (bits & 0x7fffffffu) == 0x7f800000u;
  vi stops = rounding == BK_ROUND_TOWARD_ZERO || rounding == BK_ROUND_TO_ODD ? ALL_LANES
             : rounding == BK_ROUND_TOWARD_POSITIVE                           ? negative
             : rounding == BK_ROUND_TOWARD_NEGATIVE                           ? ~negative
                                                                              : NO_LANES;
  stops &= ~infinite;
  vu zero = k - k;
  vu largest = join_sign(zero + e->max_code, bits, p);
  vu special;
  if (e->has_infinity) special = join_sign(zero + e->infinity_code, bits, p);
  else if (e->overflows_to_nan) special = select_u(negative, zero + e->nan_negative, zero + e->nan_positive);
  else special = largest;
  return select_u(beyond, select_u(stops, largest, special), join_sign(k, bits, p));
}

INLINE vu encode_number(vf x, vu random, const bk_element *e, const encoder *p, int general,
                        int non_finite) {
  vu bits = bits_u(x), a = bits & 0x7fffffffu;
  vi nan = a > 0x7f800000u;
  vu code;
  if (non_finite && (e->overflows_to_nan || e->has_infinity)) {
    vf clipped = min_f(bits_f(a), (vf)(p->max_positive < 0x1p120f ? p->max_positive * 4 : INFINITY));
    vu k = general ? any_rounding(bits_u(clipped), (vi)bits < 0, random, p)
                   : nearest_even(clipped, p);
    code = overflow_lanes(k, bits, e, p, p->rounding);
  } else {
    code = encode_lanes(x, random, p, general);
  }
  vu zero = a - a;
  return select_u(nan, select_u((vi)bits < 0, zero + e->nan_negative, zero + e->nan_positive), code);
}

static int64_t encode(const bk_element *e, int rounding, int random_bits, int non_finite,
                      const uint32_t *random, const float *x, size_t count, void *codes) {
  if (!e->has_nan) {
    for (size_t i = 0; i < count; i++)
      if (x[i] != x[i]) return (int64_t)i;
  }
  encoder p = make_encoder(e, rounding, random_bits);
  int general = rounding != BK_ROUND_TIES_TO_EVEN;
  for (size_t i = 0; i < count; i += LANES) {
    size_t lanes = count - i < LANES ? count - i : LANES;
    float in[LANES] = {0};
    uint32_t bits[LANES] = {0}, out[LANES];
    memcpy(in, x + i, lanes * 4);
    if (random) memcpy(bits, random + i, lanes * 4);
    vu k = general ? encode_number(load_f(in), load_u(bits), e, &p, 1, non_finite)
                   : encode_number(load_f(in), load_u(bits), e, &p, 0, non_finite);
    if (lanes == LANES) {
      store_codes(codes, i, e->code_bytes, k);
      continue;
    }
    store_u(out, k);
    for (size_t l = 0; l < lanes; l++) {
      if (e->code_bytes == 1) ((uint8_t *)codes)[i + l] = (uint8_t)out[l];
      else if (e->code_bytes == 2) ((uint16_t *)codes)[i + l] = (uint16_t)out[l];
      else ((uint32_t *)codes)[i + l] = out[l];
    }
  }
  return -1;
}

static void encode_e8m0(const float *x, size_t count, uint32_t *codes) {
  for (size_t i = 0; i < count; i += LANES) {
    size_t lanes = count - i < LANES ? count - i : LANES;
    uint32_t in[LANES] = {0}, out[LANES];
    memcpy(in, x + i, lanes * 4);
    vu bits = load_u(in), field = bits >> 23, fraction = bits & 0x7fffffu, zero = bits - bits;
    // Exponent field 0: from 1.5·2^-127 on the nearest power is 2^-126.
    vu up = mask_u((field == 0) ? (fraction >= 0x600000u) : (fraction >= 0x400000u)) & 1;
    vu k = field + up;  // 255 from 1.5·2^127 on: beyond the largest is NaN
    vi refused = ((vi)bits <= 0) | (bits >= 0x7f800000u);
    store_u(out, select_u(refused, zero + 255, k));
    memcpy(codes + i, out, lanes * 4);
  }
}

static void decode(const bk_element *e, const void *codes, size_t count, float *output) {
  decoder p = make_decoder(e);
  for (size_t i = 0; i < count; i += LANES) {
    size_t lanes = count - i < LANES ? count - i : LANES;
    uint8_t in[LANES * 4] = {0};
    float out[LANES];
    memcpy(in, (const uint8_t *)codes + i * (size_t)e->code_bytes, lanes * (size_t)e->code_bytes);
    store_f(out, decode_lanes(load_codes(in, 0, e->code_bytes), &p));
    memcpy(output + i, out, lanes * 4);
  }
}

// Two 4-bit codes a byte, low nibble first; an odd tail's high nibble is 0.
static void pack_row(const uint8_t *codes, int64_t columns, uint8_t *packed) {
  int64_t i = 0;
  typedef uint16_t pairs __attribute__((ext_vector_type(2 * LANES)));
  typedef uint8_t bytes __attribute__((ext_vector_type(2 * LANES)));
  for (; i + 4 * LANES <= columns; i += 4 * LANES) {
    pairs v;
    memcpy(&v, codes + i, sizeof v);
    bytes out = __builtin_convertvector((v | (v >> 4)) & 0xff, bytes);
    memcpy(packed + i / 2, &out, sizeof out);
  }
  for (; i < columns; i += 2)
    packed[i / 2] = (uint8_t)(codes[i] | (i + 1 < columns ? codes[i + 1] << 4 : 0));
}

static void unpack_row(const uint8_t *packed, int64_t columns, uint8_t *codes) {
  int64_t i = 0;
  typedef uint16_t pairs __attribute__((ext_vector_type(2 * LANES)));
  typedef uint8_t bytes __attribute__((ext_vector_type(2 * LANES)));
  for (; i + 4 * LANES <= columns; i += 4 * LANES) {
    bytes in;
    memcpy(&in, packed + i / 2, sizeof in);
    pairs v = __builtin_convertvector(in, pairs);
    v = (v & 0x0f) | ((v & 0xf0) << 4);
    memcpy(codes + i, &v, sizeof v);
  }
  for (; i < columns; i++) codes[i] = (packed[i / 2] >> (i % 2 * 4)) & 15;
}

// A table of up to 16 values in a register where the machine can look up in one.
INLINE vf look_up(const float *table, vu code) {
#if LANES == 16 && defined(BK_AVX512)
  return (vf)_mm512_permutexvar_ps((__m512i)code, (__m512)load_f(table));
#else
  vf v;
  for (int l = 0; l < LANES; l++) v[l] = table[code[l]];
  return v;
#endif
}

// Codes of which each has a scale of its own; by `table`, or where that is NULL by arithmetic.
INLINE void decode_expanded(const bk_element *e, const decoder *p, const float *table,
                            const void *codes, const float *expanded, float tensor_scale,
                            int64_t columns, float *output) {
  int64_t i = 0;
  for (; i + LANES <= columns; i += LANES) {
    vu code = load_codes(codes, (size_t)i, e->code_bytes);
    vf v = table ? look_up(table, code & 15) : decode_lanes(code, p);
    store_f(output + i, v * load_f(expanded + i) * tensor_scale);
  }
  if (i == columns) return;
  uint8_t in[LANES * 4] = {0};
  float out[LANES];
  memcpy(in, (const uint8_t *)codes + i * e->code_bytes, (size_t)((columns - i) * e->code_bytes));
  vu code = load_codes(in, 0, e->code_bytes);
  vf v = table ? look_up(table, code & 15) : decode_lanes(code, p);
  store_f(out, v * load_f(expanded + i) * tensor_scale);
  memcpy(output + i, out, (size_t)(columns - i) * 4);
}

// Vectors that straddle blocks: each block's scale beside each of its elements.
static __attribute__((noinline)) void decode_straddling(const bk_element *e, const float *table,
                                                        const void *codes, const float *scale,
                                                        float tensor_scale, int64_t columns,
                                                        int64_t tile, float *output) {
  const decoder p = make_decoder(e);
  float expanded[BK_CHUNK + 2 * LANES];
  expand_blocks(scale, columns, tile, expanded);
  if (table) decode_expanded(e, &p, table, codes, expanded, tensor_scale, columns, output);
  else decode_expanded(e, &p, NULL, codes, expanded, tensor_scale, columns, output);
}

static void decode_row(const bk_element *e, const void *codes, const float *scale,
                       float tensor_scale, int64_t columns, int64_t tile, float *output) {
  decoder p = make_decoder(e);
  int small = e->code_bytes == 1 && e->code_mask <= 15;
  float table[16];
  if (small) {
    uint8_t all[16];
    for (int c = 0; c < 16; c++) all[c] = (uint8_t)c;
    if (e->is_codebook)
      for (int c = 0; c < 16; c++) table[c] = c < e->codebook_count ? e->codebook[c] : NAN;
    else decode(e, all, 16, table);
  }
  if (tile % LANES && tile < columns && columns <= BK_CHUNK) {
    decode_straddling(e, small ? table : NULL, codes, scale, tensor_scale, columns, tile, output);
    return;
  }
  for (int64_t b = 0, start = 0; start < columns; b++, start += tile) {
    int64_t end = start + tile < columns ? start + tile : columns, i = start;
    for (; i + LANES <= end; i += LANES) {
      vu code = load_codes(codes, (size_t)i, e->code_bytes);
      vf v = small ? look_up(table, code & 15) : decode_lanes(code, &p);
      store_f(output + i, v * scale[b] * tensor_scale);
    }
    if (i < end) {
      uint8_t in[LANES * 4] = {0};
      float out[LANES];
      memcpy(in, (const uint8_t *)codes + i * e->code_bytes, (size_t)((end - i) * e->code_bytes));
      vu code = load_codes(in, 0, e->code_bytes);
      vf v = small ? look_up(table, code & 15) : decode_lanes(code, &p);
      store_f(out, v * scale[b] * tensor_scale);
      memcpy(output + i, out, (size_t)(end - i) * 4);
    }
  }
}

INLINE vu signed_as_recipe(vu code, vu y_bits, vu x_bits, const bk_recipe_row *row,
                           const encoder *p) {
  if (p->sign_shift < 0) return code;
  uint32_t sign = row->element->sign_mask;
  vi zero = (code & ~sign) == 0;
  vu dropped = code & ~sign;
  switch (row->negative_zero) {
  case 1: return select_u(zero, dropped, code);
  case 2: return select_u(zero & ((y_bits & 0x7fffffffu) == 0), dropped, code);
  case 3: return select_u((x_bits & 0x7fffffffu) == 0, dropped | sign, code);
  default: return code;
  }
}

static void recipe_row(bk_recipe_row *row) {
  encoder p = make_encoder(row->element, row->rounding, row->random_bits);
  row->special_position = -1;
  for (int64_t i = 0; i < row->columns; i += LANES) {
    int lanes = row->columns - i < LANES ? (int)(row->columns - i) : LANES;
    float x[LANES] = {0}, f[LANES] = {0};
    uint32_t random[LANES] = {0}, out[LANES];
    memcpy(x, row->x + i, (size_t)lanes * 4);
    if (row->random) memcpy(random, row->random + i, (size_t)lanes * 4);
    int64_t b = i / row->tile;
    vf factor = (vf)row->factor[b];
    if (i + lanes > (b + 1) * row->tile) {
      for (int l = 0; l < lanes; l++) f[l] = row->factor[(i + l) / row->tile];
      factor = load_f(f);
    }
    vf y = row->divide ? load_f(x) / factor : load_f(x) * factor;
    vu y_bits = bits_u(y);
    vu code = encode_lanes(y, load_u(random), &p, 1);
    store_u(out, signed_as_recipe(code, y_bits, bits_u(load_f(x)), row, &p));
    for (int l = 0; l < lanes; l++) {
      if (row->element->code_bytes == 1) ((uint8_t *)row->codes)[i + l] = (uint8_t)out[l];
      else if (row->element->code_bytes == 2) ((uint16_t *)row->codes)[i + l] = (uint16_t)out[l];
      else ((uint32_t *)row->codes)[i + l] = out[l];
    }
    vi special = magnitude_u(y) >= 0x7f800000u;
    if (row->special_position < 0 && any(special)) {
      for (int l = 0; l < lanes && row->special_position < 0; l++)
        if (special[l]) row->special_position = i + l;
    }
  }
}
