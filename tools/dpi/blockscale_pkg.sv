// Blockscale's formats and matrix units in SystemVerilog, by DPI-C: the packed calls of
// Sources/CBlockscale/include/blockscale.h. Link with libBlockscaleC.so.
//
// Vectors hold fields side by side, element 0 in the least significant bits: codes of the format's
// bits, scales of their stored width (8, 16 or 32 bits), numbers as 32-bit float patterns. Strings
// may be "" where the header takes NULL. Functions that return int return BS_OK or an error;
// bs_last_error says what went wrong.
package blockscale_pkg;
  // verilator lint_off UNUSEDPARAM

  // Bits of a vector argument: 256 float patterns. At most 131072 (4096 elements).
  parameter int BS_BITS = 8192;
  localparam int BS_WORDS = BS_BITS / 32;
  typedef bit [BS_BITS-1:0] bs_vector;

  localparam int BS_OK = 0;
  localparam int BS_BAD_ARGUMENT = 1;
  localparam int BS_UNKNOWN_NAME = 2;
  localparam int BS_BAD_FILE = 3;
  localparam int BS_NOT_DEFINED = 4;
  localparam int BS_NOT_FINITE = 5;
  localparam int BS_UNKNOWN_STEP = 6;
  localparam int BS_NO_MEMORY = 7;

  localparam int BS_FLOAT32 = 0;
  localparam int BS_FLOAT16 = 1;
  localparam int BS_INT32 = 2;
  localparam int BS_INT64 = 3;
  // verilator lint_on UNUSEDPARAM

  import "DPI-C" function string bs_version();
  import "DPI-C" function int bs_interface_version();
  import "DPI-C" function string bs_message(input int code);
  import "DPI-C" function string bs_last_error();

  // null on failure.
  import "DPI-C" bs_format_open_handle =
    function chandle bs_format_open(input string file, input string name, input string block_size,
                                    input string recipe, input string rounding);
  import "DPI-C" bs_format_close_handle = function void bs_format_close(input chandle format);
  import "DPI-C" function int bs_format_code_bits(input chandle format);
  import "DPI-C" function int bs_format_scale_bits(input chandle format);
  import "DPI-C" function longint bs_scale_count(input chandle format, input longint matrices,
                                                 input longint rows, input longint columns);

  // null on failure.
  import "DPI-C" bs_mma_open_handle =
    function chandle bs_mma_open(input string file, input string element_a, input string scale_a,
                                 input int block_a, input string element_b, input string scale_b,
                                 input int block_b, input string accumulator);
  import "DPI-C" bs_mma_close_handle = function void bs_mma_close(input chandle unit);
  import "DPI-C" function int bs_mma_step(input chandle unit);
  import "DPI-C" function int bs_mma_output(input chandle unit, input int has_tensor_scale);
  import "DPI-C" function int bs_mma_code_bits(input chandle unit, input int side);
  import "DPI-C" function int bs_mma_scale_bits(input chandle unit, input int side);

  import "DPI-C" bs_quantize_packed =
    function int bs_c_quantize(input chandle format, input bs_vector values, input int count,
                               input int unsigned tensor_scale, output bs_vector codes,
                               input int codes_words, output bs_vector scales,
                               input int scales_words);
  import "DPI-C" bs_dequantize_packed =
    function int bs_c_dequantize(input chandle format, input bs_vector codes,
                                 input bs_vector scales, input int count,
                                 input int unsigned tensor_scale, output bs_vector values,
                                 input int values_words);
  import "DPI-C" bs_encode_packed =
    function int bs_c_encode(input chandle format, input bs_vector values, input int count,
                             output bs_vector codes, input int codes_words);
  import "DPI-C" bs_decode_packed =
    function int bs_c_decode(input chandle format, input bs_vector codes, input int count,
                             output bs_vector values, input int values_words);

  // One output of k terms added to c. Tensor scales are float32 patterns, 0 for none; c and d are
  // patterns of bs_mma_output in the low bits, integers sign-extended.
  import "DPI-C" bs_dot_packed =
    function int bs_dot(input chandle unit, input int k, input bs_vector a_codes,
                        input bs_vector a_scales, input int unsigned a_tensor_scale,
                        input bs_vector b_codes, input bs_vector b_scales,
                        input int unsigned b_tensor_scale, input longint c, output longint d);

  // `count` numbers as one line of blocks. `tensor_scale` is a float32 pattern, 0 for automatic.
  function automatic int bs_quantize(input chandle format, input bs_vector values,
                                     input int count, input int unsigned tensor_scale,
                                     output bs_vector codes, output bs_vector scales);
    return bs_c_quantize(format, values, count, tensor_scale, codes, BS_WORDS, scales, BS_WORDS);
  endfunction

  // The numbers of `count` codes; `tensor_scale` is a float32 pattern above 0, 32'h3F800000 for 1.
  function automatic int bs_dequantize(input chandle format, input bs_vector codes,
                                       input bs_vector scales, input int count,
                                       input int unsigned tensor_scale, output bs_vector values);
    return bs_c_dequantize(format, codes, scales, count, tensor_scale, values, BS_WORDS);
  endfunction

  // Numbers one by one, without a block.
  function automatic int bs_encode(input chandle format, input bs_vector values,
                                   input int count, output bs_vector codes);
    return bs_c_encode(format, values, count, codes, BS_WORDS);
  endfunction

  function automatic int bs_decode(input chandle format, input bs_vector codes, input int count,
                                   output bs_vector values);
    return bs_c_decode(format, codes, count, values, BS_WORDS);
  endfunction

endpackage
