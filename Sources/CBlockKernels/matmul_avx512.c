#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#pragma STDC FP_CONTRACT OFF

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512cd,avx2,fma,bmi,bmi2"))), apply_to = function)
#define LANES 16
#define BK_HAS_FMA 1
#define BK_HAS_ROUND 1
#define BK_TABLE matmul_kernels_avx512
#include "matmul_body.h"
#pragma clang attribute pop
#endif
