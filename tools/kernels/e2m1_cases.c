// NVFP4 by a tensor scale that is no power of two: numbers on, just below and just above boundaries.
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
  float size;  // of the numbers, in units of 6·T: near 1000 and above scales are clamped, below
               // 2^-6 they are subnormal
  int specials;
  uint64_t seed;
  const char *name;
} context;

static const float boundaries[] = {0, 0.25f, 0.5f, 0.75f, 1, 1.25f, 1.75f, 2.5f, 3.5f, 5, 6, 7.99f, 8};

// A number whose quotient by s·T is a boundary, to within some units in the last place.
static float near_boundary(const context *c, float scale, uint32_t pick) {
  float boundary = boundaries[pick % (sizeof boundaries / sizeof *boundaries)];
  double exact = (double)boundary * scale * c->job.tensor_scale;
  uint32_t bits = bits_of((float)exact), away = pick >> 8 & 15;
  if (away <= 6 && bits > 3 && bits < 0x7f000000) bits += away - 3;
  if (away >= 14) bits = pick >> 12 & 3;  // zeros, and the smallest subnormals
  return float_of(bits | (pick >> 4 & 0x80000000) | (pick & 0x80000000));
}

// Normal numbers first, for their scales; then most are moved to boundaries by those scales.
static float *make_numbers(const context *c, int target, uint8_t *codes, uint32_t *stored) {
  size_t count = grid_elements(c->grid);
  float *x = make_input(NORMAL, count, c->seed);
  for (size_t i = 0; i < count; i++) x[i] *= 2 * c->size * c->job.tensor_scale;
  bk_quantize_exact(target, &c->job, c->grid, x, NULL, NULL, 0, codes, stored);
  uint64_t state = c->seed + 7;
  for (size_t i = 0; i < count; i++) {
    uint32_t pick = next_bits(&state);
    float scale = bk_scale_value(&c->job.scale, stored[grid_block_of(c->grid, (int64_t)i)]);
    if (pick % 8 && scale > 0) x[i] = near_boundary(c, scale, next_bits(&state));
    if (c->specials && pick % 1024 == 1) x[i] = pick & 0x10000 ? NAN : -INFINITY;
  }
  return x;
}

static void check(int target, const context *c, const float *x, const uint8_t *codes,
                  const uint8_t *packed, const uint32_t *stored) {
  int64_t columns = c->grid->columns;
  for (int64_t i = 0; i < (int64_t)grid_elements(c->grid); i++) {
    uint32_t scale = stored[grid_block_of(c->grid, i)], expected = 0;
    float value = bk_scale_value(&c->job.scale, scale);
    if (value == value) {
      bk_exact divisor = value > 0 ? bk_divisor(&c->job, scale) : bk_split(1);
      expected = bk_element_exact(&c->job.element, x[i], divisor, BK_ROUND_TIES_TO_EVEN, 0, 0);
    }
    expect(codes[i] == expected, "%s: %s: code %lld of %a is %x, by itself %x", c->name,
           target_name(target), (long long)i, x[i], codes[i], expected);
    uint8_t byte = packed[i / columns * ((columns + 1) / 2) + i % columns / 2];
    uint32_t code = byte >> (i % columns % 2 * 4) & 15;
    expect(code == expected, "%s: %s: packed code %lld of %a is %x, by itself %x", c->name,
           target_name(target), (long long)i, x[i], code, expected);
    if (i % columns == columns - 1 && columns % 2)
      expect(byte < 16, "%s: %s: byte %x behind an odd row", c->name, target_name(target), byte);
  }
}

static checksum quantize(int target, const void *of) {
  const context *c = of;
  size_t count = grid_elements(c->grid), blocks = grid_blocks(c->grid), bytes = grid_packed(c->grid);
  uint8_t *codes = take(count, 1, 0xaa), *packed = take(bytes, 1, 0xaa);
  uint32_t *stored = take(blocks, sizeof(uint32_t), 0xaa);
  uint32_t *packed_stored = take(blocks, sizeof(uint32_t), 0x55);
  float *x = make_numbers(c, target, codes, stored);
  bk_result r = bk_quantize_exact(target, &c->job, c->grid, x, NULL, NULL, 0, codes, stored);
  bk_result s = bk_quantize_packed(target, &c->job, c->grid, x, packed, packed_stored);
  expect(r.clamped_scales == s.clamped_scales && memcmp(stored, packed_stored, blocks * 4) == 0,
         "%s: %s: packed scales differ", c->name, target_name(target));
  check(target, c, x, codes, packed, stored);
  checksum sum = add_bytes(CHECKSUM_START, codes, count);
  sum = add_bytes(sum, packed, bytes);
  sum = add_bytes(sum, stored, blocks * sizeof(uint32_t));
  release();
  return add_bytes(sum, &r.clamped_scales, sizeof r.clamped_scales);
}

static bk_job nvfp4(float tensor_scale) {
  bk_job job = {.element = element_named("e2m1")->format, .tensor_scale = tensor_scale};
  job.scale = scale_for(scale_named("ue4m3"), &job.element);
  return job;
}

// An output that is written past the caches, against its rows one by one.
static checksum large(int target, const void *nothing) {
  (void)nothing;
  const bk_grid whole = {1, 2100, 1024, 1, 16}, row = {1, 1, 1024, 1, 16};
  const bk_job job = nvfp4(0.37f);
  size_t count = grid_elements(&whole), bytes = count / 2;
  uint8_t *room = take(bytes + 64, 1, 0xaa), *one = take(512, 1, 0x55);
  uint8_t *packed = room + (64 - (uintptr_t)room % 64) % 64;
  uint32_t *stored = take(count / 16, sizeof(uint32_t), 0xaa), *one_stored = take(64, sizeof(uint32_t), 0);
  float *numbers = make_input(TIES, 10007, 5), *x = take(count, sizeof(float), 0);
  for (size_t i = 0; i < count; i++) x[i] = numbers[i % 10007];
  bk_quantize_packed(target, &job, &whole, x, packed, stored);
  for (size_t r = 0; r < 2100; r++) {
    bk_quantize_packed(target, &job, &row, x + r * 1024, one, one_stored);
    expect(memcmp(one, packed + r * 512, 512) == 0 && memcmp(one_stored, stored + r * 64, 256) == 0,
           "large e2m1: %s: row %zu by itself differs", target_name(target), r);
  }
  checksum sum = add_bytes(CHECKSUM_START, packed, bytes);
  release();
  return sum;
}

void e2m1_cases(void) {
  static const float tensor_scales[] = {0.000137f, 1.0000001f, 0.99999994f, 3, 5e-37f, 0x1.4p-140f, 7e30f};
  static const float sizes[] = {100, 1, 0.01f, 0.0029f, 3000};
  static const int grid_numbers[] = {7, 8, 9, 10, 12, 13, 14, 15, 16, 21, 22};
  uint64_t seed = 90000;
  run_case(large, NULL, "large e2m1");
  for (int t = 0; t < 7; t++)
    for (int s = 0; s < 5; s++)
      for (int g = 0; g < 11; g++) {
        char name[100];
        const bk_grid *grid = &grids[grid_numbers[g]];
        snprintf(name, sizeof name, "e2m1 near boundaries, T %a size %g columns %lld by %lldx%lld",
                 tensor_scales[t], sizes[s], (long long)grid->columns, (long long)grid->tile_rows,
                 (long long)grid->tile_columns);
        context c = {.job = nvfp4(tensor_scales[t]), .grid = grid, .size = sizes[s],
                     .specials = (t + s + g) % 3 == 0, .seed = ++seed, .name = name};
        run_case(quantize, &c, "%s", name);
      }
}
