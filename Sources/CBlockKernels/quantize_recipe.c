#include "recipe_scale.h"

#pragma STDC FP_CONTRACT OFF

typedef struct {
  const bk_kernels *kernels;
  const bk_job *job;
  const bk_recipe *recipe;
  const bk_grid *grid;
  const float *x;
  const uint32_t *random;
  const uint32_t *amax;  // of every block, or NULL
  uint8_t *codes;
  bk_result result;
  int64_t failed_block;  // of the chunk at hand
  int failed_stage;
} work;

static void put_code(const work *w, int64_t index, uint32_t code) {
  if (w->job->element.code_bytes == 1) w->codes[index] = (uint8_t)code;
  else if (w->job->element.code_bytes == 2) ((uint16_t *)w->codes)[index] = (uint16_t)code;
  else ((uint32_t *)w->codes)[index] = code;
}

// The order in which a block's steps are met.
enum { AT_START, AT_AMAX, AT_SCALE, AT_ELEMENT };

// Keeps the failure that a block-by-block reader would meet first.
static void fail(work *w, int status, int64_t block, int stage, int64_t position) {
  if (w->result.status != BK_OK) {
    if (block > w->failed_block) return;
    if (block == w->failed_block && stage > w->failed_stage) return;
    if (block == w->failed_block && stage == w->failed_stage && position >= w->result.position)
      return;
  }
  w->result.status = status;
  w->result.position = position;
  w->failed_block = block;
  w->failed_stage = stage;
}

// One tile: its first element's row-major index and its clipped size.
typedef struct {
  int64_t first, rows, columns, block;
} tile;

static int64_t at(const work *w, const tile *t, int64_t r, int64_t c) {
  return t->first + r * w->grid->columns + c;
}

// The amax of a tile that holds NaN or infinity, or whose sign matters. `poisoned`: a NaN block.
static float special_amax(work *w, const tile *t, int *poisoned) {
  const bk_recipe *r = w->recipe;
  float a = 0;
  int nan = 0, infinite = 0, first = 1;
  for (int64_t i = 0; i < t->rows; i++)
    for (int64_t j = 0; j < t->columns; j++) {
      float x = w->x[at(w, t, i, j)];
      if (!isfinite(x) && r->amax == AMAX_UNKNOWN)
        fail(w, BK_UNKNOWN_AMAX, t->block, AT_AMAX, at(w, t, i, j));
      if (x != x) {
        nan = 1;
        continue;
      }
      if (isinf(x)) infinite = 1;
      // The first number counts even where it is a zero: its sign may.
      if (first || fabsf(x) > fabsf(a)) a = r->amax == AMAX_SIGNED_FIRST ? x : fabsf(x);
      first = 0;
    }
  if (nan || infinite) {
    if (r->amax == AMAX_POISON) *poisoned = 1;
    if (nan && r->amax == AMAX_PROPAGATE_NAN) a = NAN;
  }
  return a;
}

static uint32_t nan_code(work *w, float x, int64_t block, int64_t position) {
  const bk_recipe *r = w->recipe;
  const bk_element *e = &w->job->element;
  switch (r->nan_rule) {
  case NAN_CODE: return r->nan_code;
  case NAN_SIGNED_CODE: return r->nan_code | (bk_bits(x) >> 31 ? e->sign_mask : 0);
  case NAN_CANONICAL:
    if (e->has_nan) return e->nan_positive;
    break;
  default: break;
  }
  fail(w, BK_UNKNOWN_ELEMENT, block, AT_ELEMENT, position);
  return 0;
}

static uint32_t sign_rule(const work *w, uint32_t code, float y, float x) {
  const bk_element *e = &w->job->element;
  if (e->twos_complement) return code;
  uint32_t dropped = code & ~e->sign_mask;
  switch (w->recipe->negative_zero) {
  case 1: return dropped == 0 ? dropped : code;
  case 2: return dropped == 0 && y == 0 ? dropped : code;
  case 3: return x == 0 ? dropped | e->sign_mask : code;
  default: return code;
  }
}

// microxcaling's own rounding: integer steps around a private exponent from float32 log2.
static float private_exponent(const bk_element *e, float y, int rounding) {
  if (isinf(y)) return copysignf(e->max_value, y);
  int integer = e->min_exponent > 127;
  int places = integer ? e->mantissa_bits - e->min_exponent : e->mantissa_bits;
  int exponent = 0;
  if (!integer) {
    exponent = y == 0 ? 0 : (int)floorf((float)log2((double)fabsf(y)));
    if (exponent < e->min_exponent) exponent = e->min_exponent;
  }
  float a = ldexpf(ldexpf(fabsf(y), -exponent), places), k;
  if (rounding == ELEMENT_PRIVATE_TOWARD_ZERO) {
    k = floorf(a);
  } else {
    float raised = a + 0.5f, half = a - 0.5f;
    k = floorf(raised);
    if (rounding == ELEMENT_PRIVATE_EVEN && fmodf(half, 2) == 0) k -= 1;
  }
  float value = ldexpf(ldexpf(k, -places), exponent);
  value = value > e->max_value ? e->max_value : value;
  return copysignf(value, y);
}

// The first code of least |value·d − x|: the product and the difference are float32 roundings.
static uint32_t nearest_code(const work *w, uint32_t scale, float x) {
  const bk_element *e = &w->job->element;
  // A wrapped byte of 255 means 2^128 here, not NaN.
  double s = w->job->scale.kind == BK_SCALE_E8M0 ? ldexp(1, (int)scale - 127)
                                                 : (double)bk_scale_value(&w->job->scale, scale);
  float best = INFINITY;
  uint32_t chosen = 0, codes = e->code_mask + 1;
  for (uint32_t c = 0; c < codes; c++) {
    float product = (float)(bk_magnitude(e, c & ~e->sign_mask) * s);
    if (c & e->sign_mask) product = -product;
    float distance = fabsf(product - x);
    if (distance < best) {
      best = distance;
      chosen = c;
    }
  }
  return chosen;
}

static uint32_t offset_truncate(work *w, float y, int64_t block, int64_t position) {
  const bk_element *e = &w->job->element;
  int half = (int)((e->code_mask >> 1) + 1);
  float shifted = y + ((float)half + 0.5f);
  if (!isfinite(shifted)) {
    fail(w, BK_UNKNOWN_ELEMENT, block, AT_ELEMENT, position);
    return 0;
  }
  float limited = shifted < 0 ? 0 : shifted > (float)(2 * half - 1) ? (float)(2 * half - 1) : shifted;
  return (uint32_t)((int)limited - half) & e->code_mask;
}

// One element by a rounding that the vector loop does not have.
static uint32_t own_element(work *w, float x, float factor, uint32_t scale, int64_t block,
                            int64_t position) {
  const bk_element *e = &w->job->element;
  int rounding = w->recipe->element_rounding;
  if (w->recipe->multiplier == TIMES_NEAREST_CODE) return nearest_code(w, scale, x);
  float y = recipe_divides(w->recipe) ? x / factor : x * factor;
  if (y != y) return nan_code(w, x, block, position);
  if (isinf(y) && w->recipe->infinite_code >= 0) return (uint32_t)w->recipe->infinite_code;
  if (rounding == ELEMENT_OFFSET_TRUNCATE) return offset_truncate(w, y, block, position);
  float value = private_exponent(e, y, rounding);
  bk_exact one = bk_split(1);
  return sign_rule(w, bk_element_exact(e, value, one, BK_ROUND_TIES_TO_EVEN, 0, 0), y, x);
}

static int is_own(const bk_recipe *r) {
  return r->multiplier == TIMES_NEAREST_CODE || r->element_rounding >= ELEMENT_PRIVATE_EVEN;
}

// Rows of a band: the vector loop, then NaN quotients one by one.
static void plain_row(work *w, int64_t first, int64_t columns, const float *factor,
                      int64_t first_block) {
  int rounding = w->job->rounding;
  bk_recipe_row row = {.element = &w->job->element,
                       .x = w->x + first,
                       .factor = factor,
                       .columns = columns,
                       .tile = w->grid->tile_columns,
                       .divide = recipe_divides(w->recipe),
                       .rounding = rounding,
                       .random_bits = w->job->random_bits,
                       .random = w->random ? w->random + first : NULL,
                       .negative_zero = w->recipe->negative_zero,
                       .codes = w->codes + first * w->job->element.code_bytes};
  w->kernels->recipe_row(&row);
  if (row.special_position < 0) return;
  for (int64_t i = row.special_position; i < columns; i++) {
    float x = w->x[first + i], f = factor[i / row.tile], y = row.divide ? x / f : x * f;
    if (y != y) put_code(w, first + i, nan_code(w, x, first_block + i / row.tile, first + i));
    else if (isinf(y) && w->recipe->infinite_code >= 0)
      put_code(w, first + i, (uint32_t)w->recipe->infinite_code);
  }
}

static void own_row(work *w, int64_t first, int64_t columns, const float *factor,
                    const uint32_t *scales, int64_t first_block) {
  for (int64_t i = 0; i < columns; i++) {
    int64_t b = i / w->grid->tile_columns;
    put_code(w, first + i,
             own_element(w, w->x[first + i], factor[b], scales[b], first_block + b, first + i));
  }
}

// 4over6: the sum of |((q·s)·A)/(6·limit) − x| in order, for one of the two scales.
static float candidate_error(work *w, const tile *t, const recipe_block *block, float span) {
  const bk_element *e = &w->job->element;
  float s = bk_scale_value(&w->job->scale, block->code), sum = 0;
  bk_exact one = bk_split(1);
  for (int64_t i = 0; i < t->rows; i++)
    for (int64_t j = 0; j < t->columns; j++) {
      float x = w->x[at(w, t, i, j)], y = x * block->factor;
      if (!isfinite(y)) y = y != y ? e->max_value : copysignf(0x1.fffffep127f, y);
      uint32_t code = bk_element_exact(e, y, one, w->job->rounding, w->job->random_bits,
                                       w->random ? w->random[at(w, t, i, j)] : 0);
      float q = (float)bk_magnitude(e, code & ~e->sign_mask);
      if (code & e->sign_mask) q = -q;
      float scaled = q * s, value = scaled * w->recipe->tensor_amax, restored = value / span;
      float difference = restored - x;
      sum = sum + fabsf(difference);
    }
  return sum;
}

static recipe_block choose_scale(work *w, const tile *t, float a) {
  recipe_block six = {0, 0, 0}, four;
  int status = recipe_scale(w->job, w->recipe, a, 1, &six);
  if (status != BK_OK)
    fail(w, status, t->block, status == BK_UNKNOWN_MULTIPLIER ? AT_START : AT_SCALE, t->first);
  if (w->recipe->search == 0 || status != BK_OK) return six;
  status = recipe_scale(w->job, w->recipe, a, 1.5f, &four);
  if (status != BK_OK)
    fail(w, status, t->block, status == BK_UNKNOWN_MULTIPLIER ? AT_START : AT_SCALE, t->first);
  float span = w->recipe->search == 1 ? 1536 : 2688;
  return candidate_error(w, t, &four, span) < candidate_error(w, t, &six, span) ? four : six;
}

static void clear_tile(work *w, const tile *t) {
  for (int64_t i = 0; i < t->rows; i++)
    for (int64_t j = 0; j < t->columns; j++) put_code(w, at(w, t, i, j), 0);
}

// `known`: the maxima of the chunk's blocks, or NULL.
static void band_chunk(work *w, int64_t first, int64_t rows, int64_t columns,
                       const uint32_t *known, uint32_t *scales) {
  int64_t width = w->grid->tile_columns, blocks = (columns + width - 1) / width;
  uint32_t amax[BK_CHUNK];
  float factor[BK_CHUNK];
  uint8_t poisoned[BK_CHUNK];
  if (known) memcpy(amax, known, sizeof(uint32_t) * (size_t)blocks);
  else memset(amax, 0, sizeof(uint32_t) * (size_t)blocks);
  for (int64_t r = 0; r < rows && !known; r++)
    w->kernels->row_amax(w->x + first + r * w->grid->columns, columns, width, amax);
  for (int64_t b = 0; b < blocks; b++) {
    int64_t left = columns - b * width;
    tile t = {first + b * width, rows, left < width ? left : width, b};
    int is_poisoned = 0;
    float a = bk_float(amax[b]);
    if (amax[b] >= 0x7f800000 || w->recipe->amax == AMAX_SIGNED_FIRST)
      a = special_amax(w, &t, &is_poisoned);
    if (is_poisoned) a = NAN;
    recipe_block block = choose_scale(w, &t, a);
    scales[b] = block.code;
    factor[b] = is_poisoned ? 1 : block.factor;
    poisoned[b] = (uint8_t)is_poisoned;
    w->result.clamped_scales += block.clamped;
  }
  for (int64_t r = 0; r < rows; r++) {
    int64_t start = first + r * w->grid->columns;
    // A poisoned block's own numbers must not raise an error: they are overwritten below.
    int64_t begin = 0;
    while (begin < blocks) {
      int64_t end = begin;
      while (end < blocks && !poisoned[end]) end++;
      int64_t from = begin * width, to = end * width < columns ? end * width : columns;
      if (to > from) {
        if (is_own(w->recipe)) own_row(w, start + from, to - from, factor + begin, scales + begin, begin);
        else plain_row(w, start + from, to - from, factor + begin, begin);
      }
      begin = end + 1;
    }
  }
  for (int64_t b = 0; b < blocks; b++) {
    if (!poisoned[b]) continue;
    int64_t left = columns - b * width;
    tile t = {first + b * width, rows, left < width ? left : width, b};
    clear_tile(w, &t);
  }
}

bk_result bk_quantize_recipe(int target, const bk_job *job, const bk_recipe *recipe,
                             const bk_grid *grid, const float *x, const uint32_t *random,
                             const uint32_t *amax, void *codes, uint32_t *scales) {
  work w = {bk_kernels_for(target), job, recipe, grid, x, random, amax, codes, {BK_OK, 0, 0}, 0, 0};
  int64_t width = grid->tile_columns;
  int64_t step = width >= BK_CHUNK ? width : BK_CHUNK / width * width;
  int64_t block_columns = (grid->columns + width - 1) / width;
  for (int64_t m = 0; m < grid->outer; m++)
    for (int64_t r = 0; r < grid->rows; r += grid->tile_rows) {
      int64_t rows = grid->rows - r < grid->tile_rows ? grid->rows - r : grid->tile_rows;
      int64_t first = (m * grid->rows + r) * grid->columns;
      for (int64_t c = 0; c < grid->columns && w.result.status == BK_OK; c += step) {
        int64_t columns = grid->columns - c < step ? grid->columns - c : step;
        band_chunk(&w, first + c, rows, columns, amax ? amax + c / width : NULL, scales + c / width);
      }
      scales += block_columns;
      if (amax) amax += block_columns;
    }
  return w.result;
}
