// Matrix products in AVX-512 for the commonest problems. Each kernel proves from the operands that
// its arithmetic is exact for them and refuses otherwise; the generic kernels take what is refused.
#ifndef BK_MATMUL_HOT_H
#define BK_MATMUL_HOT_H

#include <stdint.h>

#include "matmul.h"
#include "scratch.h"

// 1: `output` holds the whole product, bit for bit. 0: not a problem that is taken here, or no
// memory, or not the machine; `output` may have been written to.
int bk_hot_matmul(const bk_matmul *problem, void *output);

// The families behind it.
int bk_hot_fp4_groups(const bk_matmul *problem, void *output);
int bk_hot_fp4_exact(const bk_matmul *problem, void *output);
int bk_hot_integers(const bk_matmul *problem, void *output);
int bk_hot_fp8(const bk_matmul *problem, void *output);

// A kernel's tiles: `rows` lines of A by `columns` lines of B, over all of K. Panels are packed
// lines, padded with zeros to whole tiles.
typedef struct hot_tiling hot_tiling;
struct hot_tiling {
  const bk_matmul *problem;
  void *output;
  const void *context;
  int rows, columns;
  int64_t a_bytes, b_bytes;  // of a panel
  // Packs lines [line, line + count), count at most a tile's.
  void (*pack_a)(const hot_tiling *t, int64_t line, int count, uint8_t *panel);
  void (*pack_b)(const hot_tiling *t, int64_t line, int count, uint8_t *panel);
  void (*tile)(const hot_tiling *t, const uint8_t *a, const uint8_t *b, int64_t row, int rows,
               int64_t column, int columns);
};

// Packs blocks of both operands so that they stay in cache, and runs every tile. 0: no memory.
int hot_run(const hot_tiling *tiling);

// Whether scales hold no tensor factor that would be applied after the sum.
static inline int hot_has_tensor_scale(const bk_matmul *p) {
  return p->a.has_tensor_scale || p->b.has_tensor_scale;
}

#endif
