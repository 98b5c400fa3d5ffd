#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#pragma STDC FP_CONTRACT OFF

#pragma clang attribute push(__attribute__((target("avx2,bmi,bmi2"))), apply_to = function)
#define LANES 8
#define BK_HAS_ROUND 1
#define BK_TABLE matmul_kernels_avx2
#include "matmul_body.h"
#pragma clang attribute pop
#endif
