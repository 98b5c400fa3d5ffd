// Numbers without blocks: encoding, decoding, scales, maxima.
#include <stdio.h>
#include <string.h>

#include "formats.h"
#include "harness.h"

#pragma STDC FP_CONTRACT OFF

static const size_t counts[] = {0, 1, 3, 4, 7, 8, 15, 16, 17, 31, 33, 1000};
enum { COUNTS = sizeof counts / sizeof counts[0] };

typedef struct {
  const driver_element *element;
  int rounding, random_bits, non_finite;
} encode_context;

static checksum encode_one(int target, const encode_context *c, int kind, size_t count) {
  const bk_element *e = &c->element->format;
  size_t bytes = count * (size_t)e->code_bytes;
  const float *x = make_input(kind, count, count + (size_t)kind);
  const uint32_t *random = c->random_bits ? make_random(count, c->random_bits, count) : NULL;
  void *codes = take(count, (size_t)e->code_bytes, 0xaa);
  int64_t refused =
      bk_encode(target, e, c->rounding, c->random_bits, c->non_finite, random, x, count, codes);
  checksum sum = add_bytes(CHECKSUM_START, &refused, sizeof refused);
  if (refused < 0) sum = add_bytes(sum, codes, bytes);
  return sum;
}

static checksum encode_numbers(int target, const void *context) {
  checksum sum = CHECKSUM_START;
  for (int kind = 0; kind < KIND_COUNT; kind++) {
    for (int i = 0; i < COUNTS; i++) {
      checksum one = encode_one(target, context, kind, counts[i]);
      sum = add_bytes(sum, &one, sizeof one);
      release();
    }
  }
  return sum;
}

// The low bytes of consecutive numbers, as codes of so many bytes.
static void *make_codes(size_t count, size_t size, uint32_t first) {
  uint8_t *codes = take(count, size, 0);
  for (size_t i = 0; i < count; i++) {
    uint32_t code = first + (uint32_t)i;
    memcpy(codes + i * size, &code, size);
  }
  return codes;
}

static checksum decode_codes(int target, const void *context) {
  const bk_element *e = &((const driver_element *)context)->format;
  checksum sum = CHECKSUM_START;
  for (int i = 0; i <= COUNTS; i++) {
    size_t count = i < COUNTS ? counts[i] : (size_t)e->code_mask + 1;
    void *codes = make_codes(count, (size_t)e->code_bytes, 0);
    float *output = take(count, sizeof(float), 0xaa);
    // Codes are below code_mask + 1.
    if (count <= (size_t)e->code_mask + 1) {
      bk_decode(target, e, codes, count, output);
      sum = add_bytes(sum, output, count * sizeof(float));
    }
    release();
  }
  return sum;
}

static checksum decode_scale_codes(int target, const void *context) {
  (void)target;
  const bk_scale *s = &((const driver_scale *)context)->format;
  size_t count = 70000;
  uint32_t *codes = take(count, sizeof(uint32_t), 0);
  float *output = take(count, sizeof(float), 0xaa);
  uint64_t state = 7;
  for (size_t i = 0; i < count; i++)
    codes[i] = s->format.code_mask > 0xffff ? next_bits(&state) : (uint32_t)i & s->format.code_mask;
  bk_decode_scales(s, codes, count, output);
  checksum sum = add_bytes(CHECKSUM_START, output, count * sizeof(float));
  release();
  return sum;
}

static checksum encode_e8m0(int target, const void *context) {
  (void)context;
  checksum sum = CHECKSUM_START;
  for (int kind = 0; kind < KIND_COUNT; kind++) {
    for (int i = 0; i < COUNTS; i++) {
      const float *x = make_input(kind, counts[i], 11);
      uint32_t *codes = take(counts[i], sizeof(uint32_t), 0xaa);
      bk_encode_e8m0(target, x, counts[i], codes);
      sum = add_bytes(sum, codes, counts[i] * sizeof(uint32_t));
      release();
    }
  }
  return sum;
}

static checksum maxima(int target, const void *context) {
  (void)context;
  checksum sum = CHECKSUM_START;
  for (int kind = 0; kind < KIND_COUNT; kind++) {
    for (size_t count = 0; count < 70; count++) {
      int64_t special = -1;
      float amax = bk_finite_amax(target, make_input(kind, count, count), count, &special);
      sum = add_bytes(sum, &amax, sizeof amax);
      sum = add_bytes(sum, &special, sizeof special);
      release();
    }
  }
  return sum;
}

// More numbers than one count of special values holds.
static checksum long_maximum(int target, const void *context) {
  (void)context;
  size_t count = (2 << 20) + 77;
  float *x = take(count, sizeof(float), 0xff);
  for (size_t i = 0; i < count; i += 3) x[i] = (float)(i % 1000);
  int64_t special = -1;
  float amax = bk_finite_amax(target, x, count, &special);
  checksum sum = add_bytes(CHECKSUM_START, &amax, sizeof amax);
  release();
  return add_bytes(sum, &special, sizeof special);
}

void single_cases(void) {
  for (int i = 0; i < ELEMENT_COUNT; i++) {
    for (int rounding = 0; rounding <= BK_ROUND_STOCHASTIC; rounding++) {
      static const int widths[] = {1, 8, 13, 32};
      for (int w = 0; w < (rounding == BK_ROUND_STOCHASTIC ? 4 : 1); w++) {
        int bits = rounding == BK_ROUND_STOCHASTIC ? widths[w] : 0;
        for (int overflow = 0; overflow < 2; overflow++) {
          encode_context c = {&elements[i], rounding, bits, overflow};
          run_case(encode_numbers, &c, "encode %s rounding %d bits %d overflow %d",
                   elements[i].name, rounding, bits, overflow);
        }
      }
    }
    run_case(decode_codes, &elements[i], "decode %s", elements[i].name);
  }
  for (int i = 0; i < SCALE_COUNT; i++) {
    run_case(decode_scale_codes, &scales[i], "decode scale %s", scales[i].name);
    if (scales[i].format.kind != BK_SCALE_FLOAT || scales[i].format.format.mantissa_bits == 23)
      continue;
    driver_element as_element = {scales[i].name, scales[i].format.format, 0};
    encode_context c = {&as_element, BK_ROUND_TIES_TO_EVEN, 0, 0};
    run_case(encode_numbers, &c, "encode scale %s", scales[i].name);
  }
  run_case(encode_e8m0, NULL, "encode e8m0");
  run_case(maxima, NULL, "maximum");
  run_case(long_maximum, NULL, "long maximum");
}
