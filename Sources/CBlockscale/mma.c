// A matrix unit's handle, and its products.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "blockscale_handles.h"
#include "scratch.h"

#pragma STDC FP_CONTRACT OFF

int bk_hot_matmul(const bk_matmul *problem, void *output);

void bs_mma_close(bs_mma *u) {
  if (!bs_is_mma(u)) return;
  u->magic = 0;
  free(u->codebook[0]);
  free(u->codebook[1]);
  free(u);
}

int bs_mma_step(const bs_mma *u) {
  if (!bs_is_mma(u)) return -1;
  return u->accumulator.kind == BK_SUM_EXACT ? 0 : u->accumulator.terms;
}

int bs_mma_output(const bs_mma *u, int has_tensor_scale) {
  if (!bs_is_mma(u)) return -1;
  int converted = u->sums_runs || (has_tensor_scale && u->accumulator.kind != BK_SUM_FIXED);
  return u->output >= BS_INT32 && converted ? BS_FLOAT32 : u->output;
}

static int known(const bs_mma *u, int side) { return bs_is_mma(u) && (side == 0 || side == 1); }

int bs_mma_code_bits(const bs_mma *u, int side) { return known(u, side) ? u->code_bits[side] : 0; }
int bs_mma_code_bytes(const bs_mma *u, int side) {
  return known(u, side) ? u->element[side].code_bytes : 0;
}
int bs_mma_scale_bits(const bs_mma *u, int side) {
  return known(u, side) ? u->scale_bits[side] : 0;
}
int64_t bs_mma_scales(const bs_mma *u, int side, int64_t k) {
  if (!known(u, side) || !u->has_scale[side] || k <= 0) return 0;
  return (k - 1) / u->block[side] + 1;
}

static int set_operand(const bs_mma *u, int side, int64_t lines, int64_t k, const bs_operand *from,
                       bk_operand *to) {
  char letter = side ? 'B' : 'A';
  if (!from) return bs_failf(BS_BAD_ARGUMENT, "%c is NULL", letter);
  if (lines > 0 && k > 0 && (!from->codes || (u->has_scale[side] && !from->scales)))
    return bs_failf(BS_BAD_ARGUMENT, "the codes or the scales of %c are NULL", letter);
  *to = (bk_operand){.element = &u->element[side], .codes = from->codes, .lines = lines, .depth = k};
  if (u->has_scale[side]) {
    to->scale = &u->scale[side];
    to->scale_codes = from->scales;
    // A block longer than K is one block; borders beyond K then cannot overflow.
    to->block = u->block[side] < k ? u->block[side] : k > 0 ? k : 1;
  }
  if (!from->tensor_scale) return BS_OK;
  to->has_tensor_scale = 1;
  to->tensor_scale = *from->tensor_scale;
  if (isfinite(to->tensor_scale) && to->tensor_scale > 0) return BS_OK;
  return bs_failf(BS_BAD_ARGUMENT, "the tensor scale of %c is %g, expected above 0", letter,
                  (double)to->tensor_scale);
}

static int64_t pattern_at(int type, const void *c, int64_t i) {
  switch (type) {
  case BS_FLOAT16: return ((const uint16_t *)c)[i];
  case BS_INT32: return ((const int32_t *)c)[i];
  case BS_INT64: return ((const int64_t *)c)[i];
  default: return ((const uint32_t *)c)[i];
  }
}

// Between bk_scratch_begin and bk_scratch_end.
static int multiply(const bs_mma *u, bk_matmul *p, const void *c, void *d) {
  int64_t count = p->a.lines * p->b.lines;
  int64_t *patterns = NULL;
  if (c) {
    patterns = bk_take((size_t)count * sizeof *patterns);
    if (!patterns) return bs_fail(BS_NO_MEMORY, "not enough memory for the product");
    for (int64_t i = 0; i < count; i++) patterns[i] = pattern_at(p->output_type, c, i);
    p->c = patterns;
  }
  if (u->target == BK_TARGET_AVX512 && bk_hot_matmul(p, d)) return BS_OK;
  bk_matmul_result result = bk_multiply(u->target, p, d);
  if (result.status == BK_OK) return BS_OK;
  if (result.status != BK_NOT_FINITE)
    return bs_fail(BS_NO_MEMORY, "not enough memory for the product");
  return bs_failf(BS_NOT_FINITE, "%c: NaN or infinity at line %lld, k = %lld: %s has neither",
                  result.side ? 'B' : 'A', (long long)result.line, (long long)result.k, u->name);
}

int bs_mma_multiply(const bs_mma *u, int64_t m, int64_t n, int64_t k, const bs_operand *a,
                    const bs_operand *b, const void *c, void *d) {
  int64_t a_count, b_count, d_count;
  if (!bs_is_mma(u)) return bs_fail(BS_BAD_ARGUMENT, "the unit's handle is NULL or not open");
  if (k > BS_MOST_TERMS || !bs_count(m, k, 1, &a_count) || !bs_count(n, k, 1, &b_count) ||
      !bs_count(m, n, 1, &d_count))
    return bs_failf(BS_BAD_ARGUMENT, "the sizes are m = %lld, n = %lld, k = %lld", (long long)m,
                    (long long)n, (long long)k);
  if (d_count > 0 && !d) return bs_fail(BS_BAD_ARGUMENT, "D is NULL");
  bk_matmul p;
  memset(&p, 0, sizeof p);
  int code = set_operand(u, 0, m, k, a, &p.a);
  if (code == BS_OK) code = set_operand(u, 1, n, k, b, &p.b);
  if (code != BS_OK || d_count == 0) return code;
  p.accumulator = u->accumulator;
  p.sums_runs = u->sums_runs;
  p.output_type = bs_mma_output(u, p.a.has_tensor_scale || p.b.has_tensor_scale);
  bk_scratch_begin();
  code = multiply(u, &p, c, d);
  bk_scratch_end();
  return code;
}

int bs_dot(const bs_mma *u, int64_t k, const bs_operand *a, const bs_operand *b, const void *c,
           void *d) {
  return bs_mma_multiply(u, 1, 1, k, a, b, c, d);
}

// Everything that a product of this size may take, whatever its numbers turn out to be: what the
// hand-tuned kernels take, then what the generic ones do beside C and a row of the scalar definition.
static int take_once(const bs_mma *u, bk_matmul *p, void *d) {
  int64_t chains = u->accumulator.chains, most = p->a.depth > chains ? p->a.depth : chains;
  void *c = bk_take((size_t)(p->a.lines * p->b.lines) * sizeof(int64_t));
  if (c && u->target == BK_TARGET_AVX512) bk_hot_matmul(p, d);
  void *row = bk_take((size_t)(most + 1) * sizeof(float));
  if (!c || !row) return bs_fail(BS_NO_MEMORY, "not enough memory for the product");
  // Generic kernels hold at most this many lines at a time.
  if (p->a.lines > 256) p->a.lines = 256;
  if (p->b.lines > 16) p->b.lines = 16;
  if (bk_multiply(u->target, p, d).status == BK_OK) return BS_OK;
  return bs_fail(BS_NO_MEMORY, "not enough memory for the product");
}

int bs_mma_prepare(const bs_mma *u, int64_t m, int64_t n, int64_t k) {
  int64_t a_count, b_count, d_count;
  if (!bs_is_mma(u)) return bs_fail(BS_BAD_ARGUMENT, "the unit's handle is NULL or not open");
  if (k > BS_MOST_TERMS || !bs_count(m, k, 4, &a_count) || !bs_count(n, k, 4, &b_count) ||
      !bs_count(m, n, 8, &d_count))
    return bs_fail(BS_BAD_ARGUMENT, "a size is negative or too large");
  if (d_count == 0) return BS_OK;
  size_t most = (size_t)(a_count > b_count ? a_count : b_count) + 1;
  void *codes = calloc(most, 1);
  uint32_t *scales = calloc(most, 1);
  void *d = calloc((size_t)d_count, 1);
  int code = BS_NO_MEMORY;
  if (codes && scales && d) {
    bs_operand zeros = {codes, scales, NULL};
    bk_matmul p;
    memset(&p, 0, sizeof p);
    set_operand(u, 0, m, k, &zeros, &p.a);
    set_operand(u, 1, n, k, &zeros, &p.b);
    p.accumulator = u->accumulator;
    p.sums_runs = u->sums_runs;
    p.output_type = bs_mma_output(u, 0);
    bk_scratch_begin();
    code = take_once(u, &p, d);
    bk_scratch_end();
  } else {
    bs_fail(BS_NO_MEMORY, "not enough memory");
  }
  free(codes);
  free(scales);
  free(d);
  return code;
}

int64_t bs_thread_bytes(void) { return (int64_t)bk_scratch_bytes(); }
void bs_thread_release(void) { bk_scratch_release(); }
