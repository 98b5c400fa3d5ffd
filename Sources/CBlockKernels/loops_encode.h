// Elements of a row: quotients and their codes.

// Settles the lanes of `unsure` by exact comparison. Blocks without a finite scale are left alone.
static __attribute__((noinline)) void settle(const bk_row *row, int64_t column, int lanes,
                                             vi unsure) {
  const bk_job *job = row->job;
  for (int l = 0; l < lanes; l++) {
    if (!unsure[l]) continue;
    int64_t i = column + l;
    uint32_t scale = row->scales[i / row->tile];
    bk_exact d = bk_divisor(job, scale);
    float value = bk_scale_value(&job->scale, scale);
    if (!(value > 0) || !isfinite(row->x[i])) {
      if (value != value || !isfinite(row->x[i])) continue;
      d = bk_split(1);  // an all-zero block: elements are signed zeros
    }
    uint32_t random = row->random ? row->random[i] : 0;
    uint32_t code = bk_element_exact(&job->element, row->x[i], d, job->rounding, job->random_bits,
                                     random);
    if (job->element.code_bytes == 1) ((uint8_t *)row->codes)[i] = (uint8_t)code;
    else if (job->element.code_bytes == 2) ((uint16_t *)row->codes)[i] = (uint16_t)code;
    else ((uint32_t *)row->codes)[i] = code;
  }
}

INLINE vf quotient(vf x, vf factor, int method) { return method == BK_OVER ? x / factor : x * factor; }

INLINE vu one_vector(const encoder *p, vf x, vf factor, vu random, int method,
                     int general, vi *unsure) {
  vf q = quotient(x, factor, method);
  if (method == BK_CHECKED) {
    vu k = encode_near_lanes(q, random, p, general, unsure);
    // A zero is exact, whatever the factor; its sign must be that of x.
    vu x_bits = bits_u(x);
    vi zero = (x_bits & 0x7fffffffu) == 0;
    *unsure &= ~zero;
    return select_u(zero, join_sign(x_bits & 0, x_bits, p), k);
  }
  if (general) {
    vu a = magnitude_u(q);
    *unsure = (a < bk_bits(TINY)) & (magnitude_u(x) != 0);
  }
  return encode_lanes(q, random, p, general);
}

INLINE void encode_columns(const bk_row *row, const encoder *p, int method, int general,
                           int code_bytes) {
  int64_t columns = row->columns, tile = row->tile, i = 0;
  vu none = {0};
  float expanded[BK_CHUNK + 2 * LANES];
  const float *factor = row->factor;
  int whole = tile % LANES == 0;
  if (!whole && tile > 1) {
    for (int64_t b = 0, start = 0; start < columns; b++, start += tile) {
      int64_t end = start + tile < columns ? start + tile : columns;
      for (int64_t j = start; j < end; j += LANES) store_f(expanded + j, (vf)row->factor[b]);
    }
    factor = expanded;
  }
  if (whole) {
    for (int64_t b = 0; i + LANES <= columns; b++) {
      int64_t end = i + tile < columns ? i + tile : columns;
      vf f = (vf)factor[b];
      for (; i + LANES <= end; i += LANES) {
        vi unsure = {0};
        vu r = general && row->random ? load_u(row->random + i) : none;
        vu k = one_vector(p, load_f(row->x + i), f, r, method, general, &unsure);
        store_codes(row->codes, (size_t)i, code_bytes, k);
        if ((method == BK_CHECKED || general) && __builtin_expect(any(unsure), 0))
          settle(row, i, LANES, unsure);
      }
    }
  } else {
    for (; i + LANES <= columns; i += LANES) {
      vi unsure = {0};
      vu r = general && row->random ? load_u(row->random + i) : none;
      vu k = one_vector(p, load_f(row->x + i), load_f(factor + i), r, method, general, &unsure);
      store_codes(row->codes, (size_t)i, code_bytes, k);
      if ((method == BK_CHECKED || general) && __builtin_expect(any(unsure), 0))
        settle(row, i, LANES, unsure);
    }
  }
  if (i < columns) {
    int lanes = (int)(columns - i);
    float x[LANES] = {0}, f[LANES] = {0};
    uint32_t random[LANES] = {0}, k[LANES];
    for (int l = 0; l < lanes; l++) {
      x[l] = row->x[i + l];
      f[l] = row->factor[(i + l) / tile];
      if (general && row->random) random[l] = row->random[i + l];
    }
    vi unsure = {0};
    store_u(k, one_vector(p, load_f(x), load_f(f), load_u(random), method, general, &unsure));
    for (int l = 0; l < lanes; l++) {
      if (code_bytes == 1) ((uint8_t *)row->codes)[i + l] = (uint8_t)k[l];
      else if (code_bytes == 2) ((uint16_t *)row->codes)[i + l] = (uint16_t)k[l];
      else ((uint32_t *)row->codes)[i + l] = k[l];
    }
    if (method == BK_CHECKED || general) settle(row, i, lanes, unsure);
  }
}

static void encode_bytes(const bk_row *row, const encoder *p, int general) {
  if (general) {
    if (row->method == BK_TIMES) encode_columns(row, p, BK_TIMES, 1, 1);
    else if (row->method == BK_OVER) encode_columns(row, p, BK_OVER, 1, 1);
    else encode_columns(row, p, BK_CHECKED, 1, 1);
  } else if (row->method == BK_TIMES) {
    if (p->uniform) encode_columns(row, p, BK_TIMES, 0, 1);
    else encode_columns(row, p, BK_TIMES, 0, 1);
  } else if (row->method == BK_OVER) {
    encode_columns(row, p, BK_OVER, 0, 1);
  } else {
    encode_columns(row, p, BK_CHECKED, 0, 1);
  }
}

static void encode_wide(const bk_row *row, const encoder *p, int general) {
  int bytes = row->job->element.code_bytes;
  if (general) {
    if (row->method == BK_TIMES) encode_columns(row, p, BK_TIMES, 1, bytes);
    else if (row->method == BK_OVER) encode_columns(row, p, BK_OVER, 1, bytes);
    else encode_columns(row, p, BK_CHECKED, 1, bytes);
  } else if (row->method == BK_TIMES) {
    encode_columns(row, p, BK_TIMES, 0, bytes);
  } else if (row->method == BK_OVER) {
    encode_columns(row, p, BK_OVER, 0, bytes);
  } else {
    encode_columns(row, p, BK_CHECKED, 0, bytes);
  }
}

static void encode_codebook(const bk_row *row);

static void encode_row(const bk_row *row) {
  const bk_element *e = &row->job->element;
  if (e->is_codebook) {
    encode_codebook(row);
    return;
  }
  encoder p = make_encoder(e, row->job->rounding, row->job->random_bits);
  int general = row->job->rounding != BK_ROUND_TIES_TO_EVEN || p.deep;
  if (e->code_bytes == 1) encode_bytes(row, &p, general);
  else encode_wide(row, &p, general);
}
