// The product as a whole: decoding, panels, what is not finite, and the choice between a vector
// kernel and the scalar definition.
#include "matmul_kernels.h"

#include <stdlib.h>

#pragma STDC FP_CONTRACT OFF

float half_value(uint32_t pattern) {
  uint32_t sign = (pattern & 0x8000) << 16, magnitude = pattern & 0x7fff;
  if (magnitude >= 0x7c00) return bk_float(sign | 0x7f800000 | (magnitude & 0x3ff) << 13);
  return copysignf(bk_float(magnitude << 13) * 0x1p112f, bk_float(sign | 0x3f800000));
}

// Of a value that FP16 holds, or tiesToEven.
uint32_t half_pattern(float value) {
  uint32_t sign = bk_bits(value) >> 16 & 0x8000;
  float a = fabsf(value);
  if (!(a < 65520)) return sign | 0x7c00;
  if (a < 0x1p-14f) return sign | (bk_bits(a + 0.5f) & 0x7ff);
  uint32_t bits = bk_bits(a) - (112u << 23);
  return sign | ((bits + 0xfff + (bits >> 13 & 1)) >> 13);
}

int64_t float_pattern(const plan *p, float value) {
  if (isnan(value)) return p->unit.nan;
  return p->problem->output_type == BK_OUT_FLOAT16 ? half_pattern(value) : bk_bits(value);
}

int64_t finish_float(const plan *p, float sum) {
  return float_pattern(p, p->has_tensor_scale ? sum * p->tensor_scale : sum);
}

int64_t start_pattern(const plan *p, int64_t index) {
  return p->problem->c ? p->problem->c[index] : 0;
}

void store_pattern(const plan *p, void *output, int64_t index, int64_t pattern) {
  switch (p->problem->output_type) {
  case BK_OUT_FLOAT16: ((uint16_t *)output)[index] = (uint16_t)pattern; break;
  case BK_OUT_INT64: ((int64_t *)output)[index] = pattern; break;
  default: ((uint32_t *)output)[index] = (uint32_t)pattern;
  }
}

static void convert_starts(const plan *p, int64_t first, int64_t count, float *sums) {
  int half = p->problem->output_type == BK_OUT_FLOAT16;
  for (int64_t i = 0; i < count; i++) {
    uint32_t pattern = (uint32_t)start_pattern(p, first + i);
    sums[i] = half ? half_value(pattern) : bk_float(pattern);
  }
}

enum { MOST_LANES = 16, ROW_BLOCK = 256 };

// Some rows and one panel through a kernel: row i's outputs begin at `index[i]`.
static void vector_outputs(const kernel_job *job, const matmul_kernels *kernels, const packed *a,
                           int rows, const packed *b, const int64_t *index, int64_t count,
                           void *output) {
  const plan *p = job->plan;
  if (p->problem->output_type >= BK_OUT_INT32) {
    int64_t sums[MOST_ROWS * MOST_LANES] = {0};
    for (int row = 0; row < rows; row++)
      for (int64_t i = 0; i < count; i++)
        sums[row * kernels->lanes + i] = start_pattern(p, index[row] + i);
    (p->unit.kind == BK_SUM_FIXED ? kernels->fixed : kernels->integers)(job, a, rows, b, sums);
    for (int row = 0; row < rows; row++)
      for (int64_t i = 0; i < count; i++)
        store_pattern(p, output, index[row] + i, sums[row * kernels->lanes + i]);
    return;
  }
  float sums[MOST_ROWS * MOST_LANES] = {0};
  for (int row = 0; row < rows; row++)
    convert_starts(p, index[row], count, sums + row * kernels->lanes);
  kernels->floats(job, a, rows, b, sums);
  for (int row = 0; row < rows; row++)
    for (int64_t i = 0; i < count; i++)
      store_pattern(p, output, index[row] + i, finish_float(p, sums[row * kernels->lanes + i]));
}

typedef struct {
  kernel_job job;
  const matmul_kernels *kernels;
  line_buffer a, b;
  packed row, panel;
  int target;
  void *output;
} product;

static int has_special(const line *lines, int64_t count) {
  for (int64_t i = 0; i < count; i++)
    if (lines[i].special) return 1;
  return 0;
}

static void scalar_outputs(product *m, const line *a, int64_t index, int64_t columns,
                           int special_only) {
  const plan *p = m->job.plan;
  for (int64_t j = 0; j < columns; j++)
    if (!special_only || m->b.line[j].special)
      store_pattern(p, m->output, index + j,
                    scalar_output(p, a, &m->b.line[j], start_pattern(p, index + j)));
}

static void multiply_panel(product *m, int64_t first_row, int64_t rows, int64_t first_column,
                           int64_t columns) {
  const plan *p = m->job.plan;
  decode_lines_of(&m->b, m->target, &p->problem->b, &p->unit, first_column, columns);
  int vectors = m->job.bounds.vectors, special = has_special(m->b.line, columns);
  if (vectors) pack_lines(&m->panel, &m->job, 1, m->b.line, columns, m->kernels->lanes);
  packed together[MOST_ROWS];
  int64_t index[MOST_ROWS];
  int held = 0, one_window = 1;
  for (int64_t i = 0; i < rows; i++) {
    const line *a = &m->a.line[i];
    int64_t at = (first_row + i) * p->columns + first_column;
    together[held] = packed_row(&m->row, &m->job, a, i);
    index[held] = at;
    int fast = vectors && !a->special && bounds_hold(&m->job, &together[held], &m->panel);
    if (fast) one_window &= m->job.bounds.one_window;
    held += fast;
    if (!fast) scalar_outputs(m, a, at, columns, 0);
    if (held == MOST_ROWS || (i + 1 == rows && held > 0)) {
      m->job.bounds.one_window = one_window;
      vector_outputs(&m->job, m->kernels, together, held, &m->panel, index, columns, m->output);
      held = 0;
      one_window = 1;
    }
  }
  for (int64_t i = 0; special && vectors && i < rows; i++)
    if (!m->a.line[i].special)
      scalar_outputs(m, &m->a.line[i], (first_row + i) * p->columns + first_column, columns, 1);
}

static int first_not_finite(product *m, int side, const bk_operand *o, bk_matmul_result *result) {
  line_buffer *buffer = side ? &m->b : &m->a;
  for (int64_t first = 0; first < o->lines; first += buffer->lines) {
    int64_t count = o->lines - first < buffer->lines ? o->lines - first : buffer->lines;
    decode_lines_of(buffer, m->target, o, &m->job.plan->unit, first, count);
    for (int64_t i = 0; i < count; i++) {
      const line *l = &buffer->line[i];
      if (!l->special) continue;
      int64_t k = 0;
      while (isfinite(l->value[k]) && !(l->scale && !isfinite(l->scale[k / l->block]))) k++;
      *result = (bk_matmul_result){BK_NOT_FINITE, side, first + i, k};
      return 1;
    }
  }
  return 0;
}

static void multiply_rows(product *m) {
  const plan *p = m->job.plan;
  int64_t lanes = m->kernels->lanes;
  for (int64_t i = 0; i < p->rows; i += m->a.lines) {
    int64_t rows = p->rows - i < m->a.lines ? p->rows - i : m->a.lines;
    decode_lines_of(&m->a, m->target, &p->problem->a, &p->unit, i, rows);
    if (m->job.bounds.vectors)
      for (int64_t r = 0; r < rows; r++) {
        packed row = packed_row(&m->row, &m->job, &m->a.line[r], r);
        pack_lines(&row, &m->job, 0, &m->a.line[r], 1, 1);
        m->row.tops[r] = row.top;
        m->row.lows[r] = row.low;
      }
    for (int64_t j = 0; j < p->columns; j += lanes)
      multiply_panel(m, i, rows, j, p->columns - j < lanes ? p->columns - j : lanes);
  }
}

static const matmul_kernels *kernels_for(int target) {
  if (target == BK_TARGET_AUTO) target = bk_best_target();
#if defined(__x86_64__)
  if (target == BK_TARGET_AVX512) return &matmul_kernels_avx512;
  if (target == BK_TARGET_AVX2) return &matmul_kernels_avx2;
#endif
  return &matmul_kernels_baseline;
}

bk_matmul_result bk_multiply(int target, const bk_matmul *problem, void *output) {
  bk_matmul_result result = {BK_NO_MEMORY, 0, 0, 0};
  plan p;
  product m;
  memset(&m, 0, sizeof m);
  int ready = make_plan(&p, problem);
  if (ready) {
    m.job = (kernel_job){&p, prove_bounds(&p)};
    m.kernels = kernels_for(target);
    m.target = target;
    m.output = output;
    int64_t rows = p.rows < ROW_BLOCK ? p.rows : ROW_BLOCK, lanes = m.kernels->lanes;
    rows = rows > 0 ? rows : 1;
    ready = make_lines(&m.a, &problem->a, rows) && make_lines(&m.b, &problem->b, lanes) &&
            make_packed(&m.row, &m.job, 0, rows) && make_packed(&m.panel, &m.job, 1, lanes);
  }
  if (ready) {
    result.status = BK_OK;
    if (p.unit.kind != BK_SUM_FIXED || (!first_not_finite(&m, 0, &problem->a, &result) &&
                                        !first_not_finite(&m, 1, &problem->b, &result)))
      multiply_rows(&m);
  }
  free_packed(&m.row);
  free_packed(&m.panel);
  free_lines(&m.a);
  free_lines(&m.b);
  free_plan(&p);
  return result;
}
