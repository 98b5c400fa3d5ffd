// A format handle: its fields, and numbers one by one.
#include <math.h>
#include <stdlib.h>

#include "blockscale_handles.h"

#pragma STDC FP_CONTRACT OFF

void bs_format_close(bs_format *f) {
  if (!bs_is_format(f)) return;
  f->magic = 0;
  free(f->codebook);
  free(f->reciprocals);
  free(f);
}

int bs_format_code_bits(const bs_format *f) { return bs_is_format(f) ? f->code_bits : 0; }
int bs_format_code_bytes(const bs_format *f) {
  return bs_is_format(f) ? f->job.element.code_bytes : 0;
}
int bs_format_scale_bits(const bs_format *f) { return bs_is_format(f) ? f->scale_bits : 0; }
int bs_format_random_bits(const bs_format *f) { return bs_is_format(f) ? f->job.random_bits : 0; }

int bs_format_has_tensor_scale(const bs_format *f) {
  return bs_is_format(f) && f->tensor_rule != BS_FACTOR_ONE && f->tensor_rule != BS_FACTOR_REFUSED;
}

int bs_format_block(const bs_format *f, int64_t *rows, int64_t *columns) {
  if (!bs_is_format(f) || !f->has_scale) return -1;
  int sized = f->block_kind <= BS_BLOCK_TILE;
  if (rows) *rows = sized ? f->block_rows : 0;
  if (columns) *columns = sized ? f->block_columns : 0;
  return f->block_kind;
}

static int check_numbers(const bs_format *f, const void *from, int64_t count, const void *to) {
  int64_t checked;
  if (!bs_is_format(f)) return bs_fail(BS_BAD_ARGUMENT, "the format handle is NULL or not open");
  if (!bs_count(count, 1, 1, &checked))
    return bs_failf(BS_BAD_ARGUMENT, "the count is %lld", (long long)count);
  if (count > 0 && (!from || !to)) return bs_fail(BS_BAD_ARGUMENT, "an array is NULL");
  return BS_OK;
}

static int check_scale(const bs_format *f) {
  if (f->has_scale) return BS_OK;
  return bs_failf(BS_NOT_DEFINED, "%s is an element format, without scales", f->name);
}

int bs_check_random(const bs_format *f, const uint32_t *random, int64_t count) {
  int bits = f->job.random_bits;
  if (bits == 0 || count == 0) return BS_OK;
  if (!random) return bs_fail(BS_BAD_ARGUMENT, "stochastic rounding needs random values");
  for (int64_t i = 0; bits < 32 && i < count; i++)
    if (random[i] >> bits)
      return bs_failf(BS_BAD_ARGUMENT, "random value %lld is not below 2^%d", (long long)i, bits);
  return BS_OK;
}

int bs_encode(const bs_format *f, const float *values, int64_t count, const uint32_t *random,
              void *codes) {
  int code = check_numbers(f, values, count, codes);
  if (code == BS_OK) code = bs_check_random(f, random, count);
  if (code != BS_OK || count == 0) return code;
  int64_t refused = bk_encode(f->target, &f->job.element, f->job.rounding, f->job.random_bits, 0,
                              f->job.random_bits ? random : NULL, values, (size_t)count, codes);
  if (refused < 0) return BS_OK;
  return bs_failf(BS_NOT_FINITE, "element %lld is NaN, and %s has none", (long long)refused,
                  f->name);
}

int bs_decode(const bs_format *f, const void *codes, int64_t count, float *values) {
  int code = check_numbers(f, codes, count, values);
  if (code == BS_OK && count > 0)
    bk_decode(f->target, &f->job.element, codes, (size_t)count, values);
  return code;
}

int bs_decode_scales(const bs_format *f, const uint32_t *scales, int64_t count, float *values) {
  int code = check_numbers(f, scales, count, values);
  if (code == BS_OK) code = check_scale(f);
  if (code == BS_OK && count > 0) bk_decode_scales(&f->job.scale, scales, (size_t)count, values);
  return code;
}

int bs_scale_of(const bs_format *f, float amax, float tensor_scale, uint32_t *scale) {
  int code = check_numbers(f, scale, 1, scale);
  if (code == BS_OK) code = check_scale(f);
  if (code != BS_OK) return code;
  if (f->has_recipe)
    return bs_failf(BS_NOT_DEFINED, "recipe %s gives a scale to whole blocks only", f->recipe_name);
  if (!(isfinite(tensor_scale) && tensor_scale > 0) || amax < 0)
    return bs_fail(BS_BAD_ARGUMENT, "expected an amax of at least 0 and a tensor scale above 0");
  bk_job job = f->job;
  int clamped;
  job.tensor_scale = tensor_scale;
  *scale = bk_exact_scale(&job, amax, &clamped);
  return BS_OK;
}

int bs_amax(const float *values, int64_t count, float *amax) {
  int64_t checked, others;
  if (!amax || !bs_count(count, 1, 1, &checked) || (count > 0 && !values))
    return bs_fail(BS_BAD_ARGUMENT, "an array is NULL, or the count is out of range");
  *amax = count ? bk_finite_amax(BK_TARGET_AUTO, values, (size_t)count, &others) : 0;
  return BS_OK;
}

// Philox4x32 with 10 rounds, word 0 of counter (index, 0): Salmon et al., "Parallel Random
// Numbers: As Easy as 1, 2, 3", SC 2011, section 3.3.
static uint32_t philox(uint64_t seed, uint64_t index) {
  uint32_t key0 = (uint32_t)seed, key1 = (uint32_t)(seed >> 32);
  uint32_t c0 = (uint32_t)index, c1 = (uint32_t)(index >> 32), c2 = 0, c3 = 0;
  for (int round = 0; round < 10; round++) {
    uint64_t p0 = (uint64_t)c0 * 0xD2511F53, p1 = (uint64_t)c2 * 0xCD9E8D57;
    uint32_t next0 = (uint32_t)(p1 >> 32) ^ c1 ^ key0, next2 = (uint32_t)(p0 >> 32) ^ c3 ^ key1;
    c1 = (uint32_t)p1;
    c3 = (uint32_t)p0;
    c0 = next0;
    c2 = next2;
    key0 += 0x9E3779B9;
    key1 += 0xBB67AE85;
  }
  return c0;
}

int bs_random(uint64_t seed, int64_t first, int bits, int64_t count, uint32_t *random) {
  int64_t checked;
  if (first < 0 || bits < 1 || bits > 32 || !bs_count(count, 1, 1, &checked) ||
      (count > 0 && !random))
    return bs_fail(BS_BAD_ARGUMENT, "expected 1 to 32 bits, sizes of at least 0, and an array");
  for (int64_t i = 0; i < count; i++)
    random[i] = philox(seed, (uint64_t)first + (uint64_t)i) >> (32 - bits);
  return BS_OK;
}
