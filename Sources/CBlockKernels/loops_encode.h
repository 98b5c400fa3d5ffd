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

// Any rounding and width: the codes of one vector.
INLINE vu general_codes(const encoder *p, vf x, vf factor, vu random, int method, vi *unsure) {
  vf q = quotient(x, factor, method);
  vi nonzero = magnitude_u(x) != 0;
  if (method == BK_CHECKED) {
    vu k = encode_near_lanes(q, random, p, unsure);
    // A zero is exact, whatever the factor; its sign must be that of x.
    *unsure &= nonzero;
    return select_u(nonzero, k, join_sign(k - k, bits_u(x), p));
  }
  *unsure = (magnitude_u(q) < bk_bits(TINY)) & nonzero;
  return encode_lanes(q, random, p, 1);
}

// Each block's number repeated for each of its elements, with room behind the last.
INLINE void expand_blocks(const float *number, int64_t columns, int64_t tile, float *expanded) {
  // Each block's last store spills into the next block, which is written after it.
  for (int64_t b = 0, start = 0; start < columns; b++, start += tile) {
    int64_t end = start + tile < columns ? start + tile : columns;
    for (int64_t j = start; j < end; j += LANES) store_f(expanded + j, (vf)number[b]);
  }
}

INLINE const float *expand_factors(const bk_row *row, float *expanded) {
  if (row->tile == 1) return row->factor;
  expand_blocks(row->factor, row->columns, row->tile, expanded);
  return expanded;
}

static void put_lanes(const bk_row *row, int64_t column, int lanes, vu k) {
  for (int l = 0; l < lanes; l++) {
    if (row->job->element.code_bytes == 1) ((uint8_t *)row->codes)[column + l] = (uint8_t)k[l];
    else if (row->job->element.code_bytes == 2) ((uint16_t *)row->codes)[column + l] = (uint16_t)k[l];
    else ((uint32_t *)row->codes)[column + l] = k[l];
  }
}

static void general_columns(const bk_row *row, const encoder *p) {
  float expanded[BK_CHUNK + 2 * LANES];
  const float *factor = expand_factors(row, expanded);
  for (int64_t i = 0; i < row->columns; i += LANES) {
    int lanes = row->columns - i < LANES ? (int)(row->columns - i) : LANES;
    float x[LANES] = {0}, f[LANES] = {0};
    uint32_t random[LANES] = {0};
    memcpy(x, row->x + i, (size_t)lanes * 4);
    memcpy(f, factor + i, (size_t)lanes * 4);
    if (row->random) memcpy(random, row->random + i, (size_t)lanes * 4);
    vi unsure;
    vu k = row->method == BK_TIMES
               ? general_codes(p, load_f(x), load_f(f), load_u(random), BK_TIMES, &unsure)
           : row->method == BK_OVER
               ? general_codes(p, load_f(x), load_f(f), load_u(random), BK_OVER, &unsure)
               : general_codes(p, load_f(x), load_f(f), load_u(random), BK_CHECKED, &unsure);
    if (lanes == LANES) store_codes(row->codes, (size_t)i, row->job->element.code_bytes, k);
    else put_lanes(row, i, lanes, k);
    if (any(unsure)) settle(row, i, lanes, unsure);
  }
}

INLINE vu hot_vector(const bk_row *row, const hot_encoder *h, int kind, int method, int64_t i,
                     vf factor, vu *doubt) {
  vf x = load_f(row->x + i);
  return hot_codes(quotient(x, factor, method), bits_u(x), h, kind, method == BK_CHECKED, doubt);
}

static __attribute__((noinline)) void settle_four(const bk_row *row, int64_t i, vu a, vu b, vu c,
                                                  vu d) {
  settle(row, i, LANES, (vi)a < 0);
  settle(row, i + LANES, LANES, (vi)b < 0);
  settle(row, i + 2 * LANES, LANES, (vi)c < 0);
  settle(row, i + 3 * LANES, LANES, (vi)d < 0);
}

// Four vectors at a time: one store, and one branch for all that is unsure.
INLINE void hot_four(const bk_row *row, const hot_encoder *h, int kind, int method, int64_t i, vf f0,
                     vf f1, vf f2, vf f3) {
  vu none = {0}, p = none, q = none, r = none, s = none;
  for (int line = 0; line < 4 * LANES; line += 16)
    __builtin_prefetch(row->x + i + line + row->ahead, 0, 3);
  vu a = hot_vector(row, h, kind, method, i, f0, &p);
  vu b = hot_vector(row, h, kind, method, i + LANES, f1, &q);
  vu c = hot_vector(row, h, kind, method, i + 2 * LANES, f2, &r);
  vu d = hot_vector(row, h, kind, method, i + 3 * LANES, f3, &s);
  store_four((uint8_t *)row->codes + i, a, b, c, d);
  if (method == BK_CHECKED && __builtin_expect(any((vi)(p | q | r | s) < 0), 0))
    settle_four(row, i, p, q, r, s);
}

// The last vectors of a row, whole or not.
static void hot_tail(const bk_row *row, const hot_encoder *h, int kind, int64_t i) {
  int lanes = row->columns - i < LANES ? (int)(row->columns - i) : LANES;
  float x[LANES] = {0}, f[LANES] = {0};
  int64_t b = i / row->tile, left = (b + 1) * row->tile - i;
  for (int l = 0; l < lanes; l++, left--) {
    if (left == 0) b++, left = row->tile;
    x[l] = row->x[i + l];
    f[l] = row->factor[b];
  }
  int checked = row->method == BK_CHECKED;
  vu doubt = {0}, k;
  vf v = load_f(x), q = quotient(v, load_f(f), row->method);
  switch (kind) {
  case HOT_FLOAT_NARROW: k = hot_codes(q, bits_u(v), h, HOT_FLOAT_NARROW, checked, &doubt); break;
  case HOT_FLOAT: k = hot_codes(q, bits_u(v), h, HOT_FLOAT, checked, &doubt); break;
  case HOT_FLOAT_ONE_ZERO: k = hot_codes(q, bits_u(v), h, HOT_FLOAT_ONE_ZERO, checked, &doubt); break;
  case HOT_SIGN_MAGNITUDE: k = hot_codes(q, bits_u(v), h, HOT_SIGN_MAGNITUDE, checked, &doubt); break;
  case HOT_TWOS_COMPLEMENT: k = hot_codes(q, bits_u(v), h, HOT_TWOS_COMPLEMENT, checked, &doubt); break;
  default: k = hot_codes(q, bits_u(v), h, HOT_TWOS_COMPLEMENT_FULL, checked, &doubt); break;
  }
  put_lanes(row, i, lanes, k);
  if (checked) settle(row, i, lanes, (vi)doubt < 0);
}

// The factors of the vector that starts `offset` into block b of more than LANES numbers: at most
// two blocks share it.
INLINE vf straddling_factor(const bk_row *row, int64_t *b, int64_t *offset) {
  vi lane;
  for (int l = 0; l < LANES; l++) lane[l] = l;
  int32_t left = (int32_t)(row->tile - *offset);
  vf f = select_f(lane < left, (vf)row->factor[*b], (vf)row->factor[*b + 1]);
  *offset += LANES;
  int64_t next = *offset >= row->tile;
  *b += next;
  *offset -= next ? row->tile : 0;
  return f;
}

#define SPLAT(j) ((vf)row->factor[b + (j)])

INLINE void hot_columns(const bk_row *row, const hot_encoder *hot, int kind, int method) {
  const hot_encoder h = *hot;
  const int four = 4 * LANES;
  int64_t i = 0, columns = row->columns, tile = row->tile, b = 0;
  float expanded[BK_CHUNK + 2 * LANES];
  if (tile == LANES) {
    for (; i + four <= columns; i += four, b += 4)
      hot_four(row, &h, kind, method, i, SPLAT(0), SPLAT(1), SPLAT(2), SPLAT(3));
  } else if (tile == 2 * LANES) {
    for (; i + four <= columns; i += four, b += 2)
      hot_four(row, &h, kind, method, i, SPLAT(0), SPLAT(0), SPLAT(1), SPLAT(1));
  } else if (tile % four == 0) {
    for (; i + four <= columns; b++) {
      int64_t end = i + tile < columns ? i + tile : columns;
      vf f = SPLAT(0);
      for (; i + four <= end; i += four) hot_four(row, &h, kind, method, i, f, f, f, f);
    }
  } else if (tile > LANES) {
    int64_t offset = 0;
    for (; i + four <= columns; i += four) {
      vf f0 = straddling_factor(row, &b, &offset), f1 = straddling_factor(row, &b, &offset);
      vf f2 = straddling_factor(row, &b, &offset), f3 = straddling_factor(row, &b, &offset);
      hot_four(row, &h, kind, method, i, f0, f1, f2, f3);
    }
  } else {
    const float *f = expand_factors(row, expanded);
    for (; i + four <= columns; i += four)
      hot_four(row, &h, kind, method, i, load_f(f + i), load_f(f + i + LANES),
               load_f(f + i + 2 * LANES), load_f(f + i + 3 * LANES));
  }
  for (; i < columns; i += LANES) hot_tail(row, &h, kind, i);
}

INLINE void hot_methods(const bk_row *row, const hot_encoder *h, int kind) {
  if (row->method == BK_TIMES) hot_columns(row, h, kind, BK_TIMES);
  else if (row->method == BK_OVER) hot_columns(row, h, kind, BK_OVER);
  else hot_columns(row, h, kind, BK_CHECKED);
}

static void encode_codebook(const bk_row *row);

static void encode_row(const bk_row *row) {
  const bk_element *e = &row->job->element;
  if (e->is_codebook) {
    encode_codebook(row);
    return;
  }
  if (row->prepared->kind < 0) {
    general_columns(row, &row->prepared->element);
    return;
  }
  const hot_encoder h = row->prepared->hot;
  switch (row->prepared->kind) {
  case HOT_FLOAT_NARROW: hot_methods(row, &h, HOT_FLOAT_NARROW); break;
  case HOT_FLOAT: hot_methods(row, &h, HOT_FLOAT); break;
  case HOT_FLOAT_ONE_ZERO: hot_methods(row, &h, HOT_FLOAT_ONE_ZERO); break;
  case HOT_SIGN_MAGNITUDE: hot_methods(row, &h, HOT_SIGN_MAGNITUDE); break;
  case HOT_TWOS_COMPLEMENT: hot_methods(row, &h, HOT_TWOS_COMPLEMENT); break;
  default: hot_methods(row, &h, HOT_TWOS_COMPLEMENT_FULL); break;
  }
}
