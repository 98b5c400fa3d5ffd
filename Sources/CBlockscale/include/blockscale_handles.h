#ifndef BLOCKSCALE_HANDLES_H
#define BLOCKSCALE_HANDLES_H

// What handles hold: filled in when they are opened, read by every call. Not part of the interface.

#include "block_kernels.h"
#include "blockscale.h"
#include "matmul.h"

enum { BS_FORMAT_MAGIC = 0x62734631, BS_MMA_MAGIC = 0x62734d31 };

// Where a tensor scale comes from; the last five are those of named recipes.
enum {
  BS_FACTOR_ONE,
  BS_FACTOR_EXACT,
  BS_FACTOR_REFUSED,  // only 1 is known
  BS_FACTOR_DECODE_2688,
  BS_FACTOR_ENCODE_2688,
  BS_FACTOR_ENCODE_1536,
  BS_FACTOR_ENCODE_PLAIN_2688,
  BS_FACTOR_ENCODE_INPUT_RECIPROCAL_2688
};

struct bs_format {
  uint32_t magic;
  int32_t target;
  bk_job job;         // its tensor scale is each call's
  bk_job tensor_job;  // gives a tensor's scale as bk_exact_scale gives a block's
  bk_recipe recipe;
  int32_t has_recipe, has_scale, code_bits, scale_bits;
  int32_t block_kind, tensor_rule;  // BS_BLOCK_..., BS_FACTOR_...
  int64_t block_rows, block_columns;
  float *codebook;
  uint32_t *reciprocals;  // arguments, then results
  char name[64], recipe_name[64];
};

struct bs_mma {
  uint32_t magic;
  int32_t target;
  bk_element element[2];
  bk_scale scale[2];
  int64_t block[2];
  int32_t has_scale[2], code_bits[2], scale_bits[2];
  float *codebook[2];
  bk_accumulator accumulator;
  int32_t sums_runs, output;
  char name[64];
};

// Notes the calling thread's failure and returns its code.
int bs_fail(int code, const char *text);
int bs_failf(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

// The heap, for what handles keep.
void *bs_take(size_t bytes);
void bs_drop(void *block);

static inline int bs_is_format(const bs_format *f) { return f && f->magic == BS_FORMAT_MAGIC; }
static inline int bs_is_mma(const bs_mma *u) { return u && u->magic == BS_MMA_MAGIC; }

// Whether sizes are none of them negative and their product is within BS_MOST_ELEMENTS.
int bs_count(int64_t x, int64_t y, int64_t z, int64_t *count);

#endif
