#include "kernels.h"

#pragma STDC FP_CONTRACT OFF

#include <stdlib.h>

// A chunk of columns of one band of rows: a whole number of tiles, small enough for the caches.
typedef struct {
  const bk_kernels *kernels;
  prepared prepared;
  const bk_job *job;
  const bk_grid *grid;
  const float *x;
  const uint32_t *random;
  const uint32_t *amax;  // of every block, or NULL
  uint8_t *codes;        // unpacked, or NULL
  uint8_t *packed;       // two a byte, or NULL
  uint32_t *scales;
  int scales_given;
  int stream;  // the packed codes are more than caches hold
} work;

// How far ahead of use the numbers of one-row blocks are fetched: some chunks, so that memory is kept
// busy while a chunk's maxima and scales are made.
#define AHEAD 4096
// Outputs of so many bytes are written past the caches.
#define STREAMED (1 << 20)

// Every code of a block whose scale is NaN is 0.
static void clear_nan_blocks(const work *w, const bk_row *row, int64_t columns) {
  int64_t bytes = w->job->element.code_bytes;
  for (int64_t b = 0; b * row->tile < columns; b++) {
    float s = bk_scale_value(&w->job->scale, row->scales[b]);
    if (s == s) continue;
    int64_t start = b * row->tile, end = start + row->tile < columns ? start + row->tile : columns;
    memset((uint8_t *)row->codes + start * bytes, 0, (size_t)((end - start) * bytes));
  }
}

// Encodes one row of the chunk; `first` is the row-major index of its first element.
static void encode_chunk_row(const work *w, int64_t first, int64_t columns, const float *factor,
                             const uint32_t *scales, int32_t method, int special, int e2m1, int64_t ahead) {
  uint8_t buffer[BK_CHUNK];
  int64_t tile = w->grid->tile_columns;
  for (int64_t start = 0; start < columns;) {
    // Wider blocks than a chunk are encoded in pieces of one block.
    int64_t piece = columns - start;
    if (piece > BK_CHUNK) piece = BK_CHUNK;
    int64_t block = tile > BK_CHUNK ? 0 : start / tile;
    int64_t at = first + start, bytes = w->job->element.code_bytes;
    uint8_t *codes = w->packed ? buffer : w->codes + at * bytes;
    bk_row row = {.job = w->job,
                  .prepared = &w->prepared,
                  .x = w->x + at,
                  .factor = factor + block,
                  .scales = scales + block,
                  .random = w->random ? w->random + at : NULL,
                  .columns = piece,
                  .tile = tile > BK_CHUNK ? piece : tile,
                  .method = method,
                  .stream = w->stream,
                  .ahead = ahead,
                  .codes = codes};
    int64_t column = at % w->grid->columns, line = at / w->grid->columns;
    uint8_t *packed = w->packed ? w->packed + line * ((w->grid->columns + 1) / 2) + column / 2 : buffer;
    if (e2m1) {
      w->kernels->e2m1_row(&row, packed);
      if (!w->packed) w->kernels->unpack_row(packed, piece, codes);
    } else {
      w->kernels->encode_row(&row);
      if (special) clear_nan_blocks(w, &row, piece);
      if (w->packed) w->kernels->pack_row(buffer, piece, packed);
    }
    start += piece;
  }
}

// `known`: the maxima of the chunk's blocks, or NULL.
static int64_t band_chunk(const work *w, int64_t first, int64_t rows, int64_t columns,
                          int64_t ahead, const uint32_t *known, uint32_t *scales) {
  int64_t tile = w->grid->tile_columns, blocks = (columns + tile - 1) / tile;
  uint32_t amax[BK_CHUNK + 16];
  float factor[BK_CHUNK + 16];
  memset(amax, 0, sizeof(uint32_t) * (size_t)(blocks + 16));
  // Copied, as whole vectors are read behind the last block.
  if (known) memcpy(amax, known, sizeof(uint32_t) * (size_t)blocks);
  for (int64_t r = 0; r < rows && !known; r++)
    w->kernels->row_amax(w->x + first + r * w->grid->columns, columns, tile, amax);
  int32_t method;
  int special;
  int64_t clamped =
      w->kernels->scales(w->job, &w->prepared, amax, blocks, w->scales_given, scales, factor, &method, &special);
  int e2m1 = w->prepared.e2m1 && method == BK_CHECKED && !special && w->kernels->e2m1_row &&
             w->kernels->e2m1_fits(amax, factor, blocks);
  for (int64_t r = 0; r < rows; r++)
    encode_chunk_row(w, first + r * w->grid->columns, columns, factor, scales, method, special, e2m1, ahead);
  return clamped;
}

// Two passes over what fits the first cache: maxima, then codes, fetching ahead meanwhile. A chunk
// is a whole number of tiles and, where that fits, of the 128 numbers that loops take at a time.
static int64_t chunk_columns(const bk_grid *g) {
  int64_t tile = g->tile_columns, even = tile;
  int64_t limit = g->tile_rows == 1 ? 2048 : g->tile_rows <= 4 ? 4096 / g->tile_rows : 1024;
  while (even % 128) even *= 2;
  if (even <= BK_CHUNK) tile = even;
  return tile >= limit ? tile : limit / tile * tile;
}

static bk_result run(const work *w) {
  const bk_grid *g = w->grid;
  bk_result result = {BK_OK, 0, 0};
  int64_t tile = g->tile_columns;
  int64_t step = chunk_columns(g);
  // Packing works on whole bytes: chunks start at even columns.
  if (w->packed && (step & 1)) step *= 2;
  int64_t block_columns = (g->columns + tile - 1) / tile;
  uint32_t *scales = w->scales;
  const uint32_t *amax = w->amax;
  for (int64_t m = 0; m < g->outer; m++) {
    for (int64_t r = 0; r < g->rows; r += g->tile_rows) {
      int64_t rows = g->rows - r < g->tile_rows ? g->rows - r : g->tile_rows;
      int64_t first = (m * g->rows + r) * g->columns;
      for (int64_t c = 0; c < g->columns; c += step) {
        int64_t columns = g->columns - c < step ? g->columns - c : step;
        int64_t ahead = g->tile_rows == 1         ? AHEAD
                        : c + step < g->columns ? step
                                                : rows * g->columns - c;
        const uint32_t *known = amax ? amax + c / tile : NULL;
        result.clamped_scales +=
            band_chunk(w, first + c, rows, columns, ahead, known, scales + c / tile);
      }
      scales += block_columns;
      if (amax) amax += block_columns;
    }
  }
#if defined(__x86_64__)
  if (w->stream) __builtin_ia32_sfence();
#endif
  return result;
}

bk_result bk_quantize_exact(int target, const bk_job *job, const bk_grid *grid, const float *x,
                            const uint32_t *random, const uint32_t *amax, int scales_given,
                            void *codes, uint32_t *scales) {
  work w = {bk_kernels_for(target), prepare(job), job, grid, x, random, amax, codes, NULL, scales,
            scales_given, 0};
  return run(&w);
}

void bk_block_maxima(int target, const bk_grid *grid, const void *x, uint32_t *amax) {
  const bk_kernels *kernels = bk_kernels_for(target);
  const float *line = x;
  int64_t blocks = (grid->columns + grid->tile_columns - 1) / grid->tile_columns;
  for (int64_t m = 0; m < grid->outer; m++)
    for (int64_t r = 0; r < grid->rows; r++, line += grid->columns) {
      if (r % grid->tile_rows == 0) memset(amax, 0, sizeof(uint32_t) * (size_t)blocks);
      kernels->row_amax(line, grid->columns, grid->tile_columns, amax);
      if ((r + 1) % grid->tile_rows == 0 || r + 1 == grid->rows) amax += blocks;
    }
}

// Blocks too wide and odd for chunks that start at even columns: unpacked codes of a row first.
static bk_result pack_wide(work w, uint8_t *packed) {
  bk_result result = {BK_OK, 0, 0};
  size_t bytes = (size_t)(w.grid->outer * w.grid->rows * w.grid->columns);
  w.codes = malloc(bytes ? bytes : 1);
  if (!w.codes) {
    result.status = BK_NO_MEMORY;
    return result;
  }
  w.packed = NULL;
  w.stream = 0;
  result = run(&w);
  for (int64_t line = 0; line < w.grid->outer * w.grid->rows; line++)
    w.kernels->pack_row(w.codes + line * w.grid->columns, w.grid->columns,
                        packed + line * ((w.grid->columns + 1) / 2));
  free(w.codes);
  return result;
}

bk_result bk_quantize_packed(int target, const bk_job *job, const bk_grid *grid, const float *x,
                             uint8_t *packed, uint32_t *scales) {
  work w = {bk_kernels_for(target), prepare(job), job, grid, x, NULL, NULL, NULL, packed, scales, 0, 0};
  w.stream = grid->outer * grid->rows * ((grid->columns + 1) / 2) >= STREAMED;
  int64_t tile = grid->tile_columns;
  if ((tile & 1) && tile < grid->columns && 2 * tile > BK_CHUNK) return pack_wide(w, packed);
  return run(&w);
}
