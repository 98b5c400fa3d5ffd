#include "recipe_scale.h"

#pragma STDC FP_CONTRACT OFF

// significand · 2^exponent rounded once to float32, tiesToEven.
static float round_once(unsigned __int128 significand, int exponent, int negative) {
  float result = 0;
  if (significand) {
    int length = bk_length(significand), top = length + exponent;  // value < 2^top
    int keep = top > -126 ? 24 : 24 - (-125 - top);                // subnormals keep fewer bits
    int drop = length - keep;
    if (keep < 0) {
      result = 0;
    } else if (drop <= 0) {
      result = (float)ldexp((double)(uint64_t)significand, exponent);
    } else {
      unsigned __int128 kept = drop < 128 ? significand >> drop : 0;
      unsigned __int128 rest = significand - (kept << drop), half = (unsigned __int128)1 << (drop - 1);
      kept += rest > half || (rest == half && (kept & 1));
      result = (float)ldexp((double)(uint64_t)kept, exponent + drop);
    }
  }
  return negative ? -result : result;
}

// v · s · T as one real number rounded once.
static float product_once(float v, float s, float t) {
  if (!isfinite(v) || !isfinite(s)) return v * s * t;
  bk_exact a = bk_split(v), b = bk_split(s), c = bk_split(t);
  unsigned __int128 p = (unsigned __int128)(a.significand * b.significand) * c.significand;
  int negative = (int)((bk_bits(v) ^ bk_bits(s)) >> 31);
  return round_once(p, a.exponent + b.exponent + c.exponent, negative);
}

// Whether v·s is exact in float32 and far from its range's ends, for every pair of the format.
static int product_is_exact(const bk_job *job) {
  const bk_element *e = &job->element;
  const bk_scale *s = &job->scale;
  if (e->is_codebook) return 0;
  int value_bits = e->min_exponent > 127 ? 32 - __builtin_clz(e->max_code_negative)
                                         : e->mantissa_bits + 1;
  if (s->kind != BK_SCALE_FLOAT || value_bits + s->format.mantissa_bits + 1 > 24) return 0;
  int quantum = e->min_exponent - e->mantissa_bits;
  if (e->min_exponent > 127) quantum = ilogbf(e->max_value) - 30;
  return quantum + s->format.min_exponent - s->format.mantissa_bits > -120 &&
         ilogbf(e->max_value) + s->format.min_exponent + (1 << 5) < 120;
}

typedef struct {
  const bk_kernels *kernels;
  const bk_job *job;
  const bk_recipe *recipe;
  const bk_grid *grid;
  int fast;
} work;

static void slow_row(const work *w, const uint8_t *codes, const float *scale, int64_t columns,
                     int64_t tile, float *output) {
  bk_decode(BK_TARGET_BASELINE, &w->job->element, codes, (size_t)columns, output);
  for (int64_t i = 0; i < columns; i++)
    output[i] = product_once(output[i], scale[i / tile], w->job->tensor_scale);
}

// The factor that a recipe multiplies codes with, in its own order of float32 operations.
static float recipe_factor(const bk_recipe *r, float s) {
  switch (r->dequantize) {
  case 1: return s * r->decode_scale;
  case 2: {
    float sa = s * r->tensor_amax, reciprocal = 1.0f / 2688.0f;
    return sa * reciprocal;
  }
  case 3: return s / r->encode_scale;
  default: return s;
  }
}

// A table of values that holds 0 twice reads negative zero as +0.
static void drop_zero_signs(const bk_element *e, const uint8_t *codes, float *output,
                            int64_t count) {
  for (int64_t i = 0; i < count; i++)
    if (codes[i] == e->sign_mask) output[i] = output[i] == 0 ? fabsf(output[i]) : output[i];
}

// ggml's wrapped byte 255 is 2^128: a code times it, rounded once.
static void wrapped_row(const work *w, const uint8_t *codes, int64_t columns, float *output) {
  bk_decode(BK_TARGET_BASELINE, &w->job->element, codes, (size_t)columns, output);
  for (int64_t i = 0; i < columns; i++)
    output[i] = (float)(ldexp((double)output[i], 128) * (double)w->job->tensor_scale);
}

static void decode_band_row(const work *w, const uint8_t *codes, const float *scale, int64_t columns,
                            int64_t tile, float *output) {
  if (w->recipe && w->recipe->dequantize != 0)
    w->kernels->decode_row(&w->job->element, codes, scale, 1, columns, tile, output);
  else if (w->fast)
    w->kernels->decode_row(&w->job->element, codes, scale, w->job->tensor_scale, columns, tile,
                           output);
  else
    slow_row(w, codes, scale, columns, tile, output);
}

static void redo_wrapped(const work *w, const uint8_t *codes, const uint32_t *scales,
                         int64_t columns, int64_t tile, float *output) {
  for (int64_t start = 0, b = 0; start < columns; start += tile, b++) {
    int64_t count = columns - start < tile ? columns - start : tile;
    if (scales[b] == 255 && w->job->scale.kind == BK_SCALE_E8M0)
      wrapped_row(w, codes + start, count, output + start);
  }
}

// Whether 0 times infinity may come up: the NaN that a machine makes of it is its own.
static int may_make_nan(const bk_element *e, const float *factor, int64_t blocks) {
  int found = 0;
  for (int64_t b = 0; b < blocks; b++)
    found |= isinf(factor[b]) || (e->has_infinity && factor[b] == 0);
  return found;
}

static void write_canonical_nan(float *output, int64_t count) {
  for (int64_t i = 0; i < count; i++)
    if (output[i] != output[i]) output[i] = bk_float(0x7fc00000);
}

// The values of scales of at most 8 bits, worked out once: they are few and blocks are many.
#define SCALE_VALUES 256

static int fill_scale_values(const work *w, float *values) {
  const bk_grid *g = w->grid;
  const bk_scale *s = &w->job->scale;
  int64_t row_blocks = (g->columns + g->tile_columns - 1) / g->tile_columns;
  if ((s->ignored_bits | (SCALE_VALUES - 1)) != UINT32_MAX) return 0;
  if (g->outer * g->rows * row_blocks < 4 * SCALE_VALUES) return 0;
  uint32_t all[SCALE_VALUES];
  for (uint32_t code = 0; code < SCALE_VALUES; code++) all[code] = code;
  bk_decode_scales(s, all, SCALE_VALUES, values);
  return 1;
}

static void run(const work *w, const uint8_t *codes, const uint8_t *packed, const uint32_t *scales,
                float *output) {
  const bk_grid *g = w->grid;
  int64_t tile = g->tile_columns, bytes = w->job->element.code_bytes;
  int64_t step = tile >= BK_CHUNK ? BK_CHUNK : BK_CHUNK / tile * tile;
  int64_t block_columns = (g->columns + tile - 1) / tile, lines = g->outer * g->rows;
  int64_t block_rows = (g->rows + g->tile_rows - 1) / g->tile_rows;
  uint8_t buffer[BK_CHUNK + 1];
  float factor[BK_CHUNK + 1], values[SCALE_VALUES];
  int known = fill_scale_values(w, values);
  for (int64_t line = 0; line < lines; line++) {
    int64_t band = line / g->rows * block_rows + line % g->rows / g->tile_rows;
    const uint32_t *row_scales = scales + band * block_columns;
    for (int64_t c = 0, columns; c < g->columns; c += columns) {
      columns = g->columns - c < step ? g->columns - c : step;
      // A block wider than a chunk is decoded in pieces of its own.
      if (tile >= BK_CHUNK && tile - c % tile < columns) columns = tile - c % tile;
      int64_t block = c / tile, blocks = (c + columns - 1) / tile - block + 1;
      if (known)
        for (int64_t b = 0; b < blocks; b++)
          factor[b] = values[row_scales[block + b] % SCALE_VALUES];
      else bk_decode_scales(&w->job->scale, row_scales + block, (size_t)blocks, factor);
      if (w->recipe)
        for (int64_t b = 0; b < blocks; b++) factor[b] = recipe_factor(w->recipe, factor[b]);
      // A chunk of odd blocks may start at the second code of a byte.
      int64_t odd = c & 1;
      const uint8_t *in = codes ? codes + (line * g->columns + c) * bytes : buffer + odd;
      if (packed)
        w->kernels->unpack_row(packed + line * ((g->columns + 1) / 2) + c / 2, columns + odd, buffer);
      decode_band_row(w, in, factor, columns, tile >= BK_CHUNK ? columns : tile,
                      output + line * g->columns + c);
      if (may_make_nan(&w->job->element, factor, blocks))
        write_canonical_nan(output + line * g->columns + c, columns);
      if (w->recipe && w->recipe->overflow == OVERFLOW_WRAP)
        redo_wrapped(w, in, row_scales + block, columns, tile, output + line * g->columns + c);
      if (w->recipe && w->recipe->unsigned_zero && bytes == 1)
        drop_zero_signs(&w->job->element, in, output + line * g->columns + c, columns);
    }
  }
}

static work make_work(int target, const bk_job *job, const bk_recipe *recipe, const bk_grid *grid) {
  work w = {bk_kernels_for(target), job, recipe, grid, 0};
  w.fast = (job->tensor_scale == 1 || product_is_exact(job)) &&
           (!job->element.is_codebook || (job->element.code_bytes == 1 && job->element.code_mask <= 15 &&
                                          job->tensor_scale == 1));
  return w;
}

void bk_dequantize(int target, const bk_job *job, const bk_recipe *recipe, const bk_grid *grid,
                   const void *codes, const uint32_t *scales, float *output) {
  work w = make_work(target, job, recipe, grid);
  run(&w, codes, NULL, scales, output);
}

void bk_dequantize_packed(int target, const bk_job *job, const bk_grid *grid,
                          const uint8_t *packed, const uint32_t *scales, float *output) {
  work w = make_work(target, job, NULL, grid);
  run(&w, NULL, packed, scales, output);
}
