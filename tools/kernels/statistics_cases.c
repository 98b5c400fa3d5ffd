// Error sums and block moments.
#include <string.h>

#include "formats.h"
#include "grids.h"
#include "harness.h"

#pragma STDC FP_CONTRACT OFF

typedef struct {
  bk_error_params params;
  int kind;
  size_t count;
} error_context;

static double *make_divisors(size_t count, uint64_t seed, int kind) {
  double *d = take(count, sizeof(double), 0);
  uint64_t state = seed;
  for (size_t i = 0; i < count; i++) {
    uint32_t bits = next_bits(&state);
    double power = (double)float_of((97 + bits % 60) << 23);
    d[i] = (bits >> 8) % 11 == 0 ? 0 : power * (1 + (double)(bits >> 16) / 65536);
    if (kind == SPECIAL && bits >> 29 == 0) d[i] = bits & 1 ? __builtin_inf() : __builtin_nan("");
    if (bits >> 30 == 3) d[i] = -d[i];
  }
  return d;
}

static checksum add_sums(checksum sum, const bk_error_state *state) {
  bk_error_sums s;
  memset(&s, 0, sizeof s);
  bk_error_reduce(state, &s);
  return add_bytes(sum, &s, sizeof s);
}

// Rounded to the nearest half: something between flushed and far away.
static float *make_values(const float *x, size_t count) {
  float *v = take(count, sizeof(float), 0);
  for (size_t i = 0; i < count; i++)
    v[i] = x[i] > -1e6f && x[i] < 1e6f ? (float)(int)(x[i] * 2) / 2 : 3;
  return v;
}

static checksum accumulate(int target, const void *context) {
  const error_context *c = context;
  const float *x = make_input(c->kind, c->count, 5), *v = make_values(x, c->count);
  const double *d = make_divisors(c->count, 6, c->kind);
  bk_error_state whole, pieces;
  memset(&whole, 0, sizeof whole);
  memset(&pieces, 0, sizeof pieces);
  bk_error_accumulate(&whole, x, v, d, c->count, 0, &c->params, target);
  uint64_t state = 9;
  for (size_t i = 0; i < c->count;) {
    size_t piece = next_bits(&state) % 40;
    if (piece > c->count - i) piece = c->count - i;
    bk_error_accumulate(&pieces, x + i, v + i, d + i, piece, i, &c->params, target);
    i += piece;
  }
  expect(memcmp(&whole, &pieces, sizeof whole) == 0, "error sums: %s: pieces differ from the whole",
         target_name(target));
  release();
  return add_sums(CHECKSUM_START, &whole);
}

typedef struct {
  bk_error_params params;
  const bk_grid *grid;
  int kind;
} tile_context;

static checksum accumulate_tiles(int target, const void *context) {
  const tile_context *c = context;
  const bk_grid *g = c->grid;
  size_t count = grid_elements(g);
  const float *x = make_input(c->kind, count, 15), *v = make_values(x, count);
  const double *d = make_divisors(grid_blocks(g), 16, c->kind);
  bk_tiling tiling = {(size_t)g->rows, (size_t)g->columns, (size_t)g->tile_rows,
                      (size_t)g->tile_columns};
  bk_error_state whole, pieces;
  memset(&whole, 0, sizeof whole);
  memset(&pieces, 0, sizeof pieces);
  bk_error_accumulate_tiles(&whole, x, v, d, count, 0, &tiling, &c->params, target);
  uint64_t state = 19;
  for (size_t i = 0; i < count;) {
    size_t piece = next_bits(&state) % 900;
    if (piece > count - i) piece = count - i;
    const double *first = d + grid_block_of(g, (int64_t)i);
    bk_error_accumulate_tiles(&pieces, x + i, v + i, first, piece, i, &tiling, &c->params, target);
    i += piece;
  }
  expect(memcmp(&whole, &pieces, sizeof whole) == 0, "tile sums: %s: pieces differ from the whole",
         target_name(target));
  release();
  return add_sums(CHECKSUM_START, &whole);
}

static checksum moments(int target, const void *context) {
  const tile_context *c = context;
  const bk_grid *g = c->grid;
  size_t across = (size_t)((g->columns - 1) / g->tile_columns + 1);
  checksum sum = CHECKSUM_START;
  for (size_t rows = 1; rows <= 3; rows++) {
    const float *x = make_input(c->kind, rows * (size_t)g->columns, 25);
    float *amax = take(across, sizeof(float), 0xaa);
    double *squares = take(across, sizeof(double), 0xaa);
    bk_block_moments(x, rows, (size_t)g->columns, (size_t)g->tile_columns, amax, squares, target);
    double *alone = take(across, sizeof(double), 0x55);
    bk_block_moments(x, rows, (size_t)g->columns, (size_t)g->tile_columns, NULL, alone, target);
    // NaN bits are a machine's own.
    for (size_t i = 0; i < across; i++) {
      if (squares[i] != squares[i]) squares[i] = -1;
      if (alone[i] != alone[i]) alone[i] = -1;
    }
    expect(memcmp(alone, squares, across * sizeof(double)) == 0,
           "moments: %s: sums without maxima differ", target_name(target));
    sum = add_bytes(sum, amax, across * sizeof(float));
    sum = add_bytes(sum, squares, across * sizeof(double));
    release();
  }
  return sum;
}

void statistics_cases(void) {
  static const double values[4] = {-1, -0.25, 0.25, 1}, gaps[3] = {0.75, 0.5, 0.75};
  static const size_t counts[] = {0, 1, 7, 8, 9, 1000, BK_ERROR_CHUNK};
  const bk_error_params spacings[3] = {
      {.kind = BK_SPACING_FLOAT, .largest = 6, .min_normal = 1, .low_gap = 0.5, .last_gap = 2,
       .mantissa_bits = 1, .normal_divisor = 0x1p-10, .top_divisor = 0x1p10},
      {.kind = BK_SPACING_INTEGER, .largest = 127, .min_normal = 1, .low_gap = 1, .last_gap = 1,
       .normal_divisor = 0x1p-20, .top_divisor = 1},
      {.kind = BK_SPACING_CODEBOOK, .largest = 1, .values = values, .gaps = gaps, .gap_count = 3,
       .top_divisor = __builtin_inf()}};
  for (int s = 0; s < 3; s++)
    for (int kind = 0; kind < KIND_COUNT; kind++) {
      for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        error_context c = {spacings[s], kind, counts[i]};
        run_case(accumulate, &c, "error sums spacing %d %s %zu", s, kind_names[kind], counts[i]);
      }
      for (int grid = kind % 3; grid < GRID_COUNT; grid += 3) {
        tile_context c = {spacings[s], &grids[grid], kind};
        if (grid_elements(c.grid) == 0) continue;
        run_case(accumulate_tiles, &c, "tile sums spacing %d %s grid %d", s, kind_names[kind],
                 grid);
        run_case(moments, &c, "moments %s grid %d", kind_names[kind], grid);
      }
    }
}
