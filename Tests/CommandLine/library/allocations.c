// Calls on open handles take nothing from the heap: this program's own malloc counts.
#include <stddef.h>

#include "check.h"

#pragma STDC FP_CONTRACT OFF

static _Thread_local int counting;
static _Thread_local long counted;

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static void note(void) { counted += counting; }
void *malloc(size_t size) { note(); return __libc_malloc(size); }
void *calloc(size_t count, size_t size) { note(); return __libc_calloc(count, size); }
void *realloc(void *block, size_t size) { note(); return __libc_realloc(block, size); }
void *aligned_alloc(size_t alignment, size_t size) { note(); return __libc_memalign(alignment, size); }
void *memalign(size_t alignment, size_t size) { note(); return __libc_memalign(alignment, size); }
int posix_memalign(void **to, size_t alignment, size_t size) {
  note();
  *to = __libc_memalign(alignment, size);
  return *to ? 0 : 12;
}

static void start(void) {
  counted = 0;
  counting = 1;
}
static long stop(void) {
  counting = 0;
  return counted;
}

enum { ROWS = 7, COLUMNS = 300, COUNT = ROWS * COLUMNS };
static float values[COUNT], read_back[COUNT];
static uint8_t codes[4 * COUNT];
static uint32_t scales[COUNT], words[COUNT], more[COUNT];

static void format_calls(const char *name, const char *block, const char *recipe) {
  bs_format *f = format(name, block, recipe);
  fill_values(values, COUNT, 3);
  float factor = 0, t, amax;
  uint32_t scale;
  int64_t clamped;
  start();
  int code = bs_quantize(f, values, 1, ROWS, COLUMNS, &factor, NULL, codes, scales, &clamped);
  code |= bs_dequantize(f, codes, scales, 1, ROWS, COLUMNS, factor, read_back);
  code |= bs_encode(f, values, COUNT, NULL, codes) | bs_decode(f, codes, COUNT, read_back);
  code |= bs_amax(values, COUNT, &amax) | bs_tensor_scale(f, amax, &t);
  code |= bs_decode_scales(f, scales, 10, read_back);
  memcpy(words, values, sizeof words);
  code |= bs_quantize_packed(f, words, 100, 0x3f800000, (uint32_t *)codes, 400, scales, 400);
  code |= bs_dequantize_packed(f, (uint32_t *)codes, scales, 100, 0x3f800000, more, 400);
  code |= bs_encode_packed(f, words, 100, (uint32_t *)codes, 400);
  code |= bs_decode_packed(f, (uint32_t *)codes, 100, more, 400);
  if (!recipe) code |= bs_scale_of(f, amax, 1, &scale);
  bs_quantize(f, NULL, 1, ROWS, COLUMNS, NULL, NULL, codes, scales, NULL);
  long taken = stop();
  CHECK(code == BS_OK, "%s %s: %d", name, recipe ? recipe : "", code);
  CHECK(taken == 0, "%s %s: %ld allocations", name, recipe ? recipe : "", taken);
  bs_format_close(f);
}

static void mma_calls(const char *element, const char *scale, int64_t block, const char *accumulator,
                      int with_specials) {
  enum { M = 37, N = 21, K = 131 };
  static uint8_t a[M * K], b[N * K];
  static uint32_t sa[M * K], sb[N * K];
  static float d[2 * M * N];
  bs_mma *u = unit(element, scale, block, accumulator);
  fill_codes(a, M * K, (1u << bs_mma_code_bits(u, 0)) - 1, 5);
  fill_codes(b, N * K, (1u << bs_mma_code_bits(u, 1)) - 1, 6);
  for (int i = 0; i < M * K; i++) sa[i] = 0x30 + (uint32_t)i % 20;
  for (int i = 0; i < N * K; i++) sb[i] = 0x30 + (uint32_t)i % 20;
  if (with_specials) sa[3] = sb[2] = 0xff;
  bs_operand left = {a, sa, NULL}, right = {b, sb, NULL};
  memset(d, 0, sizeof d);
  bs_thread_release();
  start();
  int code = bs_mma_multiply(u, M, N, K, &left, &right, d, d);
  long first = stop();
  CHECK(code == BS_OK, "%s: %d", accumulator, code);
  CHECK(first > 0, "%s: the counter does not see the library's allocations", accumulator);
  int64_t kept = bs_thread_bytes();
  CHECK(kept > 0, "%s keeps no memory", accumulator);
  uint32_t packed_a[M * K], packed_sa[M * K];
  for (int i = 0; i < M * K; i++) packed_a[i] = packed_sa[i] = 0;
  int64_t sum;
  start();
  for (int again = 0; again < 3; again++) {
    code |= bs_mma_multiply(u, M, N, K, &left, &right, NULL, d);
    code |= bs_mma_multiply(u, M, N, K, &left, &right, d, d);
    code |= bs_mma_multiply(u, 5, 3, K / 2, &left, &right, d, d);
    code |= bs_dot(u, K, &left, &right, d, d);
    code |= bs_dot_packed(u, 64, packed_a, packed_sa, 0, packed_a, packed_sa, 0, 0, &sum);
  }
  long taken = stop();
  CHECK(code == BS_OK, "%s: %d", accumulator, code);
  CHECK(taken == 0, "%s: %ld allocations after the first call", accumulator, taken);
  CHECK(bs_thread_bytes() == kept, "%s: %lld bytes, then %lld", accumulator, (long long)kept,
        (long long)bs_thread_bytes());
  bs_mma_close(u);
}

// After bs_mma_prepare the first product allocates nothing, whatever its numbers.
static void prepared_calls(const char *element, const char *scale, const char *accumulator) {
  enum { M = 19, N = 18, K = 96 };
  static uint8_t a[M * K * 4], b[N * K * 4];
  static uint32_t sa[M * K], sb[N * K];
  static int64_t d[M * N];
  bs_mma *u = unit(element, scale, 32, accumulator);
  float t = 0.75f;
  for (int kind = 0; kind < 3; kind++) {
    fill_codes(a, sizeof a, (1u << bs_mma_code_bits(u, 0)) - 1, (uint64_t)kind);
    fill_codes(b, sizeof b, (1u << bs_mma_code_bits(u, 1)) - 1, (uint64_t)kind + 9);
    for (int i = 0; i < M * K; i++) sa[i] = kind == 2 ? (uint32_t)(i * 37) & 0xff : 0x38;
    for (int i = 0; i < N * K; i++) sb[i] = kind == 1 ? (uint32_t)(i * 73) & 0xff : 0x38;
    memset(d, 0, sizeof d);
    bs_operand left = {a, sa, kind == 1 ? &t : NULL}, right = {b, sb, NULL};
    bs_thread_release();
    CHECK(bs_mma_prepare(u, M, N, K) == BS_OK, "%s", accumulator);
    start();
    int code = bs_mma_multiply(u, M, N, K, &left, &right, d, d);
    long taken = stop();
    CHECK(code == BS_OK || code == BS_NOT_FINITE, "%s: %d", accumulator, code);
    CHECK(taken == 0, "%s, operands %d: %ld allocations after prepare", accumulator, kind, taken);
  }
  bs_mma_close(u);
}

int main(void) {
  format_calls("nvfp4", NULL, NULL);
  format_calls("mxfp4", "7", NULL);
  format_calls("mxfp8_e4m3", "32", NULL);
  format_calls("int8", "16x16", NULL);
  format_calls("fp8_channel", NULL, NULL);
  format_calls("mxfp4", "32", "torchao-floor");
  format_calls("nvfp4", NULL, "te-4over6");
  mma_calls("e2m1", "ue4m3", 16, "blackwell-fp4", 0);
  mma_calls("e2m1", "e8m0", 32, "blackwell-fp4", 1);
  mma_calls("e4m3", "e8m0", 32, "blackwell-mx", 0);
  mma_calls("e4m3", NULL, 0, "hopper-fp8", 1);
  mma_calls("int8", NULL, 0, "int8-wrap", 0);
  mma_calls("int8", "fp16", 32, "int8-saturate", 0);
  mma_calls("e4m3", "e8m0", 32, "fp32-pairwise", 1);
  mma_calls("e2m1", "ue4m3", 16, "exact", 0);
  mma_calls("e4m3", "e8m0", 32, "exact", 1);
  mma_calls("e2m1", "ue4m3", 16, "fixed(40,-20,wrap)", 0);
  prepared_calls("e4m3", "e8m0", "blackwell-mx");
  prepared_calls("e2m1", "ue4m3", "blackwell-fp4");
  prepared_calls("e4m3", NULL, "hopper-fp8-promoted");
  prepared_calls("e5m2", "e8m0", "fp32-pairwise");
  prepared_calls("e4m3", "ue4m3", "exact");
  prepared_calls("e2m1", "ue4m3", "exact");
  prepared_calls("int8", "ue4m3", "int8-wrap");
  prepared_calls("e5m2", NULL, "fixed(40,-20,wrap)");
  return finish();
}
