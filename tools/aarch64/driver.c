// Prints results of the C kernels as hex, one line a case, for comparison between machines.
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#pragma STDC FP_CONTRACT OFF

static uint32_t bits_of(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

// Fixed inputs from a linear congruential generator: all float32 patterns, special values included.
static uint32_t next_bits(uint32_t *state) {
  *state = *state * 1664525u + 1013904223u;
  return *state ^ (*state >> 16);
}

static float next_float(uint32_t *state) {
  uint32_t bits = next_bits(state);
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

// A fused a*b+c, or subnormals flushed to zero, would show here. NaN bits are a machine's own.
static void print_arithmetic(void) {
  uint32_t state = 1;
  for (int i = 0; i < 1000; i++) {
    float a = next_float(&state), b = next_float(&state), c = next_float(&state);
    float sum = a * b + c, quotient = a / b;
    printf("arithmetic %d %08x %08x\n", i, sum == sum ? bits_of(sum) : 0x7fc00000u,
           quotient == quotient ? bits_of(quotient) : 0x7fc00000u);
  }
}

int main(void) {
  print_arithmetic();
  return 0;
}
