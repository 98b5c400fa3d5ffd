#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#pragma STDC FP_CONTRACT OFF

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512cd,avx2,bmi,bmi2"))), apply_to = function)
#define BK_AVX512 1
#define LANES 16
#define BK_TABLE bk_kernels_avx512
#include "kernel_body.h"
#pragma clang attribute pop
#endif
