// Exact block quantisation, its packed form, and the way back.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "element_exact.h"
#include "formats.h"
#include "grids.h"
#include "harness.h"

#pragma STDC FP_CONTRACT OFF

typedef struct {
  bk_job job;
  const bk_grid *grid;
  int kind;
  uint64_t seed;
  const char *name;
} block_context;

// Buffers of one case.
typedef struct {
  float *x;
  uint32_t *random;
  size_t elements, blocks, code_bytes;
  uint8_t *codes;
  uint32_t *scales;
} block_buffers;

static block_buffers make_buffers(const block_context *c) {
  block_buffers b = {.elements = grid_elements(c->grid), .blocks = grid_blocks(c->grid)};
  int stochastic = c->job.rounding == BK_ROUND_STOCHASTIC;
  b.code_bytes = (size_t)c->job.element.code_bytes;
  b.x = make_input(c->kind, b.elements, c->seed);
  b.random = stochastic ? make_random(b.elements, c->job.random_bits, c->seed + 1) : NULL;
  b.codes = take(b.elements, b.code_bytes, 0xaa);
  b.scales = take(b.blocks, sizeof(uint32_t), 0xaa);
  return b;
}

// Each block's maximum, NaN for one with NaN or infinity.
static float *block_maxima(const bk_grid *g, const float *x, size_t blocks) {
  float *amax = take(blocks, sizeof(float), 0);
  for (int64_t i = 0; i < (int64_t)grid_elements(g); i++) {
    float *a = amax + grid_block_of(g, i);
    float magnitude = fabsf(x[i]);
    if (!isfinite(magnitude)) *a = NAN;
    else if (magnitude > *a) *a = magnitude;
  }
  return amax;
}

// The scales of a row at a time against one at a time.
static void check_scales(int target, const block_context *c, const block_buffers *b,
                         int64_t clamped_scales) {
  const float *amax = block_maxima(c->grid, b->x, b->blocks);
  int64_t clamped_count = 0;
  for (size_t i = 0; i < b->blocks; i++) {
    int clamped;
    uint32_t code = bk_exact_scale(&c->job, amax[i], &clamped);
    clamped_count += clamped;
    expect(code == b->scales[i], "%s: %s: scale %zu is %x, by itself %x", c->name,
           target_name(target), i, b->scales[i], code);
  }
  expect(clamped_count == clamped_scales, "%s: %s: %lld scales clamped, one by one %lld", c->name,
         target_name(target), (long long)clamped_scales, (long long)clamped_count);
}

// The scales given: the same codes. Other garbage beneath them shows codes that nobody wrote.
static void check_given(int target, const block_context *c, const block_buffers *b) {
  uint8_t *codes = take(b->elements, b->code_bytes, 0x55);
  bk_quantize_exact(target, &c->job, c->grid, b->x, b->random, NULL, 1, codes, b->scales);
  expect(memcmp(codes, b->codes, b->elements * b->code_bytes) == 0,
         "%s: %s: codes differ with the scales given", c->name, target_name(target));
}

// The maxima given: the same scales and codes.
static void check_maxima(int target, const block_context *c, const block_buffers *b,
                         int64_t clamped_scales) {
  uint32_t *amax = make_maxima(c->grid, b->x);
  uint32_t *found = take(b->blocks, sizeof(uint32_t), 0x55);
  bk_block_maxima(target, c->grid, b->x, found);
  expect(memcmp(found, amax, b->blocks * sizeof(uint32_t)) == 0, "%s: %s: maxima differ", c->name,
         target_name(target));
  uint8_t *codes = take(b->elements, b->code_bytes, 0x55);
  uint32_t *stored = take(b->blocks, sizeof(uint32_t), 0x55);
  bk_result r =
      bk_quantize_exact(target, &c->job, c->grid, b->x, b->random, amax, 0, codes, stored);
  expect(r.clamped_scales == clamped_scales &&
             memcmp(stored, b->scales, b->blocks * sizeof(uint32_t)) == 0 &&
             memcmp(codes, b->codes, b->elements * b->code_bytes) == 0,
         "%s: %s: results differ with the maxima given", c->name, target_name(target));
}

static uint32_t stored_code(const block_buffers *b, size_t i) {
  uint32_t code = 0;
  memcpy(&code, b->codes + i * b->code_bytes, b->code_bytes);
  return code;
}

// Codes row by row against codes one by one, by exact comparisons.
static void check_codes(int target, const block_context *c, const block_buffers *b) {
  for (size_t i = 0; i < b->elements; i++) {
    uint32_t scale = b->scales[grid_block_of(c->grid, (int64_t)i)], expected = 0;
    float value = bk_scale_value(&c->job.scale, scale);
    if (value == value) {
      bk_exact divisor = value > 0 ? bk_divisor(&c->job, scale) : bk_split(1);
      expected = bk_element_exact(&c->job.element, b->x[i], divisor, c->job.rounding,
                                  c->job.random_bits, b->random ? b->random[i] : 0);
    }
    uint32_t code = stored_code(b, i);
    expect(code == expected, "%s: %s: code %zu of %a is %x, by itself %x", c->name,
           target_name(target), i, b->x[i], code, expected);
  }
}

// Values row by row against code·s one by one: a float32 product is the real one rounded once.
static void check_values(int target, const block_context *c, const block_buffers *b,
                         const float *output) {
  float *values = take(b->elements, sizeof(float), 0), *factors = take(b->blocks, sizeof(float), 0);
  bk_decode(BK_TARGET_BASELINE, &c->job.element, b->codes, b->elements, values);
  bk_decode_scales(&c->job.scale, b->scales, b->blocks, factors);
  for (size_t i = 0; i < b->elements; i++) {
    float product = values[i] * factors[grid_block_of(c->grid, (int64_t)i)];
    uint32_t expected = product == product ? bits_of(product) : 0x7fc00000;
    expect(bits_of(output[i]) == expected, "%s: %s: value %zu is %a, by itself %a", c->name,
           target_name(target), i, output[i], product);
  }
}

static void check_packed(int target, const block_context *c, const block_buffers *b,
                         const float *output) {
  size_t bytes = grid_packed(c->grid);
  uint8_t *packed = take(bytes, 1, 0x55), *expected = take(bytes, 1, 0);
  uint32_t *packed_scales = take(b->blocks, sizeof(uint32_t), 0x55);
  int64_t columns = c->grid->columns;
  for (int64_t i = 0; i < (int64_t)b->elements; i++) {
    int64_t at = i / columns * ((columns + 1) / 2) + i % columns / 2;
    expected[at] = (uint8_t)(expected[at] | b->codes[i] << (i % columns % 2 * 4));
  }
  bk_quantize_packed(target, &c->job, c->grid, b->x, packed, packed_scales);
  expect(memcmp(packed, expected, bytes) == 0, "%s: %s: packed codes differ", c->name,
         target_name(target));
  expect(memcmp(packed_scales, b->scales, b->blocks * 4) == 0, "%s: %s: packed scales differ",
         c->name, target_name(target));
  float *unpacked = take(b->elements, sizeof(float), 0x55);
  bk_dequantize_packed(target, &c->job, c->grid, packed, packed_scales, unpacked);
  expect(memcmp(unpacked, output, b->elements * sizeof(float)) == 0,
         "%s: %s: packed values differ", c->name, target_name(target));
}

static checksum quantize(int target, const void *context) {
  const block_context *c = context;
  block_buffers b = make_buffers(c);
  bk_result r =
      bk_quantize_exact(target, &c->job, c->grid, b.x, b.random, NULL, 0, b.codes, b.scales);
  expect(r.status == BK_OK, "%s: status %d", c->name, r.status);
  check_scales(target, c, &b, r.clamped_scales);
  check_given(target, c, &b);
  check_maxima(target, c, &b, r.clamped_scales);
  float *output = take(b.elements, sizeof(float), 0xaa);
  bk_dequantize(target, &c->job, NULL, c->grid, b.codes, b.scales, output);
  if (c->job.tensor_scale == 1) check_values(target, c, &b, output);
  if (c->seed % 8 == 0) check_codes(target, c, &b);
  if (c->job.element.code_mask == 15 && c->job.rounding == BK_ROUND_TIES_TO_EVEN)
    check_packed(target, c, &b, output);
  checksum sum = add_bytes(CHECKSUM_START, b.codes, b.elements * b.code_bytes);
  sum = add_bytes(sum, b.scales, b.blocks * sizeof(uint32_t));
  sum = add_bytes(sum, output, b.elements * sizeof(float));
  release();
  return add_bytes(sum, &r.clamped_scales, sizeof r.clamped_scales);
}

// Codes and scales that quantisation never gives: every pattern, special ones included.
static checksum dequantize_anything(int target, const void *context) {
  const block_context *c = context;
  size_t count = grid_elements(c->grid), blocks = grid_blocks(c->grid);
  size_t bytes = (size_t)c->job.element.code_bytes;
  uint8_t *codes = take(count, bytes, 0);
  uint32_t *stored = take(blocks, sizeof(uint32_t), 0);
  float *output = take(count, sizeof(float), 0xaa);
  uint64_t state = c->seed;
  for (size_t i = 0; i < count; i++) {
    uint32_t code = next_bits(&state) & c->job.element.code_mask;
    memcpy(codes + i * bytes, &code, bytes);
  }
  for (size_t i = 0; i < blocks; i++)
    stored[i] = i == 0 ? 0 : next_bits(&state) & c->job.scale.format.code_mask;
  bk_dequantize(target, &c->job, NULL, c->grid, codes, stored, output);
  block_buffers b = {.elements = count, .blocks = blocks, .codes = codes, .scales = stored};
  if (c->job.tensor_scale == 1) check_values(target, c, &b, output);
  checksum sum = add_bytes(CHECKSUM_START, output, count * sizeof(float));
  release();
  return sum;
}

// What a case takes of the choices that are not spelt out is drawn from its seed.
static block_context choose(int element, int scale, int grid, int bump, uint64_t seed) {
  static const float tensor_scales[] = {1, 1, 1, 0.0012345f, 0x1p-5f, 3e20f, 0x1p-149f};
  uint64_t state = seed;
  uint32_t kind = next_bits(&state), rounding = next_bits(&state), t = next_bits(&state);
  uint32_t bits = next_bits(&state);
  block_context c = {.grid = &grids[grid], .kind = (int)(kind % KIND_COUNT), .seed = seed};
  c.job.element = elements[element].format;
  c.job.scale = scale_for(&scales[scale], &c.job.element);
  c.job.scale.bump = bump;
  c.job.scale.bump_fraction = bump == BK_BUMP_AT_LEAST ? (1 << 23) - (1 << 21) : 0;
  c.job.tensor_scale = tensor_scales[t % 7];
  c.job.rounding = (int)(rounding % 2 ? rounding / 2 % 8 : BK_ROUND_TIES_TO_EVEN);
  c.job.random_bits = c.job.rounding == BK_ROUND_STOCHASTIC ? (int)(1 + bits % 32) : 0;
  return c;
}

static void run_block(int element, int scale, int grid, int bump, uint64_t seed) {
  block_context c = choose(element, scale, grid, bump, seed);
  const bk_grid *g = c.grid;
  char name[160];
  char shape[60];
  snprintf(shape, sizeof shape, "%lldx%lldx%lld by %lldx%lld", (long long)g->outer,
           (long long)g->rows, (long long)g->columns, (long long)g->tile_rows,
           (long long)g->tile_columns);
  snprintf(name, sizeof name, "%s %s %s %s rounding %d bits %d bump %d T %a",
           elements[element].name, scales[scale].name, shape, kind_names[c.kind], c.job.rounding,
           c.job.random_bits, bump, c.job.tensor_scale);
  c.name = name;
  run_case(quantize, &c, "quantize %s", name);
  if (seed % 4 == 0) run_case(dequantize_anything, &c, "dequantize %s", name);
}

// Maxima of every grid from those of tiles that divide its own, and from the numbers.
static checksum fold(int target, const void *context) {
  const block_context *c = context;
  const bk_grid *g = c->grid;
  const float *x = make_input(c->kind, grid_elements(g), c->seed);
  const uint32_t *expected = make_maxima(g, x);
  size_t blocks = grid_blocks(g);
  for (int64_t down = 1; down <= g->tile_rows; down++)
    for (int64_t across = 1; across <= g->tile_columns; across++) {
      if (g->tile_rows % down || g->tile_columns % across) continue;
      bk_grid small = *g, folded = *g;
      small.tile_rows = down, small.tile_columns = across;
      folded.rows = (g->rows + down - 1) / down;
      folded.columns = (g->columns + across - 1) / across;
      folded.tile_rows /= down, folded.tile_columns /= across;
      uint32_t *smaller = take(grid_blocks(&small), sizeof(uint32_t), 0x55);
      uint32_t *larger = take(blocks, sizeof(uint32_t), 0x55);
      bk_block_maxima(target, &small, x, smaller);
      bk_block_maxima(target, &folded, smaller, larger);
      expect(memcmp(larger, expected, blocks * sizeof(uint32_t)) == 0,
             "%s: %s: maxima of tiles of %lldx%lld differ", c->name, target_name(target),
             (long long)down, (long long)across);
    }
  checksum sum = add_bytes(CHECKSUM_START, expected, blocks * sizeof(uint32_t));
  release();
  return sum;
}

void block_cases(void) {
  for (int grid = 0; grid < GRID_COUNT; grid++)
    for (int kind = 0; kind < KIND_COUNT; kind++) {
      char name[40];
      snprintf(name, sizeof name, "maxima grid %d %s", grid, kind_names[kind]);
      block_context c = {.grid = &grids[grid], .kind = kind, .seed = 7, .name = name};
      run_case(fold, &c, "%s", name);
    }
  uint64_t seed = 0;
  for (int element = 0; element < ELEMENT_COUNT; element++)
    for (int scale = 0; scale < SCALE_COUNT; scale++)
      for (int grid = 0; grid < GRID_COUNT; grid++) {
        int bump = scales[scale].format.kind == BK_SCALE_E8M0 ? (int)(seed % 5) : BK_BUMP_NEVER;
        run_block(element, scale, grid, bump, ++seed);
      }
}
