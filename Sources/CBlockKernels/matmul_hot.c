#define _DEFAULT_SOURCE
#include "matmul_hot.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

#pragma STDC FP_CONTRACT OFF

#if defined(__x86_64__)

static int available(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vbmi");
}

int bk_hot_matmul(const bk_matmul *p, void *output) {
  if (p->a.lines <= 0 || p->b.lines <= 0 || p->a.depth <= 0 || p->a.depth > 1 << 24) return 0;
  if (p->a.lines > INT64_C(1) << 40 || p->b.lines > INT64_C(1) << 40 || !available()) return 0;
  switch (p->accumulator.kind) {
  case BK_SUM_EXACT: return bk_hot_fp4_exact(p, output);
  case BK_SUM_INTEGER: return bk_hot_integers(p, output);
  case BK_SUM_FUSED:
    return p->accumulator.scaling == BK_SCALING_GROUPS ? bk_hot_fp4_groups(p, output)
                                                       : bk_hot_fp8(p, output);
  default: return 0;
  }
}

#else

int bk_hot_matmul(const bk_matmul *p, void *output) {
  (void)p, (void)output;
  return 0;
}

#endif

// A's share of a core's second-level cache, and the packed part of B.
enum { A_BYTES = 384 << 10, B_BYTES = 24 << 20 };

// Fresh pages of 4 KiB cost as much as the packing that fills them.
static uint8_t *take_pages(int64_t bytes) {
  enum { PAGE = 2 << 20 };
  if (bytes < PAGE) return bk_take_aligned(64, (size_t)(bytes + 63) / 64 * 64);
  size_t size = (size_t)(bytes + PAGE - 1) / PAGE * PAGE;
  uint8_t *pages = bk_take_aligned(PAGE, size);
#if defined(MADV_HUGEPAGE)
  if (pages && !bk_scratch_active()) madvise(pages, size, MADV_HUGEPAGE);
#endif
  return pages;
}

static int64_t panels_within(int64_t bytes, int64_t panel, int64_t panels) {
  int64_t count = bytes / panel;
  return count < 1 ? 1 : count > panels ? panels : count;
}

static int at_most(int64_t remaining, int limit) {
  return remaining < limit ? (int)remaining : limit;
}

static void run_tiles(const hot_tiling *t, uint8_t *a, uint8_t *b, int64_t first_column,
                      int64_t b_panels, int64_t a_panels) {
  int64_t m = t->problem->a.lines, n = t->problem->b.lines;
  for (int64_t row = 0; row < m; row += a_panels * t->rows) {
    int64_t count = (m - row + t->rows - 1) / t->rows;
    if (count > a_panels) count = a_panels;
    for (int64_t i = 0; i < count; i++) {
      int64_t line = row + i * t->rows;
      t->pack_a(t, line, at_most(m - line, t->rows), a + i * t->a_bytes);
    }
    for (int64_t j = 0; j < b_panels; j++) {
      int64_t column = first_column + j * t->columns;
      for (int64_t i = 0; i < count; i++) {
        int64_t line = row + i * t->rows;
        t->tile(t, a + i * t->a_bytes, b + j * t->b_bytes, line, at_most(m - line, t->rows),
                column, at_most(n - column, t->columns));
      }
    }
  }
}

int hot_run(const hot_tiling *t) {
  int64_t n = t->problem->b.lines;
  int64_t a_total = (t->problem->a.lines + t->rows - 1) / t->rows;
  int64_t b_total = (n + t->columns - 1) / t->columns;
  int64_t a_panels = panels_within(A_BYTES, t->a_bytes, a_total);
  int64_t b_panels = panels_within(B_BYTES, t->b_bytes, b_total);
  uint8_t *a = take_pages(a_panels * t->a_bytes);
  uint8_t *b = take_pages(b_panels * t->b_bytes);
  if (a && b) {
    for (int64_t first = 0; first < b_total; first += b_panels) {
      int64_t count = b_total - first < b_panels ? b_total - first : b_panels;
      for (int64_t j = 0; j < count; j++) {
        int64_t line = (first + j) * t->columns;
        t->pack_b(t, line, at_most(n - line, t->columns), b + j * t->b_bytes);
      }
      run_tiles(t, a, b, first * t->columns, count, a_panels);
    }
  }
  int done = a && b;
  bk_give(a);
  bk_give(b);
  return done;
}
