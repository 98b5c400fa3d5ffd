#if defined(__x86_64__)
#include <immintrin.h>
#endif
#include <math.h>
#include <stdint.h>
#include <string.h>

#pragma STDC FP_CONTRACT OFF

#if defined(__aarch64__)
#define BK_HAS_FMA 1
#define BK_HAS_ROUND 1
#endif
#define LANES 4
#define BK_TABLE matmul_kernels_baseline
#include "matmul_body.h"
