// Every matmul kernel of one instruction set. Include with LANES and BK_TABLE defined under the
// right target; BK_HAS_FMA and BK_HAS_ROUND where it has fused multiply-add and rounding to integers.
#include "matmul_lanes.h"
#include "matmul_fused.h"
#include "matmul_exact_steps.h"
#include "matmul_float32.h"
#include "matmul_registers.h"
#include "matmul_chains.h"

const matmul_kernels BK_TABLE = {
    .lanes = LANES,
    .floats = float_sums,
    .integers = integer_sums,
    .fixed = fixed_sums,
};
