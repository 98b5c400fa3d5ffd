// Runs every kernel on seeded inputs and prints a checksum of each case's outputs, one line a case.
//
// Targets of one machine must agree (exit code 1 otherwise); between machines the printed lines
// must, which tools/test-aarch64 compares.
#include <stdio.h>

#include "formats.h"
#include "harness.h"

#pragma STDC FP_CONTRACT OFF

// A fused a*b+c, or subnormals flushed to zero, would show here. NaN bits are a machine's own.
static checksum arithmetic(int target, const void *context) {
  (void)target, (void)context;
  uint64_t state = 1;
  checksum sum = CHECKSUM_START;
  for (int i = 0; i < 10000; i++) {
    float a = float_of(next_bits(&state)), b = float_of(next_bits(&state));
    float c = float_of(next_bits(&state)), results[] = {a * b + c, a / b};
    for (int j = 0; j < 2; j++) {
      uint32_t bits = results[j] == results[j] ? bits_of(results[j]) : 0x7fc00000;
      sum = add_bytes(sum, &bits, sizeof bits);
    }
  }
  return sum;
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  make_formats();
  run_case(arithmetic, NULL, "arithmetic");
  single_cases();
  block_cases();
  e2m1_cases();
  recipe_cases();
  statistics_cases();
  hot_matmul_cases();
  matmul_cases();
  if (failures > 0) fprintf(stderr, "driver: %d expectations failed\n", failures);
  return failures > 0;
}
