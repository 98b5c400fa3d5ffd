// Bad arguments give codes and messages, and nothing else happens.
#include <math.h>

#include "check.h"

#pragma STDC FP_CONTRACT OFF

static void expect(int code, int observed, const char *what) {
  CHECK(observed == code, "%s: expected %d (%s), observed %d (%s)", what, code, bs_message(code),
        observed, bs_message(observed));
  CHECK(code == BS_OK || bs_last_error()[0] != 0, "%s: no message", what);
}

static void opening(void) {
  bs_format *f = (bs_format *)0x1;
  bs_mma *u = (bs_mma *)0x1;
  expect(BS_BAD_ARGUMENT, bs_format_open("nvfp4", NULL, NULL, NULL), "no place");
  expect(BS_BAD_ARGUMENT, bs_format_open(NULL, NULL, NULL, &f), "no name");
  expect(BS_BAD_ARGUMENT, bs_format_open("", NULL, NULL, &f), "empty name");
  expect(BS_UNKNOWN_NAME, bs_format_open("nvfp5", NULL, NULL, &f), "unknown format");
  expect(BS_UNKNOWN_NAME, bs_format_open("\xff\xfe\x80", NULL, NULL, &f), "not UTF-8");
  expect(BS_UNKNOWN_NAME, bs_format_open("nvfp4", NULL, "nosuch", &f), "unknown recipe");
  const char *blocks[] = {"0", "-1", "x", "16x", "99999999999999999999", "1x2x3", "0x4", " 16"};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
    expect(BS_BAD_ARGUMENT, bs_format_open("nvfp4", blocks[i], NULL, &f), blocks[i]);
  expect(BS_NOT_DEFINED, bs_format_open("e2m1", "16", NULL, &f), "an element's block");
  expect(BS_NOT_DEFINED, bs_format_open("int8", NULL, "ct-nvfp4", &f), "recipe of another format");
  expect(BS_UNKNOWN_NAME, bs_format_open_file(NULL, "e2m1", NULL, NULL, "sideways", &f), "rounding");
  expect(BS_UNKNOWN_NAME, bs_format_open_file(NULL, "e2m1", NULL, NULL, "stochastic:33", &f), "33");
  expect(BS_BAD_FILE, bs_format_open_file("/nonexistent/f.json5", "e2m1", NULL, NULL, NULL, &f),
         "no file");
  CHECK(f == (bs_format *)0x1, "a refused call wrote a handle");
  expect(BS_BAD_ARGUMENT, bs_mma_open(NULL, "e2m1", NULL, 0, NULL, NULL, 0, "exact", NULL), "place");
  expect(BS_BAD_ARGUMENT, bs_mma_open(NULL, NULL, NULL, 0, NULL, NULL, 0, "exact", &u), "element");
  expect(BS_BAD_ARGUMENT, bs_mma_open(NULL, "e2m1", NULL, 0, NULL, NULL, 0, NULL, &u), "accumulator");
  expect(BS_UNKNOWN_NAME, bs_mma_open(NULL, "e9m9", NULL, 0, NULL, NULL, 0, "exact", &u), "element");
  expect(BS_UNKNOWN_NAME, bs_mma_open(NULL, "e2m1", "e9", 4, NULL, NULL, 0, "exact", &u), "scale");
  expect(BS_UNKNOWN_NAME, bs_mma_open(NULL, "e2m1", NULL, 0, NULL, NULL, 0, "hopper", &u), "unit");
  expect(BS_BAD_ARGUMENT, bs_mma_open(NULL, "e2m1", "e8m0", 0, NULL, NULL, 0, "exact", &u), "block");
  expect(BS_BAD_ARGUMENT, bs_mma_open(NULL, "e2m1", NULL, 0, NULL, "e8m0", INT64_MIN, "exact", &u),
         "negative block");
  expect(BS_NOT_DEFINED, bs_mma_open(NULL, "e2m1", NULL, 0, NULL, NULL, 0, "hopper-fp8", &u),
         "operand of another unit");
  expect(BS_NOT_DEFINED, bs_mma_open(NULL, "e4m3", "ue4m3", 16, NULL, NULL, 0, "blackwell-mx", &u),
         "scale of another unit");
  CHECK(u == (bs_mma *)0x1, "a refused call wrote a handle");
}

static void quantising(void) {
  bs_format *f = format("nvfp4", NULL, NULL), *e = format("e2m1", NULL, NULL);
  float x[32] = {1}, t = -1, y[32];
  uint8_t c[32];
  uint32_t s[32], scale;
  bs_format *wrong = (bs_format *)unit("e2m1", NULL, 0, "exact");
  expect(BS_BAD_ARGUMENT, bs_quantize(NULL, x, 1, 1, 32, NULL, NULL, c, s, NULL), "NULL handle");
  expect(BS_BAD_ARGUMENT, bs_quantize(wrong, x, 1, 1, 32, NULL, NULL, c, s, NULL), "other handle");
  expect(BS_BAD_ARGUMENT, bs_quantize(f, NULL, 1, 1, 32, NULL, NULL, c, s, NULL), "NULL values");
  expect(BS_BAD_ARGUMENT, bs_quantize(f, x, 1, 1, 32, NULL, NULL, NULL, s, NULL), "NULL codes");
  expect(BS_BAD_ARGUMENT, bs_quantize(f, x, 1, 1, 32, NULL, NULL, c, NULL, NULL), "NULL scales");
  const int64_t sizes[] = {-1, INT64_MIN, INT64_MAX, BS_MOST_ELEMENTS + 1};
  for (int i = 0; i < 4; i++) {
    expect(BS_BAD_ARGUMENT, bs_quantize(f, x, sizes[i], 1, 1, NULL, NULL, c, s, NULL), "matrices");
    expect(BS_BAD_ARGUMENT, bs_quantize(f, x, 1, sizes[i], 2, NULL, NULL, c, s, NULL), "rows");
    expect(BS_BAD_ARGUMENT, bs_quantize(f, x, 0, 1, sizes[i], NULL, NULL, c, s, NULL), "columns");
    expect(BS_BAD_ARGUMENT, bs_encode(f, x, sizes[i], NULL, c), "count");
    expect(BS_BAD_ARGUMENT, bs_decode(f, c, sizes[i], y), "count");
    CHECK(bs_scale_count(f, 1, sizes[i], 1) == -1, "scale count");
  }
  const float factors[] = {-1, NAN, INFINITY};
  for (int i = 0; i < 3; i++) {
    t = factors[i];
    expect(BS_BAD_ARGUMENT, bs_quantize(f, x, 1, 1, 32, &t, NULL, c, s, NULL), "tensor scale");
    expect(BS_BAD_ARGUMENT, bs_dequantize(f, c, s, 1, 1, 32, factors[i], y), "tensor scale");
    expect(BS_BAD_ARGUMENT, bs_tensor_scale(f, factors[i], &t), "amax");
    expect(BS_BAD_ARGUMENT, bs_scale_of(f, 1, factors[i], &scale), "tensor scale");
  }
  expect(BS_BAD_ARGUMENT, bs_dequantize(f, c, s, 1, 1, 32, 0, y), "tensor scale 0");
  expect(BS_OK, bs_quantize(f, NULL, 0, 4, 4, NULL, NULL, NULL, NULL, NULL), "nothing");
  expect(BS_NOT_DEFINED, bs_quantize(e, x, 1, 1, 32, NULL, NULL, c, s, NULL), "an element");
  expect(BS_NOT_DEFINED, bs_decode_scales(e, s, 1, y), "an element's scales");
  bs_format *modelopt = format("nvfp4", NULL, "modelopt-nvfp4");
  float nothing[32] = {0};
  expect(BS_NOT_DEFINED, bs_quantize(modelopt, nothing, 1, 1, 32, NULL, NULL, c, s, NULL), "T of 0");
  expect(BS_NOT_DEFINED, bs_tensor_scale(modelopt, 0, &t), "T of 0");
  expect(BS_OK, bs_quantize(modelopt, x, 1, 1, 32, NULL, NULL, c, s, NULL), "T of 1");
  bs_format_close(modelopt);
  x[5] = NAN;
  expect(BS_NOT_FINITE, bs_encode(e, x, 32, NULL, c), "NaN in E2M1");
  CHECK(strstr(bs_last_error(), "element 5"), "no position");
  bs_format *random = NULL;
  expect(BS_OK, bs_format_open_file(NULL, "mxfp4", NULL, NULL, "stochastic:4", &random), "open");
  uint32_t bits[32] = {0};
  bits[9] = 16;
  expect(BS_BAD_ARGUMENT, bs_quantize(random, y, 1, 1, 32, NULL, NULL, c, s, NULL), "no bits");
  expect(BS_BAD_ARGUMENT, bs_quantize(random, y, 1, 1, 32, NULL, bits, c, s, NULL), "large bits");
  expect(BS_BAD_ARGUMENT, bs_random(1, 0, 0, 1, bits), "no bits to draw");
  expect(BS_BAD_ARGUMENT, bs_random(1, -1, 8, 1, bits), "first below 0");
  bs_format_close(random);
  bs_format_close(f);
  bs_format_close(e);
  bs_format_close(NULL);
  bs_mma_close((bs_mma *)wrong);
}

static void multiplying(void) {
  bs_mma *u = unit("e4m3", "e8m0", 32, "exact"), *fixed = unit("e4m3", NULL, 0, "fixed(24,-9,wrap)");
  uint8_t c[64] = {0};
  uint32_t s[8] = {127, 127};
  float d[4], zero = 0, nan = NAN;
  int64_t wide[4];
  bs_operand x = {c, s, NULL}, none = {NULL, s, NULL}, unscaled = {c, NULL, NULL};
  bs_operand bad = {c, s, &zero}, worse = {c, s, &nan};
  expect(BS_BAD_ARGUMENT, bs_mma_multiply(NULL, 1, 1, 64, &x, &x, NULL, d), "NULL unit");
  expect(BS_BAD_ARGUMENT, bs_mma_multiply(u, 1, 1, 64, NULL, &x, NULL, d), "NULL A");
  expect(BS_BAD_ARGUMENT, bs_mma_multiply(u, 1, 1, 64, &x, NULL, NULL, d), "NULL B");
  expect(BS_BAD_ARGUMENT, bs_mma_multiply(u, 1, 1, 64, &none, &x, NULL, d), "NULL codes");
  expect(BS_BAD_ARGUMENT, bs_mma_multiply(u, 1, 1, 64, &x, &unscaled, NULL, d), "NULL scales");
  expect(BS_BAD_ARGUMENT, bs_mma_multiply(u, 1, 1, 64, &x, &x, NULL, NULL), "NULL D");
  expect(BS_BAD_ARGUMENT, bs_mma_multiply(u, 1, 1, 64, &bad, &x, NULL, d), "tensor scale 0");
  expect(BS_BAD_ARGUMENT, bs_mma_multiply(u, 1, 1, 64, &x, &worse, NULL, d), "tensor scale NaN");
  const int64_t sizes[] = {-1, INT64_MIN, INT64_MAX, BS_MOST_ELEMENTS + 1};
  for (int i = 0; i < 4; i++) {
    expect(BS_BAD_ARGUMENT, bs_mma_multiply(u, sizes[i], 1, 1, &x, &x, NULL, d), "m");
    expect(BS_BAD_ARGUMENT, bs_mma_multiply(u, 1, sizes[i], 1, &x, &x, NULL, d), "n");
    expect(BS_BAD_ARGUMENT, bs_mma_multiply(u, 1, 1, sizes[i], &x, &x, NULL, d), "k");
    expect(BS_BAD_ARGUMENT, bs_mma_prepare(u, 1, 1, sizes[i]), "prepare");
  }
  expect(BS_OK, bs_mma_multiply(u, 0, 3, 64, &x, &x, NULL, NULL), "no rows");
  d[0] = 7;
  expect(BS_OK, bs_mma_multiply(u, 1, 1, 0, &none, &none, NULL, d), "no terms");
  CHECK(d[0] == 0, "the sum of nothing is %g", (double)d[0]);
  c[40] = 0x7f;
  expect(BS_NOT_FINITE, bs_mma_multiply(fixed, 1, 1, 64, &x, &x, NULL, wide), "NaN");
  CHECK(strstr(bs_last_error(), "k = 40"), "no position");
  CHECK(bs_mma_step(NULL) == -1 && bs_mma_output(NULL, 0) == -1, "NULL unit");
  CHECK(bs_mma_code_bits(u, 2) == 0 && bs_mma_scales(u, -1, 5) == 0, "no such side");
  bs_mma_close(u);
  bs_mma_close(fixed);
  bs_mma_close(NULL);
}

static void packing(void) {
  bs_format *f = format("nvfp4", NULL, NULL);
  bs_mma *u = unit("e2m1", "ue4m3", 16, "exact");
  uint32_t x[64] = {0}, c[64], s[64];
  int64_t d;
  expect(BS_BAD_ARGUMENT, bs_quantize_packed(f, x, -1, 0, c, 8, s, 8), "count");
  expect(BS_BAD_ARGUMENT, bs_quantize_packed(f, x, BS_MOST_PACKED + 1, 0, c, 64, s, 64), "count");
  expect(BS_BAD_ARGUMENT, bs_quantize_packed(f, x, 64, 0, c, 7, s, 1), "short codes");
  expect(BS_BAD_ARGUMENT, bs_quantize_packed(f, x, 64, 0, c, 8, s, 0), "short scales");
  expect(BS_OK, bs_quantize_packed(f, x, 64, 0, c, 8, s, 1), "just enough");
  expect(BS_BAD_ARGUMENT, bs_quantize_packed(f, NULL, 64, 0, c, 8, s, 1), "NULL");
  expect(BS_BAD_ARGUMENT, bs_dequantize_packed(f, c, s, 64, 0, x, 64), "tensor scale 0");
  expect(BS_BAD_ARGUMENT, bs_decode_packed(f, c, 64, x, 63), "short values");
  expect(BS_BAD_ARGUMENT, bs_encode_packed(NULL, x, 64, c, 8), "NULL");
  expect(BS_BAD_ARGUMENT, bs_dot_packed(u, -1, c, s, 0, c, s, 0, 0, &d), "k");
  expect(BS_BAD_ARGUMENT, bs_dot_packed(u, 64, c, NULL, 0, c, s, 0, 0, &d), "scales");
  expect(BS_BAD_ARGUMENT, bs_dot_packed(u, 64, c, s, 0x7fc00000, c, s, 0, 0, &d), "tensor scale");
  CHECK(!bs_format_open_handle("", "nope", "", "", ""), "a handle for nothing");
  bs_format_close(f);
  bs_mma_close(u);
}

int main(void) {
  opening();
  quantising();
  multiplying();
  packing();
  CHECK(bs_interface_version() == 1 && bs_version()[0], "no version");
  CHECK(bs_message(-5)[0] && bs_message(99)[0], "no message");
  return finish();
}
