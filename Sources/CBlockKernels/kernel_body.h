// Every loop of one instruction set. Include with LANES, BK_SUFFIX defined under the right target.
#include "encode_lanes.h"
#include "encode_hot.h"
#include "decode_lanes.h"
#include "kernels.h"
#include "loops_amax.h"
#include "loops_scales.h"
#include "loops_encode.h"
#include "loops_codebook.h"
#include "loops_single.h"
#include "loops_e2m1.h"

const bk_kernels BK_TABLE = {
    .row_amax = row_amax,
    .scales = scales_and_factors,
    .encode_row = encode_row,
    .recipe_row = recipe_row,
    .pack_row = pack_row,
    .unpack_row = unpack_row,
    .decode_row = decode_row,
    .encode = encode,
    .decode = decode,
    .encode_e8m0 = encode_e8m0,
    .finite_amax = finite_amax,
#if defined(BK_AVX512)
    .e2m1_row = e2m1_row,
    .e2m1_fits = e2m1_fits,
#endif
};
