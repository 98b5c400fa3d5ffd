#if defined(__x86_64__)
#include <immintrin.h>
#endif
#include <math.h>
#include <stdint.h>
#include <string.h>

#pragma STDC FP_CONTRACT OFF

#define LANES 4
#define BK_TABLE bk_kernels_baseline
#include "kernel_body.h"
