#ifndef BLOCKSCALE_H
#define BLOCKSCALE_H

/*
 * Blockscale from C, DPI-C, ctypes and cocotb: bit-exact block-scaled number formats.
 *
 * Open a handle by name, use it from any number of threads, close it. Names are those of the
 * command line (`blockscale formats`), case-insensitive; NULL or "" where one may be left out.
 *
 * Errors. Every function that can fail returns BS_OK (0) or another BS_ code, and writes no handle
 * then; bs_message explains the code, bs_last_error the last failure of the calling thread. Bad
 * arguments (NULL, negative sizes, unknown names) are codes, never traps. Pointers must be NULL or
 * point to as much memory as the sizes say; handles must be open.
 *
 * Threads. An open handle never changes: any threads may use one at the same time. Closing one that
 * is in use is an error that nothing detects. All else is on the stack or belongs to the calling
 * thread.
 *
 * Memory. Opening a handle allocates. bs_quantize, bs_dequantize, bs_encode, bs_decode, the scale
 * functions and their packed forms never do. bs_mma, bs_dot and bs_dot_packed work in memory that
 * the calling thread keeps: it grows in the first call that needs more than any before, and a
 * further call with the same handle, sizes and operands, or with others that need no more, allocates
 * nothing. After bs_mma_prepare no product of that size allocates on that thread, whatever its
 * operands. bs_thread_release gives the memory back, as does the thread's end. Do not unload the library while such threads live.
 *
 * Codes are stored one per element in bs_format_code_bytes (1, 2 or 4) bytes, native order (little
 * endian on every supported machine); scales one per block as uint32_t patterns. The *_packed forms
 * hold fields side by side in uint32_t words, element 0 in the least significant bits, as svBitVecVal
 * does: they take SystemVerilog's packed vectors as they are.
 */

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BS_OK 0
#define BS_BAD_ARGUMENT 1 /* NULL, a size that is negative or too large, a number out of range */
#define BS_UNKNOWN_NAME 2 /* no format, recipe, rounding or accumulator is called that */
#define BS_BAD_FILE 3     /* a JSON5 file of formats cannot be read or used */
#define BS_NOT_DEFINED 4  /* the recipe, block, rounding or accumulator does not take this format */
#define BS_NOT_FINITE 5   /* a NaN or infinity where the format or the register has none */
#define BS_UNKNOWN_STEP 6 /* a block needs a step of a named recipe that nobody has established */
#define BS_NO_MEMORY 7

/* Larger sizes are BS_BAD_ARGUMENT: elements of one array; K; elements of a packed vector. */
#define BS_MOST_ELEMENTS ((int64_t)1 << 40)
#define BS_MOST_TERMS ((int64_t)1 << 24)
#define BS_MOST_PACKED 4096

/* Version of the library, "0.1.0", and of this interface: 1, raised when a function changes. */
const char *bs_version(void);
int bs_interface_version(void);
/* What a code means. Never NULL. */
const char *bs_message(int code);
/* The calling thread's last failure in words, "" before any. Valid until its next failure. */
const char *bs_last_error(void);

/* ---- One format ---------------------------------------------------------------------------- */

/* An element format, and where it has them a scale format, a block and a recipe. */
typedef struct bs_format bs_format;

/*
 * Opens a block format ("nvfp4") or an element format alone ("e2m1": encode and decode only).
 *   block   "16", "16x16", "axis", "tensor"; NULL: the format's own.
 *   recipe  "exact", ...; NULL: exact.
 */
int bs_format_open(const char *name, const char *block, const char *recipe, bs_format **format);
/*
 * The same with rows of a user's own JSON5 file (`--formats FILE`), and with a rounding.
 *   file      NULL: none.
 *   rounding  "tiesToEven", ..., "stochastic:8"; NULL: the recipe's, or tiesToEven.
 */
int bs_format_open_file(const char *file, const char *name, const char *block, const char *recipe,
                        const char *rounding, bs_format **format);
void bs_format_close(bs_format *format); /* NULL does nothing */

/* Bits of one code (0 for NULL), and bytes of one stored code: 1, 2 or 4. */
int bs_format_code_bits(const bs_format *format);
int bs_format_code_bytes(const bs_format *format);
/* Bits of a stored scale: 8, 16 or 32; 0 for an element format. */
int bs_format_scale_bits(const bs_format *format);
/* Random bits that each element takes, 0 unless the rounding is stochastic. */
int bs_format_random_bits(const bs_format *format);
/* Whether the format or its recipe has a tensor scale. */
int bs_format_has_tensor_scale(const bs_format *format);
/*
 * How blocks lie: one of these, or -1 for NULL and element formats. Where `rows` and `columns` are not NULL they get a
 * whole block's sides: 1 and Q_b; R and C of a tile; 0 and 0 for the other two.
 */
#define BS_BLOCK_LINE 0   /* runs of Q_b elements of a row */
#define BS_BLOCK_TILE 1   /* tiles */
#define BS_BLOCK_AXIS 2   /* whole rows */
#define BS_BLOCK_TENSOR 3 /* everything */
int bs_format_block(const bs_format *format, int64_t *rows, int64_t *columns);

/*
 * Scales of `matrices` matrices of rows × columns numbers, row-major; -1 for bad arguments. Blocks
 * of a line lie along the columns, tiles on both axes, `axis` is a whole row, `tensor` everything.
 * Blocks never straddle rows; the last one of a row may be short.
 */
int64_t bs_scale_count(const bs_format *format, int64_t matrices, int64_t rows, int64_t columns);

/*
 * The decode-side factor T (value = code · scale · T) of a tensor with this largest finite magnitude:
 * 1 where the format has none. BS_NOT_DEFINED where a named recipe gives none that is usable, as some
 * do for 0.
 */
int bs_tensor_scale(const bs_format *format, float amax, float *tensor_scale);
/* Largest |x| over the finite values; 0 for none. */
int bs_amax(const float *values, int64_t count, float *amax);

/*
 * Quantises a tensor: every block of it.
 *   values        matrices · rows · columns numbers.
 *   tensor_scale  NULL: from the values' amax. Else in and out: above 0 it is T; 0 asks for the
 *                 automatic one, which is written. 1 is no tensor scale.
 *   random        one value below 2^n an element under stochastic:n, else ignored.
 *   codes, scales room for all of them.
 *   clamped       NULL, or where the number of scales moved to an end of their range is written.
 */
int bs_quantize(const bs_format *format, const float *values, int64_t matrices, int64_t rows,
                int64_t columns, float *tensor_scale, const uint32_t *random, void *codes,
                uint32_t *scales, int64_t *clamped);
/* The float32 values of codes as the format's recipe reads them back. T must be above 0. */
int bs_dequantize(const bs_format *format, const void *codes, const uint32_t *scales,
                  int64_t matrices, int64_t rows, int64_t columns, float tensor_scale,
                  float *values);

/*
 * Element by element, without a block: the handle's rounding (tiesToEven), saturating. NaN gives
 * BS_NOT_FINITE where the element has none. Decoding gives NaN as 0x7FC00000; bits above a code are
 * ignored, and a codebook's codes beyond its last are NaN.
 */
int bs_encode(const bs_format *format, const float *values, int64_t count, const uint32_t *random,
              void *codes);
int bs_decode(const bs_format *format, const void *codes, int64_t count, float *values);
/* The scale code of a block whose largest magnitude is `amax` (NaN for a block with a NaN or
   infinity) under an exact recipe. */
int bs_scale_of(const bs_format *format, float amax, float tensor_scale, uint32_t *scale);
int bs_decode_scales(const bs_format *format, const uint32_t *scales, int64_t count,
                     float *values);

/* `count` values of n = `bits` random bits as the command draws them from `--seed`, from element
   `first` on. */
int bs_random(uint64_t seed, int64_t first, int bits, int64_t count, uint32_t *random);

/* ---- Matrix units -------------------------------------------------------------------------- */

/* Two operand formats and an accumulator. */
typedef struct bs_mma bs_mma;

#define BS_FLOAT32 0
#define BS_FLOAT16 1
#define BS_INT32 2
#define BS_INT64 3

/*
 * Opens a matrix unit.
 *   element_a, element_b  element formats, or fp32 for plain float32 numbers; element_b NULL: as A.
 *   scale_a, scale_b      scale formats; NULL: that side is unscaled.
 *   block_a, block_b      Q_b along K of a scaled side, at least 1; ignored for the other.
 *   accumulator           a row ("blackwell-fp4"), or "fixed(W,lsb,wrap|saturate)".
 */
int bs_mma_open(const char *file, const char *element_a, const char *scale_a, int64_t block_a,
                const char *element_b, const char *scale_b, int64_t block_b,
                const char *accumulator, bs_mma **unit);
void bs_mma_close(bs_mma *unit); /* NULL does nothing */

/* Terms of one fused step; 0 where a step takes all of K; -1 for NULL. */
int bs_mma_step(const bs_mma *unit);
/* BS_FLOAT32, ... of C and D; an integer register's sums are float32 with tensor scales. -1 for NULL. */
int bs_mma_output(const bs_mma *unit, int has_tensor_scale);
/* Bits of a code, bytes of a stored code and bits of a scale of side 0 (A) or 1 (B); 0 otherwise. */
int bs_mma_code_bits(const bs_mma *unit, int side);
int bs_mma_code_bytes(const bs_mma *unit, int side);
int bs_mma_scale_bits(const bs_mma *unit, int side);
/* Scales of one line of side 0 or 1: ceil(k / block); 0 for an unscaled side. */
int64_t bs_mma_scales(const bs_mma *unit, int side, int64_t k);

/* One operand: lines along K, row-major. */
typedef struct {
  const void *codes;         /* lines × k codes */
  const uint32_t *scales;    /* lines × ceil(k / block); ignored for an unscaled side */
  const float *tensor_scale; /* NULL: none */
} bs_operand;

/*
 * D = A · Bᵀ + C: A is [m, k], B is [n, k] (by lines along K), C and D are [m, n], row-major.
 *   c  NULL: zeros. Of D's type; may be D itself.
 * With m = n = 1 and k of at most bs_mma_step this is one fused step.
 * A fixed-point register given NaN or infinity is BS_NOT_FINITE.
 */
int bs_mma_multiply(const bs_mma *unit, int64_t m, int64_t n, int64_t k, const bs_operand *a,
                    const bs_operand *b, const void *c, void *d);
/* One output: k terms, added to *c where c is not NULL. */
int bs_dot(const bs_mma *unit, int64_t k, const bs_operand *a, const bs_operand *b, const void *c,
           void *d);
/* Makes the calling thread keep whatever a product of this size may need; multiplies zeros once. */
int bs_mma_prepare(const bs_mma *unit, int64_t m, int64_t n, int64_t k);

/* Bytes that products keep for the calling thread, and giving them back. */
int64_t bs_thread_bytes(void);
void bs_thread_release(void);

/* ---- Packed vectors, for SystemVerilog ------------------------------------------------------ */

/*
 * Element i of a packed vector of w-bit fields lies in bits w·i ... w·i + w − 1. Floats are their
 * 32-bit patterns. `..._words` is the length of an output vector in words: what is behind the last
 * field is set to 0; too short a vector is BS_BAD_ARGUMENT. Scales are fields of the stored width (8,
 * 16 or 32 bits). At most BS_MOST_PACKED elements, for which a call takes up to 80 KiB of stack. None
 * of these takes random bits.
 */
int bs_quantize_packed(const bs_format *format, const uint32_t *values, int count,
                       uint32_t tensor_scale, uint32_t *codes, int codes_words, uint32_t *scales,
                       int scales_words);
int bs_dequantize_packed(const bs_format *format, const uint32_t *codes, const uint32_t *scales,
                         int count, uint32_t tensor_scale, uint32_t *values, int values_words);
int bs_encode_packed(const bs_format *format, const uint32_t *values, int count, uint32_t *codes,
                     int codes_words);
int bs_decode_packed(const bs_format *format, const uint32_t *codes, int count, uint32_t *values,
                     int values_words);
/*
 * One output of k terms; c and d are patterns of the output type in the low bits, float32 and
 * float16 zero-extended, integers sign-extended. Tensor scales are float32 patterns; 0 is none.
 */
int bs_dot_packed(const bs_mma *unit, int k, const uint32_t *a_codes, const uint32_t *a_scales,
                  uint32_t a_tensor_scale, const uint32_t *b_codes, const uint32_t *b_scales,
                  uint32_t b_tensor_scale, int64_t c, int64_t *d);

/* Handles as SystemVerilog opens them: NULL on failure, see bs_last_error. */
void *bs_format_open_handle(const char *file, const char *name, const char *block,
                            const char *recipe, const char *rounding);
void bs_format_close_handle(void *format);
void *bs_mma_open_handle(const char *file, const char *element_a, const char *scale_a, int block_a,
                         const char *element_b, const char *scale_b, int block_b,
                         const char *accumulator);
void bs_mma_close_handle(void *unit);

#ifdef __cplusplus
}
#endif

#endif
