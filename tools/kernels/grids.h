// Ways of cutting a tensor into blocks that reach every loop and every edge of a loop.
#ifndef DRIVER_GRIDS_H
#define DRIVER_GRIDS_H

#include "block_kernels.h"
#include "harness.h"

// Outer, rows, columns, tile rows, tile columns.
static const bk_grid grids[] = {
    {1, 1, 1, 1, 1},         // one number
    {1, 3, 37, 1, 1},        // a scale per number
    {1, 2, 2300, 1, 1},      // more of them than a chunk
    {1, 2, 1000, 1, 3},      // a tail of one
    {1, 1, 5, 1, 5},         // fewer numbers than a vector
    {1, 2, 215, 1, 7},       //
    {1, 2, 15, 1, 15},       // one less than a vector of AVX-512
    {1, 3, 1000, 1, 16},     // a tail of half a block
    {1, 1, 4208, 1, 16},     //
    {1, 2, 1500, 1, 17},     // blocks that straddle vectors
    {1, 2, 1211, 1, 24},     //
    {1, 1, 31, 1, 31},       //
    {1, 2, 1234, 1, 32},     //
    {1, 2, 2500, 1, 33},     //
    {1, 2, 1000, 1, 128},    //
    {1, 2, 3001, 1, 3001},   // one odd block a row, half a chunk and more
    {1, 1, 4200, 1, 2049},   // odd blocks of which one but not two are a chunk
    {1, 1, 8200, 1, 4096},   // blocks as wide as a chunk
    {1, 1, 8200, 1, 4097},   // and wider
    {1, 1, 5000, 1, 5000},   //
    {1, 2, 5003, 1, 5001},   // odd ones, with a tail
    {2, 35, 50, 16, 16},     // tiles clipped at both edges
    {1, 10, 301, 4, 33},     //
    {1, 130, 140, 128, 128}, //
    {2, 70, 37, 32, 1},      // blocks along another axis
    {1, 7, 2100, 3, 1},      //
    {3, 5, 1, 2, 1},         // one column
    {1, 3, 4500, 3, 2251},   // wide odd tiles of several rows
    {1, 3, 6000, 1, 5},      // more blocks than a byte has scales
    {3, 0, 4, 1, 4},         // nothing
};
enum { GRID_COUNT = sizeof grids / sizeof grids[0] };

static inline size_t grid_elements(const bk_grid *g) {
  return (size_t)(g->outer * g->rows * g->columns);
}

static inline size_t grid_blocks(const bk_grid *g) {
  int64_t down = (g->rows + g->tile_rows - 1) / g->tile_rows;
  int64_t across = (g->columns + g->tile_columns - 1) / g->tile_columns;
  return (size_t)(g->outer * down * across);
}

// The block that holds element i, row-major.
static inline size_t grid_block_of(const bk_grid *g, int64_t i) {
  int64_t down = (g->rows + g->tile_rows - 1) / g->tile_rows;
  int64_t across = (g->columns + g->tile_columns - 1) / g->tile_columns, line = i / g->columns;
  int64_t band = line / g->rows * down + line % g->rows / g->tile_rows;
  return (size_t)(band * across + i % g->columns / g->tile_columns);
}

// The bits of each block's largest |x|, number by number.
static inline uint32_t *make_maxima(const bk_grid *g, const float *x) {
  uint32_t *amax = take(grid_blocks(g), sizeof(uint32_t), 0);
  for (int64_t i = 0; i < (int64_t)grid_elements(g); i++) {
    uint32_t *a = amax + grid_block_of(g, i), bits = bits_of(x[i]) & 0x7fffffff;
    if (bits > *a) *a = bits;
  }
  return amax;
}

// The bytes of 4-bit codes, rows starting at bytes.
static inline size_t grid_packed(const bk_grid *g) {
  return (size_t)(g->outer * g->rows * ((g->columns + 1) / 2));
}

#endif
